#include "gateway/fhirpath/temporal.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace lotsen::fhirpath {
namespace {

using Precision = Temporal::Precision;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;

bool digitsAt(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

int daysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

/// Reads a date from the start of `text`; returns how many bytes it took, 0 if it is none.
std::size_t readDate(std::string_view text, Temporal& out) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!digitsAt(text, 0, 4, year) || year == 0) return 0;
  out.year = year;
  out.precision = Precision::Year;
  if (text.size() < 5 || text[4] != '-') return 4;
  if (!digitsAt(text, 5, 2, month) || month < 1 || month > 12) return 0;
  out.month = static_cast<std::uint8_t>(month);
  out.precision = Precision::Month;
  if (text.size() < 8 || text[7] != '-') return 7;
  if (!digitsAt(text, 8, 2, day) || day < 1 || day > daysInMonth(year, month)) return 0;
  out.day = static_cast<std::uint8_t>(day);
  out.precision = Precision::Day;
  return 10;
}

/// Reads "14:34:28.123" from the start; returns the bytes taken, 0 if it is none.
std::size_t readTime(std::string_view text, Temporal& out) {
  constexpr std::size_t kMaxText = 64;
  if (text.size() > kMaxText) return 0;
  int value = 0;
  if (!digitsAt(text, 0, 2, value) || value > 23) return 0;
  out.hour = static_cast<std::uint8_t>(value);
  out.precision = Precision::Hour;
  if (text.size() < 3 || text[2] != ':') return 2;
  if (!digitsAt(text, 3, 2, value) || value > 59) return 0;
  out.minute = static_cast<std::uint8_t>(value);
  out.precision = Precision::Minute;
  if (text.size() < 6 || text[5] != ':') return 5;
  if (!digitsAt(text, 6, 2, value) || value > 60) return 0;
  out.second = static_cast<std::uint8_t>(value);
  out.precision = Precision::Second;
  if (text.size() < 9 || text[8] != '.') return 8;
  std::size_t end = 9;
  std::uint32_t nanos = 0;
  std::uint32_t digits = 0;
  for (; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end) {
    if (digits < 9) {
      nanos = nanos * 10 + static_cast<std::uint32_t>(text[end] - '0');
      ++digits;
    }
  }
  if (digits == 0) return 0;
  out.fractionDigits = static_cast<std::uint8_t>(digits);
  for (; digits < 9; ++digits) nanos *= 10;
  out.nanos = nanos;
  out.precision = Precision::Fraction;
  return end;
}

/// "Z", "+02:00"; false if the text is anything else.
bool readZone(std::string_view text, Temporal& out) {
  if (text == "Z") {
    out.zoned = out.zulu = true;
    return true;
  }
  int hours = 0;
  int minutes = 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  if (!digitsAt(text, 1, 2, hours) || !digitsAt(text, 4, 2, minutes) || hours > 14 || minutes > 59) return false;
  const int zone = hours * 60 + minutes;
  out.zone = static_cast<std::int16_t>(text[0] == '-' ? -zone : zone);
  out.zoned = true;
  return true;
}

std::int64_t dayNumber(const Temporal& t) {
  return std::chrono::sys_days(std::chrono::year(t.year) / t.month / t.day).time_since_epoch().count();
}

void setDay(Temporal& t, std::int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  t.year = static_cast<int>(date.year());
  t.month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month()));
  t.day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day()));
}

std::int64_t secondOfDay(const Temporal& t) {
  return t.hour * 3600 + t.minute * 60 + t.second;
}

