// What a peer sees of the listener when it speaks TLS, over real sockets. The traps of Poco's TLS and of OpenSSL 3 have
// a test each, named after it.
#include "gateway/inbound/server.h"
#include "tests/inbound/client.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tls_client.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/tls1.h>

#include <atomic>
#include <thread>

namespace lotsen::inbound::testing {
namespace {

using crypto::ClientCertificates;
using support::TestCertificate;
using support::TlsClient;
using support::TlsClientOptions;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() { config_.port = 0; }
  ~TlsTest() override {
    server_.reset();
    ::close(silence_);
  }

  std::shared_ptr<const crypto::TlsServer> tls(const std::string& name, ClientCertificates clients,
                                               const TestCertificate& issuers, bool onlyTls13 = false) {
    const auto at =
        authority_.issue({.commonName = name, .alternativeNames = {"DNS:localhost"}}).write(folder_.path(), "l");
    crypto::TlsSettings settings;
    settings.own = *crypto::readKeyPair(at + ".pem", at + ".key", crypto::KeyUse::Server);
    settings.clients = clients;
    settings.onlyTls13 = onlyTls13;
    const auto trusted = issuers.write(folder_.path(), "issuers");
    if (clients != ClientCertificates::None) settings.clientIssuers = *crypto::readTrusted(trusted + ".pem");
    auto made = crypto::TlsServer::create(settings);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    return *made;
  }

  void start(ClientCertificates clients = ClientCertificates::None, bool onlyTls13 = false) {
    startWith(tls("one", clients, clients_, onlyTls13));
  }
  void startWith(std::shared_ptr<const crypto::TlsServer> with) {
    config_.tls = std::move(with);
    Application application;
    application.handle = [this](const http::Request& request, const ConnectionInfo& connection) {
      ++handled_;
      if (request.path() == "/echo") return http::Response::text(200, request.body);
      if (request.path() == "/big") return http::Response::text(200, std::string(3'000'000, 'x'));
      if (!connection.certificate) return http::Response::text(200, "nobody");
      std::string names;
      for (const auto& name : connection.certificate->names) {
        if (!name.starts_with("sha256:")) names += name + " ";
      }
      return http::Response::text(200, names.empty() ? "nameless" : names);
    };
    server_ = std::make_unique<Server>(config_, application, clock_, metrics_, log_);
    const Status started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  std::uint16_t port() const { return server_->port(); }

  TestCertificate client(const support::CertificateWish& wish) { return clients_.issue(wish); }

  /// What a client with this certificate is told: the names by which it is known, or why there is no answer.
  std::string asked(const TestCertificate* own, int version = 0) {
    TlsClient peer(port(), {.trusted = &authority_, .own = own, .leastVersion = version, .mostVersion = version});
    std::string body;
    const int status = peer.connected() ? peer.get("/", &body) : 0;
    return status == 200 ? body : peer.fault();
  }

  test::TempDir folder_;
  TestCertificate authority_ = support::authority("Server CA");
  TestCertificate clients_ = support::authority("Client CA");
  ServerConfig config_;
  std::atomic<int> handled_{0};
  SystemClock clock_;
  observe::Metrics metrics_;
  int silence_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  observe::Log log_{clock_, silence_};
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, SpeaksTls12And13) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient peer(port(), {.trusted = &authority_, .leastVersion = version, .mostVersion = version});
    ASSERT_TRUE(peer.connected()) << peer.fault();
    EXPECT_EQ(peer.version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(peer.get("/"), 200);
    EXPECT_EQ(peer.get("/"), 200) << "the connection is kept";
    EXPECT_EQ(peer.serverName(), "one");
  }
  EXPECT_EQ(metrics_.counter("lotsen_tls_handshakes_total", "", {{"result", "done"}}).value(), 2U);
}

TEST_F(TlsTest, TrapMinimumProtocolIsTls12) {
  start();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    const TlsClient peer(port(), {.leastVersion = version, .mostVersion = version, .ciphers = "ALL:@SECLEVEL=0"});
    EXPECT_FALSE(peer.connected());
    EXPECT_NE(peer.fault().find("protocol version"), std::string::npos) << peer.fault();
  }
}

TEST_F(TlsTest, Tls13CanBeTheLeast) {
  start(ClientCertificates::None, true);
  EXPECT_FALSE(TlsClient(port(), {.mostVersion = TLS1_2_VERSION}).connected());
  EXPECT_TRUE(TlsClient(port()).connected());
}

