#include "gateway/base/clock.h"

#include <cstdio>

namespace lotsen {

namespace {

// Reads exactly `digits` decimal digits at `at`; -1 if there are none.
int number(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Error bad(std::string_view what) {
  return fail(Code::Invalid, "not an instant: " + std::string(what) + "; write it as 2026-03-02T08:14:07Z");
}

}  // namespace

Instant SystemClock::now() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

std::string formatInstant(Instant at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return text;
}

Result<Instant> parseInstant(std::string_view text) {
  const int year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2);
  const int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return bad("too short or not digits");
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
    return bad("separators");
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad("no such date or time");

  std::size_t at = 19;
  int millis = 0;
  if (at < text.size() && text[at] == '.') {
    int scale = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      millis += scale * (text[at] - '0');
    if (text[at - 1] == '.') return bad("no digits after the point");
  }
  milliseconds offset{0};
  if (at < text.size() && text[at] == 'Z') {
    ++at;
  } else {
    const int hours = number(text, at + 1, 2), minutes = number(text, at + 4, 2);
    if (at >= text.size() || (text[at] != '+' && text[at] != '-') || hours < 0 || minutes < 0 || text[at + 3] != ':' ||
        hours > 14 || minutes > 59) {
      return bad("a time zone is needed");
    }
    offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    if (text[at] == '-') offset = -offset;
    at += 6;
  }
  if (at != text.size()) return bad("characters after the end");
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + milliseconds(millis) - offset;
}

}  // namespace lotsen
