#include "gateway/fhir/v3_date.h"

#include <chrono>

namespace lotsen::fhir {

namespace {

constexpr std::size_t kWithHours = 10;    // digits up to there
constexpr std::size_t kWithSeconds = 14;  // digits up to there

bool allDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Of the digits from `at`, as many as there are.
unsigned number(std::string_view digits, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (const char c : digits.substr(at, count)) value = value * 10 + static_cast<unsigned>(c - '0');
  return value;
}

bool isInCalendar(std::string_view digits) {
  const auto part = [&](std::size_t at, unsigned otherwise) {
    return at < digits.size() ? number(digits, at, 2) : otherwise;
  };
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(number(digits, 0, 4))),
                                         std::chrono::month(part(4, 1)), std::chrono::day(part(6, 1))};
  return date.ok() && part(8, 0) < 24 && part(10, 0) < 60 && part(12, 0) < 60;
}

/// "+0100": as far as the earth has zones.
bool isZone(std::string_view zone) {
  return zone.size() == 5 && allDigits(zone.substr(1)) && number(zone, 1, 2) <= 14 && number(zone, 3, 2) < 60;
}

}  // namespace

std::optional<std::string> fromV3Date(std::string_view text) {
  const std::string_view whole = text.substr(0, text.find_first_of("+-"));
  const std::string_view zone = text.substr(whole.size());
  const std::string_view digits = whole.substr(0, whole.find('.'));
  const std::string_view fraction = whole.substr(digits.size());
  if (!allDigits(digits) || digits.size() < 4 || digits.size() > kWithSeconds || digits.size() % 2 != 0) return {};
  if (!isInCalendar(digits)) return {};
  if (!fraction.empty() && (digits.size() != kWithSeconds || !allDigits(fraction.substr(1)))) return {};
  if (!zone.empty() && (digits.size() < kWithHours || !isZone(zone))) return {};
  std::string out(digits.substr(0, 4));
  constexpr std::string_view kBefore = "--T::";  // of each two digits after the year
  for (std::size_t at = 4; at < digits.size(); at += 2) {
    out += kBefore[at / 2 - 2];
    out += digits.substr(at, 2);
  }
  out += fraction;
  if (!zone.empty()) out += std::string(zone.substr(0, 3)) + ":" + std::string(zone.substr(3));
  return out;
}

std::optional<std::string> toV3Date(std::string_view text) {
  std::string whole(text);
  if (whole.ends_with('Z')) whole.replace(whole.size() - 1, 1, "+00:00");
  const std::size_t time = std::min(whole.find('T'), whole.size());
  std::string out;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    const char c = whole[at];
    if (c != ':' && c != 'T' && (c != '-' || at > time)) out += c;
  }
  return fromV3Date(out) == whole ? std::optional(out) : std::nullopt;
}

}  // namespace lotsen::fhir
