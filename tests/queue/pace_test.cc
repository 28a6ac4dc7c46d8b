#include "gateway/queue/pace.h"

#include <gtest/gtest.h>

namespace lotsen::queue {
namespace {

constexpr Instant kNow{milliseconds(1'000'000'000)};
constexpr milliseconds kQuick{20}, kSlow{10'000};

TEST(Concurrency, SlowIsAFailure) {
  Concurrency slots(8, milliseconds(5'000));
  EXPECT_EQ(slots.now(), 8u);
  slots.answered(kSlow, false);
  EXPECT_EQ(slots.now(), 4u);
  for (int i = 0; i < 7; ++i) slots.answered(kSlow, false);
  EXPECT_EQ(slots.now(), 4u) << "the rest of the same round";
  slots.answered(kQuick, true);
  EXPECT_EQ(slots.now(), 2u);
  for (int i = 0; i < 100; ++i) slots.answered(kSlow, true);
  EXPECT_EQ(slots.now(), 1u) << "never none: the breaker says when to stop";
}

TEST(Concurrency, GrowsByOneARound) {
  Concurrency slots(4, milliseconds(5'000));
  for (int i = 0; i < 20; ++i) slots.answered(kSlow, false);
  ASSERT_EQ(slots.now(), 1u);
  std::vector<std::size_t> seen;
  for (int i = 0; i < 8; ++i) {
    slots.answered(kQuick, false);
    seen.push_back(slots.now());
  }
  EXPECT_EQ(seen, (std::vector<std::size_t>{2, 2, 3, 3, 3, 4, 4, 4}));
}

TEST(RetryBudget, OneASecondIsAlwaysFree) {
  RetryBudget budget;
  EXPECT_EQ(budget.reserve(kNow, kNow + kQuick), kNow + kQuick);
  EXPECT_EQ(budget.reserve(kNow, kNow + kQuick), kNow + milliseconds(1'000));
  EXPECT_EQ(budget.reserve(kNow, kNow + kQuick), kNow + milliseconds(2'000));
  EXPECT_EQ(budget.reserve(kNow, kNow + milliseconds(600'000)), kNow + milliseconds(600'000)) << "far from the others";
  EXPECT_EQ(budget.reserve(kNow, kNow + kQuick), kNow + milliseconds(3'000));
}

// A minute of 100 first attempts a second of which half fail: repeats are a fifth of them, not half.
TEST(RetryBudget, RepeatsAreAFifthOfFirstAttempts) {
  RetryBudget budget;
  std::map<std::int64_t, int> repeats;
  Instant now = kNow;
  for (int second = 0; second < 120; ++second) {
    for (int i = 0; i < 100; ++i) {
      now += milliseconds(10);
      budget.firstAttempt(now);
      if (i % 2 == 0) ++repeats[toMillis(budget.reserve(now, now + milliseconds(500))) / 1000];
    }
  }
  const std::int64_t last = toMillis(now) / 1000;
  int all = 0;
  for (std::int64_t second = last - 59; second <= last; ++second) {
    EXPECT_LE(repeats[second], 20) << last - second;
    all += repeats[second];
  }
  EXPECT_GE(all, 60 * 12) << "and what is allowed is used";
}

}  // namespace
}  // namespace lotsen::queue
