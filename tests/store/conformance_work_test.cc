#include "tests/store/conformance.h"

namespace lotsen::store {
namespace {

template <typename Backend>
class Work : public Conformance<Backend> {};
TYPED_TEST_SUITE(Work, Backends, BackendNames);

// --- work on transfers

TYPED_TEST(Work, WorkHasAllRecordsOldestFirst) {
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

TYPED_TEST(Work, ProcessedRecordsAreNoWork) {
  AcceptItem each = item(1, 1);
  each.record.state = RecordState::Processed;
  this->accept(each);
  EXPECT_EQ(this->dueTransfers(kStart), 0u);
}

TYPED_TEST(Work, SaveWritesTheThought) {
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

TYPED_TEST(Work, WhatArrivesDuringTheWorkMakesItDueAgain) {
  this->accept(item(1, 1));
  const TransferWork work = this->claimOne();
  this->accept(item(2, 1, RecordKind::Consent));
  EXPECT_EQ(this->dueTransfers(at(1)), 0u) << "leased";
  ASSERT_TRUE(this->store().saveTransfer(this->change(work), at(1)).ok());
  EXPECT_EQ(this->claimOne(at(1)).records.size(), 2u);
}

TYPED_TEST(Work, LookAgainLater) {
  this->accept(item(1, 1));
  TransferChange save = this->change(this->claimOne());
  save.dueAt = at(100);
  ASSERT_TRUE(this->store().saveTransfer(save, kStart).ok());
  EXPECT_EQ(this->dueTransfers(at(99)), 0u);
  EXPECT_EQ(this->dueTransfers(at(100)), 1u);
}

TYPED_TEST(Work, ReturnedWorkIsDueWhenSaid) {
  this->accept(item(1, 1));
  const TransferWork work = this->claimOne();
  ASSERT_TRUE(this->store().returnTransfer(work.transfer.id, work.token, at(10)).ok());
  EXPECT_EQ(this->store().returnTransfer(work.transfer.id, work.token, at(10)).error().code, Code::Conflict);
  EXPECT_EQ(this->dueTransfers(at(9)), 0u);
  EXPECT_EQ(this->dueTransfers(at(10)), 1u);
}

TYPED_TEST(Work, StaleWorkIsRefusedWhole) {
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

TYPED_TEST(Work, WrongChangesWriteNothing) {
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
  add([](TransferChange& c) { c.changed = {{deliveryId(1), DeliveryState::Ready, "", "", "", ""}}; });
  add([](TransferChange& c) { c.changed = {{deliveryId(1), DeliveryState::Parked, "", "bytes", "", ""}}; });
  add([](TransferChange& c) { c.changed = {{deliveryId(77), DeliveryState::Cancelled, "", "", "", ""}}; });
  add([](TransferChange& c) { c.changed = {{deliveryId(1), DeliveryState::Done, "", "", "", ""}}; });
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

TYPED_TEST(Work, LanesAreFifo) {
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

TYPED_TEST(Work, AParkedHeadBlocksUntilItIsGone) {
  this->create(1, {leg(1, 1), leg(2, 1)});
  this->finish(this->send(at(1)), DeliveryState::Parked, at(1));
  EXPECT_TRUE(this->claim(at(2)).empty());
  TransferChange save = this->change(this->claimOne(at(2)));
  save.changed.push_back({deliveryId(1), DeliveryState::Cancelled, "", "", "", "given-up"});
  ASSERT_TRUE(this->store().saveTransfer(save, at(2))->skipped.empty());
  EXPECT_EQ(this->state(1), DeliveryState::Cancelled);
  EXPECT_EQ(this->send(at(3)).delivery.id, deliveryId(2));
}

TYPED_TEST(Work, HeldLegsHoldNobodyUp) {
  this->create(1, {held(leg(1, 1)), leg(2, 1)});
  EXPECT_EQ(this->delivery(1).sequence, 0);
  EXPECT_EQ(this->state(2), DeliveryState::Ready);
  EXPECT_EQ(this->delivery(2).sequence, 1);
}

TYPED_TEST(Work, HeldLegsGoWhenWhatTheyWaitForIsDone) {
  this->create(1, {leg(1, 1), held(leg(2, 1, "pas"), {deliveryId(1)})});
  EXPECT_EQ(this->delivery(2).after, std::vector<Id>{deliveryId(1)});
  this->accept(item(2, 1));
  TransferChange early = this->change(this->claimOne());
  early.changed.push_back({deliveryId(2), DeliveryState::Ready, "text/plain", "bytes", "hash", ""});
  EXPECT_EQ(this->store().saveTransfer(early, kStart)->skipped, std::vector<Id>{deliveryId(2)});

  this->finish(this->send(at(1)), DeliveryState::Done, at(1));
  EXPECT_EQ(this->dueTransfers(at(1)), 1u) << "a leg became Done";
  early.token = this->claimOne(at(1)).token;
  EXPECT_TRUE(this->store().saveTransfer(early, at(2))->skipped.empty());
  const Delivery ready = this->delivery(2);
  EXPECT_EQ(ready.state, DeliveryState::Ready);
  EXPECT_EQ(ready.body, "bytes");
  EXPECT_EQ(ready.mediaType, "text/plain");
  EXPECT_EQ(ready.deadlineAt, leg(2, 1).deadlineAt + std::chrono::seconds(2)) << "its clock starts now";
  EXPECT_EQ(ready.dueAt, at(2));
  EXPECT_EQ(ready.sequence, 1);
}

TYPED_TEST(Work, WhatIsParkedIsAPersons) {
  this->create(1, {held(leg(1, 1)), leg(2, 1, "other")});
  this->accept(item(2, 1));
  TransferChange park = this->change(this->claimOne());
  park.changed.push_back({deliveryId(1), DeliveryState::Parked, "", "", "", "variable-missing"});
  ASSERT_TRUE(this->store().saveTransfer(park, kStart)->skipped.empty());
  EXPECT_EQ(this->delivery(1).reason, "variable-missing");
  EXPECT_EQ(this->dueTransfers(at(9)), 0u) << "own changes are no news";
  this->finish(this->send(at(1), "other"), DeliveryState::Parked, at(1));
  EXPECT_EQ(this->dueTransfers(at(9)), 1u);

  TransferChange again = this->change(this->claimOne(at(9)));
  again.changed.push_back({deliveryId(1), DeliveryState::Ready, "text/plain", "late bytes", "hash", ""});
  again.changed.push_back({deliveryId(2), DeliveryState::Ready, "text/plain", "other bytes", "hash", ""});
  EXPECT_EQ(this->store().saveTransfer(again, at(9))->skipped, (std::vector<Id>{deliveryId(1), deliveryId(2)}));
  EXPECT_EQ(this->state(1), DeliveryState::Parked);
  EXPECT_EQ(this->delivery(1).body, "");
  EXPECT_EQ(this->delivery(2).body, "message 2");
}

TYPED_TEST(Work, ChangesThatComeTooLateAreSkipped) {
  this->create(1, {leg(1, 1), leg(2, 1, "a"), leg(3, 1, "b")});
  this->send(at(1));
  this->finish(this->send(at(1), "a"), DeliveryState::Done, at(1));
  TransferChange save = this->change(this->claimOne(at(1)));
  for (const std::uint64_t each : {1u, 2u, 3u}) {
    save.changed.push_back({deliveryId(each), DeliveryState::Cancelled, "", "", "", "withdrawn"});
  }
  EXPECT_EQ(this->store().saveTransfer(save, at(1))->skipped, (std::vector<Id>{deliveryId(1), deliveryId(2)}));
  EXPECT_EQ(this->state(1), DeliveryState::Leased);
  EXPECT_EQ(this->state(2), DeliveryState::Done);
  EXPECT_EQ(this->state(3), DeliveryState::Cancelled);
  EXPECT_EQ(this->delivery(3).finishedAt, at(1));
}

TYPED_TEST(Work, WhatWasSkippedForALeaseIsLookedAtWhenItEnds) {
  this->create(1, {leg(1, 1)});
  const Claimed claimed = this->send(at(1));
  this->accept(item(2, 1, RecordKind::Consent, at(1)));
  TransferChange save = this->change(this->claimOne(at(1)));
  save.changed.push_back({deliveryId(1), DeliveryState::Cancelled, "", "", "", "withdrawn"});
  EXPECT_EQ(this->store().saveTransfer(save, at(1))->skipped.size(), 1u);
  EXPECT_EQ(this->dueTransfers(at(2)), 0u) << "nothing to do while it is under way";
  this->finish(claimed, DeliveryState::Ready, at(3), at(60));
  save.token = this->claimOne(at(3)).token;
  EXPECT_TRUE(this->store().saveTransfer(save, at(3))->skipped.empty());
  EXPECT_EQ(this->state(1), DeliveryState::Cancelled);
}

}  // namespace
}  // namespace lotsen::store
