// The structured log: one JSON object a line on stderr, for journald and people with jq.
//   {"time":"2026-03-02T08:14:07.120Z","level":"warning","event":"delivery.retry","endpoint":"kungsholmen","attempt":2}
// `event` is a fixed dotted name, never a sentence and never input; what varies are typed fields. Patient data cannot
// get in by accident: Phi<T> does not compile as a field. An audit trail is not a log: it is a table in the store.
//
// The log never holds up its caller: a line has at most kMaxLine bytes (which a pipe takes whole or not at all), the
// descriptor is asked first, and what it has no room for is dropped and counted; the next line that gets through says
// so in "dropped". An event that repeats is written kBurst times in kWindow; the first line after that says in
// "suppressed" how many were not. Rejected: a ring and a writer thread. It loses the last lines of a crash, and the
// crash is when they matter.
//
// Thread rule: any thread; lines never mix. Failure rule: nothing fails.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/phi.h"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

namespace lotsen::observe {

enum class Level { Debug, Info, Warning, Error };

/// A named value of a log line; borrows what it is given until the line is written.
class LogField {
 public:
  LogField(std::string_view name, std::string_view value) : name_(name), value_(value) {}
  LogField(std::string_view name, const char* value) : name_(name), value_(std::string_view(value)) {}
  LogField(std::string_view name, const std::string& value) : name_(name), value_(std::string_view(value)) {}
  LogField(std::string_view name, std::same_as<bool> auto value) : name_(name), value_(value) {}
  LogField(std::string_view name, std::signed_integral auto value) : name_(name), value_(std::int64_t{value}) {}
  LogField(std::string_view name, std::unsigned_integral auto value)
    requires(!std::same_as<decltype(value), bool>)
      : name_(name), value_(std::uint64_t{value}) {}
  LogField(std::string_view name, double value) : name_(name), value_(value) {}
  LogField(std::string_view name, milliseconds value) : name_(name), value_(std::int64_t{value.count()}) {}
  template <typename T>
  LogField(std::string_view name, const Phi<T>& value) = delete;

 private:
  friend class Log;
  void appendTo(std::string& line) const;

  std::string_view name_;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value_;
};

class Log {
 public:
  static constexpr std::size_t kMaxLine = 4096;   // PIPE_BUF
  static constexpr std::size_t kMaxValue = 1024;  // longer texts are cut and end in "…"
  static constexpr std::uint32_t kBurst = 20;
  static constexpr milliseconds kWindow{10'000};

  /// Writes to `descriptor` (borrowed, stays open) what is at `least` that important.
  explicit Log(Clock& clock, int descriptor = 2, Level least = Level::Info);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view event, std::initializer_list<LogField> fields = {});
  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(Level::Debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) { write(Level::Info, event, fields); }
  void warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(Level::Warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(Level::Error, event, fields);
  }

  /// Lines that the descriptor had no room for, since the start.
  std::uint64_t dropped() const;

 private:
  struct Repeat {
    Instant since{};
    std::uint32_t count = 0;
    std::uint64_t suppressed = 0;
  };
  Repeat* admit(std::string_view event, Instant now);
  bool put(std::string_view line);

  Clock& clock_;
  const int descriptor_;
  const Level least_;
  mutable std::mutex mutex_;
  std::map<std::string, Repeat, std::less<>> repeats_;  // few: events are fixed names
  std::uint64_t dropped_ = 0;
  std::uint64_t droppedUnsaid_ = 0;
};

}  // namespace lotsen::observe
