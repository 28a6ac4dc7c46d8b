// The operator's verbs on the main job: what people may ask, what it meets in thinking, and what is written down.
#include "gateway/service/operator.h"

#include "world.h"

#include <algorithm>
#include <set>

namespace lotsen::test {
namespace {

using service::Order;
using service::OrderReport;
using store::DeliveryState;
using store::Role;
using store::Verb;

const identity::Principal kAnna{"anna", {identity::Permission::Operate}};

class OperatorWorld : public World {
 public:
  /// Sends the provider's leg; its attempt ends like this.
  store::Id sendProvider(const store::Id& transfer, DeliveryState end, const std::string& reason) {
    const auto wanted = leg(transfer, Role::Provider);
    const auto claimed = store.claim(owner, wanted.endpoint, 1, clock.now(), clock.now() + std::chrono::minutes(1));
    EXPECT_EQ(claimed->size(), 1u);
    const store::Lease lease{wanted.id, claimed->at(0).delivery.token};
    EXPECT_EQ(store.startSending({lease}, clock.now())->size(), 1u);
    store::AttemptEnd attempt;
    std::tie(attempt.delivery, attempt.token) = lease;
    attempt.to = end;
    attempt.reason = reason;
    EXPECT_TRUE(store.finish({attempt}, clock.now())->empty());
    think();
    return wanted.id;
  }
  std::string act(Verb verb, const store::Id& delivery) {
    Order order;
    order.verb = verb;
    order.which.deliveries = {delivery};
    order.why = "because";
    const auto report = desk.run(kAnna, order);
    EXPECT_TRUE(report.ok());
    think();
    return std::string(report->lines.at(0).outcome);
  }
  /// Breaks or mends the maps of a leg.
  void edit(const std::function<void(service::Configuration&)>& change) {
    auto changed = std::make_shared<service::Configuration>(*current->get());
    change(*changed);
    current->set(changed);
  }

