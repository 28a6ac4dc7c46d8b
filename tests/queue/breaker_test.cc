#include "gateway/queue/breaker.h"

#include <gtest/gtest.h>

namespace lotsen::queue {
namespace {

constexpr Instant kNow{milliseconds(1'000'000)};

TEST(Breaker, OpensAfterFiveFailuresInARow) {
  SeededRandom random(1);
  Breaker breaker;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(breaker.failed(kNow, random));
  breaker.succeeded();
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(breaker.failed(kNow, random));
  EXPECT_EQ(breaker.allowance(kNow, 4), 4u);
  EXPECT_TRUE(breaker.failed(kNow, random));
  EXPECT_EQ(breaker.allowance(kNow, 4), 0u);
  EXPECT_GE(breaker.openUntil(), kNow + milliseconds(4'000));
  EXPECT_LE(breaker.openUntil(), kNow + milliseconds(6'000));
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
  breaker.sent(breaker.openUntil());
  breaker.succeeded();
  EXPECT_EQ(breaker.allowance(now, 4), 4u);
  EXPECT_FALSE(breaker.failed(now, random)) << "it forgets";
}

}  // namespace
}  // namespace lotsen::queue
