// The storage contract, verb by verb, on every back end. A back end is done when this passes unchanged; store.h says
// why.
#include "tests/store/backends.h"

#include <set>

namespace lotsen::store {
namespace {

using test::at;
using test::audit;
using test::deliveryId;
using test::held;
using test::id;
using test::item;
using test::kStart;
using test::leg;
using test::recordId;
using test::transferId;

template <typename Backend>
class Conformance : public testing::Test {
 protected:
  Conformance() { owner_ = *store().openNode("node", kStart); }

  Store& store() { return backend_.store(); }

  Accepted accept(const AcceptItem& each) {
    Result<Accepted> accepted = store().accept(each);
    EXPECT_TRUE(accepted.ok()) << (accepted.ok() ? "" : accepted.error().message);
    return accepted.ok() ? *accepted : Accepted{};
  }

  TransferWork claimOne(Instant now = kStart) {
    Result<std::vector<TransferWork>> works = store().claimTransfers(owner_, 1, now, now + std::chrono::minutes(1));
    EXPECT_TRUE(works.ok());
    EXPECT_EQ(works->size(), 1u);
    return works->empty() ? TransferWork{} : works->front();
  }

  static TransferChange change(const TransferWork& work) {
    TransferChange change;
    change.id = work.transfer.id;
    change.token = work.token;
    change.state = TransferState::Released;
    return change;
  }

  /// A transfer with these legs, thought about and saved.
  void create(std::uint64_t transfer, std::vector<Delivery> legs, std::vector<Release> releases = {}) {
    accept(item(1000 + transfer, transfer));
    TransferChange saved = change(claimOne());
    ASSERT_EQ(saved.id, transferId(transfer));
    saved.created = std::move(legs);
    saved.releases = std::move(releases);
    const Result<Saved> result = store().saveTransfer(saved, kStart);
    ASSERT_TRUE(result.ok()) << result.error().message;
  }

  std::vector<Claimed> claim(Instant now, std::size_t limit = 10, std::string_view endpoint = "provider") {
    Result<std::vector<Claimed>> claimed = store().claim(owner_, endpoint, limit, now, now + std::chrono::seconds(60));
    EXPECT_TRUE(claimed.ok());
    return claimed.ok() ? *claimed : std::vector<Claimed>{};
  }

  /// Claims the one due head and marks it as sending.
  Claimed send(Instant now, std::string_view endpoint = "provider") {
    std::vector<Claimed> claimed = claim(now, 10, endpoint);
    EXPECT_EQ(claimed.size(), 1u);
    if (claimed.empty()) return {};
    const Result<std::vector<Id>> started =
        store().startSending({{claimed[0].delivery.id, claimed[0].delivery.token}}, now);
    EXPECT_EQ(started->size(), 1u);
    return claimed[0];
  }

  std::vector<Id> finish(const Claimed& claimed, DeliveryState to, Instant now, Instant dueAt = kStart) {
    AttemptEnd end;
    end.delivery = claimed.delivery.id;
    end.token = claimed.delivery.token;
    end.to = to;
    end.dueAt = dueAt;
    end.reason = "test";
    end.outcome = "test";
    end.httpStatus = 200;
    end.phase = "answer";
    end.audit.push_back(audit("delivery-finished", claimed.delivery.id, now));
    const Result<std::vector<Id>> stale = store().finish({end}, now);
    EXPECT_TRUE(stale.ok());
    return *stale;
  }

  Delivery delivery(std::uint64_t number) { return *store().delivery(deliveryId(number)); }
  DeliveryState state(std::uint64_t number) { return delivery(number).state; }

  AckResult acknowledge(std::uint64_t number, DeliveryState to, std::string partner = "clinic", Instant when = kStart) {
    AcceptItem ack = item(5000 + ++acknowledgements_, 0, RecordKind::Acknowledgement, when);
    ack.record.transfer.clear();
    ack.record.partner = std::move(partner);
    ack.record.state = RecordState::Processed;
    ack.acknowledgement = AckEffect{id(number, 0xd), to, when + std::chrono::seconds(30), "refused"};
    return accept(ack).acknowledgement;
  }

