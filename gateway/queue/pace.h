// How hard an endpoint may be worked, beside the breaker: how many deliveries at once, and how many of them repeats.
// Used by core.h. Thread rule: belongs to the core's thread. Failure rule: none.
#pragma once

#include "gateway/base/clock.h"

#include <algorithm>
#include <cstdint>
#include <map>

namespace lotsen::queue {

/// The number of deliveries under way at once: halves when the endpoint fails or is slow, and grows by one for each
/// round of answers that are neither. Slow is a failure: an endpoint that takes a minute for each message is kept alive
/// by fewer of them, and does not hold what others need.
class Concurrency {
 public:
  Concurrency(std::size_t most, milliseconds slowAfter) : most_(most), slowAfter_(slowAfter), now_(most) {}

  std::size_t now() const { return now_; }
  void answered(milliseconds took, bool failed);

 private:
  std::size_t most_;
  milliseconds slowAfter_;
  std::size_t now_;
  std::size_t good_ = 0;    // since the last change
  std::size_t ignore_ = 0;  // answers of the same round as the last halving: they tell the same trouble again
};

/// Spreads repeats, so that a recovery is no stampede: in each second at most a fifth as many as there were first
/// attempts a second of late, and always one. A repeat that finds its second full goes in the next that has room.
class RetryBudget {
 public:
  void firstAttempt(Instant now);
  /// When a repeat that may go at `earliest` shall go.
  Instant reserve(Instant now, Instant earliest);

 private:
  void decay(Instant now);

  double recent_ = 0;  // first attempts, each forgotten by half every kHalfLife
  Instant decayedAt_;
  std::map<std::int64_t, std::uint32_t> reserved_;  // by second
};

}  // namespace lotsen::queue
