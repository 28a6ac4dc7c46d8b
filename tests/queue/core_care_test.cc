// The delivery core: asking a receiver what it has, what an endpoint can bear, what a person stops, what is missing.
#include "tests/queue/core_fixture.h"

#include <set>

namespace lotsen::queue {
namespace {

// A receiver that does not drop repeats but can be asked: the answer decides.
class ReadBackTest : public CoreTest {
 protected:
  ReadBackTest() {
    provider_.idempotent = false;
    provider_.readBack = true;
    owner_ = *store_.openNode("node", clock_.now());
    core_ = std::make_unique<Core>(
        store_, transport_, clock_, random_, owner_, std::vector<Endpoint>{provider_},
        [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); },
        [this](const store::Claimed& claimed, const Answer&) {
          EXPECT_EQ(claimed.delivery.id, deliveryId(1));
          return finding_;
        });
    create(1, {leg(1, 1), leg(2, 1)});
  }

  /// The answer to the first sending is lost; returns the question that follows.
  Sending question() {
    step({lost(sendOne())});
    EXPECT_EQ(state(1), DeliveryState::Resolving);
    EXPECT_GE(delivery(1).dueAt, clock_.now() + provider_.readBackAfter) << "not while it may be under way";
    untilDue(1);
    const Sending asked = sendOne();
    EXPECT_EQ(asked.purpose, Purpose::ReadBack);
    EXPECT_TRUE(asked.body.empty());
    EXPECT_EQ(asked.messageId, leg(1, 1).messageId);
    EXPECT_FALSE(delivery(1).sending) << "no byte of the message leaves";
    return asked;
  }

