// What we show and whom we believe when we send over TLS, against a partner with certificates of all kinds.
#include "gateway/outbound/outbound.h"
#include "gateway/queue/outcome.h"
#include "tests/support/certificates.h"
#include "tests/support/scripted_server.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace lotsen::outbound {
namespace {

using crypto::ClientCertificates;
using queue::Answer;
using queue::Phase;
using support::ScriptedServer;
using support::Step;
using support::TestCertificate;

class OutboundTls : public testing::Test {
 protected:
  /// What a partner with this certificate runs with.
  std::shared_ptr<const crypto::TlsServer> server(const TestCertificate& own,
                                                  ClientCertificates clients = ClientCertificates::None,
                                                  bool onlyTls13 = false) {
    crypto::TlsSettings settings;
    settings.own.certificatePem = own.pem();
    settings.own.keyPem = own.keyPem();
    settings.clients = clients;
    settings.clientIssuers.pem = clients_.pem();
    settings.onlyTls13 = onlyTls13;
    auto made = crypto::TlsServer::create(settings);
    EXPECT_TRUE(made.ok());
    return *made;
  }
  TestCertificate genuine() { return authority_.issue({.alternativeNames = {"IP:127.0.0.1", "DNS:localhost"}}); }

  std::shared_ptr<const Tls> tls(const TestCertificate& trusted, const TestCertificate* own = nullptr,
                                 bool onlyTls13 = false) {
    const auto made = std::make_shared<Tls>();
    made->trusted.pem = trusted.pem();
    if (own != nullptr) made->own = {own->pem(), own->keyPem(), {}};
    made->onlyTls13 = onlyTls13;
    return made;
  }

