#include "gateway/queue/breaker.h"

#include <algorithm>

namespace lotsen::queue {

std::size_t Breaker::allowance(Instant now, std::size_t limit) const {
  if (state_ == State::Closed) return limit;
  if (state_ == State::HalfOpen) return 0;  // the probe is under way
  return now >= openUntil_ ? std::min<std::size_t>(limit, 1) : 0;
}

void Breaker::sent(Instant now) {
  if (state_ == State::Open && now >= openUntil_) state_ = State::HalfOpen;
}

void Breaker::withheld() {
  if (state_ == State::HalfOpen) state_ = State::Open;
}

void Breaker::succeeded() {
  state_ = State::Closed;
  failures_ = 0;
  nextOpen_ = kFirstOpen;
}

bool Breaker::failed(Instant now, Random& random) {
  ++failures_;
  // Answers to what was under way when it opened say nothing new.
  if (state_ == State::Open || (state_ == State::Closed && failures_ < kFailures)) return false;
  // Between 80 % and 120 %, so that many gateways do not knock at the same moment.
  const auto span = static_cast<std::uint64_t>(nextOpen_.count());
  open(now, milliseconds(static_cast<std::int64_t>(span * 4 / 5 + random.below(span * 2 / 5 + 1))));
  nextOpen_ = std::min(nextOpen_ * 2, kLongestOpen);
  return true;
}

void Breaker::pause(Instant now) {
  open(now, kLongestOpen);
}

void Breaker::open(Instant now, milliseconds wait) {
  state_ = State::Open;
  openUntil_ = now + wait;
}

}  // namespace lotsen::queue
