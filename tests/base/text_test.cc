#include "gateway/base/text.h"

#include "gtest/gtest.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen {
namespace {

TEST(Nearest, FindsTheWordThatWasMeant) {
  const std::vector<std::string_view> words{"family", "given", "prefix", "name"};
  EXPECT_EQ(nearest("famly", words), "family");
  EXPECT_EQ(nearest("Given", words), "given");
  EXPECT_EQ(nearest("nam", words), "name");
  EXPECT_EQ(nearest("nmae", words), "name");
  EXPECT_EQ(nearest("suffixes", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Nearest, PassesOverWordsOfAnotherLength) {
  // Found by a fuzzer: a name of megabytes was compared letter by letter with every name that may stand there.
  const std::vector<std::string_view> words(1000, "aWordOfSomeLength");
  EXPECT_EQ(nearest(std::string(20U << 20, 'a'), words), "");
}

}  // namespace
}  // namespace lotsen
