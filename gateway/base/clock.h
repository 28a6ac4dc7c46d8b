// The door to time. Production hands out SystemClock, tests FakeClock (tests/support); nobody else asks the system.
// Thread rule: now() may be called from any thread.
#pragma once

#include "gateway/base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace lotsen {

/// A point in time, UTC, milliseconds since 1970-01-01. Stored and compared as this number.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;
using std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() override;
};

/// "2026-03-02T08:14:07.120Z"; always milliseconds, always Z (a FHIR instant).
std::string formatInstant(Instant at);

/// Reads a FHIR instant or a dateTime with time zone ("Z" or "+hh:mm"). Invalid: no zone, impossible date.
Result<Instant> parseInstant(std::string_view text);

inline std::int64_t toMillis(Instant at) {
  return at.time_since_epoch().count();
}
inline Instant fromMillis(std::int64_t ms) {
  return Instant(milliseconds(ms));
}

}  // namespace lotsen