  std::vector<std::string> dueEndpoints(Instant now) {
    std::optional<Instant> next;
    return *store().dueEndpoints(now, next);
  }

  std::size_t dueTransfers(Instant now) {
    const auto works = store().claimTransfers(owner_, 100, now, now);
    for (const TransferWork& work : *works) EXPECT_TRUE(store().returnTransfer(work.transfer.id, work.token, now).ok());
    return works->size();
  }

  Backend backend_;
  Owner owner_;
  std::uint64_t acknowledgements_ = 0;
};

using Backends = testing::Types<MemoryBackend, SqliteBackend>;
class BackendNames {
 public:
  template <typename T>
  static std::string GetName(int) {
    return std::is_same_v<T, MemoryBackend> ? "memory" : "sqlite";
  }
};
TYPED_TEST_SUITE(Conformance, Backends, BackendNames);

Release release(std::uint64_t delivery, Instant from = at(-1000), Instant until = at(100000)) {
  return {deliveryId(delivery), recordId(1), recordId(2), from, until, "consent"};
}

Delivery released(Delivery leg) {
  leg.needsRelease = true;
  return leg;
}

// --- accept

TYPED_TEST(Conformance, AcceptKeepsEverything) {
  const AcceptItem first = item(1, 1);
  const Accepted accepted = this->accept(first);
  EXPECT_FALSE(accepted.duplicate);
  EXPECT_EQ(accepted.record, recordId(1));
  EXPECT_EQ(accepted.transfer, transferId(1));
  const Record stored = *this->store().record(recordId(1));
  EXPECT_EQ(test::describe(stored), test::describe(first.record));
  const TransferView view = *this->store().transfer(transferId(1));
  EXPECT_EQ(view.transfer.caseKey, "case-1");
  EXPECT_EQ(view.transfer.state, TransferState::Waiting);
  ASSERT_EQ(view.records.size(), 1u);
  EXPECT_EQ(view.records[0].body, "");
  ASSERT_EQ(view.timeline.size(), 1u);
  EXPECT_EQ(view.timeline[0].transfer, transferId(1));
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(Conformance, BodiesAreBytes) {
  AcceptItem each = item(1, 1);
  each.record.body = std::string("\0\xff\r\n\0", 5);
  this->accept(each);
  EXPECT_EQ(this->store().record(recordId(1))->body, each.record.body);
}

TYPED_TEST(Conformance, RepeatGetsTheStoredAnswer) {
  this->accept(item(1, 1));
  AcceptItem repeat = item(2, 2);
  repeat.record.key = "key-1";
  repeat.record.digest = "digest-1";
  const Accepted accepted = this->accept(repeat);
  EXPECT_TRUE(accepted.duplicate);
  EXPECT_EQ(accepted.record, recordId(1));
  EXPECT_EQ(accepted.transfer, transferId(1));
  EXPECT_EQ(accepted.answerStatus, 202);
  EXPECT_EQ(accepted.answerBody, "answer to 1");
  EXPECT_EQ(this->store().record(recordId(2)).error().code, Code::NotFound);
  EXPECT_EQ(this->store().transfer(transferId(2)).error().code, Code::NotFound);
  EXPECT_EQ(this->store().counts()->records, 1u);
}

TYPED_TEST(Conformance, SameKeyOtherContentIsAConflict) {
  this->accept(item(1, 1));
  AcceptItem other = item(2, 2);
  other.record.key = "key-1";
  EXPECT_EQ(this->store().accept(other).error().code, Code::Conflict);
  EXPECT_EQ(this->store().transfer(transferId(2)).error().code, Code::NotFound);
  other.record.partner = "another";  // keys are the partner's own
  EXPECT_FALSE(this->accept(other).duplicate);
}

TYPED_TEST(Conformance, AcceptRefusesWhatIsNoRecord) {
  AcceptItem wrong = item(1, 1);
  wrong.record.id = "1";
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  wrong = item(1, 1);
  wrong.record.key.clear();
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  wrong = item(1, 1);
  wrong.record.transfer.clear();
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  this->accept(item(1, 1));
  wrong = item(1, 1);
  wrong.record.key = "other";
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  EXPECT_EQ(this->store().counts()->records, 1u);
}

// --- work on transfers

TYPED_TEST(Conformance, WorkHasAllRecordsOldestFirst) {
  this->accept(item(1, 1, RecordKind::Btf));
  this->accept(item(2, 1, RecordKind::Referral));
  this->accept(item(3, 2));
  const TransferWork work = this->claimOne();
  EXPECT_EQ(work.transfer.id, transferId(1));
  ASSERT_EQ(work.records.size(), 2u);
  EXPECT_EQ(work.records[0].id, recordId(1));
  EXPECT_EQ(work.records[0].body, "{\"record\":1}");
  EXPECT_EQ(work.records[1].id, recordId(2));
  EXPECT_EQ(this->claimOne().transfer.id, transferId(2));
  EXPECT_TRUE(this->store().claimTransfers(this->owner_, 5, kStart, at(60))->empty());
}

TYPED_TEST(Conformance, ProcessedRecordsAreNoWork) {
  AcceptItem each = item(1, 1);
  each.record.state = RecordState::Processed;
  this->accept(each);
  EXPECT_EQ(this->dueTransfers(kStart), 0u);
}

TYPED_TEST(Conformance, SaveWritesTheThought) {
  this->accept(item(1, 1));
  TransferChange save = this->change(this->claimOne());
  save.state = TransferState::Waiting;
  save.reasons = "[]";
  save.agreement = "region-a";
  save.records.push_back({recordId(1), RecordState::Processed, "", "issues", "canonical", "hash"});
  save.audit.push_back(audit("transfer-waiting"));
  ASSERT_TRUE(this->store().saveTransfer(save, at(5)).ok());
  const TransferView view = *this->store().transfer(transferId(1));
  EXPECT_EQ(view.transfer.agreement, "region-a");
  EXPECT_EQ(view.transfer.changedAt, at(5));
  EXPECT_EQ(view.records[0].state, RecordState::Processed);
  EXPECT_EQ(view.records[0].issues, "issues");
  EXPECT_EQ(this->store().record(recordId(1))->canonical, "canonical");
  EXPECT_EQ(view.timeline.size(), 2u);
  EXPECT_EQ(this->dueTransfers(at(5)), 0u);
  EXPECT_EQ(this->store().saveTransfer(save, at(6)).error().code, Code::Conflict);
}

TYPED_TEST(Conformance, WhatArrivesDuringTheWorkMakesItDueAgain) {
  this->accept(item(1, 1));
  const TransferWork work = this->claimOne();
  this->accept(item(2, 1, RecordKind::Consent));
  EXPECT_EQ(this->dueTransfers(at(1)), 0u) << "leased";
  ASSERT_TRUE(this->store().saveTransfer(this->change(work), at(1)).ok());
  EXPECT_EQ(this->claimOne(at(1)).records.size(), 2u);
}

TYPED_TEST(Conformance, LookAgainLater) {
  this->accept(item(1, 1));
  TransferChange save = this->change(this->claimOne());
  save.dueAt = at(100);
  ASSERT_TRUE(this->store().saveTransfer(save, kStart).ok());
  EXPECT_EQ(this->dueTransfers(at(99)), 0u);
  EXPECT_EQ(this->dueTransfers(at(100)), 1u);
}

TYPED_TEST(Conformance, ReturnedWorkIsDueWhenSaid) {
  this->accept(item(1, 1));
  const TransferWork work = this->claimOne();
  ASSERT_TRUE(this->store().returnTransfer(work.transfer.id, work.token, at(10)).ok());
  EXPECT_EQ(this->store().returnTransfer(work.transfer.id, work.token, at(10)).error().code, Code::Conflict);
  EXPECT_EQ(this->dueTransfers(at(9)), 0u);
  EXPECT_EQ(this->dueTransfers(at(10)), 1u);
}

TYPED_TEST(Conformance, StaleWorkIsRefusedWhole) {
  this->accept(item(1, 1));
  const TransferWork first = this->claimOne();
  EXPECT_EQ(*this->store().expireLeases(at(59)), 0u);
  EXPECT_EQ(*this->store().expireLeases(at(60)), 1u);
  const TransferWork second = this->claimOne(at(60));
  EXPECT_GT(second.token, first.token);
  TransferChange save = this->change(first);
  save.created.push_back(leg(1, 1));
  EXPECT_EQ(this->store().saveTransfer(save, at(61)).error().code, Code::Conflict);
  EXPECT_EQ(this->store().delivery(deliveryId(1)).error().code, Code::NotFound);
  EXPECT_TRUE(this->store().saveTransfer(this->change(second), at(61)).ok());
}

TYPED_TEST(Conformance, WrongChangesWriteNothing) {
  this->create(1, {held(leg(1, 1)), leg(2, 1)});
  this->accept(item(2, 1));
  this->accept(item(3, 2));
  const TransferChange base = this->change(this->claimOne());
  const std::string before = test::describe(this->store(), kStart);
  std::vector<TransferChange> wrong;
  const auto add = [&](auto edit) {
    wrong.push_back(base);
    wrong.back().audit.push_back(audit("never-written"));
    edit(wrong.back());
  };
  add([](TransferChange& c) { c.created.push_back(leg(1, 1)); });                            // exists
  add([](TransferChange& c) { c.created = {leg(9, 1), leg(9, 1)}; });                        // twice
  add([](TransferChange& c) { c.created.push_back(leg(9, 2)); });                            // another transfer's
  add([](TransferChange& c) { (c.created = {leg(9, 1)})[0].body.clear(); });                 // Ready without bytes
  add([](TransferChange& c) { (c.created = {leg(9, 1)})[0].state = DeliveryState::Done; });  // no start
  add([](TransferChange& c) { (c.created = {leg(9, 1)})[0].after = {deliveryId(1)}; });      // not Done
  add([](TransferChange& c) { c.created = {held(leg(9, 1), {deliveryId(77)})}; });           // unknown
  add([](TransferChange& c) { c.changed = {{deliveryId(1), DeliveryState::Ready, "", "", "", "", {}}}; });
  add([](TransferChange& c) { c.changed = {{deliveryId(77), DeliveryState::Cancelled, "", "", "", "", {}}}; });
  add([](TransferChange& c) { c.changed = {{deliveryId(1), DeliveryState::Done, "", "", "", "", {}}}; });
  add([](TransferChange& c) { c.records = {{recordId(3), RecordState::Processed, "", "", "", ""}}; });
  add([](TransferChange& c) { c.releases = {release(77)}; });
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const Result<Saved> saved = this->store().saveTransfer(wrong[i], at(1));
    ASSERT_FALSE(saved.ok()) << i;
    EXPECT_EQ(saved.error().code, Code::Invalid) << i;
  }
  EXPECT_EQ(test::describe(this->store(), kStart), before);
  EXPECT_TRUE(this->store().verifyAudit().ok());
  EXPECT_TRUE(this->store().saveTransfer(base, at(1)).ok()) << "the lease is still held";
}

// --- order

TYPED_TEST(Conformance, LanesAreFifo) {
  this->create(1, {leg(1, 1), leg(2, 1), leg(3, 1), leg(4, 1, "mediator")});
  EXPECT_EQ(this->state(1), DeliveryState::Ready);
  EXPECT_EQ(this->state(2), DeliveryState::Queued);
  EXPECT_EQ(this->state(4), DeliveryState::Ready);
  EXPECT_EQ(this->delivery(3).sequence, 3);
  for (const std::uint64_t expected : {1u, 2u, 3u}) {
    const Claimed claimed = this->send(at(1));
    EXPECT_EQ(claimed.delivery.id, deliveryId(expected));
    EXPECT_EQ(claimed.delivery.body, "message " + std::to_string(expected));
    this->finish(claimed, DeliveryState::Done, at(1));
  }
  EXPECT_TRUE(this->claim(at(1)).empty());
  EXPECT_EQ(*this->store().promoteOrphans(at(1)), 0u);
}

TYPED_TEST(Conformance, AParkedHeadBlocksUntilItIsGone) {
  this->create(1, {leg(1, 1), leg(2, 1)});
  this->finish(this->send(at(1)), DeliveryState::Parked, at(1));
  EXPECT_TRUE(this->claim(at(2)).empty());
  TransferChange save = this->change(this->claimOne(at(2)));
  save.changed.push_back({deliveryId(1), DeliveryState::Cancelled, "", "", "", "given-up", {}});
  ASSERT_TRUE(this->store().saveTransfer(save, at(2))->skipped.empty());
  EXPECT_EQ(this->state(1), DeliveryState::Cancelled);
  EXPECT_EQ(this->send(at(3)).delivery.id, deliveryId(2));
}

TYPED_TEST(Conformance, HeldLegsHoldNobodyUp) {
  this->create(1, {held(leg(1, 1)), leg(2, 1)});
  EXPECT_EQ(this->delivery(1).sequence, 0);
  EXPECT_EQ(this->state(2), DeliveryState::Ready);
  EXPECT_EQ(this->delivery(2).sequence, 1);
}

TYPED_TEST(Conformance, HeldLegsGoWhenWhatTheyWaitForIsDone) {
  this->create(1, {leg(1, 1), held(leg(2, 1, "pas"), {deliveryId(1)})});
  EXPECT_EQ(this->delivery(2).after, std::vector<Id>{deliveryId(1)});
  this->accept(item(2, 1));
  TransferChange early = this->change(this->claimOne());
  early.changed.push_back({deliveryId(2), DeliveryState::Ready, "text/plain", "bytes", "hash", "", at(900)});
  EXPECT_EQ(this->store().saveTransfer(early, kStart)->skipped, std::vector<Id>{deliveryId(2)});

  this->finish(this->send(at(1)), DeliveryState::Done, at(1));
  EXPECT_EQ(this->dueTransfers(at(1)), 1u) << "a leg became Done";
  early.token = this->claimOne(at(1)).token;
  EXPECT_TRUE(this->store().saveTransfer(early, at(2))->skipped.empty());
  const Delivery ready = this->delivery(2);
  EXPECT_EQ(ready.state, DeliveryState::Ready);
  EXPECT_EQ(ready.body, "bytes");
  EXPECT_EQ(ready.mediaType, "text/plain");
  EXPECT_EQ(ready.deadlineAt, at(900));
  EXPECT_EQ(ready.dueAt, at(2));
  EXPECT_EQ(ready.sequence, 1);
}

TYPED_TEST(Conformance, ParkedLegsGetTheirBytesOrGoAgainWithTheSame) {
  this->create(1, {held(leg(1, 1)), leg(2, 1, "other")});
  this->accept(item(2, 1));
  TransferChange park = this->change(this->claimOne());
  park.changed.push_back({deliveryId(1), DeliveryState::Parked, "", "", "", "variable-missing", {}});
  ASSERT_TRUE(this->store().saveTransfer(park, kStart)->skipped.empty());
  EXPECT_EQ(this->delivery(1).reason, "variable-missing");
  EXPECT_EQ(this->dueTransfers(at(9)), 0u) << "own changes are no news";
  this->finish(this->send(at(1), "other"), DeliveryState::Parked, at(1));
  EXPECT_EQ(this->dueTransfers(at(9)), 1u);

  TransferChange again = this->change(this->claimOne(at(9)));
  again.changed.push_back({deliveryId(1), DeliveryState::Ready, "text/plain", "late bytes", "hash", "", {}});
  again.changed.push_back({deliveryId(2), DeliveryState::Ready, "", "", "", "operator", {}});
  ASSERT_TRUE(this->store().saveTransfer(again, at(9))->skipped.empty());
  EXPECT_EQ(this->send(at(9)).delivery.body, "late bytes");
  EXPECT_EQ(this->send(at(9), "other").delivery.body, "message 2");
}

TYPED_TEST(Conformance, ChangesThatComeTooLateAreSkipped) {
  this->create(1, {leg(1, 1), leg(2, 1, "a"), leg(3, 1, "b")});
  this->send(at(1));
  this->finish(this->send(at(1), "a"), DeliveryState::Done, at(1));
  TransferChange save = this->change(this->claimOne(at(1)));
  for (const std::uint64_t each : {1u, 2u, 3u}) {
    save.changed.push_back({deliveryId(each), DeliveryState::Cancelled, "", "", "", "withdrawn", {}});
  }
  EXPECT_EQ(this->store().saveTransfer(save, at(1))->skipped, (std::vector<Id>{deliveryId(1), deliveryId(2)}));
  EXPECT_EQ(this->state(1), DeliveryState::Leased);
  EXPECT_EQ(this->state(2), DeliveryState::Done);
  EXPECT_EQ(this->state(3), DeliveryState::Cancelled);
  EXPECT_EQ(this->delivery(3).finishedAt, at(1));
}

// --- claim, send, finish

TYPED_TEST(Conformance, ClaimTakesDueHeadsOldestFirst) {
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

TYPED_TEST(Conformance, AttemptsAreRecorded) {
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

TYPED_TEST(Conformance, StaleEndsChangeNothing) {
  this->create(1, {leg(1, 1)});
  const Claimed first = this->send(at(1));
  EXPECT_EQ(*this->store().expireLeases(at(61)), 1u);
  const Claimed second = this->send(at(61));
  const std::string before = test::describe(this->store(), at(62));
  EXPECT_EQ(this->finish(first, DeliveryState::Done, at(62)), std::vector<Id>{deliveryId(1)});
  EXPECT_EQ(test::describe(this->store(), at(62)), before);
  EXPECT_TRUE(this->store().startSending({{deliveryId(1), first.delivery.token}}, at(62))->empty());
  EXPECT_TRUE(this->finish(second, DeliveryState::Done, at(63)).empty());
  EXPECT_EQ(this->finish(second, DeliveryState::Done, at(64)), std::vector<Id>{deliveryId(1)});
}

TYPED_TEST(Conformance, LostLeasesTellSentFromUnsent) {
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

TYPED_TEST(Conformance, OtherNodesKeepTheirLeases) {
  this->create(1, {leg(1, 1)});
  this->claim(at(1));
  ASSERT_TRUE(this->store().openNode("other", at(2)).ok());
  EXPECT_EQ(this->state(1), DeliveryState::Leased);
}

TYPED_TEST(Conformance, OldIncarnationsClaimNothing) {
  this->create(1, {leg(1, 1)});
  this->accept(item(2, 2));
  const Owner old = this->owner_;
  ASSERT_TRUE(this->store().openNode("node", at(1)).ok());
  EXPECT_EQ(this->store().claim(old, "provider", 1, at(1), at(60)).error().code, Code::Conflict);
  EXPECT_EQ(this->store().claimTransfers(old, 1, at(1), at(60)).error().code, Code::Conflict);
}

TYPED_TEST(Conformance, EndsMustBeAllowed) {
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

TYPED_TEST(Conformance, WithoutAReleaseNothingGoes) {
  this->create(1, {released(leg(1, 1))});
  EXPECT_TRUE(this->dueEndpoints(at(1)).empty());
  EXPECT_TRUE(this->claim(at(1)).empty());
}

TYPED_TEST(Conformance, AReleaseOpensTheGate) {
  this->create(1, {released(leg(1, 1))}, {release(1)});
  EXPECT_EQ(this->store().transfer(transferId(1))->releases.size(), 1u);
  EXPECT_EQ(this->send(at(1)).delivery.id, deliveryId(1));
}

TYPED_TEST(Conformance, AWithdrawalShutsItInItsOwnCommit) {
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

TYPED_TEST(Conformance, AWithdrawalStopsWhatIsClaimedButUnsent) {
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

TYPED_TEST(Conformance, ReleasesDecidedWithoutTheWithdrawalAreVoid) {
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

TYPED_TEST(Conformance, ExpiredReleasesWakeTheTransferOnce) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(0), at(10))});
  EXPECT_TRUE(this->claim(at(10)).empty());
  EXPECT_EQ(this->dueTransfers(at(10)), 1u);
  EXPECT_TRUE(this->dueEndpoints(at(10)).empty()) << "not due any more, or the loop would spin";
  EXPECT_TRUE(this->store().transfer(transferId(1))->releases.empty());
}

TYPED_TEST(Conformance, ReleasesThatExpireAfterTheClaimStopTheSending) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(0), at(10))});
  const Claimed claimed = this->claim(at(9))[0];
  EXPECT_TRUE(this->store().startSending({{deliveryId(1), claimed.delivery.token}}, at(10))->empty());
  EXPECT_EQ(this->dueTransfers(at(10)), 1u);
}

TYPED_TEST(Conformance, FutureReleasesMoveTheDueTime) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(50), at(100))});
  EXPECT_TRUE(this->claim(at(1)).empty());
  std::optional<Instant> next;
  EXPECT_TRUE(this->store().dueEndpoints(at(1), next)->empty());
  EXPECT_EQ(next, at(50));
  EXPECT_EQ(this->claim(at(50)).size(), 1u);
}

