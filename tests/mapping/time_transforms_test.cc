// The texts that toDate() and its kin read, one by one.
#include "gateway/mapping/time_transforms.h"

#include <gtest/gtest.h>

namespace lotsen::mapping {
namespace {

std::string date(std::string_view text, std::string_view format) {
  return parseMoment(text, format, MomentKind::Date).value_or("none");
}
std::string dateTime(std::string_view text, std::string_view format) {
  return parseMoment(text, format, MomentKind::DateTime).value_or("none");
}
std::string time(std::string_view text, std::string_view format) {
  return parseMoment(text, format, MomentKind::Time).value_or("none");
}

TEST(TimeTransforms, ReadEveryCode) {
  EXPECT_EQ(date("20260302", "yyyyMMdd"), "2026-03-02");
  EXPECT_EQ(date("2/3/26", "d/M/yy"), "2026-03-02");
  EXPECT_EQ(date("02.03.50", "dd.MM.yy"), "1950-03-02");
  EXPECT_EQ(date("2026", "yyyy"), "2026");
  EXPECT_EQ(date("2026-03", "yyyy-MM"), "2026-03");
  EXPECT_EQ(date("2026-03-02T10:11", "yyyy-MM-ddTHH:mm"), "2026-03-02");
  EXPECT_EQ(dateTime("2026-03-02T10:11:12.5Z", "yyyy-MM-ddTHH:mm:ss.SZ"), "2026-03-02T10:11:12.5Z");
  EXPECT_EQ(dateTime("20260302101112123456-0500", "yyyyMMddHHmmssSSSSSSZ"), "2026-03-02T10:11:12.123456-05:00");
  EXPECT_EQ(dateTime("2026-03-02 7:5 +02:00", "yyyy-MM-dd H:m Z"), "2026-03-02T07:05:00+02:00");
  EXPECT_EQ(dateTime("20260302", "yyyyMMdd"), "2026-03-02");
  EXPECT_EQ(dateTime("20260302101112", "yyyyMMddHHmmss"), "2026-03-02T10:11:12");  // a zone is not made up
  EXPECT_EQ(time("101112", "HHmmss"), "10:11:12");
  EXPECT_EQ(time("10", "HH"), "10:00:00");
  EXPECT_EQ(time("12:00 PM", "hh:mm a"), "12:00:00");
  EXPECT_EQ(time("12:00a", "h:mma"), "00:00:00");
  EXPECT_EQ(time("9:07 pm", "h:mm a"), "21:07:00");
}

TEST(TimeTransforms, RefuseWhatIsNotInTheFormat) {
  for (const std::string_view text :
       {"2026-3-02", "2026-03-02 ", "2026-13-01", "2026-02-30", "0000-01-01", "26-03-02", ""})
    EXPECT_EQ(date(text, "yyyy-MM-dd"), "none") << text;
  EXPECT_EQ(time("24:00", "HH:mm"), "none");
  EXPECT_EQ(time("13:00 PM", "hh:mm a"), "none");
  EXPECT_EQ(time("10:60", "HH:mm"), "none");
  EXPECT_EQ(time("10:00 X", "hh:mm a"), "none");
  EXPECT_EQ(dateTime("2026-03-02T10+15:00", "yyyy-MM-ddTHHZ"), "none");
  EXPECT_EQ(dateTime("2026-03-02T10CET", "yyyy-MM-ddTHHZ"), "none");
  EXPECT_EQ(date("2026", "yyyyy"), "none");
}

TEST(TimeTransforms, NameWhatIsWrongWithAFormat) {
  EXPECT_EQ(formatFault("yyyy-MM-dd", MomentKind::Date), "");
  EXPECT_EQ(formatFault("", MomentKind::Date), "the format needs a year, yyyy");
  EXPECT_EQ(formatFault("yyyy dd", MomentKind::Date), "the format has a day and no month");
  EXPECT_EQ(formatFault("yyyy HH", MomentKind::DateTime), "the format has a time of day and no day");
  EXPECT_EQ(formatFault("mm", MomentKind::Time), "the format needs an hour, HH");
  EXPECT_NE(formatFault("HH z", MomentKind::Time).find("no code 'z'"), std::string::npos);
  EXPECT_NE(formatFault("HHSSSSSSSSSS", MomentKind::Time).find("no code 'SSSSSSSSSS'"), std::string::npos);
}

TEST(TimeTransforms, CountFromTheEpoch) {
  const auto at = [](std::string_view seconds, std::string_view zone, MomentKind kind) {
    return unixMoment(seconds, zone, kind).value_or("none");
  };
  EXPECT_EQ(at("0", "", MomentKind::DateTime), "1970-01-01T00:00:00Z");
  EXPECT_EQ(at("-1", "Z", MomentKind::DateTime), "1969-12-31T23:59:59Z");
  EXPECT_EQ(at("1772409600", "+10:00", MomentKind::DateTime), "2026-03-02T10:00:00+10:00");
  EXPECT_EQ(at("253402300799", "", MomentKind::Date), "9999-12-31");
  EXPECT_EQ(at("-62135596800", "", MomentKind::Date), "0001-01-01");
  for (const std::string_view seconds : {"253402300800", "-62135596801", "1.5", "", "x", "99999999999999999999"})
    EXPECT_EQ(at(seconds, "", MomentKind::Time), "none") << seconds;
  for (const std::string_view zone : {"CET", "+25:00", "+01:00x", "1"})
    EXPECT_EQ(at("0", zone, MomentKind::Time), "none") << zone;
}

}  // namespace
}  // namespace lotsen::mapping
