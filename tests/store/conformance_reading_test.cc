#include "tests/store/conformance.h"

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
