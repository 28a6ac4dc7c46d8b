#include "gateway/identity/tokens.h"

#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace lotsen::identity {
namespace {

namespace fs = std::filesystem;

const std::string kOne = "0123456789abcdefghijABCDEFGHIJ-._~+/==";
const std::string kTwo = "another-token-of-at-least-32-characters";
const std::string kThree = "yet-another-token-of-32-characters-or-so";

class TokensTest : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content,
                   fs::perms mode = fs::perms::owner_read | fs::perms::owner_write) {
    const fs::path path = directory_.file(name);
    std::ofstream(path) << content;
    fs::permissions(path, mode);
    return path.string();
  }

  std::string loadError(const std::vector<TokenSource>& sources) {
    const auto registry = TokenRegistry::load(sources);
    EXPECT_FALSE(registry.ok());
    if (registry.ok()) return {};
    EXPECT_EQ(registry.error().code, Code::Invalid);
    for (const auto& token : {kOne, kTwo, kThree}) EXPECT_EQ(registry.error().message.find(token), std::string::npos);
    return registry.error().message;
  }

  test::TempDir directory_;
};

TEST_F(TokensTest, TokenBecomesItsPrincipal) {
  const auto registry =
      TokenRegistry::load({{"pas", file("pas", kOne + "\n"), {Permission::Intake}},
                           {"provider", file("provider", kTwo), {Permission::Message, Permission::Read}}});
  ASSERT_TRUE(registry.ok());
  const auto pas = registry->authenticate("Bearer " + kOne);
  ASSERT_TRUE(pas.ok());
  EXPECT_EQ(pas->partner, "pas");
  EXPECT_TRUE(pas->require(Permission::Intake).ok());
  EXPECT_EQ(pas->require(Permission::Operate).error().code, Code::Forbidden);
  const auto provider = registry->authenticate("bearer   " + kTwo);
  ASSERT_TRUE(provider.ok());
  EXPECT_EQ(provider->partner, "provider");
  EXPECT_EQ(provider->permissions, Permissions({Permission::Read, Permission::Message}));
}

TEST_F(TokensTest, SeveralTokensOfOnePartner) {
  const auto registry = TokenRegistry::load({{"pas", file("pas", "\n  " + kOne + "  \r\n\n" + kTwo + "\n"), {}}});
  ASSERT_TRUE(registry.ok());
  EXPECT_EQ(registry->size(), 2U);
  EXPECT_TRUE(registry->authenticate("Bearer " + kOne).ok());
  EXPECT_TRUE(registry->authenticate("Bearer " + kTwo).ok());
}

TEST_F(TokensTest, EveryRefusalIsTheSame) {
  const auto registry = TokenRegistry::load({{"pas", file("pas", kOne), {}}});
  ASSERT_TRUE(registry.ok());
  for (const std::string& header :
       {std::string(), std::string("Bearer"), std::string("Bearer "), kOne, "Basic " + kOne, "Bearer " + kTwo,
        "Bearer " + kOne + "x", "Bearer " + kOne.substr(1), "Bearer " + kOne + " " + kOne, "Bearer" + kOne,
        "Bearer " + std::string(100'000, 'x')}) {
    const auto principal = registry->authenticate(header);
    ASSERT_FALSE(principal.ok()) << header.substr(0, 80);
    EXPECT_EQ(principal.error().code, Code::Unauthenticated);
    EXPECT_EQ(principal.error().message, TokenRegistry::kRefusal);
  }
}

TEST_F(TokensTest, FileThatOthersMayReadIsRefusedWithTheRemedy) {
  const auto path = file("open", kOne, fs::perms::owner_read | fs::perms::others_read);
  EXPECT_NE(loadError({{"pas", path, {}}}).find("chmod o= " + path), std::string::npos);
}

TEST_F(TokensTest, FaultsNameTheFileAndLine) {
  EXPECT_NE(loadError({{"pas", directory_.file("absent"), {}}}).find("does not exist"), std::string::npos);
  EXPECT_NE(loadError({{"pas", directory_.path(), {}}}).find("no regular file"), std::string::npos);
  EXPECT_NE(loadError({{"pas", file("empty", "\n \n"), {}}}).find("holds no token"), std::string::npos);
  EXPECT_NE(loadError({{"pas", file("short", kOne + "\nshort\n"), {}}}).find("short:2: "), std::string::npos);
  EXPECT_NE(loadError({{"pas", file("blank", kOne + " " + kTwo), {}}}).find("blank:1: "), std::string::npos);
  EXPECT_NE(loadError({{"pas", file("padding", "=" + kTwo), {}}}).find("padding:1: "), std::string::npos);
  EXPECT_NE(loadError({{"pas", file("huge", std::string(70'000, 'x')), {}}}).find("over 64 kB"), std::string::npos);
}

TEST_F(TokensTest, OneTokenCannotBelongToTwoPartners) {
  EXPECT_NE(loadError({{"a", file("a", kOne), {}}, {"b", file("b", kThree + "\n" + kOne), {}}}).find("b:2: "),
            std::string::npos);
}

TEST(Permission, Words) {
  for (const auto permission : {Permission::Intake, Permission::Message, Permission::Read, Permission::Operate}) {
    EXPECT_EQ(parsePermission(permissionName(permission)).value(), permission);
  }
  const auto wrong = parsePermission("Read");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("intake, message, read, operate"), std::string::npos);
}

}  // namespace
}  // namespace lotsen::identity
