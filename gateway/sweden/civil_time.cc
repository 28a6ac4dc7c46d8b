#include "gateway/sweden/civil_time.h"

#include "gateway/sweden/check_digit.h"

#include <cstdio>

namespace lotsen::sweden {

namespace {

using std::chrono::hours;
using std::chrono::sys_days;

struct SummerTime {
  Instant from;
  Instant until;  // exclusive
};

SummerTime summerTime(std::chrono::year year) {
  using namespace std::chrono_literals;
  const sys_days march{year / std::chrono::March / std::chrono::Sunday[std::chrono::last]};
  const sys_days october{year / std::chrono::October / std::chrono::Sunday[std::chrono::last]};
  return {Instant(march) + 1h, Instant(october) + 1h};
}

}  // namespace

std::chrono::minutes utcOffset(Instant at) {
  const std::chrono::year_month_day utc{std::chrono::floor<std::chrono::days>(at)};
  const SummerTime summer = summerTime(utc.year());
  return at >= summer.from && at < summer.until ? hours(2) : hours(1);
}

CivilDate civilDate(Instant at) {
  return CivilDate{std::chrono::floor<std::chrono::days>(at + utcOffset(at))};
}

Instant startOfDay(CivilDate day) {
  LOTSEN_CHECK(day.ok());
  const Instant utcMidnight{sys_days(day)};
  // At 22:00 UTC the evening before, the offset is the one of midnight: no change happens between 22:00 and 23:00 UTC.
  return utcMidnight - utcOffset(utcMidnight - hours(2));
}

CivilDate addMonths(CivilDate day, int months) {
  const CivilDate moved = day + std::chrono::months(months);
  return moved.ok() ? moved : CivilDate{moved.year() / moved.month() / std::chrono::last};
}

CivilDate addDays(CivilDate day, int days) {
  return CivilDate{sys_days(day) + std::chrono::days(days)};
}

Result<CivilDate> parseCivilDate(std::string_view text) {
  if (text.size() == 10 && text[4] == '-' && text[7] == '-' && areDigits(text.substr(0, 4)) &&
      areDigits(text.substr(5, 2)) && areDigits(text.substr(8, 2))) {
    const CivilDate day{std::chrono::year(toNumber(text.substr(0, 4))),
                        std::chrono::month(static_cast<unsigned>(toNumber(text.substr(5, 2)))),
                        std::chrono::day(static_cast<unsigned>(toNumber(text.substr(8, 2))))};
    if (day.ok()) return day;
  }
  return fail(Code::Invalid, "not a date: write it as 2026-03-02, and a day that the calendar has");
}

std::string formatCivilDate(CivilDate day) {
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()));
  return text;
}

Result<CivilDate> civilDateOf(std::string_view fhirDateTime) {
  if (fhirDateTime.size() <= 10) return parseCivilDate(fhirDateTime);
  LOTSEN_TRY(const Instant at, parseInstant(fhirDateTime));
  return civilDate(at);
}

Result<Instant> civilInstant(std::string_view text) {
  if (text.size() < 19) return fail(Code::Invalid, "not a civil time: write it as 2026-03-02T08:14:07");
  LOTSEN_TRY(const Instant asIfUtc, parseInstant(std::string(text) + "Z"));
  // Summer time first: it is the first occurrence of the doubled hour.
  for (const hours offset : {hours(2), hours(1)}) {
    if (const Instant at = asIfUtc - offset; utcOffset(at) == offset) return at;
  }
  return fail(Code::Invalid, "no such civil time: that hour is skipped when summer time begins");
}

}  // namespace lotsen::sweden