/// Moves the wall clock; false if it would leave years 1 … 9999.
bool addSeconds(Temporal& t, std::int64_t seconds, std::int64_t nanos) {
  std::int64_t fraction = static_cast<std::int64_t>(t.nanos) + nanos;
  std::int64_t carry = fraction / kNanosPerSecond;
  fraction %= kNanosPerSecond;
  if (fraction < 0) {
    fraction += kNanosPerSecond;
    --carry;
  }
  t.nanos = static_cast<std::uint32_t>(fraction);
  std::int64_t total = secondOfDay(t) + seconds + carry;
  std::int64_t days = total / kSecondsPerDay;
  total %= kSecondsPerDay;
  if (total < 0) {
    total += kSecondsPerDay;
    --days;
  }
  t.hour = static_cast<std::uint8_t>(total / 3600);
  t.minute = static_cast<std::uint8_t>(total / 60 % 60);
  t.second = static_cast<std::uint8_t>(total % 60);
  if (t.form == Temporal::Form::Time || days == 0) return true;
  if (std::abs(days) > 4'000'000) return false;
  setDay(t, dayNumber(t) + days);
  return t.year >= 1 && t.year <= 9999;
}

bool hasTime(const Temporal& t) {
  return t.precision >= Precision::Hour;
}

Temporal inUtc(const Temporal& t) {
  Temporal result = t;
  if (t.zoned && t.zone != 0) addSeconds(result, -static_cast<std::int64_t>(t.zone) * 60, 0);
  return result;
}

Temporal::Order order(std::int64_t a, std::int64_t b) {
  return a < b ? Temporal::Order::Less : a > b ? Temporal::Order::Greater : Temporal::Order::Equal;
}

/// Component by component until one value has no more of them.
Temporal::Order compareComponents(const Temporal& a, const Temporal& b) {
  const auto level = [](Precision p) { return p == Precision::Fraction ? Precision::Second : p; };
  const Precision pa = level(a.precision);
  const Precision pb = level(b.precision);
  const Precision common = pa < pb ? pa : pb;
  const std::int64_t x[] = {a.year, a.month, a.day, a.hour, a.minute, a.second * kNanosPerSecond + a.nanos};
  const std::int64_t y[] = {b.year, b.month, b.day, b.hour, b.minute, b.second * kNanosPerSecond + b.nanos};
  for (int i = a.form == Temporal::Form::Time ? 3 : 0; i <= static_cast<int>(common); ++i) {
    const auto result = order(x[i], y[i]);
    if (result != Temporal::Order::Equal) return result;
  }
  return pa == pb ? Temporal::Order::Equal : Temporal::Order::Unknown;
}

/// One value has a zone, the other could be anywhere between -12:00 and +14:00.
Temporal::Order compareUnzoned(const Temporal& zoned, const Temporal& unzoned) {
  const auto seconds = [](const Temporal& t) { return dayNumber(t) * kSecondsPerDay + secondOfDay(t); };
  const std::int64_t slack = 3600;  // for values that end with the hour or the minute
  const std::int64_t instant = seconds(zoned) - static_cast<std::int64_t>(zoned.zone) * 60;
  const std::int64_t local = seconds(unzoned);
  if (instant + slack < local - 14 * 3600) return Temporal::Order::Less;
  if (instant > local + 12 * 3600 + slack) return Temporal::Order::Greater;
  return Temporal::Order::Unknown;
}

Temporal::Order reversed(Temporal::Order order) {
  if (order == Temporal::Order::Less) return Temporal::Order::Greater;
  return order == Temporal::Order::Greater ? Temporal::Order::Less : order;
}

}  // namespace

std::optional<Temporal> Temporal::parseDate(std::string_view text) {
  Temporal result;
  const std::size_t used = readDate(text, result);
  if (used == 0 || used != text.size()) return std::nullopt;
  return result;
}

std::optional<Temporal> Temporal::parseDateTime(std::string_view text) {
  Temporal result;
  result.form = Form::DateTime;
  std::size_t used = readDate(text, result);
  if (used == 0) return std::nullopt;
  text.remove_prefix(used);
  if (text.empty()) return result;
  if (text[0] != 'T') return std::nullopt;
  text.remove_prefix(1);
  if (text.empty()) return result;
  if (result.precision != Precision::Day) return std::nullopt;
  used = readTime(text, result);
  if (used == 0) return std::nullopt;
  text.remove_prefix(used);
  if (!text.empty() && !readZone(text, result)) return std::nullopt;
  return result;
}

