// Understanding parked records again on the main job: what was parked by a faulty map and goes on once it is mended,
// what stays parked, and what a person must not undo by it.
#include "gateway/service/remake.h"
#include "world.h"

#include <algorithm>

namespace lotsen::test {
namespace {

using service::ParkedFilter;
using service::ReopenOrder;
using service::ReopenReport;
using store::DeliveryState;
using store::RecordState;
using store::Role;
using store::TransferState;

const identity::Principal kAnna{"anna", {identity::Permission::Operate}};
const std::string kReferral = "pas/referral";

class ReopenWorld : public World {
 public:
  ReopenWorld() {
    auto fonts = letter::Fonts::open(current->get()->fontDirectories);
    remaker = std::make_unique<service::Remaker>(
        store, clock, service::Thinker(clock, random, std::move(*fonts), [](const service::Judgement&) {}), owner,
        [this] { ++woken; });
    mended = current->get()->channels.at(kReferral).map;
  }

  void setMap(const std::string& channel, const std::shared_ptr<const mapping::Library>& map) {
    auto changed = std::make_shared<service::Configuration>(*current->get());
    changed->channels.at(channel).map = map;
    current->set(changed);
  }
  /// The referral's map in force cannot read a referral.
  void breakMap() { setMap(kReferral, current->get()->channels.at("pas/consent").map); }
  void mendMap() { setMap(kReferral, mended); }

  /// A case whose referral a faulty map has parked, with consent and BTF.
  store::Id parkedCase() {
    breakMap();
    const auto transfer = submitAll();
    mendMap();
    EXPECT_EQ(record(transfer).reason, "mapping-failed");
    EXPECT_TRUE(view(transfer).deliveries.empty());
    return transfer;
  }
  using World::record;
  /// The first referral of the case.
  store::Record record(const store::Id& transfer) {
    for (const auto& each : view(transfer).records) {
      if (each.kind == store::RecordKind::Referral) return each;
    }
    ADD_FAILURE() << "no referral";
    return {};
  }

  Result<ReopenReport> ask(const ReopenOrder& order) { return remaker->reopen(*current->get(), kAnna, order); }
  ReopenReport run(const ReopenOrder& order) {
    const auto report = ask(order);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : ReopenReport{};
  }
  ReopenOrder these(std::vector<store::Id> records, bool dryRun = false) {
    ReopenOrder order;
    order.records = std::move(records);
    order.dryRun = dryRun;
    order.why = "the map was wrong";
    return order;
  }
  ReopenOrder all(ParkedFilter filter, std::optional<std::uint64_t> expected = std::nullopt) {
    ReopenOrder order = these({}, !expected.has_value());
    order.filter = std::move(filter);
    order.expected = expected;
    return order;
  }
  std::vector<store::AuditEntry> rows(const store::Id& transfer, const std::string& action) {
    std::vector<store::AuditEntry> found;
    for (const auto& each : view(transfer).timeline) {
      if (each.action == action) found.push_back(each);
    }
    return found;
  }

  int woken = 0;
  std::shared_ptr<const mapping::Library> mended;
  std::unique_ptr<service::Remaker> remaker;
};

TEST(Reopen, AReferralThatAFaultyMapParkedGoesOnWhenItIsMended) {
  ReopenWorld world;
  const auto transfer = world.parkedCase();
  const auto parked = world.record(transfer);
  const auto timeline = world.view(transfer).timeline.size();

  const auto dry = world.run(world.these({parked.id}, true));
  EXPECT_EQ(dry.applied, 1u);
  EXPECT_EQ(world.record(transfer).state, RecordState::Parked) << "a dry run changes nothing";
  EXPECT_EQ(world.woken, 0);
  EXPECT_EQ(world.view(transfer).timeline.size(), timeline);

  const auto report = world.run(world.these({parked.id, parked.id}));
  ASSERT_EQ(report.lines.size(), 1u) << "named twice, it is one record";
  EXPECT_EQ(report.applied, 1u);
  EXPECT_EQ(world.woken, 1);
  EXPECT_EQ(world.record(transfer).state, RecordState::Processed);
  EXPECT_EQ(world.record(transfer).reason, "");
  EXPECT_EQ(world.view(transfer).transfer.state, TransferState::Released) << "consent and BTF were there";
  const auto rows = world.rows(transfer, "record-reprocessed");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].actor, "operator:anna");
  EXPECT_EQ(rows[0].subject, parked.id);
  EXPECT_EQ(rows[0].detail, R"({"why":"the map was wrong","was":"mapping-failed"})");

