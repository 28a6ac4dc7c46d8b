#include "gateway/fhirpath/temporal.h"

#include <gtest/gtest.h>

namespace lotsen::fhirpath {
namespace {

using Order = Temporal::Order;

Temporal moment(std::string_view text) {
  const auto value = Temporal::parseDateTime(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Temporal());
}
Order compared(std::string_view a, std::string_view b) {
  return Temporal::compare(moment(a), moment(b));
}

TEST(Temporal, OnlyPossibleValuesAreRead) {
  for (const char* right : {"2015", "2015-02", "2016-02-29", "2015-02-04T14", "2015-02-04T14:34:28.123456789+14:00",
                            "0001-01-01T00:00:00Z"}) {
    EXPECT_EQ(moment(right).toString(), right);
  }
  for (const char* wrong :
       {"", "215", "2015-13", "2015-02-30", "2015-02-29", "2015-2-3", "2015-02-04T24", "2015-02T10", "2015-02-04T10:60",
        "2015-02-04T10:00:00+15:00", "2015-02-04T10:00:00.", "2015-02-04 10:00", "0000-01-01"}) {
    EXPECT_FALSE(Temporal::parseDateTime(wrong).has_value()) << wrong;
  }
  EXPECT_FALSE(Temporal::parseDate("2015-02-04T10").has_value());
  EXPECT_FALSE(Temporal::parseTime("14:34Z").has_value());
}

TEST(Temporal, PrecisionsThatDifferGiveNoAnswer) {
  EXPECT_EQ(compared("2018-03", "2018-03-01"), Order::Unknown);
  EXPECT_EQ(compared("2018-03", "2018-04-01"), Order::Less);
  EXPECT_EQ(compared("2018-03-01T10:30", "2018-03-01T10:30:00"), Order::Unknown);
  EXPECT_EQ(compared("2018-03-01T10:30:00", "2018-03-01T10:30:00.0"), Order::Equal);
  EXPECT_EQ(compared("2018-03-01T10:30:00.1", "2018-03-01T10:30:00"), Order::Greater);
}

TEST(Temporal, ZonesAreRespectedAndAMissingOneIsUnknown) {
  EXPECT_EQ(compared("2017-11-05T01:30:00.0-04:00", "2017-11-05T00:30:00.0-05:00"), Order::Equal);
  EXPECT_EQ(compared("2012-12-31T23:30:00-01:00", "2013-01-01T00:10:00Z"), Order::Greater);
  EXPECT_EQ(compared("2012-04-15T15:00:00Z", "2012-04-15T10:00:00"), Order::Unknown);
  EXPECT_EQ(compared("2012-04-15T15:00:00Z", "2012-04-17T10:00:00"), Order::Less);
  EXPECT_EQ(compared("2012-04-17T10:00:00", "2012-04-15T15:00:00Z"), Order::Greater);
}

TEST(Temporal, DurationsKeepThePrecision) {
  const auto plus = [](std::string_view text, std::string_view amount, Temporal::Unit unit) {
    const auto sum = moment(text).plus(*Decimal::parse(amount), unit);
    return sum ? sum->toString() : "none";
  };
  EXPECT_EQ(plus("2016-02-29", "1", Temporal::Unit::Year), "2017-02-28");
  EXPECT_EQ(plus("2026-01-31", "1", Temporal::Unit::Month), "2026-02-28");
  EXPECT_EQ(plus("2026-03-01", "-1", Temporal::Unit::Day), "2026-02-28");
  EXPECT_EQ(plus("2014", "24", Temporal::Unit::Month), "2016");
  EXPECT_EQ(plus("2014", "23", Temporal::Unit::Month), "2015");
  EXPECT_EQ(plus("2014-01", "60", Temporal::Unit::Day), "2014-03");
  EXPECT_EQ(plus("2014-01-01", "25", Temporal::Unit::Hour), "2014-01-02");
  EXPECT_EQ(plus("2014-01-01T23:59:59Z", "1.5", Temporal::Unit::Second), "2014-01-02T00:00:00Z");
  EXPECT_EQ(plus("2014-01-01T23:59:59.000Z", "1.5", Temporal::Unit::Second), "2014-01-02T00:00:00.500Z");
  EXPECT_EQ(plus("9999-12-31", "1", Temporal::Unit::Day), "none");
  EXPECT_EQ(plus("2014", "999999999999999999", Temporal::Unit::Year), "none");
  const auto clock = Temporal::parseTime("23:30")->plus(Decimal(45), Temporal::Unit::Minute);
  EXPECT_EQ(clock->toString(), "00:15");
}

TEST(Temporal, BoundariesSayWhatAValueCanMean) {
  EXPECT_EQ(Temporal::parseDate("2024-02")->boundary(false, 8)->toString(), "2024-02-29");
  EXPECT_EQ(moment("2014-01-01").boundary(true, 17)->toString(), "2014-01-01T00:00:00.000+14:00");
  EXPECT_EQ(moment("2014-01-01T08:05+08:00").boundary(false, 17)->toString(), "2014-01-01T08:05:59.999+08:00");
  EXPECT_FALSE(moment("2014").boundary(true, 7).has_value());
  EXPECT_FALSE(Temporal::parseDate("2014")->boundary(true, 17).has_value());
}

TEST(Temporal, AnInstantIsToldInItsZone) {
  EXPECT_EQ(Temporal::fromInstant(fromMillis(1'772'438'400'123), 60).toString(), "2026-03-02T09:00:00.123+01:00");
  EXPECT_EQ(Temporal::fromInstant(fromMillis(-1), 0).toString(), "1969-12-31T23:59:59.999+00:00");
}

}  // namespace
}  // namespace lotsen::fhirpath
