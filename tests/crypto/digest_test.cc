#include "gateway/crypto/digest.h"

#include "gateway/base/random.h"

#include <gtest/gtest.h>

namespace lotsen::crypto {
namespace {

// Vectors of FIPS 180-4 (NIST examples).
TEST(Digest, Sha256OfKnownTexts) {
  EXPECT_EQ(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Digest, PiecesGiveTheSameAsTheWhole) {
  const std::string text(100'000, 'x');
  Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += 777) hash.update(std::string_view(text).substr(at, 777));
  EXPECT_EQ(hash.finishHex(), sha256Hex(text));
  hash.update("abc");
  EXPECT_EQ(hash.finish(), sha256("abc"));
}

TEST(Digest, ConstantTimeEquals) {
  EXPECT_TRUE(constantTimeEquals("", ""));
  EXPECT_TRUE(constantTimeEquals("secret", "secret"));
  EXPECT_FALSE(constantTimeEquals("secret", "secres"));
  EXPECT_FALSE(constantTimeEquals("secret", "secret "));
  EXPECT_FALSE(constantTimeEquals(sha256("a"), sha256("b")));
}

TEST(Digest, UuidV5) {
  // Example of RFC 9562 appendix A.4.
  EXPECT_EQ(uuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  const std::string id = uuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "");
  EXPECT_TRUE(isUuid(id)) << id;
  EXPECT_NE(id, uuidV5("6ba7b811-9dad-11d1-80b4-00c04fd430c8", ""));
}

}  // namespace
}  // namespace lotsen::crypto
