#include "gateway/crypto/base64.h"

#include <gtest/gtest.h>

namespace lotsen::crypto {
namespace {

// Vectors of RFC 4648 section 10.
TEST(Base64, KnownTexts) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64Encode(bytes), text);
    const auto back = base64Decode(text);
    ASSERT_TRUE(back.ok()) << text;
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Base64, EveryByteSurvives) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    const std::string part = bytes.substr(bytes.size() - n);
    const auto back = base64Decode(base64Encode(part));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, part);
  }
}

TEST(Base64, RefusesWhatItWouldNotWrite) {
  for (const std::string_view text : {"Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm8=\n", "Zm 8", "Zm9v\nZm9v", "Zm9-", "Zm9_",
                                      "=Zm9", "Z=m9", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm8=Zm8="}) {
    const auto back = base64Decode(text);
    ASSERT_FALSE(back.ok()) << text;
    EXPECT_EQ(back.error().code, Code::Invalid);
  }
}

}  // namespace
}  // namespace lotsen::crypto