TYPED_TEST(Conformance, RefusedHeadsDoNotHideTheOthers) {
  this->create(1, {released(leg(1, 1))}, {release(1, at(0), at(10))});
  this->create(2, {leg(2, 2)});
  const std::vector<Claimed> claimed = this->claim(at(20), 1);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].delivery.id, deliveryId(2));
}

// --- acknowledgements

TYPED_TEST(Conformance, AcknowledgementsFinishWhatAwaitsThem) {
  this->create(1, {leg(1, 1), leg(2, 1)});
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  EXPECT_TRUE(this->claim(at(2)).empty()) << "the lane waits";
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done, "clinic", at(3)), AckResult::Applied);
  EXPECT_EQ(this->state(1), DeliveryState::Done);
  EXPECT_EQ(this->delivery(1).finishedAt, at(3));
  EXPECT_EQ(this->state(2), DeliveryState::Ready);
  EXPECT_EQ(this->dueTransfers(at(3)), 1u);
  EXPECT_EQ(this->store().transfer(transferId(1))->records.size(), 2u) << "filed under the transfer of the delivery";
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Late);
}

TYPED_TEST(Conformance, AcknowledgementsOfOthersChangeNothing) {
  this->create(1, {leg(1, 1)});
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Unknown) << "never sent";
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done, "stranger"), AckResult::Unknown);
  EXPECT_EQ(this->acknowledge(9, DeliveryState::Done), AckResult::Unknown);
  EXPECT_EQ(this->state(1), DeliveryState::Awaiting);
  EXPECT_EQ(this->store().transfer(transferId(1))->records.size(), 1u);
  EXPECT_EQ(this->store().counts()->records, 4u) << "kept all the same";
}

