// What somebody should look at: pauses, missing acknowledgements, old heads; and the verbs that write for many at once.
#include "tests/store/conformance.h"

namespace lotsen::store {
namespace {

template <typename Backend>
class Alarming : public Conformance<Backend> {
 protected:
  Pause pause(std::string endpoint, std::string reason, Instant since) {
    return {std::move(endpoint), std::move(reason), "operator:anna", since};
  }
  Alarms alarms(Instant now) { return *this->store().alarms(now); }
};
TYPED_TEST_SUITE(Alarming, Backends, BackendNames);

TYPED_TEST(Alarming, APausedEndpointIsNeitherDueNorClaimed) {
  this->create(1, {leg(1, 1), leg(2, 1, "other")});
  const Claimed other = this->send(at(1), "other");
  ASSERT_TRUE(this->store().pauseEndpoint(this->pause("provider", "they move house", at(2)), audit("paused")).ok());
  ASSERT_TRUE(this->store().pauseEndpoint(this->pause("other", "", at(2)), audit("paused")).ok());
  EXPECT_TRUE(this->dueEndpoints(at(3)).empty());
  EXPECT_TRUE(this->claim(at(3)).empty());
  std::optional<Instant> next;
  ASSERT_TRUE(this->store().dueEndpoints(at(-1), next).ok());
  EXPECT_FALSE(next) << "nothing to wake up for";
  EXPECT_TRUE(this->finish(other, DeliveryState::Done, at(3)).empty()) << "what is leased goes on";

  this->backend_.reopen();
  ASSERT_TRUE(this->store().pauseEndpoint(this->pause("provider", "still", at(4)), audit("paused")).ok());
  const std::vector<Pause> paused = this->alarms(at(5)).paused;
  ASSERT_EQ(paused.size(), 2u);
  EXPECT_EQ(paused[0].endpoint, "other");
  EXPECT_EQ(paused[1].reason, "still");
  EXPECT_EQ(paused[1].actor, "operator:anna");
  EXPECT_EQ(paused[1].since, at(4));

  ASSERT_TRUE(this->store().resumeEndpoint("provider", audit("resumed")).ok());
  EXPECT_EQ(this->store().resumeEndpoint("provider", audit("resumed")).error().code, Code::NotFound);
  EXPECT_EQ(this->dueEndpoints(at(6)), std::vector<std::string>{"provider"});
  EXPECT_EQ(this->claim(at(6)).size(), 1u);
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(Alarming, AMissingAcknowledgementIsNoticedOnce) {
  this->create(1, {leg(1, 1)});
  this->create(2, {leg(2, 2)});
  for (const Claimed& each : this->claim(at(1))) {
    ASSERT_EQ(this->store().startSending({{each.delivery.id, each.delivery.token}}, at(1))->size(), 1u);
    this->finish(each, DeliveryState::Awaiting, at(2), each.delivery.id == deliveryId(1) ? at(100) : at(200));
  }
  EXPECT_EQ(*this->store().noticeOverdue(at(99)), 0u);
  EXPECT_EQ(*this->store().noticeOverdue(at(100)), 1u);
  EXPECT_EQ(*this->store().noticeOverdue(at(101)), 0u) << "once";
  EXPECT_EQ(this->alarms(at(101)).overdue, 1u);
  EXPECT_TRUE(this->delivery(1).overdue);
  EXPECT_FALSE(this->delivery(2).overdue);
  EXPECT_EQ(this->state(1), DeliveryState::Awaiting);
  const AuditEntry told = this->store().transfer(transferId(1))->timeline.back();
  EXPECT_EQ(told.action, "acknowledgement-overdue");
  EXPECT_EQ(told.subject, deliveryId(1));
  EXPECT_EQ(told.actor, "gateway");
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Applied);
  EXPECT_FALSE(this->delivery(1).overdue);
  EXPECT_EQ(this->alarms(at(102)).overdue, 0u);
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(Alarming, OldHeadsAreCountedByAge) {
  this->create(1, {leg(1, 1), leg(2, 1), held(leg(3, 1))});
  this->create(2, {leg(4, 2)});
  const auto old = [&](std::int64_t seconds) { return this->alarms(at(seconds)).oldHeads; };
  using Ages = std::array<std::uint64_t, 3>;
  EXPECT_EQ(this->delivery(1).placedAt, kStart);
  EXPECT_EQ(this->delivery(3).placedAt, Instant{}) << "no place yet";
  EXPECT_EQ(old(15 * 60 - 1), (Ages{0, 0, 0}));
  EXPECT_EQ(old(15 * 60), (Ages{2, 0, 0})) << "heads, not what stands behind them";
  EXPECT_EQ(old(4 * 3600), (Ages{2, 2, 0}));
  EXPECT_EQ(old(24 * 3600), (Ages{2, 2, 2}));
  for (const Claimed& each : this->claim(at(1))) {
    this->finish(each, each.delivery.id == deliveryId(1) ? DeliveryState::Parked : DeliveryState::Done, at(1));
  }
  EXPECT_EQ(old(24 * 3600), (Ages{0, 0, 0})) << "parked ones are counted as parked";
}

TYPED_TEST(Alarming, ATurnEndsAndStartsTogether) {
  this->create(1, {leg(1, 1), leg(2, 1)});
  const Claimed first = this->send(at(1));
  this->create(2, {leg(3, 2)});
  const Claimed third = this->claim(at(2)).at(0);
  AttemptEnd end;
  end.delivery = first.delivery.id;
  end.token = first.delivery.token;
  end.outcome = "done";
  AttemptEnd stale = end;
  stale.token += 1;
  stale.delivery = third.delivery.id;
  const Lease lease(third.delivery.id, third.delivery.token), older(lease.first, lease.second - 1);
  const Result<Turned> turned = this->store().turn({end, stale}, {older, lease, {deliveryId(2), 1}}, at(3));
  ASSERT_TRUE(turned.ok());
  EXPECT_EQ(turned->stale, std::vector<Lease>({{stale.delivery, stale.token}}));
  EXPECT_EQ(turned->started, std::vector<Lease>{lease}) << "nobody has claimed the other";
  EXPECT_EQ(this->state(1), DeliveryState::Done);
  EXPECT_EQ(this->state(2), DeliveryState::Ready) << "promoted";
  EXPECT_TRUE(this->delivery(3).sending);
}

TYPED_TEST(Alarming, EachSavedTransferStandsForItself) {
  for (std::uint64_t i = 1; i <= 3; ++i) this->accept(item(i, i));
  const auto works = *this->store().claimTransfers(this->owner_, 3, at(1), at(60));
  ASSERT_EQ(works.size(), 3u);
  std::vector<TransferChange> changes;
  for (const TransferWork& each : works) {
    changes.push_back(this->change(each));
    const auto number = changes.size();
    changes.back().created.push_back(leg(number, number));
    changes.back().audit.push_back(audit("thought"));
  }
  ++changes[0].token;                                                 // stale
  changes[1].changed.push_back({deliveryId(9), {}, "", "", "", ""});  // unknown, found after its legs were made
  const std::vector<Result<Saved>> saved = this->store().saveTransfers(changes, at(2));
  ASSERT_EQ(saved.size(), 3u);
  EXPECT_EQ(saved[0].error().code, Code::Conflict);
  EXPECT_EQ(saved[1].error().code, Code::Invalid);
  EXPECT_TRUE(saved[2].ok());
  EXPECT_TRUE(this->store().transfer(transferId(1))->deliveries.empty());
  EXPECT_TRUE(this->store().transfer(transferId(2))->deliveries.empty());
  EXPECT_EQ(this->store().transfer(transferId(3))->deliveries.size(), 1u);
  EXPECT_TRUE(this->store().verifyAudit().ok());
  this->backend_.reopen();
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(Alarming, AResolvingClaimTellsWhenBytesCouldLastLeave) {
  this->create(1, {leg(1, 1)});
  EXPECT_FALSE(this->send(at(1)).lastSentAt) << "not resolving";
  ASSERT_EQ(*this->store().expireLeases(at(100)), 1u);
  const std::vector<Claimed> again = this->claim(at(101));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(again[0].resolving);
  EXPECT_EQ(again[0].lastSentAt, at(1));
  this->finish(again[0], DeliveryState::Resolving, at(102), at(102));
  EXPECT_EQ(this->claim(at(103)).at(0).lastSentAt, at(1)) << "a look leaves it";
}

TYPED_TEST(Alarming, AClaimTellsOfTheSendingsThatMayHaveLeft) {
  this->create(1, {leg(1, 1)});
  const Claimed first = this->send(at(1));
  EXPECT_EQ(first.sends, 0u);
  EXPECT_FALSE(first.firstSentAt);
  AttemptEnd unsent;
  unsent.delivery = deliveryId(1);
  unsent.token = first.delivery.token;
  unsent.to = DeliveryState::Ready;
  unsent.dueAt = at(2);
  unsent.phase = "connect";
  ASSERT_TRUE(this->store().finish({unsent}, at(2)).ok());
  const Claimed second = this->send(at(3));
  EXPECT_EQ(second.sends, 0u) << "nothing has left yet";
  this->finish(second, DeliveryState::Ready, at(4), at(4));
  this->finish(this->send(at(5)), DeliveryState::Ready, at(6), at(6));
  const Claimed fourth = this->send(at(7));
  EXPECT_EQ(fourth.sends, 2u);
  EXPECT_EQ(fourth.firstSentAt, at(3));
}

}  // namespace
}  // namespace lotsen::store
