// A circuit breaker: stops claiming for an endpoint that fails, so that no attempts are burnt on it and nobody else
// waits. Closed → Open after kFailures failures in a row, or when more than half of the last kWindow failed; Open for
// 5 s, doubling up to 5 min, each time with jitter; then HalfOpen: exactly one delivery goes as a probe (the oldest
// due). If it succeeds the breaker is closed, but its slots come back in steps, 1, 2 and 4 at a time: an endpoint that
// has just stood up is not run over by the backlog. A failure in the steps opens it again, for longer. State is per
// process and in memory: a restart may probe once more, which is what an operator who restarts expects. Used by core.h.
// Thread rule: belongs to the core's thread. Failure rule: none.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/random.h"

#include <bitset>

namespace lotsen::queue {

class Breaker {
 public:
  static constexpr int kFailures = 5;
  static constexpr std::size_t kWindow = 20;
  static constexpr std::size_t kLastStep = 4;
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
  bool probeMayGo(Instant now) const;
  void remember(bool failure);
  void open(Instant now, milliseconds wait);

  State state_ = State::Closed;
  int failures_ = 0;             // in a row
  std::bitset<kWindow> window_;  // the last answers, 1 is a failure
  std::size_t step_ = 0;         // slots while they come back; 0: all
  std::size_t toNextStep_ = 0;   // successes
  milliseconds nextOpen_ = kFirstOpen;
  Instant openUntil_;
};

}  // namespace lotsen::queue
