// Retention: what is over and old loses its bytes, nothing else does, and the audit can be verified all the same.
#include "gateway/store/rules.h"
#include "tests/store/conformance.h"

namespace lotsen::store {
namespace {

using enum DeliveryState;

template <typename Backend>
class RetentionOf : public Conformance<Backend> {
 protected:
  /// A transfer that is over since at(2): one leg, sent and done, thought about for the last time.
  void over(std::uint64_t n) {
    const std::string lane = "lane-" + std::to_string(n);
    this->create(n, {leg(n, n, lane)});
    this->finish(this->send(at(1), lane), Done, at(2));
    this->conclude(n, TransferState::Completed);
  }
  void conclude(std::uint64_t n, TransferState state) {
    const auto works = *this->store().claimTransfers(this->owner_, 100, at(2), at(60));
    for (const TransferWork& work : works) {
      TransferChange change = Conformance<Backend>::change(work);
      if (work.transfer.id == transferId(n)) change.state = state;
      for (const Record& each : work.records)
        change.records.push_back({each.id, RecordState::Processed, "", "", "canonical", "map"});
      ASSERT_TRUE(this->store().saveTransfer(change, at(2)).ok());
    }
  }
  static Retention all(Instant before) { return {before, before, before, before}; }
  /// The whole walk.
  Purged purge(const Retention& retention) {
    Purged sum;
    Id after;
    for (int i = 0; i < 10'000; ++i) {
      const auto step = this->store().purge(retention, after, at(1'000));
      EXPECT_TRUE(step.ok());
      sum.records += step->records;
      sum.deliveries += step->deliveries;
      sum.attempts += step->attempts;
      sum.audit += step->audit;
      after = step->next;
      if (!step->more) return sum;
    }
    ADD_FAILURE() << "the walk has no end";
    return sum;
  }
};
TYPED_TEST_SUITE(RetentionOf, Backends, BackendNames);

TYPED_TEST(RetentionOf, WhatIsOverAndOldLosesItsBytesAndKeepsItsRows) {
  this->over(1);
  const Purged early = this->purge(this->all(at(2)));
  EXPECT_EQ(early.records + early.deliveries + early.attempts, 0u) << "it is not older than that";
  const Purged purged = this->purge(this->all(at(3)));
  EXPECT_EQ(purged.records, 1u);
  EXPECT_EQ(purged.deliveries, 1u);
  EXPECT_EQ(purged.attempts, 1u);
  const Record record = *this->store().record(recordId(1001));
  EXPECT_EQ(record.body + record.canonical, "");
  EXPECT_EQ(record.digest, "digest-1001");
  const Delivery delivery = this->delivery(1);
  EXPECT_EQ(delivery.body, "");
  EXPECT_GT(delivery.sequence, 0) << "that it had bytes can be seen";
  EXPECT_EQ(delivery.attempts, 1u);
  EXPECT_EQ(delivery.state, Done);
  EXPECT_TRUE(this->store().transfer(transferId(1))->attempts.empty());
  EXPECT_EQ(this->store().counts()->records, 1u);
  EXPECT_TRUE(this->store().records({})->records.empty()) << "nothing to map anew";
  const Purged nothing = this->purge(this->all(at(3)));
  EXPECT_EQ(nothing.records + nothing.deliveries + nothing.attempts, 0u);
  const Accepted again = this->accept(item(1001, 1));
  EXPECT_TRUE(again.stands()) << "the key is remembered";
  EXPECT_EQ(again.answerBody, "answer to 1001");
  EXPECT_EQ(this->acknowledge(1, Done), AckResult::Late) << "so is what was sent";
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(RetentionOf, EachKindHasItsOwnTime) {
  this->over(1);
  Retention only;
  only.deliveries = at(3);
  EXPECT_EQ(this->purge(only).deliveries, 1u);
  EXPECT_FALSE(this->store().record(recordId(1001))->body.empty()) << "originals are kept for ever unless told";
  EXPECT_EQ(this->store().transfer(transferId(1))->attempts.size(), 1u);
}

TYPED_TEST(RetentionOf, NothingUnfinishedLosesAByte) {
  std::uint64_t n = 0;
  for (const DeliveryState state : {Held, Queued, Ready, Leased, Awaiting, Resolving, Parked}) {
    ++n;
    const std::string lane = "lane-" + std::to_string(n);
    this->create(n, {state == Held ? held(leg(n, n, lane)) : leg(n, n, lane), leg(100 + n, n, lane)});
    if (state != Held && state != Queued && state != Ready) {
      const Claimed claimed = this->send(at(1), lane);
      if (state != Leased) this->finish(claimed, state, at(2), at(500'000));
    }
    this->conclude(n, TransferState::Completed);
  }
  this->over(50);
  this->over(51);
  this->create(60, {leg(60, 60, "waiting")});
  this->finish(this->send(at(1), "waiting"), Done, at(2));
  this->conclude(60, TransferState::Waiting);
  this->accept(item(5050, 50));  // something new: it is not over any more
  ASSERT_TRUE(this->store().claimTransfer(this->owner_, transferId(51), at(3), at(600'000)).ok());
  const Purged purged = this->purge(this->all(at(100'000)));
  EXPECT_EQ(purged.records + purged.deliveries + purged.attempts + purged.audit, 0u);
  for (std::uint64_t i = 1; i <= n; ++i) {
    EXPECT_FALSE(this->store().record(recordId(1000 + i))->body.empty());
    EXPECT_FALSE(this->delivery(100 + i).body.empty());
  }
}

TYPED_TEST(RetentionOf, AStepIsBounded) {
  for (std::uint64_t n = 1; n <= kPurgeTransfers + 5; ++n) this->over(n);
  const Purged first = *this->store().purge(this->all(at(3)), "", at(1'000));
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.next, transferId(kPurgeTransfers));
  const Purged second = *this->store().purge(this->all(at(3)), first.next, at(1'000));
  EXPECT_FALSE(second.more);
  EXPECT_EQ(second.records, 5u);
  EXPECT_EQ(this->store().purge(this->all(at(3)), "x", at(1'000)).error().code, Code::Invalid);
}

TYPED_TEST(RetentionOf, LargeBodiesGoOneByOne) {
  Delivery large = leg(1, 1, "one"), other = leg(2, 1, "two");
  large.body = std::string(kPurgeBytes, 'x');
  other.body = large.body;
  this->create(1, {large, other});
  this->finish(this->send(at(1), "one"), Done, at(2));
  this->finish(this->send(at(1), "two"), Done, at(2));
  this->conclude(1, TransferState::Completed);
  Retention only;
  only.deliveries = at(3);
  const Purged first = *this->store().purge(only, "", at(1'000));
  EXPECT_EQ(first.deliveries, 1u);
  EXPECT_TRUE(first.more);
  const Purged second = *this->store().purge(only, first.next, at(1'000));
  EXPECT_EQ(second.deliveries, 1u);
  EXPECT_FALSE(second.more);
}

TYPED_TEST(RetentionOf, TheAuditIsCutAtItsHeadAndVerifiesStill) {
  this->over(1);
  const std::size_t before = this->store().transfer(transferId(1))->timeline.size();
  ASSERT_GT(before, 0u);
  std::vector<AuditEntry> rows(kPurgeAudit, audit("somebody-looked"));
  ASSERT_TRUE(this->store().note(rows).ok());
  Retention only;
  only.audit = at(3);
  EXPECT_EQ(this->purge(only).audit, kPurgeAudit);
  EXPECT_TRUE(this->store().verifyAudit().ok());
  EXPECT_TRUE(this->store().transfer(transferId(1))->timeline.empty());
  EXPECT_EQ(this->purge(only).audit, 0u) << "only whole stretches go";
  ASSERT_TRUE(this->store().note(rows).ok());
  only.audit = at(5'000);  // later than the row that tells of the cut
  EXPECT_EQ(this->purge(only).audit, kPurgeAudit) << "an anchor follows an anchor";
  EXPECT_TRUE(this->store().verifyAudit().ok());
  this->backend_.reopen();
  EXPECT_TRUE(this->store().verifyAudit().ok());
  ASSERT_TRUE(this->store().note(rows).ok());
  EXPECT_TRUE(this->store().verifyAudit().ok()) << "the chain goes on where it was";
}

TYPED_TEST(RetentionOf, TheAuditOfWhatIsNotOverStays) {
  this->create(1, {leg(1, 1)});
  ASSERT_TRUE(this->store().note(std::vector<AuditEntry>(kPurgeAudit + 9, audit("somebody-looked"))).ok());
  Retention only;
  only.audit = at(100'000);
  EXPECT_EQ(this->purge(only).audit, 0u);
  this->finish(this->send(at(1)), Done, at(2));
  this->conclude(1, TransferState::Completed);
  EXPECT_EQ(this->purge(only).audit, kPurgeAudit);
}

}  // namespace
}  // namespace lotsen::store
