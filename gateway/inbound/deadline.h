// When a step of a connection must be over. A timeout for each read would let a peer that sends a byte a second hold a
// thread for ever, so each step has one due time; moving bytes extends it, but only at the floor rate and never beyond
// a cap. Uses the steady clock itself: it is handed to poll(2), which waits in real time, so a fake clock could not
// drive it. Thread rule: belongs to one thread. Failure rule: nothing fails.
#pragma once

#include "gateway/base/clock.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace lotsen::inbound {

class Deadline {
 public:
  using Steady = std::chrono::steady_clock;

  /// A step that begins now and is due after `grace`.
  void start(milliseconds grace) {
    begin_ = Steady::now();
    grace_ = grace;
    due_ = begin_ + grace;
  }

  /// `moved` bytes since start() buy time at `floorRate` bytes a second, up to `cap` after start().
  void extend(std::uint64_t moved, std::uint64_t floorRate, milliseconds cap) {
    const auto bought = milliseconds(static_cast<milliseconds::rep>(moved * 1000 / floorRate));
    due_ = begin_ + std::min(grace_ + bought, std::max(cap, grace_));
  }

  milliseconds left() const { return std::chrono::ceil<milliseconds>(due_ - Steady::now()); }
  bool passed() const { return Steady::now() >= due_; }

 private:
  Steady::time_point begin_;
  Steady::time_point due_;
  milliseconds grace_{0};
};

}  // namespace lotsen::inbound