std::optional<Temporal> Temporal::parseTime(std::string_view text) {
  Temporal result;
  result.form = Form::Time;
  const std::size_t used = readTime(text, result);
  if (used == 0 || used != text.size()) return std::nullopt;
  return result;
}

Temporal Temporal::fromInstant(Instant at, int offsetMinutes) {
  const std::int64_t local = toMillis(at) + static_cast<std::int64_t>(offsetMinutes) * 60'000;
  std::int64_t days = local / (kSecondsPerDay * 1000);
  std::int64_t rest = local % (kSecondsPerDay * 1000);
  if (rest < 0) {
    rest += kSecondsPerDay * 1000;
    --days;
  }
  Temporal result;
  result.form = Form::DateTime;
  result.precision = Precision::Fraction;
  result.fractionDigits = 3;
  result.zoned = true;
  result.zone = static_cast<std::int16_t>(offsetMinutes);
  setDay(result, days);
  addSeconds(result, rest / 1000, rest % 1000 * 1'000'000);
  return result;
}

std::string Temporal::toString() const {
  char buffer[64];
  int size = 0;
  const auto room = [&] { return sizeof buffer - static_cast<std::size_t>(size); };
  if (form != Form::Time) {
    size += std::snprintf(buffer, sizeof buffer, "%04d", year);
    if (precision >= Precision::Month) size += std::snprintf(buffer + size, room(), "-%02d", month);
    if (precision >= Precision::Day) size += std::snprintf(buffer + size, room(), "-%02d", day);
    if (precision >= Precision::Hour) buffer[size++] = 'T';
  }
  if (precision >= Precision::Hour) size += std::snprintf(buffer + size, room(), "%02d", hour);
  if (precision >= Precision::Minute) size += std::snprintf(buffer + size, room(), ":%02d", minute);
  if (precision >= Precision::Second) size += std::snprintf(buffer + size, room(), ":%02d", second);
  if (precision == Precision::Fraction) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%09u", nanos);
    size += std::snprintf(buffer + size, room(), ".%.*s", static_cast<int>(fractionDigits), digits);
  }
  if (zoned && zulu) {
    buffer[size++] = 'Z';
  } else if (zoned) {
    const int minutes = std::abs(static_cast<int>(zone));
    size += std::snprintf(buffer + size, room(), "%c%02d:%02d", zone < 0 ? '-' : '+', minutes / 60, minutes % 60);
  }
  return std::string(buffer, static_cast<std::size_t>(size));
}

Temporal::Order Temporal::compare(const Temporal& a, const Temporal& b) {
  if ((a.form == Form::Time) != (b.form == Form::Time)) return Order::Unknown;
  if (hasTime(a) && hasTime(b) && a.zoned != b.zoned) {
    return a.zoned ? compareUnzoned(a, b) : reversed(compareUnzoned(b, a));
  }
  if (a.zoned && b.zoned && a.zone != b.zone) return compareComponents(inUtc(a), inUtc(b));
  return compareComponents(a, b);
}

bool Temporal::equivalent(const Temporal& a, const Temporal& b) {
  return compare(a, b) == Order::Equal;
}

std::uint64_t Temporal::hash() const {
  const Temporal t = inUtc(*this);
  const auto most = std::min(static_cast<int>(t.precision), static_cast<int>(Precision::Second));
  const std::int64_t parts[] = {t.year, t.month, t.day, t.hour, t.minute, t.second * kNanosPerSecond + t.nanos};
  std::uint64_t result = static_cast<std::uint64_t>(most);
  for (int i = t.form == Form::Time ? 3 : 0; i <= most; ++i)
    result = (result ^ static_cast<std::uint64_t>(parts[i])) * 0x9e3779b97f4a7c15ULL;
  return result;
}

int Temporal::digits() const {
  constexpr int kDigits[] = {4, 6, 8, 10, 12, 14, 17};
  const int count = kDigits[static_cast<int>(precision)];
  return form == Form::Time ? count - 8 : count;
}

}  // namespace lotsen::fhirpath