  int woken = 0;
  service::Operator desk{store, clock, [this] { ++woken; }};
};

Order byFilter(Verb verb, const store::DeliveryFilter& filter) {
  Order order;
  order.verb = verb;
  order.which.filter = filter;
  order.why = "because";
  return order;
}

TEST(Operator, AFilterMustMeanWhatItMeantBefore) {
  OperatorWorld world;
  const auto transfer = world.submitAll();
  world.sendProvider(transfer, DeliveryState::Parked, "refused-422");
  store::DeliveryFilter filter;
  filter.partner = "provider";
  Order order = byFilter(Verb::Resend, filter);
  order.dryRun = true;
  ASSERT_EQ(world.desk.run(kAnna, order)->applied, 1u);
  order.dryRun = false;
  EXPECT_EQ(world.desk.run(kAnna, order).error().code, Code::Invalid) << "how many?";
  order.which.expected = 2;
  EXPECT_EQ(world.desk.run(kAnna, order).error().code, Code::Conflict);
  EXPECT_EQ(world.leg(transfer, Role::Provider).state, DeliveryState::Parked);
  EXPECT_EQ(world.woken, 0);
  order.which.expected = 1;
  order.why = " ";
  EXPECT_EQ(world.desk.run(kAnna, order).error().code, Code::Invalid) << "why?";
  order.why = "repaired";
  ASSERT_EQ(world.desk.run(kAnna, order)->applied, 1u);
  EXPECT_EQ(world.woken, 1);
  EXPECT_EQ(world.leg(transfer, Role::Provider).state, DeliveryState::Ready);
  const auto view = world.view(transfer);
  const auto row = std::find_if(view.timeline.begin(), view.timeline.end(),
                                [](const auto& each) { return each.action == "delivery-resent"; });
  ASSERT_NE(row, view.timeline.end());
  EXPECT_EQ(row->actor, "operator:anna");
  EXPECT_EQ(row->detail, R"({"why":"repaired","was":"refused-422"})");
}

TEST(Operator, OneOfIdsAndFilterAndNotTooMany) {
  OperatorWorld world;
  Order neither;
  neither.why = "because";
  EXPECT_EQ(world.desk.run(kAnna, neither).error().code, Code::Invalid);
  Order both = byFilter(Verb::Resend, {});
  both.which.deliveries = {std::string("x")};
  EXPECT_EQ(world.desk.run(kAnna, both).error().code, Code::Invalid);
  world.submitAll();
  store::DeliveryFilter held;
  held.states = {DeliveryState::Held};
  Order few = byFilter(Verb::Park, held);
  few.dryRun = true;
  few.which.most = 2;
  const auto refused = world.desk.run(kAnna, few);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("more than 2"), std::string::npos);
  few.which.most = 4;
  EXPECT_EQ(world.desk.run(kAnna, few)->applied, 4u);
}

TEST(Operator, AFilterLeavesAloneWhatMayHaveArrived) {
  OperatorWorld world;
  const auto transfer = world.submitAll();
  const auto delivery = world.sendProvider(transfer, DeliveryState::Parked, "ambiguous-needs-person");
  store::DeliveryFilter filter;
  filter.partner = "provider";
  Order order = byFilter(Verb::Resend, filter);
  order.which.expected = 0;
  const auto left = world.desk.run(kAnna, order);
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(left->lines.at(0).outcome, service::kMayHaveArrived);
  EXPECT_EQ(world.leg(transfer, Role::Provider).state, DeliveryState::Parked);
  order.which.filter->reason = "ambiguous-needs-person";
  order.which.expected = 1;
  EXPECT_EQ(world.desk.run(kAnna, order)->applied, 1u) << "who names the reason has decided";
  EXPECT_EQ(world.act(Verb::Resend, delivery), "under-way");
}

TEST(Operator, AFilterIsSpreadOverTime) {
  OperatorWorld world;
  const auto transfer = world.submitAll("other-region");
  for (const auto role : {Role::Provider, Role::Mediator})
    EXPECT_EQ(world.act(Verb::Park, world.leg(transfer, role).id), "applied");
  store::DeliveryFilter filter;
  filter.transfer = transfer;
  Order order = byFilter(Verb::Release, filter);
  order.which.expected = 2;
  order.perSecond = 4;
  ASSERT_EQ(world.desk.run(kAnna, order)->applied, 2u);
  std::set<std::int64_t> due;
  for (const auto role : {Role::Provider, Role::Mediator})
    due.insert(toMillis(world.leg(transfer, role).dueAt) - toMillis(world.clock.now()));
  EXPECT_EQ(due, (std::set<std::int64_t>{0, 250}));
}

TEST(Operator, ALegWithoutBytesIsMadeOnceMore) {
  OperatorWorld world;
  const auto maker = world.current->get()->legs.at(Role::Provider);
  world.edit([](auto& configuration) { configuration.legs.erase(Role::Provider); });
  const auto transfer = world.submitAll();
  const auto parked = world.leg(transfer, Role::Provider);
  ASSERT_EQ(parked.state, DeliveryState::Parked);
  ASSERT_EQ(parked.sequence, 0);
  EXPECT_EQ(world.act(Verb::Resend, parked.id), "applied");
  EXPECT_EQ(world.leg(transfer, Role::Provider).state, DeliveryState::Parked) << "it fails as before, and says so";
  EXPECT_EQ(world.view(transfer).transfer.state, store::TransferState::Parked);
  world.edit([&](auto& configuration) { configuration.legs[Role::Provider] = maker; });
  EXPECT_EQ(world.act(Verb::Resend, parked.id), "applied");
  world.deliver();
  const auto done = world.leg(transfer, Role::Provider);
  EXPECT_EQ(done.id, parked.id);
  EXPECT_EQ(done.messageId, parked.messageId);
  EXPECT_EQ(done.state, DeliveryState::Done);
  EXPECT_NE(world.bodies.at(Role::Provider).find("ServiceRequest"), std::string::npos);
  EXPECT_EQ(world.view(transfer).transfer.state, store::TransferState::Completed);
}

TEST(Operator, ALegWithoutBytesWaitsForItsGates) {
  OperatorWorld world;
  const auto maker = world.current->get()->legs.at(Role::Provider);
  world.edit([](auto& configuration) { configuration.legs.erase(Role::Provider); });
  const auto transfer = world.submitAll();
  const auto parked = world.leg(transfer, Role::Provider);
  world.edit([&](auto& configuration) {
    configuration.legs[Role::Provider] = maker;
    configuration.agreements.clear();  // a gate shuts
  });
  EXPECT_EQ(world.act(Verb::Resend, parked.id), "applied");
  EXPECT_EQ(world.leg(transfer, Role::Provider).state, DeliveryState::Held);
  EXPECT_EQ(world.view(transfer).transfer.state, store::TransferState::Waiting);
  world.deliver();
  EXPECT_TRUE(world.sent.empty()) << "nobody sends what a gate holds";
}

TEST(Operator, WhatAPersonHasCancelledDoesNotComeBack) {
  OperatorWorld world;
  const auto transfer = world.submitAll();
  for (const auto& each : world.view(transfer).deliveries) world.act(Verb::Cancel, each.id);
  const auto ended = world.view(transfer);
  EXPECT_TRUE(std::all_of(ended.deliveries.begin(), ended.deliveries.end(),
                          [](const auto& each) { return each.state == DeliveryState::Cancelled; }));
  EXPECT_EQ(ended.transfer.state, store::TransferState::Completed);
  world.deliver();
  EXPECT_TRUE(world.sent.empty());
}

TEST(Operator, AParkedTransferSaysWhoCanLetItGo) {
  OperatorWorld world;
  const auto transfer = world.submitAll();
  const auto provider = world.leg(transfer, Role::Provider);
  EXPECT_EQ(world.act(Verb::Park, provider.id), "applied");
  const auto view = world.view(transfer);
  EXPECT_EQ(view.transfer.state, store::TransferState::Parked);
  EXPECT_NE(view.transfer.reasons.find("parked-by-person"), std::string::npos);
  EXPECT_NE(view.transfer.reasons.find("release the delivery"), std::string::npos);
  world.deliver();
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.act(Verb::Release, provider.id), "applied");
  world.deliver();
  EXPECT_EQ(world.view(transfer).transfer.state, store::TransferState::Completed);
}

