#include "tests/store/conformance.h"

namespace lotsen::store {
namespace {

template <typename Backend>
class Delivering : public Conformance<Backend> {};
TYPED_TEST_SUITE(Delivering, Backends, BackendNames);

// --- claim, send, finish

TYPED_TEST(Delivering, ClaimTakesDueHeadsOldestFirst) {
  for (const std::uint64_t each : {1u, 2u, 3u, 4u}) {
    this->create(each, {leg(each, each, "provider", at(100 - static_cast<int>(each) * 10))});
  }
  EXPECT_TRUE(this->claim(at(59)).empty());
  std::optional<Instant> next;
  EXPECT_TRUE(this->store().dueEndpoints(at(59), next)->empty());
  EXPECT_EQ(next, at(60));
  EXPECT_EQ(*this->store().dueEndpoints(at(60), next), std::vector<std::string>{"provider"});
  EXPECT_EQ(next, at(70));
  const std::vector<Claimed> claimed = this->claim(at(80), 2);
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].delivery.id, deliveryId(4));
  EXPECT_EQ(claimed[1].delivery.id, deliveryId(3));
  EXPECT_EQ(claimed[0].delivery.attempts, 1u);
  EXPECT_FALSE(claimed[0].resolving);
  EXPECT_TRUE(this->claim(at(80), 10, "elsewhere").empty());
}

TYPED_TEST(Delivering, AttemptsAreRecorded) {
  this->create(1, {leg(1, 1)});
  const Claimed first = this->send(at(1));
  this->finish(first, DeliveryState::Ready, at(2), at(10));
  EXPECT_EQ(this->delivery(1).reason, "test");
  EXPECT_EQ(this->delivery(1).dueAt, at(10));
  EXPECT_EQ(this->dueTransfers(at(9)), 0u) << "a retry is no news for the transfer";
  const Claimed second = this->send(at(10));
  EXPECT_EQ(second.delivery.token, first.delivery.token + 1);
  this->finish(second, DeliveryState::Done, at(11));
  const TransferView view = *this->store().transfer(transferId(1));
  ASSERT_EQ(view.attempts.size(), 2u);
  EXPECT_EQ(view.attempts[0].claimedAt, at(1));
  EXPECT_EQ(view.attempts[0].sentAt, at(1));
  EXPECT_EQ(view.attempts[0].endedAt, at(2));
  EXPECT_EQ(view.attempts[1].number, 2u);
  EXPECT_EQ(view.deliveries[0].finishedAt, at(11));
  EXPECT_EQ(view.deliveries[0].reason, "");
}

TYPED_TEST(Delivering, StaleEndsChangeNothing) {
  this->create(1, {leg(1, 1)});
  const Claimed first = this->send(at(1));
  EXPECT_EQ(*this->store().expireLeases(at(61)), 1u);
  const Claimed second = this->send(at(61));
  const std::string before = test::describe(this->store(), at(62));
  EXPECT_EQ(this->finish(first, DeliveryState::Done, at(62)),
            std::vector<Lease>({{deliveryId(1), first.delivery.token}}));
  EXPECT_EQ(test::describe(this->store(), at(62)), before);
  EXPECT_TRUE(this->store().startSending({{deliveryId(1), first.delivery.token}}, at(62))->empty());
  EXPECT_TRUE(this->finish(second, DeliveryState::Done, at(63)).empty());
  EXPECT_EQ(this->finish(second, DeliveryState::Done, at(64)),
            std::vector<Lease>({{deliveryId(1), second.delivery.token}}));
}

