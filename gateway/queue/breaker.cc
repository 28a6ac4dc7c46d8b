#include "gateway/queue/breaker.h"

#include <algorithm>

namespace lotsen::queue {

std::size_t Breaker::allowance(Instant now, std::size_t limit) const {
  switch (state_) {
    case State::Closed: return step_ == 0 ? limit : std::min(limit, step_);
    case State::HalfOpen: return 0;  // the probe is under way
    case State::Open: return probeMayGo(now) ? std::min<std::size_t>(limit, 1) : 0;
  }
  return 0;
}

// A clock that was set back must not keep it open.
bool Breaker::probeMayGo(Instant now) const {
  return now >= openUntil_ || openUntil_ - now > 2 * kLongestOpen;
}

void Breaker::sent(Instant now) {
  if (state_ == State::Open && probeMayGo(now)) state_ = State::HalfOpen;
}

void Breaker::withheld() {
  if (state_ == State::HalfOpen) state_ = State::Open;
}

void Breaker::remember(bool failure) {
  window_ <<= 1;
  window_[0] = failure;
}

void Breaker::succeeded() {
  remember(false);
  failures_ = 0;
  switch (state_) {
    case State::Open: return;  // of what was under way when it opened: only its own probe closes it
    case State::HalfOpen:
      state_ = State::Closed;
      window_.reset();
      step_ = toNextStep_ = 1;
      return;
    case State::Closed: break;
  }
  if (step_ == 0 || --toNextStep_ > 0) return;
  toNextStep_ = step_ *= 2;
  if (step_ <= kLastStep) return;
  step_ = 0;
  nextOpen_ = kFirstOpen;
}

bool Breaker::failed(Instant now, Random& random) {
  remember(true);
  ++failures_;
  // Answers to what was under way when it opened say nothing new.
  if (state_ == State::Open) return false;
  const bool often = failures_ >= kFailures || window_.count() > kWindow / 2;
  if (state_ == State::Closed && step_ == 0 && !often) return false;
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
  step_ = 0;
  openUntil_ = now + wait;
}

}  // namespace lotsen::queue
