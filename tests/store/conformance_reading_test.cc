#include "gateway/store/rules.h"
#include "tests/store/conformance.h"

#include <iterator>

namespace lotsen::store {
namespace {

template <typename Backend>
class Reading : public Conformance<Backend> {};
TYPED_TEST_SUITE(Reading, Backends, BackendNames);

TYPED_TEST(Reading, ListsArePagedNewestFirst) {
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

TYPED_TEST(Reading, CountsFollowTheStates) {
  this->create(1, {leg(1, 1), leg(2, 1), held(leg(3, 1))});
  const Counts counts = *this->store().counts();
  std::map<std::string, std::uint64_t> deliveries(counts.deliveries.begin(), counts.deliveries.end());
  EXPECT_EQ(deliveries["ready"], 1u);
  EXPECT_EQ(deliveries["queued"], 1u);
  EXPECT_EQ(deliveries["held"], 1u);
  EXPECT_EQ(deliveries.size(), std::size(kDeliveryStates));
  EXPECT_EQ(counts.oldestReady, kStart);
}

/// All pages of a walk.
std::vector<Record> walk(Store& store, RecordFilter filter) {
  std::vector<Record> found;
  for (bool more = true; more;) {
    Result<RecordPage> page = store.records(filter);
    EXPECT_TRUE(page.ok());
    if (!page.ok()) return found;
    EXPECT_LE(page->records.size(), filter.limit);
    std::move(page->records.begin(), page->records.end(), std::back_inserter(found));
    more = !page->next.empty();
    EXPECT_TRUE(!more || filter.after < page->next) << "the cursor only moves on";
    filter.after = page->next;
  }
  return found;
}

std::vector<Id> idsOf(const std::vector<Record>& records) {
  std::vector<Id> ids;
  for (const Record& each : records) ids.push_back(each.id);
  return ids;
}

TYPED_TEST(Reading, AWalkOverTheRecordsIsInTheOrderOfTheirIdsAndBringsTheirBytes) {
  for (const std::uint64_t i : {4, 1, 5, 2, 3}) this->accept(item(i, i));
  RecordFilter filter;
  for (const std::size_t limit : {1, 2, 5, 6}) {
    filter.limit = limit;
    EXPECT_EQ(idsOf(walk(this->store(), filter)),
              (std::vector<Id>{recordId(1), recordId(2), recordId(3), recordId(4), recordId(5)}));
  }
  EXPECT_EQ(test::describe(walk(this->store(), filter)[2]), test::describe(*this->store().record(recordId(3))));
  filter.after = recordId(3);
  EXPECT_EQ(idsOf(walk(this->store(), filter)), (std::vector<Id>{recordId(4), recordId(5)}));
  filter.after = recordId(99);
  EXPECT_TRUE(walk(this->store(), filter).empty());
  filter.after = "no uuid";
  EXPECT_EQ(this->store().records(filter).error().code, Code::Invalid);
}

TYPED_TEST(Reading, AWalkBringsOnlyWhatFitsEveryCondition) {
  this->accept(item(1, 1, RecordKind::Referral, at(0)));
  this->accept(item(2, 1, RecordKind::Consent, at(10)));
  TransferChange saved = this->change(this->claimOne(at(10)));
  saved.records = {{recordId(1), RecordState::Processed, {}, {}, "{\"canonical\":1}", "maps-1"},
                   {recordId(2), RecordState::Parked, "mapping-failed", "{}", {}, {}}};
  ASSERT_TRUE(this->store().saveTransfer(saved, at(10)).ok());
  this->accept(item(3, 1, RecordKind::Referral, at(20)));

  const auto found = [&](auto set) {
    RecordFilter filter;
    set(filter);
    return idsOf(walk(this->store(), filter));
  };
  using Ids = std::vector<Id>;
  EXPECT_EQ(found([](auto& f) { f.channel = "pas/referral"; }), (Ids{recordId(1), recordId(3)}));
  EXPECT_EQ(found([](auto& f) { f.state = RecordState::Parked; }), Ids{recordId(2)});
  EXPECT_EQ(found([](auto& f) { f.mapHash = "maps-1"; }), Ids{recordId(1)});
  EXPECT_EQ(found([](auto& f) { f.from = at(10); }), (Ids{recordId(2), recordId(3)}));
  EXPECT_EQ(found([](auto& f) { f.until = at(10); }), Ids{recordId(1)}) << "the end does not belong to it";
  EXPECT_TRUE(found([](auto& f) { f.channel = "pas/referral", f.state = RecordState::Parked; }).empty());
  RecordFilter processed;
  processed.state = RecordState::Processed;
  EXPECT_EQ(walk(this->store(), processed).at(0).canonical, "{\"canonical\":1}");
}

// However little fits, no page reads on for long: others wait for its connection, and the log cannot be cut behind it.
TYPED_TEST(Reading, APageOfAWalkLooksAtABoundedNumberOfRowsAndBytes) {
  const std::uint64_t last = kPageRows + 3;
  for (std::uint64_t i = 1; i <= last; ++i) {
    AcceptItem each = item(i, 1);
    if (i > kPageRows) each.record.body.assign(kPageBytes / 2, 'x');
    this->accept(each);
  }
  RecordFilter filter;
  filter.channel = "nobody's";
  EXPECT_EQ(this->store().records(filter)->next, recordId(kPageRows));
  EXPECT_TRUE(walk(this->store(), filter).empty());
  filter.channel.clear();
  filter.limit = 1000;
  filter.after = recordId(kPageRows);
  EXPECT_EQ(this->store().records(filter)->records.size(), 2u) << "two fill the page";
  EXPECT_EQ(walk(this->store(), filter).size(), 3u);
}

TYPED_TEST(Reading, ANoteStandsInTheAuditChainAndInNoTransfer) {
  this->accept(item(1, 1));
  const auto timeline = this->store().transfer(transferId(1))->timeline.size();
  ASSERT_TRUE(this->store().note({audit("reprocess-dry-run")}).ok());
  EXPECT_EQ(this->store().note({audit("reprocess-dry-run", "no uuid")}).error().code, Code::Invalid);
  this->accept(item(2, 1));
  EXPECT_EQ(this->store().transfer(transferId(1))->timeline.size(), timeline + 1);
  this->backend_.reopen();
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(Reading, UnknownThingsAreNotFound) {
  for (const Id& unknown : {transferId(1), Id("no uuid"), Id()}) {
    EXPECT_EQ(this->store().transfer(unknown).error().code, Code::NotFound);
    EXPECT_EQ(this->store().record(unknown).error().code, Code::NotFound);
    EXPECT_EQ(this->store().delivery(unknown).error().code, Code::NotFound);
    EXPECT_EQ(this->store().returnTransfer(unknown, 1, kStart).error().code, Code::Conflict);
    EXPECT_EQ(this->store().finish({{unknown, 1, DeliveryState::Done, {}, "", "", 0, "", "", {}}}, kStart)->size(), 1u);
  }
}

TYPED_TEST(Reading, ARestartForgetsNothing) {
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
