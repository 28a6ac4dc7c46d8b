// Who somebody is that shows a token, a certificate, both or neither.
#include "gateway/identity/credentials.h"

#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace lotsen::identity {
namespace {

const std::string kTokenA = "token-of-partner-a-with-32-characters";
const std::string kTokenB = "token-of-partner-b-with-32-characters";
const std::string kTokenC = "token-of-partner-c-with-32-characters";
const Instant kNow = fromMillis(1'780'000'000'000);
const std::string kFingerprint = "sha256:" + std::string(64, 'a');

std::optional<crypto::Certificate> certificate(std::vector<std::string> names) {
  crypto::Certificate made;
  made.names = std::move(names);
  made.notBefore = kNow - std::chrono::hours(1);
  made.notAfter = kNow + std::chrono::hours(1);
  return made;
}

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    auto loaded = Credentials::load({{"a", file("a", kTokenA), {Permission::Intake}},
                                     {"b", file("b", kTokenB), {Permission::Message}},
                                     {"c", file("c", kTokenC), {Permission::Read}}},
                                    {{"a", "san:dns:A.example", {Permission::Intake}},
                                     {"a", kFingerprint, {Permission::Intake}},
                                     {"b", "san:uri:urn:b", {Permission::Message}}});
    EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : loaded.error().message);
    credentials_ = std::make_unique<Credentials>(std::move(*loaded));
  }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name)) << text;
    std::filesystem::permissions(folder_.file(name), std::filesystem::perms::owner_read);
    return folder_.file(name);
  }
  /// The partner, or the code of the refusal.
  std::string who(const std::string& token, const std::optional<crypto::Certificate>& shown, Instant now = kNow) {
    const auto found = credentials_->authenticate(token.empty() ? "" : "Bearer " + token, shown, now);
    return found.ok() ? found->partner : std::string(codeName(found.error().code));
  }

  test::TempDir folder_;
  std::unique_ptr<Credentials> credentials_;
};

TEST_F(CredentialsTest, EitherIsEnough) {
  EXPECT_EQ(who(kTokenA, std::nullopt), "a");
  EXPECT_EQ(who("", certificate({"san:dns:a.example", "sha256:0"})), "a");
  EXPECT_EQ(who("", certificate({"sha256:0", "san:uri:urn:b"})), "b");
  EXPECT_EQ(who("", certificate({kFingerprint})), "a");
  const auto found = credentials_->authenticate("", certificate({"san:uri:urn:b"}), kNow);
  EXPECT_TRUE(found->permissions.has(Permission::Message));
  EXPECT_FALSE(found->permissions.has(Permission::Intake));
}

TEST_F(CredentialsTest, NamesAreComparedExactly) {
  const auto nobody = std::string(codeName(Code::Unauthenticated));
  for (const char* name : {"san:dns:x.a.example", "san:dns:a.example.evil", "san:dns:*.example", "san:uri:a.example",
                           "san:uri:urn:B", "san:uri:urn:b/", "san:dns:"})
    EXPECT_EQ(who("", certificate({name})), nobody) << name;
  EXPECT_EQ(who("", certificate({})), nobody);
  EXPECT_EQ(who("", std::nullopt), nobody);
}

TEST_F(CredentialsTest, WhoShowsBothMustBeOne) {
  const auto no = std::string(codeName(Code::Forbidden));
  EXPECT_EQ(who(kTokenA, certificate({"san:dns:a.example"})), "a");
  EXPECT_EQ(who(kTokenB, certificate({"san:dns:a.example"})), no);
  EXPECT_EQ(who(kTokenC, certificate({"san:dns:a.example"})), no);
  EXPECT_EQ(who(kTokenC, certificate({"san:dns:nobody"})), "c") << "c has no certificates: the token tells";
  EXPECT_EQ(who(kTokenA, certificate({"san:dns:nobody"})), no) << "a has certificates, and this is none of them";
}

TEST_F(CredentialsTest, AWrongTokenIsNeverOverlooked) {
  EXPECT_EQ(who("wrong-token-with-at-least-32-characters", certificate({"san:dns:a.example"})),
            codeName(Code::Unauthenticated));
}

TEST_F(CredentialsTest, ACertificateOfTwoPartnersIsNobodys) {
  EXPECT_EQ(who("", certificate({"san:dns:a.example", "san:uri:urn:b"})), codeName(Code::Forbidden));
  EXPECT_EQ(who(kTokenA, certificate({"san:dns:a.example", "san:uri:urn:b"})), codeName(Code::Forbidden));
  EXPECT_EQ(who("", certificate({"san:dns:a.example", kFingerprint})), "a") << "twice the same is no conflict";
}

TEST_F(CredentialsTest, ACertificateThatExpiresOnAnOpenConnectionIsRefused) {
  const auto later = kNow + std::chrono::hours(2);
  EXPECT_EQ(who("", certificate({"san:dns:a.example"}), later), codeName(Code::Unauthenticated));
  EXPECT_EQ(who(kTokenA, certificate({"san:dns:a.example"}), later), codeName(Code::Unauthenticated));
}

TEST_F(CredentialsTest, FaultsAreFoundWhenTheyAreLoaded) {
  const auto faultOf = [](std::vector<CertificateSource> sources) {
    const auto loaded = Credentials::load({}, sources);
    return loaded.ok() ? std::string("fine") : loaded.error().message;
  };
  EXPECT_EQ(faultOf({{"a", "san:dns:x", {}}, {"b", "san:dns:y", {}}}), "fine");
  EXPECT_NE(faultOf({{"a", "san:dns:x", {}}, {"b", "san:dns:X", {}}}).find("already"), std::string::npos);
  EXPECT_NE(faultOf({{"a", "san:dns:*.x", {}}}).find("wildcard"), std::string::npos);
  EXPECT_NE(faultOf({{"a", "CN=x", {}}}), "fine");
}

}  // namespace
}  // namespace lotsen::identity
