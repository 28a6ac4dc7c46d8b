#include "gateway/fhirpath/fhirpath.h"

#include <gtest/gtest.h>

namespace lotsen::fhirpath {
namespace {

std::size_t lengthOf(std::string_view text, bool stopAtAs = false) {
  auto result = expressionLength(text, {1, 1}, stopAtAs);
  EXPECT_TRUE(result.ok()) << text << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? *result : 0;
}

std::string errorOf(std::string_view text) {
  auto result = expressionLength(text, {3, 5});
  EXPECT_FALSE(result.ok()) << text;
  return result.ok() ? "" : result.error().message;
}

TEST(Parser, AnEmbeddedExpressionEndsWhereTheOtherLanguageGoesOn) {
  EXPECT_EQ(lengthOf("name.exists() -> tgt.name"), 13U);
  EXPECT_EQ(lengthOf("(v = 'M') as x -> y", true), 9U);
  EXPECT_EQ(lengthOf("(value as Quantity).unit as x", true), 24U);
  EXPECT_EQ(lengthOf("a.where(b in c) ; next \"quoted\""), 15U);
  EXPECT_EQ(lengthOf("src.a + 1 then group(a)"), 9U);
  EXPECT_EQ(lengthOf("1 - 2 // rest"), 5U);
}

TEST(Parser, FaultsSayLineColumnAndWhatWasExpected) {
  EXPECT_EQ(errorOf("2 + 2 /"), "3:12: expected an expression, but the expression ends");
  EXPECT_EQ(errorOf("a.\n  where("), "4:9: expected an expression, but the expression ends");
  EXPECT_EQ(errorOf("'abc"), "3:5: expected an expression, but there is text without its closing quote");
  EXPECT_NE(errorOf("a.where(b"), "");
  EXPECT_NE(errorOf("'\\q'"), "");
  EXPECT_NE(errorOf("2 + /* never ends").find("comment without its end"), std::string::npos);
  EXPECT_NE(errorOf("$that"), "");
}

TEST(Parser, DepthIsBounded) {
  const std::string deep(5000, '(');
  EXPECT_NE(errorOf(deep).find("levels"), std::string::npos);
  std::string chain = "a";
  for (int i = 0; i < 5000; ++i) chain += ".a";
  EXPECT_NE(errorOf(chain).find("levels"), std::string::npos);
  EXPECT_FALSE(expressionLength(std::string(5000, '-') + "1").ok());
}

TEST(Parser, SizeIsBounded) {
  std::string wide = "coalesce(1";
  for (int i = 0; i < 30'000; ++i) wide += ",1";
  EXPECT_NE(errorOf(wide + ")").find("a shorter expression"), std::string::npos);
}

}  // namespace
}  // namespace lotsen::fhirpath
