#include "gateway/regex/regex.h"

#include <gtest/gtest.h>

namespace lotsen::regex {
namespace {

std::unique_ptr<const Regex> compiled(std::string_view pattern) {
  auto regex = Regex::compile(pattern);
  EXPECT_TRUE(regex.ok()) << pattern;
  return regex.ok() ? std::move(*regex) : nullptr;
}

std::string replaced(std::string_view pattern, std::string_view text, std::string_view with) {
  const auto result = compiled(pattern)->replaceAll(text, with, 1000, [](std::size_t) { return true; });
  return result.ok() ? *result : result.error().message;
}

TEST(Regex, FindsAPartAndMatchesTheWhole) {
  EXPECT_TRUE(compiled("b.d")->find("a b\nd e"));
  EXPECT_FALSE(compiled("b.d")->match("a b\nd e"));
  EXPECT_TRUE(compiled("a.*e")->match("a b\nd e"));
}

TEST(Regex, RefusesWhatTakesMoreThanLinearTimeOrMuchMemory) {
  for (const std::string& pattern : {std::string("(a)\\1"), std::string("(?=a)"), std::string("(a"),
                                     std::string("((a{100}){100}){100}"), std::string(5000, 'a')}) {
    const auto regex = Regex::compile(pattern);
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_EQ(regex.error().code, Code::Invalid);
  }
  EXPECT_FALSE(compiled("(a|aa)+$")->match(std::string(100'000, 'a') + "b"));
}

TEST(Regex, ReplacesWithGroups) {
  EXPECT_EQ(replaced("(\\d+)-(?<last>\\d+)", "1-2 33-4", "${last}-$1"), "2-1 4-33");
  EXPECT_EQ(replaced("b*", "åbä", "-"), "-å-ä-");  // by characters, not by bytes
  EXPECT_NE(replaced("a", "a", "$1").find("names a group"), std::string::npos);
}

TEST(Regex, StopsWhereTheCallerSaysSo) {
  const auto regex = compiled("a");
  EXPECT_EQ(regex->replaceAll("aaaa", "bbbb", 8, [](std::size_t) { return true; }).error().code, Code::TooLarge);
  EXPECT_EQ(regex->replaceAll("aaaa", "b", 8, [](std::size_t) { return false; }).error().code, Code::TooLarge);
}

}  // namespace
}  // namespace lotsen::regex