TYPED_TEST(Delivering, LostLeasesTellSentFromUnsent) {
  this->create(1, {leg(1, 1)});
  this->create(2, {leg(2, 2, "other")});
  this->claim(at(1));
  this->send(at(1), "other");
  this->owner_ = *this->store().openNode("node", at(2));
  EXPECT_EQ(this->owner_.epoch, 2u);
  EXPECT_EQ(this->state(1), DeliveryState::Ready);
  EXPECT_EQ(this->state(2), DeliveryState::Resolving);
  EXPECT_FALSE(this->claim(at(3))[0].resolving);
  const Claimed again = this->claim(at(3), 1, "other")[0];
  EXPECT_TRUE(again.resolving);
  // Unsent this time, and still ambiguous because of the first.
  EXPECT_EQ(*this->store().expireLeases(at(63)), 2u);
  EXPECT_EQ(this->state(2), DeliveryState::Resolving);
  EXPECT_EQ(this->store().transfer(transferId(2))->attempts[0].outcome, "lease-lost");
}

TYPED_TEST(Delivering, OtherNodesKeepTheirLeases) {
  this->create(1, {leg(1, 1)});
  this->claim(at(1));
  ASSERT_TRUE(this->store().openNode("other", at(2)).ok());
  EXPECT_EQ(this->state(1), DeliveryState::Leased);
}

TYPED_TEST(Delivering, OldIncarnationsClaimNothing) {
  this->create(1, {leg(1, 1)});
  this->accept(item(2, 2));
  const Owner old = this->owner_;
  ASSERT_TRUE(this->store().openNode("node", at(1)).ok());
  EXPECT_EQ(this->store().claim(old, "provider", 1, at(1), at(60)).error().code, Code::Conflict);
  EXPECT_EQ(this->store().claimTransfers(old, 1, at(1), at(60)).error().code, Code::Conflict);
}

TYPED_TEST(Delivering, EndsMustBeAllowed) {
  this->create(1, {leg(1, 1)});
  const Claimed claimed = this->send(at(1));
  AttemptEnd end;
  end.delivery = claimed.delivery.id;
  end.token = claimed.delivery.token;
  for (const DeliveryState to :
       {DeliveryState::Held, DeliveryState::Queued, DeliveryState::Leased, DeliveryState::Cancelled}) {
    end.to = to;
    EXPECT_EQ(this->store().finish({end}, at(2)).error().code, Code::Invalid) << name(to);
  }
  EXPECT_EQ(this->state(1), DeliveryState::Leased);
}

// --- releases

TYPED_TEST(Delivering, WithoutAReleaseNothingGoes) {
  this->create(1, {released(leg(1, 1))});
  EXPECT_TRUE(this->dueEndpoints(at(1)).empty());
  EXPECT_TRUE(this->claim(at(1)).empty());
}

TYPED_TEST(Delivering, AReleaseOpensTheGate) {
  this->create(1, {released(leg(1, 1))}, {release(1)});
  EXPECT_EQ(this->store().transfer(transferId(1))->releases.size(), 1u);
  EXPECT_EQ(this->send(at(1)).delivery.id, deliveryId(1));
}

TYPED_TEST(Delivering, AWithdrawalShutsItInItsOwnCommit) {
  this->create(1, {released(leg(1, 1)), leg(2, 1, "internal")}, {release(1)});
  this->accept(item(2, 1, RecordKind::Consent, at(1)));
  EXPECT_TRUE(this->store().transfer(transferId(1))->releases.empty());
  EXPECT_EQ(this->dueEndpoints(at(2)), std::vector<std::string>{"internal"});
  EXPECT_TRUE(this->claim(at(2)).empty());
  TransferChange renew = this->change(this->claimOne(at(2)));
  renew.releases.push_back(release(1));
  ASSERT_TRUE(this->store().saveTransfer(renew, at(2)).ok());
  EXPECT_EQ(this->send(at(3)).delivery.id, deliveryId(1));
}

