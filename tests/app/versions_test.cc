// New versions of what legs are made of: what has not left is made anew, what has left is a person's decision that is
// asked for until it is taken. No newer referral or BTF is ever passed over in silence.
#include "gateway/service/notes.h"
#include "gateway/service/reasons.h"
#include "gateway/service/remake.h"
#include "world.h"

namespace lotsen::test {
namespace {

using service::Remaker;
using service::reason::kChangedAfterSending;
using service::reason::kSuperseded;
using store::DeliveryState;
using store::Role;
using store::TransferState;

class Versions : public World {
 public:
  using World::World;

  /// The next version of a record of own-region, with `from` replaced by `to`.
  void version(int number, const std::string& kind, const std::string& from, const std::string& to) {
    auto body = record("own-region", kind);
    replaceAll(body, "\"version\": 1", "\"version\": " + std::to_string(number));
    if (!from.empty()) replaceAll(body, from, to);
    ASSERT_EQ(submit(kind, body).verdict, service::Verdict::Accepted);
  }
  void newReferral(int number = 2) { version(number, "referral", "Arbets-EKG", "Arbetsprov"); }
  /// A record that changes nothing of the content, for another pass.
  void newConsent(int number) { version(number, "consent", "", ""); }

  /// One that shuts the gates: it names another receiver.
  void consentForAnother(int number = 2) { version(number, "consent", "SE5565594230-A001", "SE5565594230-Z999"); }
  void withdraw(int number) { version(number, "consent", "\"granted_explicit\"", "\"withdrawn\""); }

  bool isTold(const store::Id& transfer) {
    return service::hasReason(view(transfer).transfer.reasons, kChangedAfterSending);
  }
  TransferState state(const store::Id& transfer) { return view(transfer).transfer.state; }
  std::size_t made(const store::Id& transfer, Role role) {
    const auto all = view(transfer).deliveries;
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const auto& each) { return each.role == role; }));
  }
  Remaker remaker() {
    auto fonts = letter::Fonts::open(current->get()->fontDirectories);
    return {store, clock, service::Thinker(clock, random, std::move(*fonts), [](const auto&) {}), owner, [] {}};
  }
  Status settle(const store::Id& transfer, const std::string& why = "told the clinic") {
    Remaker with = remaker();
    return with.settle(*current->get(), {"anna", {identity::Permission::Operate}}, transfer, why);
  }
};

TEST(Versions, AfterSendingOneIsToldUntilAPersonHasSettledIt) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver();
  ASSERT_EQ(world.state(transfer), TransferState::Completed);
  world.newReferral();
  world.deliver();
  EXPECT_EQ(world.state(transfer), TransferState::Parked);
  EXPECT_TRUE(world.isTold(transfer));
  world.newConsent(2);
  world.deliver();
  EXPECT_EQ(world.state(transfer), TransferState::Parked) << "another pass has not forgotten it";
  EXPECT_TRUE(world.isTold(transfer));

  EXPECT_EQ(world.settle(transfer, "").error().code, Code::Invalid);
  const Instant now = world.clock.now();
  const auto thought = world.store.claimTransfer(world.owner, transfer, now, now + std::chrono::minutes(1));
  EXPECT_EQ(world.settle(transfer).error().code, Code::Busy);
  ASSERT_TRUE(world.store.returnTransfer(transfer, thought->token, now).ok());
  ASSERT_TRUE(world.settle(transfer).ok());
  world.deliver();
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
  EXPECT_FALSE(world.isTold(transfer));
  EXPECT_EQ(world.made(transfer, Role::Provider), 1u);
  const auto timeline = world.view(transfer).timeline;
  EXPECT_TRUE(std::any_of(timeline.begin(), timeline.end(), [](const auto& row) {
    return row.action == "change-settled" && row.actor == "operator:anna" &&
           row.detail == R"({"why":"told the clinic"})";
  }));
  EXPECT_EQ(world.settle(transfer).error().code, Code::Conflict);
  EXPECT_EQ(world.settle("00000000-0000-4000-8000-000000000000").error().code, Code::NotFound);
  world.newReferral(3);
  world.deliver();
  EXPECT_TRUE(world.isTold(transfer)) << "what was settled was that change, not the next";
}

