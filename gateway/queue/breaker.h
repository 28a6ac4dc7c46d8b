// A circuit breaker: stops claiming for an endpoint that fails, so that no attempts are burnt on it and nobody else
// waits. Closed → Open after kFailures failures in a row; Open for 5 s, doubling up to 5 min, each time with jitter;
// then HalfOpen: one delivery goes as a probe (the oldest due), and its answer closes or opens it again. State is per
// process and in memory: a restart may probe once more, which is what an operator who restarts expects. Used by core.h.
// Thread rule: belongs to the core's thread. Failure rule: none.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/random.h"

namespace lotsen::queue {

class Breaker {
 public:
  static constexpr int kFailures = 5;
  static constexpr milliseconds kFirstOpen{5'000};
  static constexpr milliseconds kLongestOpen{300'000};

  enum class State : std::uint8_t { Closed, Open, HalfOpen };

  /// How many deliveries may be under way at once.
  std::size_t allowance(Instant now, std::size_t limit) const;
  /// Open: when the probe may go.
  Instant openUntil() const { return openUntil_; }
  /// REQUIRES: allowance() was not 0. An open breaker is half-open from here on.
  void sent(Instant now);

  /// The delivery of sent() did not go after all; it says nothing.
  void withheld();
  void succeeded();
  /// True if this failure opened it.
  bool failed(Instant now, Random& random);
  /// Opens it for the longest time: nothing can succeed before a person has acted.
  void pause(Instant now);

  State state() const { return state_; }

 private:
  void open(Instant now, milliseconds wait);

  State state_ = State::Closed;
  int failures_ = 0;  // in a row
  milliseconds nextOpen_ = kFirstOpen;
  Instant openUntil_;
};

}  // namespace lotsen::queue