  Finding finding_ = Finding::Accepted;
};

TEST_F(ReadBackTest, WhatIsThereIsDone) {
  const Sending asked = question();
  step({answered(asked, 200)});
  EXPECT_EQ(state(1), DeliveryState::Done);
  EXPECT_EQ(core_->counters().foundThere, 1u);
  EXPECT_EQ(store_.transfer(transferId(1))->attempts[1].outcome, "read-back-accepted");
  EXPECT_EQ(sendOne().delivery, deliveryId(2));
}

TEST_F(ReadBackTest, WhatIsThereMayStillOweItsAcknowledgement) {
  finding_ = Finding::Arrived;
  step({answered(question(), 200)});
  EXPECT_EQ(state(1), DeliveryState::Awaiting);
}

TEST_F(ReadBackTest, WhatIsAbsentIsSentAgain) {
  finding_ = Finding::Absent;
  step({answered(question(), 200)});
  EXPECT_EQ(state(1), DeliveryState::Ready);
  EXPECT_EQ(delivery(1).reason, "not-arrived");
  untilDue(1);
  const Sending again = sendOne();
  EXPECT_EQ(again.purpose, Purpose::Deliver);
  EXPECT_EQ(again.body, "message 1");
  step({answered(again, 200)});
  EXPECT_EQ(state(1), DeliveryState::Done);
}

TEST_F(ReadBackTest, WhatIsUnclearIsForAPerson) {
  finding_ = Finding::Unclear;
  step({answered(question(), 200)});
  EXPECT_EQ(state(1), DeliveryState::Parked);
  EXPECT_EQ(delivery(1).reason, "read-back-unclear");
}

TEST_F(ReadBackTest, AQuestionWithoutAnAnswerIsAskedAgain) {
  finding_ = Finding::NoAnswer;
  step({lost(question())});
  EXPECT_EQ(state(1), DeliveryState::Resolving);
  EXPECT_EQ(delivery(1).reason, "read-back-failed");
  untilDue(1);
  EXPECT_EQ(sendOne().purpose, Purpose::ReadBack);
}

// A lease that was lost in the middle of sending leaves no answer that could say when to ask.
TEST_F(ReadBackTest, AfterALostLeaseItWaitsToo) {
  sendOne();
  clock_.advance(provider_.leaseTime + milliseconds(1));
  step();
  step();
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(state(1), DeliveryState::Resolving);
  EXPECT_EQ(delivery(1).dueAt, clock_.now() - provider_.leaseTime - milliseconds(1) + provider_.readBackAfter);
  untilDue(1);
  EXPECT_EQ(sendOne().purpose, Purpose::ReadBack);
}

TEST_F(CoreTest, SlowAnswersGetFewerAtOnce) {
  for (std::uint64_t i = 1; i <= 12; ++i) create(i, {leg(i, i)});
  step();
  std::vector<Answer> slow;
  for (const Sending& each : transport_.sent()) {
    slow.push_back(answered(each, 200));
    slow.back().took = provider_.slowAfter + milliseconds(1);
  }
  ASSERT_EQ(slow.size(), 4u);
  step(slow);
  EXPECT_EQ(transport_.sent().size(), 2u);
}

// An endpoint that refuses a third of what it gets: its repeats do not come on top of everything.
TEST_F(CoreTest, RepeatsHaveABudget) {
  for (std::uint64_t i = 1; i <= 12; ++i) create(i, {leg(i, i)});
  std::set<Instant> due;
  for (std::uint64_t i = 0; i < 3; ++i) {
    step();
    std::vector<Answer> answers;
    for (const Sending& each : transport_.sent())
      answers.push_back(answered(each, answers.size() % 3 == 0 ? 429 : 200));
    step(answers);
  }
  for (std::uint64_t i = 1; i <= 12; ++i) {
    if (state(i) == DeliveryState::Ready) due.insert(std::chrono::floor<std::chrono::seconds>(delivery(i).dueAt));
  }
  EXPECT_GE(core_->counters().retried, 4u);
  EXPECT_EQ(due.size(), core_->counters().retried) << "one a second, while there are few";
}

TEST_F(CoreTest, AMissingAcknowledgementIsToldOnce) {
  classify_ = [](const store::Claimed&, const Answer&) { return Verdict{Outcome::Awaiting, "", 0}; };
  create(1, {leg(1, 1)});
  step({answered(sendOne(), 202)});
  clock_.advance(provider_.acknowledgeWithin - milliseconds(1));
  step();
  EXPECT_EQ(core_->counters().overdue, 0u);
  for (int i = 0; i < 3; ++i) {
    clock_.advance(std::chrono::minutes(2));
    step();
  }
  EXPECT_EQ(core_->counters().overdue, 1u);
  EXPECT_EQ(state(1), DeliveryState::Awaiting) << "and nothing else changes";
  EXPECT_TRUE(delivery(1).overdue);
  EXPECT_EQ(store_.transfer(transferId(1))->timeline.back().action, "acknowledgement-overdue");
}

// What answers bring and what goes next is written together: one wait for the disk.
TEST_F(CoreTest, EndsAndStartsInOneTurn) {
  for (std::uint64_t i = 1; i <= 8; ++i) create(i, {leg(i, i)});
  HookedStore hooked(store_);
  int turns = 0;
  hooked.before = [&](std::string_view verb) -> Status {
    turns += verb == "turn" ? 1 : 0;
    return done();
  };
  Core core(hooked, transport_, clock_, random_, owner_, {provider_},
            [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
  ASSERT_TRUE(core.step({}).ok());
  std::vector<Answer> answers;
  for (const Sending& each : transport_.sent()) answers.push_back(answered(each, 200));
  ASSERT_EQ(answers.size(), 4u);
  turns = 0;
  ASSERT_TRUE(core.step(answers).ok());
  EXPECT_EQ(turns, 1);
  EXPECT_EQ(transport_.sent().size(), 4u);
}

// The turn finds the store busy until the lease is lost: the delivery is claimed again, and one of the two claims goes.
TEST_F(CoreTest, AClaimThatWasKeptTooLongIsNotSentBesideTheNext) {
  HookedStore hooked(store_);
  bool busy = true;
  hooked.before = [&](std::string_view verb) -> Status {
    return busy && verb == "turn" ? Status(fail(Code::Busy, "busy")) : done();
  };
  create(1, {leg(1, 1)});
  Core core(hooked, transport_, clock_, random_, owner_, {provider_},
            [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
  ASSERT_TRUE(core.step({}).ok());
  ASSERT_EQ(*store_.expireLeases(clock_.now() + provider_.leaseTime), 1u) << "another node's clock is ahead";
  busy = false;
  EXPECT_EQ(core.step({})->inFlight, 1u);
  const std::vector<Sending> sent = transport_.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].token, 2u);
  EXPECT_EQ(core.counters().withheld, 1u);
}

// A receiver whose specification limits resends: two, within half an hour of the first that may have arrived.
class ResendTest : public CoreTest {
 protected:
  ResendTest() {
    provider_.idempotent = true;
    provider_.resends = 2;
    provider_.resendWithin = std::chrono::minutes(30);
    restart();
    create(1, {leg(1, 1)});
  }

  void attempt(const std::function<Answer(const Sending&)>& answer) {
    untilDue(1);
    step({answer(sendOne())});
  }
};

TEST_F(ResendTest, TheThirdSendingThatMayHaveArrivedIsTheLast) {
  for (int i = 0; i < 2; ++i) {
    attempt(lost);
    EXPECT_EQ(state(1), DeliveryState::Resolving) << i;
  }
  attempt([](const Sending& sending) { return answered(sending, 503); });
  EXPECT_EQ(state(1), DeliveryState::Parked);
  EXPECT_EQ(delivery(1).reason, "resend-limit");
}

TEST_F(ResendTest, WhatNeverLeftDoesNotCount) {
  for (int i = 0; i < 2; ++i) attempt(unsent);  // with more the breaker would open
  EXPECT_EQ(state(1), DeliveryState::Ready) << delivery(1).reason;
  attempt(lost);
  attempt(lost);
  attempt([](const Sending& sending) { return answered(sending, 200); });
  EXPECT_EQ(state(1), DeliveryState::Done);
}

TEST_F(ResendTest, NoneAfterItsTime) {
  attempt(lost);
  clock_.advance(std::chrono::minutes(25));
  attempt([](const Sending& sending) {
    Answer answer = answered(sending, 503);
    answer.fields = {{"Retry-After", "600"}};
    return answer;
  });
  EXPECT_EQ(state(1), DeliveryState::Parked) << "the next would be 35 minutes after the first";
  EXPECT_EQ(delivery(1).reason, "resend-limit");
}

TEST_F(ResendTest, AnAcknowledgementThatAsksForOneMoreGetsNoFourth) {
  classify_ = [](const store::Claimed&, const Answer&) { return Verdict{Outcome::Awaiting, {}, 0}; };
  std::uint64_t number = 0;
  for (int i = 0; i < 3; ++i) {
    attempt([](const Sending& sending) { return answered(sending, 200); });
    ASSERT_EQ(state(1), DeliveryState::Awaiting) << i;
    store::AcceptItem ack = test::item(100 + ++number, 0, store::RecordKind::Acknowledgement, clock_.now());
    ack.record.transfer.clear();
    ack.record.partner = "clinic";
    ack.acknowledgement =
        store::AckEffect{leg(1, 1).messageId, DeliveryState::Ready, clock_.now(), "transient-error-acknowledged"};
    ASSERT_TRUE(store_.accept(ack).ok());
  }
  step();
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(state(1), DeliveryState::Parked);
  EXPECT_EQ(delivery(1).reason, "resend-limit");
}

TEST_F(ResendTest, WhatAPersonSendsAgainGoes) {
  for (int i = 0; i < 3; ++i) attempt(lost);
  ASSERT_EQ(state(1), DeliveryState::Parked);
  store::Intervention again;
  again.delivery = deliveryId(1);
  again.verb = store::Verb::Resend;
  again.dueAt = clock_.now();
  again.deadlineAt = clock_.now() + std::chrono::hours(72);
  again.audit = test::audit("delivery-resent", deliveryId(1));
  ASSERT_EQ(store_.intervene({again}, clock_.now())->at(0), store::Intervened::Applied);
  attempt([](const Sending& sending) { return answered(sending, 200); });
  EXPECT_EQ(state(1), DeliveryState::Done);
}

TEST_F(ResendTest, AQuestionIsNoResend) {
  provider_.idempotent = false;
  provider_.readBack = true;
  provider_.resends = 0;
  int questions = 0;
  core_ = std::make_unique<Core>(
      store_, transport_, clock_, random_, owner_, std::vector<Endpoint>{provider_},
      [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); },
      [&](const store::Claimed&, const Answer&) { return ++questions < 3 ? Finding::NoAnswer : Finding::Accepted; });
  attempt(lost);
  for (int i = 0; i < 3; ++i) attempt([](const Sending& sending) { return answered(sending, 200); });
  EXPECT_EQ(questions, 3);
  EXPECT_EQ(state(1), DeliveryState::Done) << delivery(1).reason;
}

TEST_F(CoreTest, APausedEndpointWaits) {
  create(1, {leg(1, 1), leg(2, 1, "other")});
  ASSERT_TRUE(
      store_
          .pauseEndpoint({"provider", "they move house", "operator:anna", clock_.now()}, test::audit("endpoint-paused"))
          .ok());
  const Sending other = sendOne();
  EXPECT_EQ(other.endpoint, "other");
  step({answered(other, 200)});
  clock_.advance(std::chrono::hours(1));
  step();
  EXPECT_TRUE(transport_.sent().empty());
  ASSERT_TRUE(store_.resumeEndpoint("provider", test::audit("endpoint-resumed")).ok());
  EXPECT_EQ(sendOne().endpoint, "provider");
}

}  // namespace
}  // namespace lotsen::queue