TEST(Versions, OneThatIsSentAnewIsToldNoMore) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver();
  world.newReferral();
  world.think();
  service::RemakeOrder order;
  order.which.deliveries = {world.leg(transfer, Role::Provider).id};
  order.delivered = true;
  order.why = "the clinic wants it";
  Remaker remaker = world.remaker();
  const auto report = remaker.run(*world.current->get(), {"anna", {identity::Permission::Operate}}, order);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->applied, 1u) << report->lines.front().outcome;
  world.deliver();
  EXPECT_NE(world.bodies[Role::Provider].find("Arbetsprov"), std::string::npos);
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
  EXPECT_FALSE(world.isTold(transfer));
}

TEST(Versions, LettersWaitForTheDecision) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver({{Role::Provider, DeliveryState::Awaiting}});
  world.newReferral();
  world.think();
  const auto provider = world.leg(transfer, Role::Provider);
  ASSERT_TRUE(world.isTold(transfer));
  // Its acknowledgement comes.
  const auto claimed = world.store.intervene({{provider.id,
                                               store::Verb::Confirm,
                                               {},
                                               {},
                                               {world.clock.now(), "operator:anna", "confirm", {}, provider.id, "{}"}}},
                                             world.clock.now());
  ASSERT_TRUE(claimed.ok());
  world.deliver();
  EXPECT_EQ(world.leg(transfer, Role::PatientLetter).state, DeliveryState::Held);
  EXPECT_TRUE(world.isTold(transfer));
  ASSERT_TRUE(world.settle(transfer).ok());
  world.deliver();
  EXPECT_EQ(world.leg(transfer, Role::PatientLetter).state, DeliveryState::Done);
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
}

TEST(Versions, WhatHasNotLeftIsMadeAnew) {
  Versions world;
  const auto transfer = world.submitAll();
  world.newReferral();
  world.deliver();
  EXPECT_EQ(world.made(transfer, Role::Provider), 2u);
  EXPECT_EQ(world.sent.size(), 5u);
  EXPECT_NE(world.bodies[Role::Provider].find("Arbetsprov"), std::string::npos);
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
}

// The gates shut with the new version and open later: what was made of the old one must not go then.
TEST(Versions, WhatHasNotLeftIsMadeAnewThoughTheGatesAreShut) {
  Versions world;
  const auto transfer = world.submitAll();
  const auto old = world.leg(transfer, Role::Provider);
  world.consentForAnother();
  world.newReferral();
  world.deliver();
  EXPECT_EQ(world.state(transfer), TransferState::Waiting);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.store.delivery(old.id)->state, DeliveryState::Cancelled);
  EXPECT_EQ(world.store.delivery(old.id)->reason, kSuperseded);
  world.newConsent(3);
  world.deliver();
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
  EXPECT_NE(world.bodies[Role::Provider].find("Arbetsprov"), std::string::npos);
}

TEST(Versions, AfterSendingOneIsToldThoughTheGatesAreShut) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver();
  world.newReferral();
  world.consentForAnother();
  world.deliver();
  EXPECT_TRUE(world.isTold(transfer));
  world.newConsent(3);
  world.deliver();
  EXPECT_TRUE(world.isTold(transfer));
  EXPECT_EQ(world.state(transfer), TransferState::Parked);
}

TEST(Versions, WhatWasLeavingAndDidNotIsMadeAnew) {
  Versions world;
  const auto transfer = world.submitAll();
  const Instant until = world.clock.now() + std::chrono::minutes(1);
  const auto claimed = world.store.claim(world.owner, "provider", 1, world.clock.now(), until);
  ASSERT_EQ(claimed->size(), 1u);
  world.newReferral();
  world.think();
  EXPECT_TRUE(world.isTold(transfer)) << "it may be leaving";
  store::AttemptEnd end;
  end.delivery = claimed->front().delivery.id;
  end.token = claimed->front().delivery.token;
  end.to = DeliveryState::Ready;
  end.outcome = "retry";
  end.phase = "connect";
  end.dueAt = world.clock.now() + std::chrono::hours(1);
  ASSERT_TRUE(world.store.finish({end}, world.clock.now()).ok());
  world.clock.set(world.clock.now() + std::chrono::seconds(3));
  world.deliver();
  EXPECT_FALSE(world.isTold(transfer));
  EXPECT_EQ(world.store.delivery(end.delivery)->state, DeliveryState::Cancelled);
  EXPECT_NE(world.bodies[Role::Provider].find("Arbetsprov"), std::string::npos);
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
}

