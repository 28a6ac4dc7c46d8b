#include "gateway/crypto/certificate.h"

#include "gateway/crypto/tls.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <filesystem>
#include <fstream>

namespace lotsen::crypto {
namespace {

using support::CertificateWish;
using support::TestCertificate;

class CertificateTest : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& text) {
    const std::string file = folder_.file(name);
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }
  /// What is wrong with this certificate and this key as those of a server; "fine".
  std::string faultOf(const std::string& pem, const std::string& key, KeyUse use = KeyUse::Server) {
    const auto pair = readKeyPair(put("c.pem", pem), put("c.key", key), use);
    return pair.ok() ? "fine" : pair.error().message;
  }

  test::TempDir folder_;
  TestCertificate authority_ = support::authority("CA");
};

TEST_F(CertificateTest, IsKnownByAlternativeNamesAndFingerprint) {
  const auto made = authority_.issue({.commonName = "Nobody.Example",
                                      .alternativeNames = {"DNS:A.Example", "URI:urn:Hsa:SE1", "IP:192.0.2.1",
                                                           "email:a@example.org", "DNS:*.b.example"}});
  const auto pair = readKeyPair(put("a.pem", made.pem()), put("a.key", made.keyPem()), KeyUse::Client);
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  ASSERT_EQ(pair->certificates.size(), 1U);
  const auto& facts = pair->certificates[0];
  ASSERT_EQ(facts.names.size(), 4U);
  EXPECT_EQ(facts.names[0], "san:dns:a.example");
  EXPECT_EQ(facts.names[1], "san:uri:urn:Hsa:SE1");
  EXPECT_EQ(facts.names[2], "san:dns:*.b.example") << "a name like any other, which no configuration can hold";
  EXPECT_EQ(facts.names[3].size(), 7U + 64U);
  EXPECT_TRUE(facts.names[3].starts_with("sha256:"));
  EXPECT_EQ(facts.subject, "CN=Nobody.Example");
  const auto now = SystemClock().now();
  EXPECT_LT(facts.notBefore, now);
  EXPECT_GT(facts.notAfter, now + std::chrono::hours(23));
  EXPECT_LT(facts.notAfter, now + std::chrono::hours(25));
}

TEST_F(CertificateTest, ConfiguredNamesHaveOneForm) {
  EXPECT_EQ(*certificateName("san:dns:Region.Example"), "san:dns:region.example");
  EXPECT_EQ(*certificateName("san:uri:urn:Case:Counts"), "san:uri:urn:Case:Counts");
  const std::string digits = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff";
  std::string colons;
  for (std::size_t i = 0; i < digits.size(); i += 2) colons += (i == 0 ? "" : ":") + digits.substr(i, 2);
  EXPECT_EQ(*certificateName("sha256:" + colons), *certificateName("sha256:" + digits));
  EXPECT_EQ(certificateName("sha256:" + colons)->size(), 71U);
  for (const char* wrong : {"", "region.example", "cn:region.example", "san:dns:", "san:dns:*.example", "san:uri:",
                            "san:ip:192.0.2.1", "sha256:1234", "sha1:00112233445566778899aabbccddeeff00112233",
                            "sha256:zz112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"})
    EXPECT_EQ(certificateName(wrong).error().code, Code::Invalid) << wrong;
}

TEST_F(CertificateTest, TrapAKeyThatDoesNotFitIsFoundWhenItIsRead) {
  const auto one = authority_.issue({}), other = authority_.issue({});
  EXPECT_EQ(faultOf(one.pem(), one.keyPem()), "fine");
  EXPECT_EQ(faultOf(one.pem() + authority_.pem(), one.keyPem()), "fine") << "with its chain";
  EXPECT_NE(faultOf(one.pem(), other.keyPem()).find("is not the key"), std::string::npos);
  EXPECT_NE(faultOf(authority_.pem() + one.pem(), one.keyPem()).find("first"), std::string::npos) << "wrong order";
}

