// Swedish civil time: what day it is in Europe/Stockholm, and arithmetic on such days. Validity of BTFs and consents,
// delivery plan weeks and letters are all told in civil days; the store and the wire hold UTC instants. Used by:
// transfer, wire, letter, service. Thread rule: pure functions. Failure rule: text that is no date is Invalid.
//
// The rule is our own and needs no tzdata on the host: CET (UTC+1), and CEST (UTC+2) from the last Sunday of March
// 01:00 UTC to the last Sunday of October 01:00 UTC (directive 2000/84/EC; so in Sweden since 1996). Instants before
// 1996 are told by the same rule; nothing that the gateway decides is that old. When the law changes, summerTime()
// changes.
#pragma once

#include "gateway/base/clock.h"

#include <chrono>
#include <string>
#include <string_view>

namespace lotsen::sweden {

/// A day in the Gregorian calendar, without a time zone.
using CivilDate = std::chrono::year_month_day;

/// Days from `from` to `until`, both inclusive.
struct CivilPeriod {
  CivilDate from;
  CivilDate until;
  bool operator==(const CivilPeriod&) const = default;
  bool contains(CivilDate day) const { return from <= day && day <= until; }
};

/// Civil time minus UTC at this instant.
std::chrono::minutes utcOffset(Instant at);

/// The day in Stockholm at this instant.
CivilDate civilDate(Instant at);

/// The first instant of that day in Stockholm. Midnight exists once on every day: clocks change at 02:00 and 03:00.
/// REQUIRES: day.ok()
Instant startOfDay(CivilDate day);

/// `day` + `months` calendar months; a day that the month lacks becomes its last day (2025-08-31 + 6 = 2026-02-28).
CivilDate addMonths(CivilDate day, int months);
CivilDate addDays(CivilDate day, int days);

/// "2026-03-02" and nothing else.
Result<CivilDate> parseCivilDate(std::string_view text);
std::string formatCivilDate(CivilDate day);

/// The civil day of a FHIR date, dateTime or instant: the date itself, or the day in Stockholm at that instant.
/// Invalid: a year or month alone, a time without zone.
Result<CivilDate> civilDateOf(std::string_view fhirDateTime);

/// The instant of a civil time "2026-03-02T08:14:07" in Stockholm. The hour that occurs twice in October means its
/// first occurrence; the hour that is skipped in March is Invalid.
Result<Instant> civilInstant(std::string_view text);

}  // namespace lotsen::sweden