TYPED_TEST(Delivering, AWithdrawalStopsWhatIsClaimedButUnsent) {
  this->create(1, {released(leg(1, 1))}, {release(1)});
  this->create(2, {released(leg(2, 2, "other"))}, {release(2)});
  const Claimed unsent = this->claim(at(1))[0];
  const Claimed sent = this->send(at(1), "other");
  this->accept(item(3, 1, RecordKind::Consent, at(2)));
  this->accept(item(4, 2, RecordKind::Consent, at(2)));
  EXPECT_TRUE(this->store().startSending({{deliveryId(1), unsent.delivery.token}}, at(3))->empty());
  EXPECT_EQ(this->state(1), DeliveryState::Ready);
  EXPECT_EQ(this->store().transfer(transferId(1))->attempts[0].outcome, "release-void");
  EXPECT_TRUE(this->claim(at(4)).empty());
  EXPECT_TRUE(this->finish(sent, DeliveryState::Done, at(4)).empty()) << "what has left cannot be called back here";
}

TYPED_TEST(Delivering, ReleasesDecidedWithoutTheWithdrawalAreVoid) {
  this->accept(item(1, 1));
  TransferChange save = this->change(this->claimOne());
  this->accept(item(2, 1, RecordKind::Consent, at(1)));
  save.created.push_back(released(leg(1, 1)));
  save.releases.push_back(release(1));
  ASSERT_TRUE(this->store().saveTransfer(save, at(1)).ok());
  EXPECT_TRUE(this->claim(at(1)).empty());
  TransferChange renewed = this->change(this->claimOne(at(1)));
  renewed.releases.push_back(release(1));
  ASSERT_TRUE(this->store().saveTransfer(renewed, at(1)).ok());
  EXPECT_EQ(this->claim(at(1)).size(), 1u);
}

TYPED_TEST(Delivering, ExpiredReleasesWakeTheTransferOnce) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(0), at(10))});
  EXPECT_TRUE(this->claim(at(10)).empty());
  EXPECT_EQ(this->dueTransfers(at(10)), 1u);
  EXPECT_TRUE(this->dueEndpoints(at(10)).empty()) << "not due any more, or the loop would spin";
  EXPECT_TRUE(this->store().transfer(transferId(1))->releases.empty());
}

TYPED_TEST(Delivering, ReleasesThatExpireAfterTheClaimStopTheSending) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(0), at(10))});
  const Claimed claimed = this->claim(at(9))[0];
  EXPECT_TRUE(this->store().startSending({{deliveryId(1), claimed.delivery.token}}, at(10))->empty());
  EXPECT_EQ(this->dueTransfers(at(10)), 1u);
}

// A release may be replaced between the claim and the start by one that ends sooner.
TYPED_TEST(Delivering, AStartTellsHowLongItsReleaseIsValid) {
  this->create(1, {released(leg(1, 1)), leg(2, 1, "other")}, {release(1, at(0), at(10))});
  const Claimed gated = this->claim(at(1))[0];
  const Claimed free = (*this->store().claim(this->owner_, "other", 1, at(1), at(100)))[0];
  const Result<Turned> turned = this->store().turn(
      {}, {{gated.delivery.id, gated.delivery.token}, {free.delivery.id, free.delivery.token}}, at(2));
  ASSERT_EQ(turned->started.size(), 2u);
  EXPECT_EQ(turned->until, (std::vector<Instant>{at(10), Instant::max()}));
}

TYPED_TEST(Delivering, FutureReleasesMoveTheDueTime) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(50), at(100))});
  EXPECT_TRUE(this->claim(at(1)).empty());
  std::optional<Instant> next;
  EXPECT_TRUE(this->store().dueEndpoints(at(1), next)->empty());
  EXPECT_EQ(next, at(50));
  EXPECT_EQ(this->claim(at(50)).size(), 1u);
}

TYPED_TEST(Delivering, RefusedHeadsDoNotHideTheOthers) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(0), at(10))});
  this->create(2, {leg(2, 2)});
  const std::vector<Claimed> claimed = this->claim(at(20), 1);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].delivery.id, deliveryId(2));
}

}  // namespace
}  // namespace lotsen::store