TYPED_TEST(Conformance, NegativeAcknowledgements) {
  this->create(1, {leg(1, 1)});
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Ready, "clinic", at(2)), AckResult::Applied);
  EXPECT_EQ(this->delivery(1).dueAt, at(32));
  EXPECT_EQ(this->delivery(1).reason, "refused");
  this->finish(this->send(at(40)), DeliveryState::Awaiting, at(41));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Parked, "clinic", at(42)), AckResult::Applied);
  EXPECT_EQ(this->state(1), DeliveryState::Parked);
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Ready), AckResult::Late);
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Applied) << "the receiver has repaired its fault";
  EXPECT_EQ(this->state(1), DeliveryState::Done);
}

TYPED_TEST(Conformance, AcknowledgementsSettleLostAnswers) {
  this->create(1, {leg(1, 1)});
  this->create(2, {leg(2, 2, "other")});
  this->finish(this->send(at(1)), DeliveryState::Resolving, at(1));
  this->finish(this->send(at(1), "other"), DeliveryState::Ready, at(1), at(99));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Applied);
  EXPECT_EQ(this->acknowledge(2, DeliveryState::Done), AckResult::Applied);
  EXPECT_TRUE(this->claim(at(200)).empty());
  EXPECT_TRUE(this->claim(at(200), 10, "other").empty());
}

