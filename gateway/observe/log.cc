#include "gateway/observe/log.h"

#include "gateway/observe/json_text.h"

#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <cmath>

namespace lotsen::observe {

namespace {

constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};

template <typename Number>
void appendNumber(std::string& out, Number value) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// Cut at a character, not inside one.
std::string shorten(std::string_view text) {
  std::size_t end = Log::kMaxValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace

void LogField::appendTo(std::string& line) const {
  line.push_back(',');
  appendJsonString(line, name_);
  line.push_back(':');
  if (const auto* text = std::get_if<std::string_view>(&value_)) {
    appendJsonString(line, text->size() > Log::kMaxValue ? shorten(*text) : *text);
  } else if (const auto* truth = std::get_if<bool>(&value_)) {
    line += *truth ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&value_)) {
    if (std::isfinite(*number)) {
      appendNumber(line, *number);
    } else {
      line += "null";
    }
  } else if (const auto* whole = std::get_if<std::int64_t>(&value_)) {
    appendNumber(line, *whole);
  } else {
    appendNumber(line, std::get<std::uint64_t>(value_));
  }
}

Log::Log(Clock& clock, int descriptor, Level least) : clock_(clock), descriptor_(descriptor), least_(least) {}

void Log::write(Level level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < least_) return;
  const Instant now = clock_.now();
  const std::lock_guard lock(mutex_);
  Repeat* repeat = admit(event, now);
  if (repeat == nullptr) return;

  std::string line = R"({"time":")" + formatInstant(now) + R"(","level":")";
  line.append(kLevels[static_cast<std::size_t>(level)]).append(R"(","event":)");
  appendJsonString(line, event);
  if (repeat->suppressed > 0) LogField("suppressed", repeat->suppressed).appendTo(line);
  if (droppedUnsaid_ > 0) LogField("dropped", droppedUnsaid_).appendTo(line);
  constexpr std::string_view kCut = R"(,"cut":true)";
  for (const LogField& field : fields) {
    const std::size_t before = line.size();
    field.appendTo(line);
    if (line.size() + kCut.size() + 2 <= kMaxLine) continue;
    line.resize(before);
    line += kCut;
    break;
  }
  line += "}\n";
  if (put(line)) {
    repeat->suppressed = 0;
    droppedUnsaid_ = 0;
  } else {
    ++dropped_;
    ++droppedUnsaid_;
  }
}

// Null when the event has had its share for the moment.
Log::Repeat* Log::admit(std::string_view event, Instant now) {
  auto found = repeats_.find(event);
  if (found == repeats_.end()) found = repeats_.emplace(std::string(event), Repeat{now, 0, 0}).first;
  Repeat& repeat = found->second;
  if (now - repeat.since >= kWindow || now < repeat.since) {
    repeat.since = now;
    repeat.count = 0;
  }
  if (repeat.count >= kBurst) {
    ++repeat.suppressed;
    return nullptr;
  }
  ++repeat.count;
  return &repeat;
}

bool Log::put(std::string_view line) {
  pollfd ready{descriptor_, POLLOUT, 0};
  if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
  return ::write(descriptor_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

std::uint64_t Log::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace lotsen::observe