  world.deliver();
  EXPECT_EQ(world.view(transfer).transfer.state, TransferState::Completed);
  EXPECT_EQ(world.leg(transfer, Role::Provider).state, DeliveryState::Done);
  EXPECT_EQ(world.run(world.these({parked.id})).lines[0].outcome, service::kNotParked);
}

TEST(Reopen, GatesHoldWhatTheyWouldHoldOfANewRecord) {
  ReopenWorld world;
  world.breakMap();
  const auto transfer = world.submit("referral", world.record("own-region", "referral")).accepted.transfer;
  world.think();
  world.mendMap();
  EXPECT_EQ(world.run(world.these({world.record(transfer).id})).applied, 1u);
  EXPECT_EQ(world.record(transfer).state, RecordState::Processed);
  EXPECT_EQ(world.view(transfer).transfer.state, TransferState::Waiting);
  EXPECT_TRUE(world.view(transfer).deliveries.empty());
}

TEST(Reopen, WhatWouldBeParkedAgainStaysAsItWas) {
  ReopenWorld world;
  const auto transfer = world.parkedCase();
  const auto before = world.record(transfer);
  const auto timeline = world.view(transfer).timeline.size();
  world.breakMap();
  for (const bool dryRun : {true, false}) {
    const auto report = world.run(world.these({before.id}, dryRun));
    EXPECT_EQ(report.applied, 0u);
    EXPECT_EQ(report.lines[0].outcome, service::kMapFails);
    EXPECT_EQ(report.lines[0].reasonNow, "mapping-failed");
    EXPECT_NE(report.lines[0].firstFault, "");
  }
  world.think();  // the lease is given back
  EXPECT_EQ(world.woken, 0);
  EXPECT_EQ(world.record(transfer).state, RecordState::Parked);
  EXPECT_EQ(world.record(transfer).issues, before.issues);
  EXPECT_EQ(world.view(transfer).timeline.size(), timeline);
}

TEST(Reopen, OfTwoRecordsOfOneCaseTheOneThatFailsDoesNotHoldTheOther) {
  ReopenWorld world;
  const auto consentMap = world.current->get()->channels.at("pas/consent").map;
  const auto btfMap = world.current->get()->channels.at("pas/btf").map;
  world.breakMap();
  world.setMap("pas/btf", consentMap);
  const auto transfer = world.submitAll();
  world.setMap("pas/btf", btfMap);
  std::vector<store::Id> parked;
  for (const auto& each : world.view(transfer).records) {
    if (each.state == RecordState::Parked) parked.push_back(each.id);
  }
  ASSERT_EQ(parked.size(), 2u);
  const auto report = world.run(world.these(parked));
  EXPECT_EQ(report.applied, 1u);
  EXPECT_EQ(world.record(transfer).state, RecordState::Parked) << "its map is still the wrong one";
  EXPECT_EQ(world.rows(transfer, "record-reprocessed").size(), 1u);
  EXPECT_EQ(world.rows(transfer, "record-parked").size(), 2u) << "of the first time";
  world.mendMap();
  EXPECT_EQ(world.run(world.these({world.record(transfer).id})).applied, 1u);
  EXPECT_EQ(world.view(transfer).transfer.state, TransferState::Released);
}

TEST(Reopen, AnOlderVersionDoesNotComeBackBeforeTheNewest) {
  ReopenWorld world;
  const auto transfer = world.parkedCase();
  const auto old = world.record(transfer);
  std::string newer = world.record("own-region", "referral");
  replaceAll(newer, R"("version": 1)", R"("version": 2)");
  ASSERT_EQ(world.submit("referral", newer).accepted.transfer, transfer);
  world.deliver();
  ASSERT_EQ(world.view(transfer).transfer.state, TransferState::Completed);
  const auto legs = world.view(transfer).deliveries.size();
  const auto sent = world.sent.size();

  EXPECT_EQ(world.run(world.these({old.id})).applied, 1u);
  world.deliver();
  EXPECT_EQ(world.store.record(old.id)->state, RecordState::Processed);
  EXPECT_EQ(world.view(transfer).transfer.state, TransferState::Completed);
  EXPECT_EQ(world.view(transfer).deliveries.size(), legs);
  EXPECT_EQ(world.sent.size(), sent);
}