TYPED_TEST(Conformance, AcknowledgementsOvertakeAnswers) {
  this->create(1, {leg(1, 1)});
  const Claimed claimed = this->send(at(1));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done, "clinic", at(2)), AckResult::Applied);
  EXPECT_EQ(this->state(1), DeliveryState::Done);
  EXPECT_EQ(this->finish(claimed, DeliveryState::Awaiting, at(3)), std::vector<Id>{deliveryId(1)});
  EXPECT_EQ(this->state(1), DeliveryState::Done);
  EXPECT_EQ(this->store().transfer(transferId(1))->attempts[0].outcome, "acknowledged");
}

TYPED_TEST(Conformance, RepeatedAcknowledgementsActOnce) {
  this->create(1, {leg(1, 1)});
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  AcceptItem ack = item(7000, 0, RecordKind::Acknowledgement, at(2));
  ack.record.transfer.clear();
  ack.record.partner = "clinic";
  ack.acknowledgement = AckEffect{id(1, 0xd), DeliveryState::Ready, at(3), "busy"};
  EXPECT_EQ(this->accept(ack).acknowledgement, AckResult::Applied);
  const Claimed claimed = this->send(at(4));
  EXPECT_TRUE(this->accept(ack).duplicate);
  EXPECT_TRUE(this->finish(claimed, DeliveryState::Done, at(5)).empty());
}

