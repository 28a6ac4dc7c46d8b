// Time that moves when the test says so. Thread rule: any thread.
#pragma once

#include "gateway/base/clock.h"

#include <atomic>

namespace lotsen::test {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(Instant start = fromMillis(1'772'438'400'000)) : now_(toMillis(start)) {}  // 2026-03-02T08:00Z

  Instant now() override { return fromMillis(now_.load()); }
  void advance(milliseconds by) { now_ += by.count(); }
  void set(Instant to) { now_ = toMillis(to); }

 private:
  std::atomic<std::int64_t> now_;
};

}  // namespace lotsen::test
