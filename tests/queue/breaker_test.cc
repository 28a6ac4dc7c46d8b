#include "gateway/queue/breaker.h"

#include <gtest/gtest.h>

namespace lotsen::queue {
namespace {

constexpr Instant kNow{milliseconds(1'000'000)};

/// Open, and its probe has succeeded.
Breaker recovering(Random& random) {
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.failed(kNow, random);
  breaker.sent(breaker.openUntil());
  breaker.succeeded();
  return breaker;
}

TEST(Breaker, OpensAfterFiveFailuresInARow) {
  SeededRandom random(1);
  Breaker breaker;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(breaker.failed(kNow, random));
  for (int i = 0; i < 6; ++i) breaker.succeeded();
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(breaker.failed(kNow, random));
  EXPECT_EQ(breaker.allowance(kNow, 4), 4u);
  EXPECT_TRUE(breaker.failed(kNow, random));
  EXPECT_EQ(breaker.allowance(kNow, 4), 0u);
  EXPECT_GE(breaker.openUntil(), kNow + milliseconds(4'000));
  EXPECT_LE(breaker.openUntil(), kNow + milliseconds(6'000));
}

TEST(Breaker, OpensWhenMoreThanHalfFail) {
  SeededRandom random(1);
  Breaker half, more;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(half.failed(kNow, random));
    half.succeeded();
  }
  bool opened = false;
  for (int i = 0; i < 7 && !opened; ++i) {
    more.succeeded();
    opened = more.failed(kNow, random) || more.failed(kNow, random);
  }
  EXPECT_TRUE(opened) << "two of three";
  EXPECT_EQ(half.state(), Breaker::State::Closed);
}

TEST(Breaker, OneProbeDecides) {
  SeededRandom random(1);
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.failed(kNow, random);
  milliseconds last{0};
  Instant now = kNow;
  for (int round = 0; round < 10; ++round) {
    now = breaker.openUntil();
    EXPECT_EQ(breaker.allowance(now - milliseconds(1), 4), 0u);
    EXPECT_EQ(breaker.allowance(now, 4), 1u);
    breaker.sent(now);
    EXPECT_EQ(breaker.allowance(now, 4), 0u) << "one at a time";
    EXPECT_TRUE(breaker.failed(now, random));
    EXPECT_GE(breaker.openUntil() - now, last / 2);
    last = breaker.openUntil() - now;
    EXPECT_LE(last, milliseconds(360'000));
  }
  EXPECT_GE(last, milliseconds(240'000)) << "five minutes, give or take";
  breaker.sent(breaker.openUntil());
  breaker.withheld();
  EXPECT_EQ(breaker.allowance(breaker.openUntil(), 4), 1u) << "a probe that did not go says nothing";
  EXPECT_EQ(breaker.allowance(breaker.openUntil() - std::chrono::hours(1), 4), 1u) << "the clock was set back";
}

TEST(Breaker, OnlyItsProbeClosesIt) {
  SeededRandom random(1);
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.failed(kNow, random);
  breaker.succeeded();
  EXPECT_EQ(breaker.state(), Breaker::State::Open) << "an answer to what was under way when it opened";
}

TEST(Breaker, SlotsComeBackInSteps) {
  SeededRandom random(1);
  Breaker breaker = recovering(random);
  std::vector<std::size_t> steps;
  for (int i = 0; i < 8; ++i) {
    steps.push_back(breaker.allowance(kNow, 10));
    breaker.succeeded();
  }
  EXPECT_EQ(steps, (std::vector<std::size_t>{1, 2, 2, 4, 4, 4, 4, 10}));
  EXPECT_FALSE(breaker.failed(kNow, random)) << "it forgets";
}

TEST(Breaker, AFailureInTheStepsOpensItForLonger) {
  SeededRandom random(1);
  Breaker breaker = recovering(random);
  breaker.succeeded();
  EXPECT_TRUE(breaker.failed(kNow, random));
  EXPECT_GE(breaker.openUntil() - kNow, milliseconds(8'000));
}

}  // namespace
}  // namespace lotsen::queue