TEST_F(TlsTest, CiphersWithoutForwardSecrecyOrAuthenticationAreRefused) {
  start();
  const auto speaks = [&](const std::string& ciphers) {
    return TlsClient(port(), {.mostVersion = TLS1_2_VERSION, .ciphers = ciphers + ":@SECLEVEL=0"}).connected();
  };
  EXPECT_TRUE(speaks("ECDHE-ECDSA-AES128-GCM-SHA256"));
  EXPECT_TRUE(speaks("ECDHE-ECDSA-CHACHA20-POLY1305"));
  EXPECT_FALSE(speaks("ECDHE-ECDSA-AES128-SHA"));
  EXPECT_FALSE(speaks("ECDHE-ECDSA-AES256-SHA384"));
  EXPECT_FALSE(speaks("aNULL"));
}

TEST_F(TlsTest, RenegotiationIsRefused) {
  start();
  TlsClient peer(port(), {.mostVersion = TLS1_2_VERSION});
  ASSERT_EQ(peer.get("/"), 200);
  EXPECT_FALSE(peer.renegotiate());
}

TEST_F(TlsTest, ProtocolIsNegotiatedOrRefused) {
  start();
  const TlsClient both(port(), {.protocols = "\x02h2\x08http/1.1"});
  EXPECT_EQ(both.protocol(), "http/1.1");
  const TlsClient other(port(), {.protocols = "\x02h2"});
  EXPECT_FALSE(other.connected());
}

// Poco refuses a client whose certificate does not name the address from which it comes; and it knows DNS names only.
TEST_F(TlsTest, TrapClientAddressIsNotComparedWithItsCertificate) {
  start(ClientCertificates::Required);
  const auto named = client({.commonName = "region.example",
                             .alternativeNames = {"DNS:Region.Example", "URI:urn:hsa:SE1", "IP:192.0.2.7"},
                             .extendedKeyUsage = "clientAuth"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    EXPECT_EQ(asked(&named, version), "san:dns:region.example san:uri:urn:hsa:SE1 ");
}

TEST_F(TlsTest, TrapCommonNameIsNoIdentity) {
  start(ClientCertificates::Required);
  const auto nameless = client({.commonName = "region.example"});
  EXPECT_EQ(asked(&nameless), "nameless");
}

TEST_F(TlsTest, TrapOptionalServesClientsWithoutCertificateRequiredDoesNot) {
  start(ClientCertificates::Optional);
  EXPECT_EQ(asked(nullptr), "nobody");
  server_.reset();
  start(ClientCertificates::Required);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) EXPECT_NE(asked(nullptr, version), "nobody");
  EXPECT_EQ(handled_, 1);
}

TEST_F(TlsTest, BadClientCertificatesAreRefusedEvenWhereTheyAreOptional) {
  const auto stranger = support::authority("Other CA").issue({.alternativeNames = {"DNS:a"}});
  const auto selfSigned = support::selfSigned({.alternativeNames = {"DNS:a"}});
  const auto expired = client({.alternativeNames = {"DNS:a"}, .endsInSeconds = -60});
  const auto early = client({.alternativeNames = {"DNS:a"}, .beginsInSeconds = 3600});
  const auto serverOnly = client({.alternativeNames = {"DNS:a"}, .extendedKeyUsage = "serverAuth"});
  const auto byNoAuthority = client({.alternativeNames = {"DNS:a"}}).issue({.alternativeNames = {"DNS:b"}});
  const auto good = client({.alternativeNames = {"DNS:a"}, .extendedKeyUsage = "clientAuth"});
  for (const auto mode : {ClientCertificates::Required, ClientCertificates::Optional}) {
    start(mode);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      EXPECT_NE(asked(&stranger, version).find("unknown ca"), std::string::npos) << asked(&stranger, version);
      EXPECT_NE(asked(&selfSigned, version).find("unknown ca"), std::string::npos) << asked(&selfSigned, version);
      EXPECT_NE(asked(&expired, version).find("certificate expired"), std::string::npos) << asked(&expired, version);
      EXPECT_NE(asked(&early, version).find("bad certificate"), std::string::npos) << asked(&early, version);
      EXPECT_NE(asked(&serverOnly, version).find("unsupported certificate"), std::string::npos)
          << asked(&serverOnly, version);
      EXPECT_NE(asked(&byNoAuthority, version).find("unknown ca"), std::string::npos) << asked(&byNoAuthority, version);
      EXPECT_EQ(asked(&good, version), "san:dns:a ");
    }
    server_.reset();
  }
  EXPECT_EQ(handled_, 4) << "the good ones";
}

TEST_F(TlsTest, AnIntermediateMayBeTrustedWithoutItsRoot) {
  const auto intermediate = clients_.issue({.commonName = "Function CA", .authority = true});
  const auto below = intermediate.issue({.alternativeNames = {"DNS:below"}});
  const auto beside = client({.alternativeNames = {"DNS:beside"}});
  startWith(tls("one", ClientCertificates::Required, intermediate));
  EXPECT_EQ(asked(&below), "san:dns:below ");
  EXPECT_NE(asked(&beside), "san:dns:beside ") << "the root is not trusted";
}

