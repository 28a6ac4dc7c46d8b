#include "gateway/sweden/civil_time.h"

#include <gtest/gtest.h>

namespace lotsen::sweden {
namespace {

using namespace std::chrono_literals;

Instant at(std::string_view text) {
  return parseInstant(text).value();
}
CivilDate day(std::string_view text) {
  return parseCivilDate(text).value();
}

TEST(CivilTime, TellsTheDayInStockholm) {
  EXPECT_EQ(formatCivilDate(civilDate(at("2026-03-02T22:59:59.999Z"))), "2026-03-02");
  EXPECT_EQ(formatCivilDate(civilDate(at("2026-03-02T23:00:00Z"))), "2026-03-03");
  EXPECT_EQ(formatCivilDate(civilDate(at("2026-07-02T21:59:59Z"))), "2026-07-02");
  EXPECT_EQ(formatCivilDate(civilDate(at("2026-07-02T22:00:00Z"))), "2026-07-03");
  EXPECT_EQ(formatCivilDate(civilDate(at("2026-12-31T23:00:00Z"))), "2027-01-01");
}

TEST(CivilTime, ChangesClocksOnTheLastSundays) {
  EXPECT_EQ(utcOffset(at("2026-03-29T00:59:59.999Z")), 60min);
  EXPECT_EQ(utcOffset(at("2026-03-29T01:00:00Z")), 120min);
  EXPECT_EQ(utcOffset(at("2026-10-25T00:59:59.999Z")), 120min);
  EXPECT_EQ(utcOffset(at("2026-10-25T01:00:00Z")), 60min);
  // The 31st itself is the Sunday.
  EXPECT_EQ(utcOffset(at("2024-03-31T01:00:00Z")), 120min);
  EXPECT_EQ(utcOffset(at("2027-10-31T00:59:59Z")), 120min);
  EXPECT_EQ(utcOffset(at("2027-10-31T01:00:00Z")), 60min);
}

TEST(CivilTime, StartsEveryDayAtItsOwnMidnight) {
  EXPECT_EQ(formatInstant(startOfDay(day("2026-03-02"))), "2026-03-01T23:00:00.000Z");
  EXPECT_EQ(formatInstant(startOfDay(day("2026-07-02"))), "2026-07-01T22:00:00.000Z");
  EXPECT_EQ(formatInstant(startOfDay(day("2026-03-29"))), "2026-03-28T23:00:00.000Z");
  EXPECT_EQ(formatInstant(startOfDay(day("2026-03-30"))), "2026-03-29T22:00:00.000Z");
  EXPECT_EQ(formatInstant(startOfDay(day("2026-10-25"))), "2026-10-24T22:00:00.000Z");
  EXPECT_EQ(formatInstant(startOfDay(day("2026-10-26"))), "2026-10-25T23:00:00.000Z");
}

TEST(CivilTime, EveryDayOfThirtyYearsBeginsAtItsStart) {
  Instant before = startOfDay(day("2009-12-31"));
  for (CivilDate d = day("2010-01-01"); d < day("2040-01-01"); d = addDays(d, 1)) {
    const Instant start = startOfDay(d);
    ASSERT_EQ(civilDate(start), d) << formatCivilDate(d);
    ASSERT_EQ(civilDate(start - 1ms), addDays(d, -1)) << formatCivilDate(d);
    ASSERT_TRUE(start - before >= 23h && start - before <= 25h) << formatCivilDate(d);
    before = start;
  }
}

TEST(CivilTime, ClipsMonthsToTheirEnd) {
  EXPECT_EQ(formatCivilDate(addMonths(day("2025-08-31"), 6)), "2026-02-28");
  EXPECT_EQ(formatCivilDate(addMonths(day("2027-08-31"), 6)), "2028-02-29");
  EXPECT_EQ(formatCivilDate(addMonths(day("2026-03-15"), 6)), "2026-09-15");
  EXPECT_EQ(formatCivilDate(addMonths(day("2026-11-30"), 3)), "2027-02-28");
  EXPECT_EQ(formatCivilDate(addMonths(day("2026-01-31"), -2)), "2025-11-30");
}

TEST(CivilTime, ReadsOnlyRealDates) {
  EXPECT_TRUE(parseCivilDate("2028-02-29").ok());
  for (const char* text :
       {"2026-02-29", "2026-06-31", "2026-13-01", "2026-00-10", "2026-3-2", "20260302", "", "2026-03-02Z"}) {
    EXPECT_EQ(parseCivilDate(text).error().code, Code::Invalid) << text;
  }
}

TEST(CivilTime, TellsTheDayOfAFhirDateTime) {
  EXPECT_EQ(civilDateOf("2026-03-02").value(), day("2026-03-02"));
  EXPECT_EQ(civilDateOf("2026-03-02T23:30:00Z").value(), day("2026-03-03"));
  EXPECT_EQ(civilDateOf("2026-03-02T23:30:00+01:00").value(), day("2026-03-02"));
  EXPECT_FALSE(civilDateOf("2026-03").ok());
  EXPECT_FALSE(civilDateOf("2026-03-02T23:30:00").ok());
}

TEST(CivilTime, TurnsCivilTimesIntoInstants) {
  EXPECT_EQ(formatInstant(civilInstant("2026-03-02T08:14:07").value()), "2026-03-02T07:14:07.000Z");
  EXPECT_EQ(formatInstant(civilInstant("2026-07-02T08:14:07").value()), "2026-07-02T06:14:07.000Z");
  EXPECT_EQ(formatInstant(civilInstant("2026-10-25T02:30:00").value()), "2026-10-25T00:30:00.000Z");
  EXPECT_EQ(formatInstant(civilInstant("2026-10-25T03:00:00").value()), "2026-10-25T02:00:00.000Z");
  EXPECT_FALSE(civilInstant("2026-03-29T02:30:00").ok());
  EXPECT_EQ(formatInstant(civilInstant("2026-03-29T03:00:00").value()), "2026-03-29T01:00:00.000Z");
  EXPECT_FALSE(civilInstant("2026-03-02").ok());
  EXPECT_FALSE(civilInstant("2026-03-02T08:14:07Z").ok());
}

}  // namespace
}  // namespace lotsen::sweden
