// What check says of the certificates of a configuration, by file and line, and what a reload may bring.
#include "gateway/app/certificates.h"

#include "tests/support/certificates.h"
#include "world.h"

#include <algorithm>

namespace lotsen::test {
namespace {

using support::CertificateWish;

class CertificatesTest : public testing::Test {
 protected:
  CertificatesTest() {
    authority_.write(folder_.path(), "ca");
    put("own", {.alternativeNames = {"DNS:gateway.example"}});
    put("client", {.extendedKeyUsage = "clientAuth"});
  }
  void put(const std::string& name, const CertificateWish& wish) { authority_.issue(wish).write(folder_.path(), name); }

  /// The demo's configuration with these lines at the head of [listen], and of sections of partners.
  std::optional<app::Loaded> load(const std::string& listen, const std::map<std::string, std::string>& partners = {}) {
    std::string text = demoConfiguration(folder_.path());
    insert(text, "[listen]\n", listen);
    if (listen.find("address") != std::string::npos) replaceAll(text, "\naddress = 127.0.0.1\n", "\n");
    for (const auto& [name, lines] : partners) insert(text, "[partner " + name + "]\n", lines);
    text_ = text;
    std::ofstream(folder_.file("gateway.conf")) << text;
    faults_ = {};
    return app::load(folder_.file("gateway.conf"), faults_);
  }
  /// All faults, each with the line on which it was found.
  std::string faults(const std::string& listen, const std::map<std::string, std::string>& partners = {}) {
    if (load(listen, partners)) return "fine";
    std::string all;
    const auto lines = split(text_, '\n');
    for (const auto& fault : faults_.list) {
      const auto line = fault.line == 0 ? std::string_view() : lines.at(static_cast<std::size_t>(fault.line) - 1);
      all += std::string(line) + " -> " + fault.text + "\n";
    }
    return all;
  }
  static void insert(std::string& text, const std::string& after, const std::string& lines) {
    const auto at = text.find(after);
    ASSERT_NE(at, std::string::npos) << after;
    text.insert(at + after.size(), lines);
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

  const std::string tls_ = "certificate_file = own.pem\nkey_file = own.key\n";
  const std::string mutual_ = tls_ + "client_certificate = required\nclient_ca_file = ca.pem\n";
  TempDir folder_;
  support::TestCertificate authority_ = support::authority("CA");
  app::Faults faults_;
  std::string text_;
};

TEST_F(CertificatesTest, PlainOnLoopbackAndTlsAnywhere) {
  EXPECT_EQ(load("")->settings.tls, nullptr);
  EXPECT_NE(load(tls_)->settings.tls, nullptr);
  EXPECT_NE(load(tls_ + "address = 0.0.0.0\n")->settings.tls, nullptr);
  EXPECT_NE(load(mutual_ + "min_tls = 1.3\n")->settings.tls, nullptr);
  EXPECT_TRUE(has(faults("address = 0.0.0.0\n"), "address = 0.0.0.0 -> http listener"));
  EXPECT_TRUE(has(faults("address = gateway.example\n"), "is no IP address"));
}

TEST_F(CertificatesTest, FaultsOfTheListenerHaveTheirLine) {
  EXPECT_TRUE(
      has(faults("certificate_file = own.pem\n"), "certificate_file = own.pem -> certificate_file and key_file"));
  EXPECT_TRUE(has(faults("key_file = own.key\n"), "key_file = own.key -> certificate_file and key_file"));
  EXPECT_TRUE(has(faults("min_tls = 1.3\n"), "min_tls = 1.3 -> min_tls needs TLS"));
  EXPECT_TRUE(has(faults("client_certificate = required\n"), "client_certificate needs TLS"));
  EXPECT_TRUE(has(faults(tls_ + "client_certificate = required\n"), "client_certificate needs client_ca_file"));
  EXPECT_TRUE(has(faults(tls_ + "client_ca_file = ca.pem\n"), "client_ca_file is not used"));
  EXPECT_TRUE(has(faults(tls_ + "min_tls = 1.1\n"), "min_tls must be one of"));
  EXPECT_TRUE(has(faults("certificate_file = own.pem\nkey_file = client.key\n"), "is not the key of"));
  EXPECT_TRUE(has(faults("certificate_file = client.pem\nkey_file = client.key\n"), "serverAuth"));
  EXPECT_TRUE(has(faults("certificate_file = none.pem\nkey_file = own.key\n"),
                  "certificate_file = none.pem -> " + folder_.path() + "/none.pem cannot be read"));
}

TEST_F(CertificatesTest, AClientCertificateBelongsToOnePartner) {
  const auto known =
      load(mutual_, {{"provider", "client_certificate = san:dns:A.example\nclient_certificate = san:uri:urn:a\n"},
                     {"mediator", "client_certificate = san:dns:b.example\n"}});
  ASSERT_TRUE(known);
  EXPECT_EQ(known->settings.clientCertificates.size(), 3U);
  EXPECT_TRUE(has(faults(mutual_, {{"provider", "client_certificate = san:dns:a\n"},
                                   {"mediator", "client_certificate = san:dns:A\n"}}),
                  "already"));
  EXPECT_TRUE(has(faults(mutual_, {{"provider", "client_certificate = san:dns:*.example\n"}}), "wildcard"));
  EXPECT_TRUE(has(faults(mutual_, {{"provider", "client_certificate = CN=provider\n"}}),
                  "client_certificate = CN=provider -> "));
  EXPECT_TRUE(has(faults(tls_, {{"provider", "client_certificate = san:dns:a\n"}}), "does not ask"))
      << "it would never hold";
}

TEST_F(CertificatesTest, HttpsPartnersNameWhomTheyTrust) {
  const auto with = [&](const std::string& lines) {
    std::string text = demoConfiguration(folder_.path());
    insert(text, "[partner provider]\n", lines);
    const auto at = text.find("url = http://", text.find("[partner provider]"));
    text.replace(at, 13, "url = https://");
    std::ofstream(folder_.file("gateway.conf")) << text;
    app::Faults found;
    const auto loaded = app::load(folder_.file("gateway.conf"), found);
    return loaded ? std::string("fine") : found.list.front().text;
  };
  EXPECT_TRUE(has(with(""), "needs ca_file"));
  EXPECT_EQ(with("ca_file = ca.pem\n"), "fine");
  EXPECT_EQ(with("ca_file = ca.pem\nsend_certificate_file = client.pem\nsend_key_file = client.key\nmin_tls = 1.3\n"),
            "fine");
  EXPECT_TRUE(has(with("ca_file = ca.pem\nsend_certificate_file = client.pem\n"), "belong together"));
  EXPECT_TRUE(has(with("send_certificate_file = client.pem\nsend_key_file = client.key\n"), "needs ca_file"));
  EXPECT_TRUE(has(with("min_tls = 1.3\n"), "min_tls needs ca_file"));
  EXPECT_TRUE(has(with("ca_file = own.key\n"), "no certificates"));
  EXPECT_TRUE(has(faults("", {{"provider", "ca_file = ca.pem\n"}}), "ca_file is for https"));
}

TEST_F(CertificatesTest, WhatExpiresWithinThirtyDaysIsTold) {
  put("own", {.alternativeNames = {"DNS:gateway.example"}, .endsInSeconds = 86400 * 10 + 60});
  const auto loaded = load(mutual_);
  ASSERT_TRUE(loaded);
  const auto now = SystemClock().now();
  const auto told = app::expiries(loaded->settings, now);
  ASSERT_EQ(told.size(), 2U) << "ours, and the authority's of a day";
  EXPECT_TRUE(told[0].valid);
  EXPECT_TRUE(has(told[0].text, "in 10 days")) << told[0].text;
  EXPECT_EQ(told[0].file, folder_.path() + "/own.pem");
  EXPECT_EQ(loaded->settings.certificates[1].use, "client-ca");
  const auto later = app::expiries(loaded->settings, now + std::chrono::days(11));
  EXPECT_FALSE(later[0].valid);
  EXPECT_TRUE(has(later[0].text, "has expired on")) << later[0].text;
  EXPECT_TRUE(app::expiries(loaded->settings, now - std::chrono::days(40)).front().text.find("not valid before") !=
              std::string::npos);
}

TEST_F(CertificatesTest, NobodyChangesOverToACertificateThatIsNotValid) {
  const auto before = load(tls_);
  const auto now = SystemClock().now();
  ASSERT_TRUE(before);
  EXPECT_TRUE(app::checkReplaced(before->settings, load(tls_)->settings, now).ok());
  put("own", {.alternativeNames = {"DNS:gateway.example"}, .beginsInSeconds = 7200});
  EXPECT_FALSE(app::checkReplaced(before->settings, load(tls_)->settings, now).ok());
  put("own", {.alternativeNames = {"DNS:gateway.example"}, .endsInSeconds = -7200});
  const auto expired = load(tls_);
  EXPECT_FALSE(app::checkReplaced(before->settings, expired->settings, now).ok());
  EXPECT_TRUE(app::checkReplaced(expired->settings, load(tls_)->settings, now).ok())
      << "one that expired while it was in force does not hold up other changes";
}

}  // namespace
}  // namespace lotsen::test