// --- reading

TYPED_TEST(Conformance, ListsArePagedNewestFirst) {
  for (std::uint64_t i = 1; i <= 5; ++i) this->accept(item(i, i));
  TransferFilter filter;
  filter.limit = 2;
  std::vector<Id> seen;
  for (;;) {
    const std::vector<Transfer> page = *this->store().transfers(filter);
    if (page.empty()) break;
    for (const Transfer& each : page) seen.push_back(each.id);
    filter.after = seen.back();
  }
  EXPECT_EQ(seen, (std::vector<Id>{transferId(5), transferId(4), transferId(3), transferId(2), transferId(1)}));
  filter.after = transferId(99);
  EXPECT_EQ(this->store().transfers(filter).error().code, Code::NotFound);
  filter.after.clear();
  filter.partner = "nobody";
  EXPECT_TRUE(this->store().transfers(filter)->empty());
  filter.partner = "pas";
  filter.state = TransferState::Waiting;
  EXPECT_EQ(this->store().transfers(filter)->size(), 2u);
  filter.state = TransferState::Parked;
  EXPECT_TRUE(this->store().transfers(filter)->empty());
}

TYPED_TEST(Conformance, CountsFollowTheStates) {
  this->create(1, {leg(1, 1), leg(2, 1), held(leg(3, 1))});
  const Counts counts = *this->store().counts();
  std::map<std::string, std::uint64_t> deliveries(counts.deliveries.begin(), counts.deliveries.end());
  EXPECT_EQ(deliveries["ready"], 1u);
  EXPECT_EQ(deliveries["queued"], 1u);
  EXPECT_EQ(deliveries["held"], 1u);
  EXPECT_EQ(deliveries.size(), std::size(kDeliveryStates));
  EXPECT_EQ(counts.oldestReady, kStart);
}

