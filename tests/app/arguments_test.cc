#include "gateway/app/arguments.h"

#include <gtest/gtest.h>

namespace lotsen::app {
namespace {

const Usage kUsage{"demo",
                   "FILE",
                   "Does nothing.",
                   {{"--map", "FILE", "a map", true}, {"--dry-run", "", "a flag"}, {"--to", "FORMAT", "once"}},
                   1,
                   2};

TEST(Arguments, ReadsOptionsAndPositional) {
  int exit = -1;
  const auto parsed = Arguments::parse(kUsage, {"--map", "a", "x", "--map=b", "--dry-run", "--", "--y"}, exit);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->positional(), (std::vector<std::string>{"x", "--y"}));
  EXPECT_EQ(parsed->all("--map"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(parsed->has("--dry-run"));
  EXPECT_EQ(parsed->one("--to", "json"), "json");
}

TEST(Arguments, WrongUseEndsWithTwoAndHelpWithZero) {
  const std::vector<std::vector<std::string>> wrong = {
      {}, {"a", "b", "c"}, {"x", "--mpa", "a"}, {"x", "--map"}, {"x", "--to", "a", "--to", "b"}, {"x", "--dry-run=1"}};
  for (const auto& words : wrong) {
    int exit = -1;
    EXPECT_FALSE(Arguments::parse(kUsage, words, exit));
    EXPECT_EQ(exit, kWrongUse);
  }
  int exit = -1;
  EXPECT_FALSE(Arguments::parse(kUsage, {"--help"}, exit));
  EXPECT_EQ(exit, kFine);
}

}  // namespace
}  // namespace lotsen::app