// A record that waits to be understood is not taken for what was there before.
TEST(Versions, NothingIsMadeAnewBesideARecordThatNobodyHasWeighed) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver();
  world.newReferral();
  service::RemakeOrder order;
  order.which.deliveries = {world.leg(transfer, Role::Pas).id};
  order.delivered = true;
  order.why = "again";
  Remaker remaker = world.remaker();
  const auto report = remaker.run(*world.current->get(), {"anna", {identity::Permission::Operate}}, order);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->lines.front().outcome, service::kBusy);
  world.deliver();
  EXPECT_TRUE(world.isTold(transfer));
}

// What was called back is nothing that the receiver has: a permission given again sends again.
TEST(Versions, AConsentGivenAgainAfterARecallSendsAnew) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver();
  world.clock.set(world.clock.now() + std::chrono::hours(1));
  world.withdraw(2);
  world.deliver();
  ASSERT_EQ(world.state(transfer), TransferState::Withdrawn);
  ASSERT_EQ(world.made(transfer, Role::Recall), 1u);
  world.clock.set(world.clock.now() + std::chrono::hours(1));
  world.sent.clear();
  world.newConsent(3);
  world.deliver();
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
  EXPECT_EQ(world.made(transfer, Role::Provider), 2u);
  EXPECT_EQ(
      std::count_if(world.sent.begin(), world.sent.end(), [](const auto& each) { return each.role == Role::Provider; }),
      1);
  world.clock.set(world.clock.now() + std::chrono::hours(1));
  world.newConsent(4);
  world.deliver();
  EXPECT_EQ(world.made(transfer, Role::Provider), 2u) << "once";
}

TEST(Versions, AClockThatStepsBackRepeatsNeitherTheRecallNorTheMessage) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver();
  for (int number = 2; number <= 5; ++number) {  // withdrawn twice, then given twice
    world.clock.set(world.clock.now() - std::chrono::minutes(10));
    if (number <= 3) world.withdraw(number);
    if (number > 3) world.newConsent(number);
    world.deliver();
  }
  EXPECT_EQ(world.made(transfer, Role::Recall), 1u);
  EXPECT_EQ(world.made(transfer, Role::Provider), 2u);
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
}

TEST(Versions, AVersionThatComesWithTheConsentAfterARecallIsJustSent) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver();
  world.clock.set(world.clock.now() + std::chrono::hours(1));
  world.withdraw(2);
  world.deliver();
  world.clock.set(world.clock.now() + std::chrono::hours(1));
  world.newReferral();
  world.newConsent(3);
  world.deliver();
  EXPECT_EQ(world.state(transfer), TransferState::Completed);
  EXPECT_FALSE(world.isTold(transfer));
  EXPECT_NE(world.bodies[Role::Provider].find("Arbetsprov"), std::string::npos);
}

TEST(Versions, TheReceiptOfWhatWasHandedOutIsOwedAllTheSame) {
  Versions world;
  const auto transfer = world.submitAll();
  world.deliver({{Role::Receipt, DeliveryState::Parked}});
  world.clock.set(world.clock.now() + std::chrono::hours(1));
  world.withdraw(2);
  world.deliver();
  const auto receipt = world.leg(transfer, Role::Receipt);
  ASSERT_EQ(receipt.state, DeliveryState::Parked);
  world.clock.set(world.clock.now() + std::chrono::hours(1));
  world.consentForAnother(3);
  world.newReferral();
  world.deliver();
  EXPECT_EQ(world.made(transfer, Role::Provider), 1u) << "the gates are shut";
  EXPECT_EQ(world.store.delivery(receipt.id)->state, DeliveryState::Parked);
}

}  // namespace
}  // namespace lotsen::test