TYPED_TEST(Conformance, UnknownThingsAreNotFound) {
  for (const Id& unknown : {transferId(1), Id("no uuid"), Id()}) {
    EXPECT_EQ(this->store().transfer(unknown).error().code, Code::NotFound);
    EXPECT_EQ(this->store().record(unknown).error().code, Code::NotFound);
    EXPECT_EQ(this->store().delivery(unknown).error().code, Code::NotFound);
    EXPECT_EQ(this->store().returnTransfer(unknown, 1, kStart).error().code, Code::Conflict);
    EXPECT_EQ(this->store().finish({{unknown, 1, DeliveryState::Done, {}, "", "", 0, "", "", {}}}, kStart)->size(), 1u);
  }
}

TYPED_TEST(Conformance, ARestartForgetsNothing) {
  this->create(1, {released(leg(1, 1)), leg(2, 1), held(leg(3, 1, "pas"), {deliveryId(1)})}, {release(1)});
  this->finish(this->send(at(1)), DeliveryState::Ready, at(2), at(30));
  this->accept(item(2, 2));
  const std::string before = test::describe(this->store(), at(40));
  this->backend_.reopen();
  EXPECT_EQ(test::describe(this->store(), at(40)), before);
  EXPECT_TRUE(this->store().verifyAudit().ok());
  this->accept(item(3, 2));
  EXPECT_TRUE(this->store().verifyAudit().ok()) << "the chain goes on";
}

}  // namespace
}  // namespace lotsen::store
