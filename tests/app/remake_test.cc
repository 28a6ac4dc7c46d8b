// Making deliveries anew on the main job: other maps, new identities, the gates, and what stays as it is.
#include "gateway/service/remake.h"

#include "world.h"

#include <algorithm>

namespace lotsen::test {
namespace {

using service::RemakeOrder;
using service::RemakeReport;
using store::DeliveryState;
using store::Role;

const identity::Principal kAnna{"anna", {identity::Permission::Operate}};

class RemakeWorld : public World {
 public:
  RemakeWorld() {
    auto fonts = letter::Fonts::open(current->get()->fontDirectories);
    remaker = std::make_unique<service::Remaker>(
        store, clock, service::Thinker(clock, random, std::move(*fonts), [](const service::Judgement&) {}), owner,
        [this] { ++woken; });
  }
  RemakeReport run(const store::Id& delivery, bool dryRun = false, bool delivered = false) {
    RemakeOrder order;
    order.which.deliveries = {delivery};
    order.dryRun = dryRun;
    order.delivered = delivered;
    order.why = "because";
    const auto report = remaker->run(*current->get(), kAnna, order);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : RemakeReport{};
  }
  void edit(const std::function<void(service::Configuration&)>& change) {
    auto changed = std::make_shared<service::Configuration>(*current->get());
    change(*changed);
    current->set(changed);
  }

  int woken = 0;
  std::unique_ptr<service::Remaker> remaker;
};

TEST(Remake, AParkedLegBecomesANewMessageThatNamesTheOld) {
  RemakeWorld world;
  const auto transfer = world.submitAll();
  world.deliver({{Role::Provider, DeliveryState::Parked}});
  const auto old = world.leg(transfer, Role::Provider);
  ASSERT_EQ(old.state, DeliveryState::Parked);

  const auto dry = world.run(old.id, true);
  EXPECT_EQ(dry.applied, 1u);
  EXPECT_EQ(world.leg(transfer, Role::Provider).id, old.id) << "nothing was changed";
  EXPECT_TRUE(std::any_of(dry.lines[0].differences.begin(), dry.lines[0].differences.end(), [](const auto& each) {
    return each.path.find("Provenance") != std::string::npos && each.change == service::Change::Added;
  })) << "the link to the old one";

  const auto report = world.run(old.id);
  ASSERT_EQ(report.applied, 1u);
  EXPECT_EQ(world.woken, 1);
  const auto gone = *world.store.delivery(old.id);
  EXPECT_EQ(gone.state, DeliveryState::Cancelled);
  EXPECT_EQ(gone.reason, "reprocessed");
  world.deliver();
  const auto made = *world.store.delivery(report.lines[0].made);
  EXPECT_EQ(made.state, DeliveryState::Done);
  EXPECT_NE(made.messageId, old.messageId);
  EXPECT_NE(made.bundleId, old.bundleId);
  EXPECT_NE(made.body.find("urn:uuid:" + old.messageId), std::string::npos);
  const auto view = world.view(transfer);
  EXPECT_EQ(view.transfer.state, store::TransferState::Completed)
      << "what waited for the old one waits for the new one";
  const auto row = std::find_if(view.timeline.begin(), view.timeline.end(),
                                [](const auto& each) { return each.action == "delivery-reprocessed"; });
  ASSERT_NE(row, view.timeline.end());
  EXPECT_EQ(row->actor, "operator:anna");
  EXPECT_EQ(row->subject, old.id);
  EXPECT_EQ(row->detail, R"({"why":"because","by":")" + made.id + R"("})");
}

TEST(Remake, WhatTheReceiverHasIsLeftAloneUnlessAskedFor) {
  RemakeWorld world;
  const auto transfer = world.submitAll();
  world.deliver();
  const auto done = world.leg(transfer, Role::Provider);
  ASSERT_EQ(done.state, DeliveryState::Done);
  EXPECT_EQ(world.run(done.id).lines[0].outcome, "has-it");
  const auto report = world.run(done.id, false, true);
  ASSERT_EQ(report.applied, 1u);
  EXPECT_EQ(world.store.delivery(done.id)->state, DeliveryState::Done) << "what is delivered stays so";
  world.deliver();
  EXPECT_EQ(world.store.delivery(report.lines[0].made)->state, DeliveryState::Done);
  EXPECT_EQ(world.run("0198a000-0000-7000-8000-000000000009").lines[0].outcome, "unknown");
}

TEST(Remake, NothingIsMadeBehindShutGates) {
  RemakeWorld world;
  const auto transfer = world.submitAll();
  world.deliver({{Role::Provider, DeliveryState::Parked}});
  const auto old = world.leg(transfer, Role::Provider);
  world.edit([](auto& configuration) { configuration.agreements.clear(); });
  const auto report = world.run(old.id);
  EXPECT_EQ(report.lines[0].outcome, service::kGatesShut);
  EXPECT_EQ(report.applied, 0u);
  EXPECT_EQ(world.store.delivery(old.id)->state, DeliveryState::Parked);
}

TEST(Remake, AMapThatWouldSpoilARecordChangesNothing) {
  RemakeWorld world;
  const auto transfer = world.submitAll();
  world.deliver({{Role::Provider, DeliveryState::Parked}});
  const auto old = world.leg(transfer, Role::Provider);
  world.edit([](auto& configuration) {  // the consent's map cannot read a referral
    configuration.channels.at("pas/referral").map = configuration.channels.at("pas/consent").map;
  });
  EXPECT_EQ(world.run(old.id).lines[0].outcome, service::kMapFails);
  EXPECT_EQ(world.store.delivery(old.id)->state, DeliveryState::Parked);
  const auto view = world.view(transfer);
  EXPECT_TRUE(std::all_of(view.records.begin(), view.records.end(),
                          [](const auto& each) { return each.state == store::RecordState::Processed; }));
}

TEST(Remake, WhatGoesByItselfIsParkedFirst) {
  RemakeWorld world;
  const auto transfer = world.submitAll();
  const auto ready = world.leg(transfer, Role::Provider);
  EXPECT_EQ(world.run(ready.id).lines[0].outcome, "under-way");
  const auto busy =
      world.store.claimTransfer(world.owner, transfer, world.clock.now(), world.clock.now() + std::chrono::minutes(1));
  ASSERT_TRUE(busy.ok());
  ASSERT_TRUE(world.store
                  .intervene({{ready.id, store::Verb::Park, {}, {}, {world.clock.now(), "a", "b", {}, {}, "{}"}}},
                             world.clock.now())
                  .ok());
  EXPECT_EQ(world.run(ready.id).lines[0].outcome, service::kBusy);
}

}  // namespace
}  // namespace lotsen::test
