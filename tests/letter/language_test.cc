#include "gateway/letter/language.h"

#include <gtest/gtest.h>

namespace lotsen::letter {
namespace {

class Swedish : public testing::Test {
 protected:
  std::shared_ptr<const Language> sv_ = Language::find("sv-SE");
};

TEST_F(Swedish, TellsDates) {
  EXPECT_EQ(sv_->date("2026-11-19", Form::Plain), "19 november 2026");
  EXPECT_EQ(sv_->date("2026-11-19", Form::Weekday), "torsdagen den 19 november 2026");
  EXPECT_EQ(sv_->date("2026-03-01", Form::Date), "1 mars 2026");
  EXPECT_EQ(sv_->date("2026-06-30T23:30:00Z", Form::Date), "1 juli 2026") << "the day in Stockholm";
  for (const char* wrong :
       {"2026-02-30", "2026-13-01", "2026-11", "2026", "19/11", "", "2026-11-19T13:40:00", "20261119"}) {
    EXPECT_FALSE(sv_->date(wrong, Form::Date)) << wrong;
  }
}

TEST_F(Swedish, TellsTimesInStockholm) {
  EXPECT_EQ(sv_->dateTime("2026-11-19T12:40:00Z", Form::Plain), "19 november 2026 kl. 13.40");
  EXPECT_EQ(sv_->dateTime("2026-07-19T12:40:00+02:00", Form::Time), "kl. 12.40");
  EXPECT_EQ(sv_->dateTime("2026-07-19T08:05:00+02:00", Form::Weekday), "söndagen den 19 juli 2026");
  EXPECT_FALSE(sv_->dateTime("2026-07-19", Form::Time));
}

TEST_F(Swedish, CountsInSwedish) {
  EXPECT_EQ(sv_->count("1", "vecka", "veckor"), "1\u00a0vecka");
  EXPECT_EQ(sv_->count("6", "vecka", "veckor"), "6\u00a0veckor");
  EXPECT_EQ(sv_->count("0", "vecka", "veckor"), "0\u00a0veckor");
  EXPECT_EQ(sv_->number("1234.50"), "1\u00a0234,5");
  for (const char* wrong : {"sex", "", "1,5", "--1", "1 2"}) EXPECT_FALSE(sv_->number(wrong)) << wrong;
}

TEST_F(Swedish, KnowsItsFixedWords) {
  EXPECT_EQ(sv_->page(2, 3), "Sida 2 av 3");
  EXPECT_EQ(sv_->upper("Västra Frölunda"), "VÄSTRA FRÖLUNDA");
  EXPECT_EQ(Language::find("xx"), nullptr);
}

TEST(LiteralText, IsWhatTheReaderSees) {
  EXPECT_EQ(literalText("A\u030angstro\u0308m"), "Ångström");
  EXPECT_EQ(literalText("  två \r\n rader\t "), "två rader");
  EXPECT_EQ(literalText("# Rubrik <b> {{x}} [y](https://z)"), "# Rubrik <b> {{x}} [y](https://z)");
  for (const char* blank : {"", " ", "\n\t", "\u00a0", "\u2003 \u200d"}) EXPECT_EQ(literalText(blank), "") << blank;
}

TEST(LiteralText, HiddenCharactersAreRefused) {
  for (const char* wrong : {"Anna\u202e", "\u2066a\u2069", "a\u200bb", "a\u0007b", "a\u00adb", "a\ufeff", "a\ufffd",
                            "a\ue000", "a\u0378", "a\u200f"}) {
    EXPECT_FALSE(literalText(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace lotsen::letter