TEST_F(CertificateTest, TrapNobodyIsAskedForAPassphrase) {
  const auto made = authority_.issue({});
  BIO* bio = BIO_new(BIO_s_mem());
  unsigned char secret[] = "secret";
  ASSERT_EQ(PEM_write_bio_PrivateKey(bio, made.key(), EVP_aes_128_cbc(), secret, 6, nullptr, nullptr), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  const std::string encrypted(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  EXPECT_NE(faultOf(made.pem(), encrypted).find("passphrase"), std::string::npos);
}

TEST_F(CertificateTest, BrokenFilesAreTold) {
  const auto made = authority_.issue({});
  EXPECT_NE(faultOf("", made.keyPem()).find("no certificates"), std::string::npos);
  EXPECT_NE(faultOf(made.keyPem(), made.keyPem()).find("no certificates"), std::string::npos);
  EXPECT_NE(faultOf(made.pem(), made.pem()).find("no key"), std::string::npos);
  std::string half = made.pem();
  half.resize(half.size() / 2);
  EXPECT_NE(faultOf(made.pem() + half, made.keyPem()).find("no certificates"), std::string::npos)
      << "a file that is being written";
  const auto gone = readTrusted(folder_.file("gone"));
  EXPECT_NE(gone.error().message.find("cannot be read"), std::string::npos);
}

TEST_F(CertificateTest, AKeyIsForItsOwnerOnly) {
  const auto made = authority_.issue({});
  const auto file = put("open.key", made.keyPem());
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  const auto pair = readKeyPair(put("open.pem", made.pem()), file, KeyUse::Server);
  ASSERT_FALSE(pair.ok());
  EXPECT_NE(pair.error().message.find("chmod"), std::string::npos);
}

TEST_F(CertificateTest, PurposeIsLookedAt) {
  const auto client = authority_.issue({.extendedKeyUsage = "clientAuth"});
  EXPECT_NE(faultOf(client.pem(), client.keyPem()).find("serverAuth"), std::string::npos);
  EXPECT_EQ(faultOf(client.pem(), client.keyPem(), KeyUse::Client), "fine");
  const auto both = authority_.issue({.extendedKeyUsage = "serverAuth,clientAuth"});
  EXPECT_EQ(faultOf(both.pem(), both.keyPem()), "fine");
}

TEST_F(CertificateTest, TrapEarlierErrorsOfTheThreadChangeNothing) {
  const auto made = authority_.issue({});
  ERR_raise(ERR_LIB_X509, X509_V_ERR_UNSPECIFIED);
  ERR_raise(ERR_LIB_PEM, PEM_R_BAD_END_LINE);
  EXPECT_EQ(faultOf(made.pem(), made.keyPem()), "fine");
  EXPECT_NE(faultOf("nonsense", "nonsense"), "fine");
  EXPECT_EQ(ERR_peek_error(), 0U) << "and none are left behind";
}

TEST_F(CertificateTest, FaultsOfVerificationHaveWords) {
  EXPECT_EQ(verifyFault(X509_V_OK), "");
  EXPECT_NE(verifyFault(X509_V_ERR_CERT_HAS_EXPIRED).find("expired"), std::string_view::npos);
  for (long code = 1; code < 100; ++code) EXPECT_FALSE(verifyFault(code).empty()) << code;
}

TEST_F(CertificateTest, ServersThatDifferAreTold) {
  const auto one = authority_.issue({}), other = authority_.issue({});
  const auto make = [&](const TestCertificate& own, bool onlyTls13) {
    TlsSettings settings;
    settings.own = {own.pem(), own.keyPem(), {}};
    settings.onlyTls13 = onlyTls13;
    return *TlsServer::create(settings);
  };
  EXPECT_TRUE(make(one, false)->sameAs(*make(one, false)));
  EXPECT_FALSE(make(one, false)->sameAs(*make(one, true)));
  EXPECT_FALSE(make(one, false)->sameAs(*make(other, false)));
  EXPECT_FALSE(TlsServer::create({}).ok()) << "without a certificate";
}

}  // namespace
}  // namespace lotsen::crypto
