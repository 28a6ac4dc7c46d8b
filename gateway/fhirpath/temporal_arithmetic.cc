// Date arithmetic and boundaries: what a value of limited precision becomes when a duration is added, and what it can
// mean.
#include "gateway/fhirpath/temporal.h"

#include <chrono>
#include <cstdlib>

namespace lotsen::fhirpath {
namespace {

using Precision = Temporal::Precision;
using Unit = Temporal::Unit;

int daysInMonth(int year, int month) {
  const auto last = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) / std::chrono::last;
  return static_cast<int>(static_cast<unsigned>(std::chrono::year_month_day(std::chrono::sys_days(last)).day()));
}

bool addMonths(Temporal& t, std::int64_t months) {
  const std::int64_t total = static_cast<std::int64_t>(t.year) * 12 + (t.month - 1) + months;
  if (total < 12 || total >= 12 * 10'000LL) return false;
  t.year = static_cast<std::int32_t>(total / 12);
  t.month = static_cast<std::uint8_t>(total % 12 + 1);
  const int last = daysInMonth(t.year, t.month);
  if (t.day > last) t.day = static_cast<std::uint8_t>(last);
  return true;
}

bool addMillis(Temporal& t, std::int64_t millis) {
  using std::chrono::days;
  const auto day = std::chrono::sys_days(std::chrono::year(t.year) / t.month / t.day);
  std::int64_t total = (t.hour * 3600LL + t.minute * 60LL + t.second) * 1000 + t.nanos / 1'000'000 + millis;
  constexpr std::int64_t kDay = 86'400'000;
  std::int64_t count = total / kDay;
  total %= kDay;
  if (total < 0) {
    total += kDay;
    --count;
  }
  t.nanos = static_cast<std::uint32_t>(total % 1000 * 1'000'000) + t.nanos % 1'000'000;
  t.second = static_cast<std::uint8_t>(total / 1000 % 60);
  t.minute = static_cast<std::uint8_t>(total / 60'000 % 60);
  t.hour = static_cast<std::uint8_t>(total / 3'600'000);
  if (t.form == Temporal::Form::Time) return true;  // a clock goes round
  const std::chrono::year_month_day date{day + days(count)};
  t.year = static_cast<int>(date.year());
  t.month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month()));
  t.day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day()));
  return t.year >= 1 && t.year <= 9999;
}

/// Milliseconds of a unit below the month.
std::int64_t millisOf(Unit unit) {
  switch (unit) {
    case Unit::Week: return 7 * 86'400'000LL;
    case Unit::Day: return 86'400'000;
    case Unit::Hour: return 3'600'000;
    case Unit::Minute: return 60'000;
    case Unit::Second: return 1000;
    default: return 1;
  }
}

std::int64_t millisOf(Precision precision) {
  switch (precision) {
    case Precision::Day: return millisOf(Unit::Day);
    case Precision::Hour: return millisOf(Unit::Hour);
    case Precision::Minute: return millisOf(Unit::Minute);
    case Precision::Second: return millisOf(Unit::Second);
    default: return 1;
  }
}

}  // namespace

std::optional<Temporal> Temporal::plus(const Decimal& amount, Unit unit) const {
  // Whole units only, except that seconds carry milliseconds.
  const Decimal counted = unit == Unit::Second ? amount.rounded(3, Decimal::Rounding::TowardZero)
                                               : amount.rounded(0, Decimal::Rounding::TowardZero);
  const auto scaled = Decimal::multiply(counted, Decimal(unit >= Unit::Week ? millisOf(unit) : 1));
  const auto count = scaled ? scaled->toInteger() : std::nullopt;
  constexpr std::int64_t kMost = 400'000'000'000'000;  // milliseconds in more than 9999 years
  if (!count || std::abs(*count) > kMost) return std::nullopt;

  Temporal result = *this;
  if (form == Form::Time) {
    if (unit <= Unit::Day) return std::nullopt;
    addMillis(result, *count / millisOf(precision) * millisOf(precision));
    return result;
  }
  if (unit == Unit::Year || unit == Unit::Month) {
    std::int64_t months = unit == Unit::Year ? *count * 12 : *count;
    if (precision == Precision::Year) months = months / 12 * 12;
    return addMonths(result, months) ? std::optional(result) : std::nullopt;
  }
  const std::int64_t days = *count / millisOf(Unit::Day);
  bool inRange = false;
  if (precision == Precision::Year) {
    inRange = addMonths(result, days / 365 * 12);
  } else if (precision == Precision::Month) {
    inRange = addMonths(result, days / 30);
  } else {
    inRange = addMillis(result, *count / millisOf(precision) * millisOf(precision));
  }
  return inRange ? std::optional(result) : std::nullopt;
}

std::optional<Temporal> Temporal::boundary(bool low, int digits) const {
  const bool time = form == Form::Time;
  const int wanted = time ? digits + 8 : digits;
  Temporal result = *this;
  switch (wanted) {
    case 4: result.precision = Precision::Year; break;
    case 6: result.precision = Precision::Month; break;
    case 8: result.precision = Precision::Day; break;
    case 10: result.precision = Precision::Hour; break;
    case 12: result.precision = Precision::Minute; break;
    case 14: result.precision = Precision::Second; break;
    case 17: result.precision = Precision::Fraction; break;
    default: return std::nullopt;
  }
  if ((time && wanted < 10) || (form == Form::Date && wanted > 8)) return std::nullopt;
  if (precision < Precision::Month) result.month = low ? 1 : 12;
  if (precision < Precision::Day)
    result.day = static_cast<std::uint8_t>(low ? 1 : daysInMonth(result.year, result.month));
  if (precision < Precision::Hour) result.hour = low ? 0 : 23;
  // An hour without minutes stands for the full hour: FHIR has no such dateTime, and the official suite reads it so.
  if (precision < Precision::Minute) result.minute = low || (precision == Precision::Hour && !time) ? 0 : 59;
  if (precision < Precision::Second) result.second = low ? 0 : 59;
  if (precision < Precision::Fraction) result.nanos = low ? 0 : 999'000'000;
  result.fractionDigits = 3;
  if (!time && result.precision >= Precision::Hour && !zoned) {
    result.zoned = true;
    result.zone = low ? 14 * 60 : -12 * 60;
  }
  if (result.precision < Precision::Hour) result.zoned = false;
  return result;
}

}  // namespace lotsen::fhirpath