TEST(Reopen, AFilterMeansWhatIsParkedAndItsCountMustHold) {
  ReopenWorld world;
  const auto transfer = world.parkedCase();
  const auto received = world.record(transfer).receivedAt;
  const auto meant = [&](ParkedFilter filter) { return world.run(world.all(std::move(filter))).lines.size(); };
  EXPECT_EQ(meant({"mapping-failed", "pas", kReferral, transfer, received + std::chrono::seconds(1)}), 1u);
  EXPECT_EQ(meant({"source-unaccounted", "", "", "", std::nullopt}), 0u);
  EXPECT_EQ(meant({"", "another", "", "", std::nullopt}), 0u);
  EXPECT_EQ(meant({"", "", "pas/consent", "", std::nullopt}), 0u);
  EXPECT_EQ(meant({"", "", "", "0198a000-0000-7000-8000-000000000009", std::nullopt}), 0u);
  EXPECT_EQ(meant({"", "", "", "", received}), 0u);

  const ParkedFilter filter{"mapping-failed", "", "", "", std::nullopt};
  const auto changed = world.ask(world.all(filter, 2));
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, Code::Conflict);
  EXPECT_EQ(changed.error().message, "the filter means 1 records now, not 2; nothing was done, look again");
  EXPECT_EQ(world.record(transfer).state, RecordState::Parked);
  auto unsure = world.all(filter, 1);
  unsure.expected.reset();
  EXPECT_EQ(world.ask(unsure).error().code, Code::Invalid) << "a filter needs its number";
  EXPECT_EQ(world.run(world.all(filter, 1)).applied, 1u);
}

TEST(Reopen, TellsWhatItCannotTakeUp) {
  ReopenWorld world;
  const store::Id nobody = "0198a000-0000-7000-8000-000000000009";
  EXPECT_EQ(world.run(world.these({nobody})).lines[0].outcome, "unknown");
  const auto transfer = world.parkedCase();
  const auto parked = world.record(transfer).id;
  auto lease =
      world.store.claimTransfer(world.owner, transfer, world.clock.now(), world.clock.now() + std::chrono::minutes(1));
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(world.run(world.these({parked})).lines[0].outcome, service::kBusy);
  EXPECT_EQ(world.run(world.these({parked}, true)).applied, 1u) << "a dry run needs no lease";
  ASSERT_TRUE(world.store.returnTransfer(transfer, lease->token, world.clock.now()).ok());
  auto silent = world.these({parked});
  silent.why.clear();
  EXPECT_EQ(world.ask(silent).error().code, Code::Invalid);
  EXPECT_EQ(world.ask(world.these({})).error().code, Code::Invalid);
  EXPECT_EQ(world.ask(world.these(std::vector<store::Id>(service::Remaker::kMostRecords + 1, parked))).error().code,
            Code::Invalid);
  EXPECT_EQ(world.record(transfer).state, RecordState::Parked);
}

TEST(Reopen, WhatRetentionHasRemovedCannotBeUnderstood) {
  ReopenWorld world;
  const auto transfer = world.parkedCase();
  const auto old = world.record(transfer);
  std::string newer = world.record("own-region", "referral");
  replaceAll(newer, R"("version": 1)", R"("version": 2)");
  world.submit("referral", newer);
  world.deliver();
  ASSERT_EQ(world.view(transfer).transfer.state, TransferState::Completed);
  store::Retention retention;
  retention.records = world.clock.now() + std::chrono::hours(1);
  ASSERT_GT(world.store.purge(retention, {}, world.clock.now() + std::chrono::hours(2))->records, 0u);
  EXPECT_EQ(world.run(world.these({old.id})).lines[0].outcome, service::kOriginalRemoved);
  EXPECT_EQ(world.run(world.all({"mapping-failed", "", "", "", std::nullopt})).lines.size(), 0u);
}

}  // namespace
}  // namespace lotsen::test
