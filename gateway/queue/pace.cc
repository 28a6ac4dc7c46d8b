#include "gateway/queue/pace.h"

#include <cmath>

namespace lotsen::queue {

namespace {

constexpr double kShare = 0.2;
constexpr double kHalfLifeMs = 30'000;
constexpr double kMeanLifeS = kHalfLifeMs / 1000 / 0.693;

std::int64_t secondOf(Instant at) {
  return toMillis(at) / 1000;
}

}  // namespace

void Concurrency::answered(milliseconds took, bool failed) {
  const bool bad = failed || took > slowAfter_;
  if (ignore_ > 0) {
    --ignore_;
    if (bad) return;
  }
  if (bad) {
    ignore_ = now_ - 1;
    now_ = std::max<std::size_t>(1, now_ / 2);
    good_ = 0;
  } else if (now_ < most_ && ++good_ >= now_) {
    ++now_;
    good_ = 0;
  }
}

void RetryBudget::decay(Instant now) {
  const milliseconds passed = now - decayedAt_;
  decayedAt_ = now;
  if (passed > milliseconds(0)) recent_ *= std::exp2(-static_cast<double>(passed.count()) / kHalfLifeMs);
  reserved_.erase(reserved_.begin(), reserved_.lower_bound(secondOf(now)));
}

void RetryBudget::firstAttempt(Instant now) {
  decay(now);
  recent_ += 1;
}

Instant RetryBudget::reserve(Instant now, Instant earliest) {
  decay(now);
  const auto room = static_cast<std::uint32_t>(std::max(1.0, kShare * recent_ / kMeanLifeS));
  std::int64_t second = secondOf(earliest);
  for (auto full = reserved_.find(second); full != reserved_.end() && full->first == second && full->second >= room;
       ++full) {
    ++second;
  }
  ++reserved_[second];
  return std::max(earliest, Instant(std::chrono::seconds(second)));
}

}  // namespace lotsen::queue
