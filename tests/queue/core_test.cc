// The delivery core on the memory store with a clock that stands still: what is sent when, and what an answer leads to.
#include "tests/queue/core_fixture.h"

#include <utility>

namespace lotsen::queue {
namespace {

TEST_F(CoreTest, SendsTheBytesWithTheirIdentity) {
  create(1, {leg(1, 1)});
  const Sending sending = sendOne();
  EXPECT_EQ(sending.delivery, deliveryId(1));
  EXPECT_EQ(sending.endpoint, "provider");
  EXPECT_EQ(sending.messageId, leg(1, 1).messageId);
  EXPECT_EQ(sending.transfer, transferId(1));
  EXPECT_EQ(sending.mediaType, "application/fhir+json");
  EXPECT_EQ(sending.body, "message 1");
  EXPECT_TRUE(delivery(1).sending) << "written before the first byte";
  EXPECT_EQ(step({answered(sending, 200, "fine")}).settled, 1u);
  EXPECT_EQ(state(1), DeliveryState::Done);
  const store::TransferView view = *store_.transfer(transferId(1));
  EXPECT_EQ(view.attempts[0].outcome, "done");
  EXPECT_EQ(view.attempts[0].httpStatus, 200);
  EXPECT_EQ(view.attempts[0].responseDigest.size(), 64u);
  EXPECT_EQ(view.timeline.back().action, "delivery-done");
  EXPECT_EQ(view.timeline.back().detail, R"({"endpoint":"provider","attempt":1,"status":200})");
}

TEST_F(CoreTest, KeepsTheOrderOfALane) {
  create(1, {leg(1, 1), leg(2, 1), leg(3, 1)});
  for (const std::uint64_t each : {1u, 2u, 3u}) {
    const Sending sending = sendOne();
    EXPECT_EQ(sending.delivery, deliveryId(each));
    step();
    EXPECT_TRUE(transport_.sent().empty()) << "one at a time";
    transport_.answer(answered(sending, 200));
    step(transport_.take(milliseconds(0)));
    clock_.advance(milliseconds(1));
    if (each < 3) {
      // The step that took the answer has promoted and sent the next already.
      const std::vector<Sending> next = transport_.sent();
      ASSERT_EQ(next.size(), 1u);
      EXPECT_EQ(next[0].delivery, deliveryId(each + 1));
      step({unsent(next[0])});
      untilDue(each + 1);
    }
  }
  EXPECT_EQ(state(3), DeliveryState::Done);
}

TEST_F(CoreTest, FillsTheSlotsOfEachEndpoint) {
  for (std::uint64_t i = 1; i <= 6; ++i) create(i, {leg(i, i), leg(100 + i, i, "other")});
  step();
  EXPECT_EQ(transport_.sent().size(), 8u) << "four each";
  EXPECT_EQ(step().inFlight, 8u);
  EXPECT_TRUE(transport_.sent().empty());
}

TEST_F(CoreTest, RetriesWithBackoffAndTheSameBytes) {
  create(1, {leg(1, 1)});
  milliseconds longest{0};
  for (std::uint32_t attempt = 1; attempt <= 4; ++attempt) {
    const Sending sending = sendOne();
    EXPECT_EQ(sending.body, "message 1");
    step({answered(sending, 503)});
    ASSERT_EQ(state(1), DeliveryState::Ready);
    EXPECT_EQ(delivery(1).reason, "receiver-busy");
    const milliseconds wait = delivery(1).dueAt - clock_.now();
    EXPECT_GE(wait, Core::kBackoffFloor);
    EXPECT_LE(wait, std::max(Core::kBackoffFloor, provider_.backoffBase * (1 << (attempt - 1))));
    longest = std::max(longest, wait);
    step();
    EXPECT_TRUE(transport_.sent().empty()) << "not before it is due";
    EXPECT_EQ(step().next, std::min(delivery(1).dueAt, clock_.now() + Core::kSweepEvery));
    untilDue(1);
  }
  EXPECT_GT(longest, Core::kBackoffFloor);
}

TEST_F(CoreTest, HonoursRetryAfter) {
  create(1, {leg(1, 1)});
  Answer busy = answered(sendOne(), 429);
  busy.fields = {{"Retry-After", "600"}};
  step({busy});
  EXPECT_EQ(delivery(1).dueAt, clock_.now() + std::chrono::seconds(600));
}

TEST_F(CoreTest, ParksWhatIsRefused) {
  create(1, {leg(1, 1), leg(2, 1)});
  EXPECT_EQ(step({answered(sendOne(), 422)}).settled, 1u);
  EXPECT_EQ(state(1), DeliveryState::Parked);
  EXPECT_EQ(delivery(1).reason, "refused-422");
  EXPECT_EQ(state(2), DeliveryState::Queued) << "blocks its lane";
}

TEST_F(CoreTest, ParksAtTheDeadline) {
  Delivery urgent = leg(1, 1);
  urgent.deadlineAt = clock_.now() + milliseconds(100);
  create(1, {urgent});
  step({unsent(sendOne())});
  EXPECT_EQ(state(1), DeliveryState::Parked);
  EXPECT_EQ(delivery(1).reason, "deadline-passed");
}

TEST_F(CoreTest, ParksWhatWasNeverSentInTime) {
  create(1, {leg(1, 1)});
  clock_.advance(std::chrono::hours(73));
  step();
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(delivery(1).reason, "deadline-passed");
}

TEST_F(CoreTest, ResendsAfterALostAnswerToAnIdempotentReceiver) {
  create(1, {leg(1, 1)});
  const Sending first = sendOne();
  step({lost(first)});
  EXPECT_EQ(state(1), DeliveryState::Resolving);
  untilDue(1);
  const Sending second = sendOne();
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.messageId, first.messageId);
  step({answered(second, 503)});
  EXPECT_EQ(state(1), DeliveryState::Resolving) << "a refusal now says nothing about then";
  untilDue(1);
  step({answered(sendOne(), 200)});
  EXPECT_EQ(state(1), DeliveryState::Done);
}

TEST_F(CoreTest, NeverResendsBlindly) {
  provider_.idempotent = false;
  restart();
  create(1, {leg(1, 1)});
  EXPECT_EQ(step({lost(sendOne())}).settled, 1u);
  EXPECT_EQ(state(1), DeliveryState::Parked) << "at once: nothing that it could wait for";
  EXPECT_EQ(delivery(1).reason, "ambiguous-needs-person");
  EXPECT_EQ(delivery(1).attempts, 1u);
}

TEST_F(CoreTest, NeverResendsBlindlyAfterALostLease) {
  provider_.idempotent = false;
  restart();
  create(1, {leg(1, 1)});
  sendOne();
  restart();
  EXPECT_EQ(step().settled, 1u);
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(state(1), DeliveryState::Parked);
  EXPECT_EQ(delivery(1).reason, "ambiguous-needs-person");
}

TEST_F(CoreTest, RepeatsWhatCertainlyDidNotHappenToAnyReceiver) {
  provider_.idempotent = false;
  restart();
  create(1, {leg(1, 1)});
  step({unsent(sendOne())});
  untilDue(1);
  step({answered(sendOne(), 503)});
  untilDue(1);
  step({answered(sendOne(), 200)});
  EXPECT_EQ(state(1), DeliveryState::Done);
}

TEST_F(CoreTest, GivesUpOnServerErrorsAndConflictsAfterSomeTries) {
  for (const auto& [status, tries] : {std::pair{500, 5}, {409, 3}}) {
    const auto number = static_cast<std::uint64_t>(status);
    create(number, {leg(number, number, "other")});
    for (int i = 0; i < tries; ++i) {
      untilDue(number);
      clock_.advance(std::chrono::minutes(10));  // past the breaker
      ASSERT_NE(state(number), DeliveryState::Parked);
      step({answered(sendOne(), status)});
    }
    EXPECT_EQ(state(number), DeliveryState::Parked);
  }
}

TEST_F(CoreTest, RefusedCredentialsPauseTheEndpointNotTheMessage) {
  for (std::uint64_t i = 1; i <= 5; ++i) create(i, {leg(i, i)});
  step();
  std::vector<Sending> sent = transport_.sent();
  ASSERT_EQ(sent.size(), 4u);
  step({answered(sent[0], 401)});
  clock_.advance(std::chrono::minutes(4));
  step({answered(sent[1], 401), answered(sent[2], 401), answered(sent[3], 401)});
  EXPECT_TRUE(transport_.sent().empty()) << "paused";
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(state(i), DeliveryState::Ready);
  clock_.advance(std::chrono::minutes(5));
  EXPECT_EQ(sendOne().delivery, deliveryId(5)) << "one probe, the oldest due";
}

TEST_F(CoreTest, ADeadEndpointBurnsNoAttemptsAndHoldsNobodyUp) {
  for (std::uint64_t i = 1; i <= 10; ++i) create(i, {leg(i, i), leg(100 + i, i, "other")});
  step();
  std::vector<Answer> answers;
  for (const Sending& each : transport_.sent())
    answers.push_back(each.endpoint == "other" ? answered(each, 200) : unsent(each));
  step(answers);
  answers.clear();
  for (const Sending& each : transport_.sent())
    answers.push_back(each.endpoint == "other" ? answered(each, 200) : unsent(each));
  step(answers);
  EXPECT_EQ(core_->counters().breakersOpened, 1u);
  std::uint64_t attempts = 0;
  for (std::uint64_t i = 1; i <= 10; ++i) attempts += delivery(i).attempts;
  EXPECT_EQ(attempts, 6u) << "four, then half as many";
  for (const Sending& each : transport_.sent()) EXPECT_EQ(each.endpoint, "other");
  clock_.advance(std::chrono::seconds(7));
  step();
  const std::vector<Sending> probe = transport_.sent();
  ASSERT_EQ(probe.size(), 1u);
  EXPECT_EQ(probe[0].delivery, deliveryId(7)) << "due since the beginning";
  step({answered(probe[0], 200)});
  EXPECT_EQ(transport_.sent().size(), 1u) << "closed again, and its slots come back in steps";
}

TEST_F(CoreTest, AwaitsAcknowledgements) {
  classify_ = [](const store::Claimed&, const Answer&) { return Verdict{Outcome::Awaiting, "", 0}; };
  create(1, {leg(1, 1), leg(2, 1)});
  step({answered(sendOne(), 202)});
  EXPECT_EQ(state(1), DeliveryState::Awaiting);
  clock_.advance(std::chrono::hours(1));
  step();
  EXPECT_TRUE(transport_.sent().empty());
  store::AcceptItem ack = test::item(1, 0, store::RecordKind::Acknowledgement, clock_.now());
  ack.record.transfer.clear();
  ack.record.partner = "clinic";
  ack.acknowledgement = store::AckEffect{leg(1, 1).messageId, DeliveryState::Done, {}, ""};
  ASSERT_EQ(store_.accept(ack)->acknowledgement, store::AckResult::Applied);
  EXPECT_EQ(sendOne().delivery, deliveryId(2));
}

TEST_F(CoreTest, LateAnswersAreStale) {
  create(1, {leg(1, 1)});
  const Sending first = sendOne();
  clock_.advance(provider_.leaseTime + milliseconds(1));
  const Sending second = sendOne();
  EXPECT_EQ(core_->counters().leasesLost, 1u);
  step({answered(first, 422)});
  EXPECT_EQ(state(1), DeliveryState::Leased) << "the answer to a lost lease decides nothing";
  EXPECT_EQ(core_->counters().stale, 1u);
  step({answered(second, 200)});
  EXPECT_EQ(state(1), DeliveryState::Done);
}

// What another node has taken over meanwhile must not be sent on top of it.
TEST_F(CoreTest, AStalledNodeDoesNotSend) {
  std::uint64_t number = 0;
  for (milliseconds stall : {Core::kStartWithin + milliseconds(1), milliseconds(-1)}) {
    ++number;
    HookedStore hooked(store_);
    hooked.after = [&](std::string_view verb) -> Status {
      if (verb == "turn") clock_.advance(std::exchange(stall, milliseconds(0)));
      return done();
    };
    create(number, {leg(number, number)});
    Core core(hooked, transport_, clock_, random_, owner_, {provider_},
              [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
    EXPECT_EQ(core.step({})->inFlight, 0u);
    EXPECT_TRUE(transport_.sent().empty());
    EXPECT_EQ(core.counters().stalled, 1u);
    EXPECT_EQ(state(number), DeliveryState::Ready) << "certainly unsent";
    EXPECT_EQ(delivery(number).reason, "node-stalled");
    EXPECT_EQ(core.counters().breakersOpened, 0u);
  }
}

// The store judges by the time that the node read before its turn: a short stall, within the lease, may outlast it.
TEST_F(CoreTest, AReleaseThatEndsBeforeTheFirstByteHoldsItBack) {
  HookedStore hooked(store_);
  hooked.before = [&, stall = milliseconds(1000)](std::string_view verb) mutable -> Status {
    if (verb == "turn") clock_.advance(std::exchange(stall, milliseconds(0)));
    return done();
  };
  Delivery gated = leg(1, 1);
  gated.needsRelease = true;
  create(1, {gated},
         {{deliveryId(1), {}, {}, clock_.now() - milliseconds(1), clock_.now() + milliseconds(1000), "consent"}});
  Core core(hooked, transport_, clock_, random_, owner_, {provider_},
            [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
  EXPECT_EQ(core.step({})->inFlight, 0u);
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(core.counters().stalled, 1u);
  EXPECT_EQ(state(1), DeliveryState::Ready);
}

// The end that counts is that of the release in force, which may have come after the claim.
TEST_F(CoreTest, AReleaseThatIsReplacedByAShorterOneHoldsItBack) {
  const auto until = [&](milliseconds span) {
    return store::Release{deliveryId(1), {}, {}, clock_.now() - milliseconds(1), clock_.now() + span, "consent"};
  };
  HookedStore hooked(store_);
  hooked.before = [&, replaced = false](std::string_view verb) mutable -> Status {
    if (verb != "turn" || std::exchange(replaced, true)) return done();
    LOTSEN_TRY(const auto work,
               store_.claimTransfer(owner_, test::transferId(1), clock_.now(), clock_.now() + milliseconds(9'000)));
    store::TransferChange change;
    change.id = work.transfer.id;
    change.token = work.token;
    change.releases = {until(milliseconds(1'000))};
    EXPECT_TRUE(store_.saveTransfer(std::move(change), clock_.now()).ok());
    clock_.advance(milliseconds(1'000));
    return done();
  };
  Delivery gated = leg(1, 1);
  gated.needsRelease = true;
  create(1, {gated}, {until(std::chrono::hours(1))});
  Core core(hooked, transport_, clock_, random_, owner_, {provider_},
            [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
  EXPECT_EQ(core.step({})->inFlight, 0u);
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(core.counters().stalled, 1u);
}

TEST_F(CoreTest, ARestartPicksUp) {
  create(1, {leg(1, 1)});
  create(2, {leg(2, 2, "other")});
  step();
  const std::vector<Sending> before = transport_.sent();
  ASSERT_EQ(before.size(), 2u);
  restart();
  step({answered(before[0], 200)});  // of another life: unknown
  const std::vector<Sending> after = transport_.sent();
  ASSERT_EQ(after.size(), 2u);
  for (const Sending& each : after) EXPECT_EQ(each.body, each.delivery == deliveryId(1) ? "message 1" : "message 2");
  step({answered(after[0], 200), answered(after[1], 200)});
  EXPECT_EQ(state(1), DeliveryState::Done);
  EXPECT_EQ(state(2), DeliveryState::Done);
}

TEST_F(CoreTest, AWithdrawalShutsTheGate) {
  Delivery gated = leg(1, 1);
  gated.needsRelease = true;
  store::Release release{deliveryId(1), {}, {}, clock_.now() - milliseconds(1), clock_.now() + std::chrono::hours(1),
                         "consent"};
  create(1, {gated}, {release});
  ASSERT_TRUE(store_.accept(test::item(7, 1, store::RecordKind::Consent, clock_.now())).ok());
  step();
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(state(1), DeliveryState::Ready);
}

TEST_F(CoreTest, AWithdrawalBetweenClaimAndFirstByteWins) {
  HookedStore hooked(store_);
  hooked.before = [&](std::string_view verb) -> Status {
    if (verb != "turn") return done();
    EXPECT_EQ(state(1), DeliveryState::Leased);
    EXPECT_TRUE(store_.accept(test::item(7, 1, store::RecordKind::Consent, clock_.now())).ok());
    return done();
  };
  Delivery gated = leg(1, 1);
  gated.needsRelease = true;
  create(1, {gated},
         {{deliveryId(1), {}, {}, clock_.now() - milliseconds(1), clock_.now() + std::chrono::hours(1), "consent"}});
  Core core(hooked, transport_, clock_, random_, owner_, {provider_},
            [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
  EXPECT_EQ(core.step({})->inFlight, 0u);
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(core.counters().withheld, 1u);
  EXPECT_EQ(state(1), DeliveryState::Ready);
}

TEST_F(CoreTest, WaitsForABusyStore) {
  HookedStore hooked(store_);
  std::string busy = "claim";
  hooked.before = [&](std::string_view verb) -> Status {
    return verb == busy ? Status(fail(Code::Busy, "busy")) : done();
  };
  create(1, {leg(1, 1)});
  Core core(hooked, transport_, clock_, random_, owner_, {provider_},
            [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
  for (const char* verb : {"dueEndpoints", "claim", "turn"}) {
    busy = verb;
    const Core::Step step = *core.step({});
    EXPECT_EQ(step.next, clock_.now() + Core::kBusyWait) << verb;
    EXPECT_TRUE(transport_.sent().empty()) << verb;
  }
  busy.clear();
  ASSERT_TRUE(core.step({}).ok());
  const std::vector<Sending> sent = transport_.sent();
  ASSERT_EQ(sent.size(), 1u);
  busy = "turn";
  EXPECT_EQ(core.step({answered(sent[0], 200)})->settled, 0u);
  busy.clear();
  EXPECT_EQ(core.step({})->settled, 1u) << "kept until the store takes it";
  EXPECT_EQ(state(1), DeliveryState::Done);
}

TEST_F(CoreTest, ADeadStoreEndsIt) {
  std::uint64_t number = 0;
  for (const char* broken : {"expireLeases", "promoteOrphans", "noticeOverdue", "dueEndpoints", "claim", "turn"}) {
    HookedStore hooked(store_);
    Core core(hooked, transport_, clock_, random_, owner_, {provider_},
              [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
    ++number;
    create(number, {leg(number, number)});
    hooked.before = [&](std::string_view verb) -> Status {
      return verb == broken ? Status(fail(Code::Unavailable, "gone")) : done();
    };
    const Result<Core::Step> step = core.step({});
    ASSERT_FALSE(step.ok()) << broken;
    EXPECT_EQ(step.error().code, Code::Unavailable);
  }
}

TEST_F(CoreTest, UnknownEndpointsAreCountedNotSpunOn) {
  create(1, {leg(1, 1, "removed")});
  const Core::Step looked = step();
  EXPECT_EQ(core_->counters().unknownEndpoints, 1u);
  EXPECT_EQ(looked.next, clock_.now() + Core::kSweepEvery);
}

TEST_F(CoreTest, StopsClaiming) {
  create(1, {leg(1, 1)});
  const Sending sending = sendOne();
  create(2, {leg(2, 2)});
  core_->stopClaiming();
  EXPECT_EQ(step().inFlight, 1u);
  EXPECT_EQ(step({answered(sending, 200)}).inFlight, 0u);
  EXPECT_TRUE(transport_.sent().empty());
  EXPECT_EQ(state(1), DeliveryState::Done);
}

TEST_F(CoreTest, ReasonsCannotBreakTheAudit) {
  classify_ = [](const store::Claimed&, const Answer&) { return Verdict{Outcome::Park, "a\"}\n\\", 0}; };
  create(1, {leg(1, 1)});
  step({answered(sendOne(), 200)});
  EXPECT_EQ(store_.transfer(transferId(1))->timeline.back().detail,
            R"({"endpoint":"provider","attempt":1,"status":200,"reason":"a????"})");
}

}  // namespace
}  // namespace lotsen::queue