  Endpoint endpoint(std::string url, std::shared_ptr<const Tls> trust) {
    Endpoint to;
    to.id = "partner";
    to.url = std::move(url);
    to.tls = std::move(trust);
    to.connectTimeout = milliseconds(2'000);
    to.totalTimeout = milliseconds(5'000);
    return to;
  }

  std::unique_ptr<Outbound> outbound(const Endpoint& to) {
    auto made = Outbound::create({to});
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    return std::move(*made);
  }

  static Answer send(Outbound& through) {
    queue::Sending sending;
    sending.delivery = "d";
    sending.endpoint = "partner";
    sending.messageId = "5c2f9a51-64f0-4e5e-9d0b-0e7b3f6f8a11";
    sending.mediaType = "application/fhir+json";
    sending.body = "{}";
    through.start(std::move(sending));
    auto answers = through.take(milliseconds(10'000));
    EXPECT_EQ(answers.size(), 1U);
    return answers.empty() ? Answer{} : answers.front();
  }

  /// Sends to a partner with this certificate; `says` stands in what an operator reads, and nothing has left.
  void expectRefused(const TestCertificate& own, const std::string& says) {
    ScriptedServer partner({Step{}}, server(own));
    const Answer answer = send(*outbound(endpoint(partner.url(), tls(authority_))));
    EXPECT_EQ(answer.phase, Phase::Unsent) << says;
    EXPECT_NE(answer.error.find(says), std::string::npos) << answer.error;
    EXPECT_TRUE(partner.requests().empty());
  }

  TestCertificate authority_ = support::authority("Partner CA");
  TestCertificate clients_ = support::authority("Our CA");
};

TEST_F(OutboundTls, SendsToAPartnerWhoseCertificateIsGood) {
  ScriptedServer partner({Step{}}, server(genuine()));
  const auto through = outbound(endpoint(partner.url(), tls(authority_)));
  EXPECT_EQ(send(*through).phase, Phase::Answered);
  EXPECT_EQ(send(*through).phase, Phase::Answered);
  ASSERT_EQ(partner.requests().size(), 2U);
  EXPECT_EQ(partner.requests()[1].connection, 1) << "the connection is kept";
  EXPECT_TRUE(partner.requests()[0].certificate.empty());
}

TEST_F(OutboundTls, BadCertificatesAreNeverSentToAndTheReasonSaysWhatToDo) {
  const std::vector<std::string> here = {"IP:127.0.0.1"};
  expectRefused(authority_.issue({.alternativeNames = here, .endsInSeconds = -60}), "expired");
  expectRefused(authority_.issue({.alternativeNames = here, .beginsInSeconds = 3600}), "not yet valid");
  expectRefused(authority_.issue({.alternativeNames = here, .extendedKeyUsage = "clientAuth"}), "extended key usage");
  expectRefused(support::authority("Other").issue({.alternativeNames = here}), "issuer is not among the trusted");
  expectRefused(support::selfSigned({.alternativeNames = here}), "self-signed");
  expectRefused(authority_.issue({.alternativeNames = {"IP:127.0.0.2", "DNS:localhost"}}), "subjectAltName");
  expectRefused(authority_.issue({.commonName = "127.0.0.1"}), "subjectAltName");
}

TEST_F(OutboundTls, ASelfSignedCertificateMayBeTrustedItself) {
  const auto own = support::selfSigned({.alternativeNames = {"IP:127.0.0.1"}});
  ScriptedServer partner({Step{}}, server(own));
  const Answer answer = send(*outbound(endpoint(partner.url(), tls(own))));
  EXPECT_EQ(answer.phase, Phase::Answered) << answer.error;
}

TEST_F(OutboundTls, TrapTheSystemsRootsAreNotTrusted) {
  // Debian's libcurl looks into a folder and a file of its own unless both are taken away.
  const Answer answer = [&] {
    ScriptedServer partner({Step{}}, server(genuine()));
    return send(*outbound(endpoint(partner.url(), tls(support::authority("Another")))));
  }();
  EXPECT_EQ(answer.phase, Phase::Unsent);
  Endpoint bare = endpoint("https://127.0.0.1/", nullptr);
  EXPECT_EQ(Outbound::create({bare}).error().code, Code::Invalid) << "there is no default";
}

TEST_F(OutboundTls, ShowsItsCertificateToAPartnerThatWantsOne) {
  ScriptedServer partner({Step{}}, server(genuine(), ClientCertificates::Required));
  const auto own = clients_.issue({.alternativeNames = {"DNS:lotsen.example"}, .extendedKeyUsage = "clientAuth"});
  EXPECT_EQ(send(*outbound(endpoint(partner.url(), tls(authority_, &own)))).phase, Phase::Answered);
  ASSERT_EQ(partner.requests().size(), 1U);
  EXPECT_EQ(partner.requests()[0].certificate.front(), "san:dns:lotsen.example");
}

// With TLS 1.3 libcurl has sent the request before it hears that its certificate was refused: it must not count as
// sent.
TEST_F(OutboundTls, ARefusalOfOurCertificateIsUnsent) {
  const auto expired = clients_.issue({.alternativeNames = {"DNS:a"}, .endsInSeconds = -60});
  const auto stranger = support::authority("Other").issue({.alternativeNames = {"DNS:a"}});
  const auto none = static_cast<const TestCertificate*>(nullptr);
  for (const bool idempotent : {true, false}) {
    for (const auto& [own, says] : {std::pair(&expired, "certificate expired"), std::pair(&stranger, "unknown ca"),
                                    std::pair(none, "want a certificate")}) {
      ScriptedServer partner({Step{}}, server(genuine(), ClientCertificates::Required));
      Endpoint to = endpoint(partner.url(), tls(authority_, own));
      to.idempotent = idempotent;
      const Answer answer = send(*outbound(to));
      EXPECT_EQ(answer.phase, Phase::Unsent) << says;
      EXPECT_NE(answer.error.find(says), std::string::npos) << answer.error;
      EXPECT_TRUE(partner.requests().empty());
    }
  }
}

TEST_F(OutboundTls, ALostAnswerUnderTlsIsStillAmbiguous) {
  ScriptedServer partner({{.what = Step::What::Swallow}}, server(genuine()));
  EXPECT_EQ(send(*outbound(endpoint(partner.url(), tls(authority_)))).phase, Phase::Sent);
}

TEST_F(OutboundTls, MinimumVersionHolds) {
  ScriptedServer onlyNew({Step{}}, server(genuine(), ClientCertificates::None, true));
  EXPECT_EQ(send(*outbound(endpoint(onlyNew.url(), tls(authority_, nullptr, true)))).phase, Phase::Answered);
  EXPECT_EQ(send(*outbound(endpoint(onlyNew.url(), tls(authority_)))).phase, Phase::Answered);
}

TEST_F(OutboundTls, APlainPortIsNoTlsPort) {
  ScriptedServer plain({Step{}});
  std::string url = plain.url();
  const Answer answer = send(*outbound(endpoint(url.replace(0, 4, "https"), tls(authority_))));
  EXPECT_EQ(answer.phase, Phase::Unsent);
}

// libcurl compares paths of certificates, not what is in them, and keys not at all.
TEST_F(OutboundTls, TrapConnectionsUnderReplacedCertificatesAreNotUsedAgain) {
  ScriptedServer partner({Step{}}, server(genuine(), ClientCertificates::Required));
  const auto first = clients_.issue({.alternativeNames = {"DNS:first"}});
  const auto second = clients_.issue({.alternativeNames = {"DNS:second"}});
  Endpoint to = endpoint(partner.url(), tls(authority_, &first));
  const auto through = outbound(to);
  EXPECT_EQ(send(*through).phase, Phase::Answered);
  to.tls = tls(authority_, &first);
  through->replaceTls({to});
  EXPECT_EQ(send(*through).phase, Phase::Answered);
  to.tls = tls(authority_, &second);
  through->replaceTls({to});
  EXPECT_EQ(send(*through).phase, Phase::Answered);
  const auto seen = partner.requests();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1].connection, 1) << "nothing has changed";
  EXPECT_EQ(seen[2].connection, 2);
  EXPECT_EQ(seen[0].certificate.front(), "san:dns:first");
  EXPECT_EQ(seen[2].certificate.front(), "san:dns:second");
}

// libcurl keeps what it has parsed of a CA file for a day.
TEST_F(OutboundTls, TrapAReplacedIssuerHoldsAtOnce) {
  ScriptedServer partner({Step{}}, server(genuine()));
  Endpoint to = endpoint(partner.url(), tls(authority_));
  const auto through = outbound(to);
  EXPECT_EQ(send(*through).phase, Phase::Answered);
  to.tls = tls(support::authority("Another"));
  through->replaceTls({to});
  EXPECT_EQ(send(*through).phase, Phase::Unsent);
  to.tls = tls(authority_);
  through->replaceTls({to});
  EXPECT_EQ(send(*through).phase, Phase::Answered);
}

TEST_F(OutboundTls, TheEnvironmentsProxyIsNotUsed) {
  const std::string proxy = "http://127.0.0.1:" + std::to_string(support::closedPort());
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "ALL_PROXY"}) ::setenv(name, proxy.c_str(), 1);
  ScriptedServer partner({Step{}}, server(genuine()));
  EXPECT_EQ(send(*outbound(endpoint(partner.url(), tls(authority_)))).phase, Phase::Answered);
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "ALL_PROXY"}) ::unsetenv(name);
}

TEST_F(OutboundTls, FilesAreReadAndCheckedTogether) {
  const test::TempDir folder;
  const auto own = clients_.issue({.alternativeNames = {"DNS:a"}}).write(folder.path(), "own");
  const auto other = clients_.issue({.extendedKeyUsage = "serverAuth"}).write(folder.path(), "other");
  const auto trusted = authority_.write(folder.path(), "trusted") + ".pem";
  EXPECT_TRUE(readTls({trusted, {}, {}}).ok());
  EXPECT_TRUE(readTls({trusted, own + ".pem", own + ".key"}).ok());
  EXPECT_FALSE(readTls({trusted, own + ".pem", other + ".key"}).ok());
  EXPECT_FALSE(readTls({trusted, other + ".pem", other + ".key"}).ok()) << "not for clients";
  EXPECT_FALSE(readTls({folder.path() + "/none", {}, {}}).ok());
  EXPECT_FALSE(readTls({own + ".key", {}, {}}).ok()) << "no certificate";
}

}  // namespace
}  // namespace lotsen::outbound