TEST(Operator, PausesAreForEndpointsThatThereAre) {
  OperatorWorld world;
  const auto& configuration = *world.current->get();
  EXPECT_EQ(world.desk.pause(configuration, kAnna, "nobody", "x").error().code, Code::NotFound);
  EXPECT_EQ(world.desk.pause(configuration, kAnna, "provider", "").error().code, Code::Invalid);
  EXPECT_TRUE(world.desk.pause(configuration, kAnna, "provider", "out of order").ok());
  const auto transfer = world.submitAll();
  world.deliver();
  EXPECT_TRUE(world.sent.empty());
  const auto endpoints = *world.desk.endpoints(configuration);
  const auto provider = std::find_if(endpoints.begin(), endpoints.end(),
                                     [](const auto& each) { return each.figures.endpoint == "provider"; });
  ASSERT_NE(provider, endpoints.end());
  EXPECT_EQ(provider->pause->reason, "out of order");
  EXPECT_EQ(provider->figures.ready, 1u);
  EXPECT_TRUE(world.desk.resume(kAnna, "provider", "it is back").ok());
  EXPECT_EQ(world.desk.resume(kAnna, "provider", "it is back").error().code, Code::NotFound);
  world.deliver();
  EXPECT_EQ(world.view(transfer).transfer.state, store::TransferState::Completed);
}

}  // namespace
}  // namespace lotsen::test
