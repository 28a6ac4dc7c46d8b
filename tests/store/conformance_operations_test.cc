// People's verbs on deliveries: what each does in each state, and what it meets halfway.
#include "tests/store/conformance.h"

#include <latch>
#include <thread>

namespace lotsen::store {
namespace {

using enum DeliveryState;

AuditEntry by(Verb verb, std::uint64_t delivery) {
  AuditEntry entry = audit("person-" + std::string(name(verb)), deliveryId(delivery), at(10));
  entry.actor = "operator:anna";
  return entry;
}

template <typename Backend>
class Operations : public Conformance<Backend> {
 protected:
  Intervened act(Verb verb, std::uint64_t number, Instant dueAt = at(10)) {
    const auto outcomes =
        this->store().intervene({{deliveryId(number), verb, dueAt, at(99'000), by(verb, number)}}, at(10));
    EXPECT_TRUE(outcomes.ok());
    return outcomes->front();
  }
  /// One leg that was sent and ended so.
  void sent(std::uint64_t n, DeliveryState end, std::string_view reason = "test") {
    const std::string lane = "lane-" + std::to_string(n);
    this->create(n, {leg(n, n, lane)});
    const Claimed claimed = this->send(at(1), lane);
    AttemptEnd attempt;
    attempt.delivery = claimed.delivery.id;
    attempt.token = claimed.delivery.token;
    attempt.to = end;
    attempt.dueAt = at(1'000);
    attempt.reason = reason;
    ASSERT_TRUE(this->store().finish({attempt}, at(2)).ok());
    ASSERT_EQ(this->state(n), end);
  }
  std::size_t rows(std::uint64_t transfer, const std::string& action) {
    const TransferView view = *this->store().transfer(transferId(transfer));
    return static_cast<std::size_t>(std::count_if(view.timeline.begin(), view.timeline.end(), [&](const auto& row) {
      return row.action == action && row.actor == "operator:anna";
    }));
  }
};
TYPED_TEST_SUITE(Operations, Backends, BackendNames);

TYPED_TEST(Operations, ResendGoesAgainWithTheSameBytesAndIdentity) {
  this->sent(1, Parked);
  const Delivery before = this->delivery(1);
  EXPECT_EQ(this->act(Verb::Resend, 1, at(20)), Intervened::Applied);
  const Delivery after = this->delivery(1);
  EXPECT_EQ(after.state, Ready);
  EXPECT_EQ(after.dueAt, at(20)) << "spread by the rate that was asked for";
  EXPECT_EQ(after.deadlineAt, at(99'000));
  EXPECT_EQ(after.reason, "");
  EXPECT_EQ(this->rows(1, "person-resend"), 1u);
  EXPECT_GE(this->dueTransfers(at(10)), 1u) << "its reasons and releases are looked at";
  EXPECT_TRUE(this->claim(at(19), 10, "lane-1").empty());
  const Claimed again = this->send(at(20), "lane-1");
  EXPECT_EQ(again.delivery.messageId, before.messageId);
  EXPECT_EQ(again.delivery.bundleId, before.bundleId);
  EXPECT_EQ(again.delivery.body, before.body);
  EXPECT_FALSE(again.resolving);
}

TYPED_TEST(Operations, ResendLeavesAloneWhatTheReceiverHasAndWhatGoesByItself) {
  this->sent(1, Done);
  this->sent(2, Awaiting);
  this->sent(3, Resolving);
  this->create(4, {leg(4, 4, "lane-4"), leg(5, 4, "lane-4")});
  this->create(6, {held(leg(6, 6))});
  EXPECT_EQ(this->act(Verb::Resend, 1), Intervened::HasIt);
  EXPECT_EQ(this->act(Verb::Resend, 2), Intervened::HasIt);
  EXPECT_EQ(this->act(Verb::Resend, 3), Intervened::UnderWay);
  EXPECT_EQ(this->act(Verb::Resend, 4), Intervened::UnderWay);
  EXPECT_EQ(this->act(Verb::Resend, 5), Intervened::UnderWay);
  EXPECT_EQ(this->act(Verb::Resend, 6), Intervened::UnderWay);
  EXPECT_EQ(this->act(Verb::Resend, 77), Intervened::Unknown);
  EXPECT_EQ(this->rows(1, "person-resend") + this->rows(4, "person-resend"), 0u) << "nothing was done";
}

TYPED_TEST(Operations, AByteLessOneIsThoughtAboutAgain) {
  Delivery parked = held(leg(1, 1));
  parked.state = Parked;
  parked.reason = "message-invalid";
  this->create(1, {parked});
  EXPECT_EQ(this->act(Verb::Resend, 1), Intervened::Applied);
  EXPECT_EQ(this->state(1), Held);
  const TransferWork work = this->claimOne(at(10));
  ASSERT_EQ(work.transfer.id, transferId(1));
  TransferChange change = Conformance<TypeParam>::change(work);
  change.changed.push_back({deliveryId(1), Ready, "text/plain", "bytes at last", "map", ""});
  ASSERT_TRUE(this->store().saveTransfer(change, at(11)).ok());
  EXPECT_EQ(this->state(1), Ready);
}

TYPED_TEST(Operations, ParkAndReleaseGoBackToWhereItStood) {
  this->create(1, {leg(1, 1, "lane-1"), leg(2, 1, "lane-1"), held(leg(3, 1, "lane-3"))});
  EXPECT_EQ(this->act(Verb::Park, 1), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Park, 3), Intervened::Applied);
  EXPECT_EQ(this->state(1), Parked);
  EXPECT_EQ(this->delivery(1).reason, kParkedByPerson);
  EXPECT_EQ(this->state(3), Parked);
  EXPECT_EQ(this->act(Verb::Park, 1), Intervened::ParkedAlready);
  EXPECT_TRUE(this->claim(at(11), 10, "lane-1").empty()) << "it holds up its lane";
  EXPECT_EQ(this->act(Verb::Release, 1), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Release, 3), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Release, 1), Intervened::UnderWay);
  EXPECT_EQ(this->state(1), Ready);
  EXPECT_EQ(this->state(3), Held);
  EXPECT_EQ(this->state(2), Queued);
}

TYPED_TEST(Operations, OneThatIsQueuedParksWhenItsTurnComes) {
  this->create(1, {leg(1, 1, "lane"), leg(2, 1, "lane"), leg(3, 1, "lane"), leg(4, 1, "lane")});
  EXPECT_EQ(this->act(Verb::Park, 2), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Park, 3), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Park, 2), Intervened::ParkedAlready);
  EXPECT_EQ(this->state(2), Queued) << "the lane has a head already";
  EXPECT_EQ(this->delivery(2).reason, kParkedByPerson);
  EXPECT_EQ(this->act(Verb::Release, 3), Intervened::Applied);
  EXPECT_EQ(this->delivery(3).reason, "");
  this->finish(this->send(at(1), "lane"), Done, at(2));
  EXPECT_EQ(this->state(2), Parked);
  EXPECT_EQ(this->state(3), Queued);
  EXPECT_EQ(*this->store().promoteOrphans(at(3)), 0u);
  EXPECT_EQ(this->act(Verb::Cancel, 2), Intervened::Applied);
  EXPECT_EQ(this->delivery(2).reason, kCancelledByPerson);
  EXPECT_EQ(this->state(3), Ready);
}

TYPED_TEST(Operations, WhatIsAmbiguousStaysSoThroughParkAndRelease) {
  this->sent(1, Resolving, "answer-lost");
  EXPECT_EQ(this->act(Verb::Cancel, 1), Intervened::Unresolved);
  EXPECT_EQ(this->act(Verb::Park, 1), Intervened::Applied);
  EXPECT_EQ(this->state(1), Parked);
  EXPECT_EQ(this->delivery(1).reason, kParkedUnresolved);
  EXPECT_EQ(this->act(Verb::Release, 1), Intervened::Applied);
  EXPECT_EQ(this->state(1), Resolving);
  const std::vector<Claimed> claimed = this->claim(at(10), 10, "lane-1");
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_TRUE(claimed[0].resolving) << "nobody has said that it did not arrive";
  EXPECT_EQ(claimed[0].lastSentAt, at(1));
}

TYPED_TEST(Operations, ReleaseIsForWhatAPersonHasParked) {
  this->sent(1, Parked, "refused-422");
  EXPECT_EQ(this->act(Verb::Release, 1), Intervened::ParkedByGateway);
  EXPECT_EQ(this->state(1), Parked);
}

TYPED_TEST(Operations, ReleaseSendsNothingWithoutALiveRelease) {
  this->create(1, {released(leg(1, 1))});
  EXPECT_EQ(this->act(Verb::Park, 1), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Release, 1), Intervened::Applied);
  EXPECT_TRUE(this->claim(at(11)).empty());
  EXPECT_TRUE(this->dueEndpoints(at(11)).empty());
}

TYPED_TEST(Operations, WhatIsLeasedIsLetAlone) {
  this->create(1, {leg(1, 1)});
  const Claimed claimed = this->send(at(1));
  for (const Verb verb : {Verb::Resend, Verb::Park, Verb::Release, Verb::Cancel, Verb::Confirm}) {
    EXPECT_EQ(this->act(verb, 1), Intervened::Leased) << name(verb);
  }
  EXPECT_TRUE(this->finish(claimed, Done, at(2)).empty()) << "the token is as good as before";
  EXPECT_EQ(this->state(1), Done);
}

TYPED_TEST(Operations, ConfirmIsForWhatMayHaveArrived) {
  this->create(1, {leg(1, 1, "never")});
  EXPECT_EQ(this->act(Verb::Confirm, 1), Intervened::NeverSent);
  EXPECT_EQ(this->act(Verb::Park, 1), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Confirm, 1), Intervened::NeverSent);
  std::uint64_t n = 1;
  for (const DeliveryState from : {Parked, Awaiting, Resolving, Ready}) {
    this->sent(++n, from);
    EXPECT_EQ(this->act(Verb::Confirm, n), Intervened::Applied) << name(from);
    EXPECT_EQ(this->state(n), Done);
    EXPECT_EQ(this->delivery(n).finishedAt, at(10));
    EXPECT_EQ(this->act(Verb::Confirm, n), Intervened::HasIt);
  }
}

TYPED_TEST(Operations, CancelMakesWayAndIsTheEnd) {
  this->create(1, {leg(1, 1, "lane"), leg(2, 1, "lane"), held(leg(3, 1, "other"))});
  EXPECT_EQ(this->act(Verb::Cancel, 1), Intervened::Applied);
  EXPECT_EQ(this->act(Verb::Cancel, 3), Intervened::Applied);
  EXPECT_EQ(this->state(2), Ready);
  for (const Verb verb : {Verb::Resend, Verb::Park, Verb::Release, Verb::Cancel, Verb::Confirm}) {
    EXPECT_EQ(this->act(verb, 1), Intervened::Ended) << name(verb);
  }
  this->sent(4, Awaiting);
  EXPECT_EQ(this->act(Verb::Cancel, 4), Intervened::HasIt) << "what the receiver has is not undone here";
}

TYPED_TEST(Operations, ThinkingDoesNotSendWhatAPersonHasParked) {
  this->create(1, {held(leg(1, 1))});
  AcceptItem more = item(50, 1);
  this->accept(more);
  const TransferWork work = this->claimOne(at(5));
  EXPECT_EQ(this->act(Verb::Park, 1), Intervened::Applied);  // while somebody thinks
  TransferChange change = Conformance<TypeParam>::change(work);
  change.changed.push_back({deliveryId(1), Ready, "text/plain", "bytes", "map", ""});
  const auto saved = this->store().saveTransfer(change, at(11));
  ASSERT_TRUE(saved.ok());
  EXPECT_EQ(saved->skipped, std::vector<Id>{deliveryId(1)});
  EXPECT_EQ(this->state(1), Parked);
  EXPECT_EQ(this->dueTransfers(at(11)), 1u);
}

TYPED_TEST(Operations, ATransferIsClaimedByItsName) {
  this->create(1, {leg(1, 1)});
  const auto work = this->store().claimTransfer(this->owner_, transferId(1), at(1), at(60));
  ASSERT_TRUE(work.ok());
  EXPECT_EQ(work->transfer.id, transferId(1));
  EXPECT_EQ(work->records.size(), 1u);
  EXPECT_FALSE(work->records[0].body.empty());
  EXPECT_EQ(work->deliveries.size(), 1u);
  EXPECT_EQ(this->store().claimTransfer(this->owner_, transferId(1), at(1), at(60)).error().code, Code::Busy);
  EXPECT_EQ(this->store().claimTransfer(this->owner_, transferId(9), at(1), at(60)).error().code, Code::NotFound);
  EXPECT_EQ(this->store().claimTransfer(this->owner_, "x", at(1), at(60)).error().code, Code::NotFound);
  this->accept(item(70, 1));
  EXPECT_TRUE(this->store().saveTransfer(Conformance<TypeParam>::change(*work), at(2)).ok());
  EXPECT_EQ(this->dueTransfers(at(2)), 1u) << "what came meanwhile is still to be thought about";
  const Owner old = this->owner_;
  this->owner_ = *this->store().openNode("node", at(3));
  EXPECT_EQ(this->store().claimTransfer(old, transferId(1), at(3), at(60)).error().code, Code::Conflict);
}

TYPED_TEST(Operations, DeliveriesAreFoundByEveryCondition) {
  this->sent(1, Parked, "refused-422");
  this->sent(2, Parked, "conflict");
  this->sent(3, Done);
  Delivery letter = leg(4, 4, "letters", at(500));
  letter.partner = "post";
  letter.role = Role::PatientLetter;
  this->create(4, {letter, held(leg(5, 4, "letters"), {deliveryId(4)})});
  const auto found = [&](DeliveryFilter filter) {
    std::vector<Id> ids;
    for (filter.limit = 1;;) {
      const DeliveryPage page = *this->store().deliveries(filter);
      for (const Delivery& each : page.deliveries) {
        EXPECT_TRUE(each.body.empty());
        ids.push_back(each.id);
      }
      if (page.next.empty()) return ids;
      filter.after = page.next;
    }
  };
  const auto ids = [](std::initializer_list<std::uint64_t> numbers) {
    std::vector<Id> list;
    for (const std::uint64_t n : numbers) list.push_back(deliveryId(n));
    return list;
  };
  DeliveryFilter all;
  EXPECT_EQ(found(all), ids({1, 2, 3, 4, 5}));
  DeliveryFilter parked;
  parked.states = {Parked};
  EXPECT_EQ(found(parked), ids({1, 2}));
  parked.reason = "conflict";
  EXPECT_EQ(found(parked), ids({2}));
  DeliveryFilter some;
  some.states = {Done, Held};
  EXPECT_EQ(found(some), ids({3, 5}));
  DeliveryFilter partner;
  partner.partner = "post";
  EXPECT_EQ(found(partner), ids({4}));
  DeliveryFilter endpoint;
  endpoint.endpoint = "letters";
  EXPECT_EQ(found(endpoint), ids({4, 5}));
  DeliveryFilter role;
  role.role = Role::PatientLetter;
  EXPECT_EQ(found(role), ids({4}));
  DeliveryFilter transfer;
  transfer.transfer = transferId(4);
  EXPECT_EQ(found(transfer), ids({4, 5}));
  transfer.transfer = "nonsense";
  EXPECT_TRUE(found(transfer).empty());
  DeliveryFilter age;
  age.createdBefore = at(1);
  EXPECT_EQ(found(age), ids({1, 2, 3, 5}));
  DeliveryFilter bad;
  bad.after = "x";
  EXPECT_EQ(this->store().deliveries(bad).error().code, Code::Invalid);
}

TYPED_TEST(Operations, TheFiguresOfEndpoints) {
  this->sent(1, Parked);
  this->sent(2, Done);
  this->create(3, {leg(3, 3, "busy"), leg(4, 3, "busy"), released(leg(5, 3, "gated"))});
  this->create(6, {leg(6, 6, "busy")});
  this->create(7, {leg(7, 7, "slow")});
  this->finish(this->send(at(1), "slow"), Awaiting, at(2), at(3));
  EXPECT_EQ(*this->store().noticeOverdue(at(4)), 1u);
  this->claim(at(1), 1, "busy");
  std::string text;
  const auto figures = this->store().endpoints();
  for (const EndpointFigures& each : *figures) {
    text += each.endpoint + " " + std::to_string(each.ready) + " " + std::to_string(each.inFlight) + " " +
            std::to_string(each.overdue) + " " + std::to_string(each.parked) + "\n";
  }
  EXPECT_EQ(text, "busy 1 1 0 0\nlane-1 0 0 0 1\nslow 0 0 1 0\n");
}

TYPED_TEST(Operations, AnAuditRowThatIsWrongRefusesAll) {
  this->sent(1, Parked);
  Intervention good{deliveryId(1), Verb::Resend, at(10), at(99), by(Verb::Resend, 1)}, bad = good;
  bad.audit.subject = "no id";
  EXPECT_EQ(this->store().intervene({good, bad}, at(10)).error().code, Code::Invalid);
  EXPECT_EQ(this->state(1), Parked);
}

// Eight people and nodes at one delivery each: whoever is first, nothing is sent beside an attempt, nothing is lost.
TYPED_TEST(Operations, PeopleAndLeasesRace) {
  constexpr std::uint64_t kLegs = 40;
  for (std::uint64_t n = 1; n <= kLegs; ++n) this->create(n, {leg(n, n, "lane")});
  std::atomic<std::uint64_t> claims{0}, parks{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  std::latch all{8};
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      all.arrive_and_wait();
      for (int round = 0; round < 30; ++round) {
        if (thread % 2 == 0) {
          const auto claimed = this->store().claim(this->owner_, "lane", 3, at(11), at(60));
          if (!claimed.ok()) {
            ++wrong;
            continue;
          }
          for (const Claimed& each : *claimed) {
            ++claims;
            AttemptEnd end;
            end.delivery = each.delivery.id;
            end.token = each.delivery.token;
            end.to = round % 8 == 7 ? Done : Resolving;
            end.dueAt = at(11);
            const auto started = this->store().startSending({{end.delivery, end.token}}, at(11));
            const auto stale = this->store().finish({end}, at(11));
            if (!started.ok() || started->size() != 1 || !stale.ok() || !stale->empty()) ++wrong;
          }
        } else {
          std::vector<Intervention> wishes;
          for (std::uint64_t n = 1; n <= kLegs; n += 3) {
            const Verb verb = round % 2 == 0 ? Verb::Park : Verb::Release;
            wishes.push_back({deliveryId(n), verb, at(10), at(99'000), by(verb, n)});
          }
          const auto outcomes = this->store().intervene(wishes, at(10));
          if (!outcomes.ok()) {
            ++wrong;
            continue;
          }
          for (const Intervened each : *outcomes) parks += each == Intervened::Applied ? 1 : 0;
        }
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(wrong, 0) << "a lease that somebody holds was taken away";
  EXPECT_GT(claims, 0u);
  EXPECT_GT(parks, 0u);
  for (std::uint64_t n = 1; n <= kLegs; ++n) static_cast<void>(this->act(Verb::Release, n));
  for (const Claimed& each : this->claim(at(20), kLegs, "lane")) {
    ASSERT_TRUE(this->store().startSending({{each.delivery.id, each.delivery.token}}, at(20)).ok());
    this->finish(each, Done, at(21));
  }
  for (std::uint64_t n = 1; n <= kLegs; ++n) EXPECT_EQ(this->state(n), Done) << n;
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

}  // namespace
}  // namespace lotsen::store