TEST_F(TlsTest, ASelfSignedCertificateMayBeTrustedItself) {
  const auto own = support::selfSigned({.alternativeNames = {"DNS:alone"}});
  startWith(tls("one", ClientCertificates::Required, own));
  EXPECT_EQ(asked(&own), "san:dns:alone ");
  const auto other = support::selfSigned({.alternativeNames = {"DNS:alone"}});
  EXPECT_NE(asked(&other), "san:dns:alone ") << "its twin by name";
}

// With client certificates and no session context, OpenSSL kills the second connection of each client that resumes.
TEST_F(TlsTest, TrapResumptionIsAFullHandshakeThatKnowsTheClient) {
  start(ClientCertificates::Required);
  const auto own = client({.alternativeNames = {"DNS:a"}});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClientOptions options{.own = &own, .leastVersion = version, .mostVersion = version};
    for (int round = 0; round < 3; ++round) {
      TlsClient peer(port(), options);
      std::string body;
      ASSERT_EQ(peer.get("/", &body), 200) << peer.fault();
      EXPECT_EQ(body, "san:dns:a ");
      EXPECT_FALSE(peer.resumed());
      options.session = peer.session();
      peer.sayGoodbye();  // else OpenSSL would not offer the session again
    }
  }
}

TEST_F(TlsTest, TrapEndWithoutGoodbyeIsAnEndAndCutBodiesAreNotTaken) {
  start();
  TlsClient whole(port());
  whole.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nHELLO");
  whole.endSending();
  std::string body;
  EXPECT_EQ(whole.read(&body), 200);
  EXPECT_EQ(body, "HELLO");
  EXPECT_TRUE(whole.closedPolitely());
  TlsClient cut(port());
  cut.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nHELLO");
  cut.endSending();
  EXPECT_EQ(cut.read(), 400);
  TlsClient cutPolitely(port());
  cutPolitely.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nHELLO");
  cutPolitely.sayGoodbye();
  EXPECT_EQ(cutPolitely.read(), 400) << "who has said goodbye still hears the answer";
  EXPECT_EQ(handled_, 1);
}

TEST_F(TlsTest, TrapHandshakeHasADeadlineOfItsOwn) {
  config_.handshakeTime = milliseconds(300);
  config_.maxConnections = 4;
  start();
  Client silent(port()), dripping(port());
  const Stopwatch watch;
  // A handshake record of 200 bytes that never gets on: each byte would start a per-read timeout anew.
  dripping.send(std::string("\x16\x03\x01\x00\xc8\x01", 6));
  for (int i = 0; i < 100 && !dripping.readable(20); ++i) dripping.send(std::string(1, '\0'));
  EXPECT_LT(watch.ms(), 1'500);
  EXPECT_TRUE(silent.closedQuietly());
  EXPECT_LT(watch.ms(), 1'500);
  TlsClient good(port());
  EXPECT_EQ(good.get("/"), 200);
  EXPECT_EQ(metrics_.counter("lotsen_http_timeouts_total", "", {{"phase", "handshake"}}).value(), 2U);
}

TEST_F(TlsTest, StrangersOnThePortDisturbNobody) {
  start();
  TlsClient good(port());
  ASSERT_EQ(good.get("/"), 200);
  for (int i = 0; i < 20; ++i) {
    for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), std::string(3000, '\xff'),
                                     std::string("\x16\x03\x01\xff\xff", 5) + std::string(100, 'A')}) {
      Client stranger(port());
      stranger.send(bytes);
      stranger.endSending();
      while (stranger.readable(5'000) && stranger.skip(4096) > 0) {}
    }
    EXPECT_EQ(good.get("/"), 200);
  }
  EXPECT_EQ(metrics_.counter("lotsen_tls_handshakes_total", "", {{"result", "failed"}}).value(), 60U);
}

TEST_F(TlsTest, LargeBodies) {
  start();
  TlsClient peer(port());
  const std::string large(2'500'000, 'y');
  ASSERT_TRUE(peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2500000\r\n\r\n" + large));
  std::string body;
  EXPECT_EQ(peer.read(&body), 200);
  EXPECT_EQ(body, large);
  EXPECT_EQ(peer.get("/big", &body), 200);
  EXPECT_EQ(body.size(), 3'000'000U);
}

// Where the first request fills the reader's buffer to the last byte, the second one lies decrypted in the channel,
// where poll(2) does not see it.
TEST_F(TlsTest, TrapTheNextRequestInTheSameRecordIsSeen) {
  start();
  for (const std::size_t size : {2048U, 4096U, 8192U, 12288U}) {
    TlsClient peer(port());
    std::string first = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 01900\r\n\r\n";
    const std::string length = std::to_string(size - first.size());
    first.replace(first.find("01900"), 5, std::string(5 - length.size(), '0') + length);
    first.resize(size, 'z');
    ASSERT_TRUE(peer.send(first + "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    const Stopwatch watch;
    EXPECT_EQ(peer.read(), 200) << size;
    EXPECT_EQ(peer.read(), 200) << size;
    EXPECT_LT(watch.ms(), 5'000) << size;
  }
}

TEST_F(TlsTest, ClosesPolitely) {
  config_.idleTime = milliseconds(100);
  start();
  TlsClient asks(port());
  EXPECT_EQ((asks.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), asks.read()), 200);
  EXPECT_TRUE(asks.closedPolitely());
  TlsClient idle(port());
  EXPECT_EQ(idle.get("/"), 200);
  EXPECT_TRUE(idle.closedPolitely());
}

TEST_F(TlsTest, StopEndsIdleConnectionsPolitelyAndHandshakesAtOnce) {
  start();
  TlsClient idle(port());
  EXPECT_EQ(idle.get("/"), 200);
  Client half(port());
  half.send(std::string("\x16\x03\x01\x00\xc8\x01", 6));
  const Stopwatch watch;
  server_->stop();
  EXPECT_LT(watch.ms(), 2'000);
  EXPECT_TRUE(idle.closedPolitely());
}

TEST_F(TlsTest, APeerForWhomThereIsNoThreadIsHungUpOn) {
  config_.maxConnections = 1;
  start();
  TlsClient first(port());
  EXPECT_EQ(first.get("/"), 200);
  EXPECT_FALSE(TlsClient(port()).connected());
  EXPECT_EQ(metrics_.counter("lotsen_http_overload_total", "").value(), 1U);
  EXPECT_EQ(first.get("/"), 200);
}

TEST_F(TlsTest, TrapANewCertificateIsForNewConnectionsAndOldOnesEndWithTheirAnswer) {
  start();
  TlsClient old(port());
  ASSERT_EQ(old.get("/"), 200);
  EXPECT_EQ(old.head().find("Connection: close"), std::string::npos);
  server_->setTls(tls("two", ClientCertificates::None, clients_));
  TlsClient fresh(port());
  EXPECT_EQ(fresh.get("/"), 200);
  EXPECT_EQ(fresh.serverName(), "two");
  EXPECT_EQ(old.get("/"), 200) << "nothing is dropped";
  EXPECT_NE(old.head().find("Connection: close"), std::string::npos);
  EXPECT_TRUE(old.closedPolitely());
}

TEST_F(TlsTest, AnIssuerThatIsNoLongerTrustedIsNotTrusted) {
  start(ClientCertificates::Required);
  const auto before = client({.alternativeNames = {"DNS:before"}});
  EXPECT_EQ(asked(&before), "san:dns:before ");
  const auto newIssuer = support::authority("New CA");
  server_->setTls(tls("one", ClientCertificates::Required, newIssuer));
  EXPECT_NE(asked(&before).find("unknown ca"), std::string::npos);
  const auto after = newIssuer.issue({.alternativeNames = {"DNS:after"}});
  EXPECT_EQ(asked(&after), "san:dns:after ");
}

TEST_F(TlsTest, ReplacingCertificatesUnderLoadDropsNoRequest) {
  start();
  std::atomic<bool> enough{false};
  std::atomic<int> answered{0}, lost{0}, connections{0};
  std::vector<std::thread> peers;
  for (int i = 0; i < 4; ++i) {
    peers.emplace_back([&] {
      while (!enough) {
        TlsClient peer(port());
        ++connections;
        bool open = true;
        while (open && !enough) {
          (peer.get("/") == 200 ? answered : lost)++;
          open = peer.head().find("Connection: close") == std::string::npos;
        }
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    const int before = answered;
    while (answered < before + 20) std::this_thread::yield();
    server_->setTls(tls(std::to_string(round), ClientCertificates::None, clients_));
  }
  enough = true;
  for (auto& peer : peers) peer.join();
  EXPECT_EQ(lost, 0);
  EXPECT_GT(connections, 20);
}

TEST_F(TlsTest, OnlyWithTlsMayTheListenerLeaveLoopback) {
  EXPECT_FALSE(checkAddress("0.0.0.0", false).ok());
  EXPECT_TRUE(checkAddress("0.0.0.0", true).ok());
  EXPECT_TRUE(checkAddress("::1", false).ok());
  EXPECT_FALSE(checkAddress("::", false).ok());
  EXPECT_FALSE(checkAddress("gateway.example", true).ok());
  config_.address = "0.0.0.0";
  start();
  EXPECT_EQ(TlsClient(port()).get("/"), 200);
}

}  // namespace
}  // namespace lotsen::inbound::testing
