// What a peer sees of the listener, over real sockets. The rows of the trap list of Poco's HTTPServer are named where
// they belong.
#include "gateway/inbound/server.h"

#include "tests/http/corpus.h"
#include "tests/inbound/fixture.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace lotsen::inbound::testing {
namespace {

namespace corpus = http::corpus;

std::string announce(std::size_t bytes) {
  return corpus::post("Content-Length: " + std::to_string(bytes) + "\r\n");
}

std::string statuses(Client& client, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    const Answer answer = client.read();
    if (answer.status == 100) continue;
    EXPECT_EQ(answer.body.find("canary"), std::string::npos);
    out += (out.empty() ? "" : " ") + std::to_string(answer.status);
  }
  return out;
}

TEST_F(ServerTest, CorpusOverASocket) {
  start();
  for (const auto& test : corpus::all()) {
    const bool closes = test.expected.ends_with(" close");
    const std::string expected = closes ? test.expected.substr(0, test.expected.size() - 6) : test.expected;
    const auto count = split(expected, ' ').size();
    Client client(port());
    client.send(test.bytes);
    if (test.peerEnds) client.endSending();
    EXPECT_EQ(statuses(client, count), expected) << test.title;
    if (closes) {
      EXPECT_TRUE(client.closedQuietly()) << test.title;
    } else {
      EXPECT_EQ(client.get("/").status, 200) << test.title << ": still in step";
    }
  }
}

TEST_F(ServerTest, Row1UnreadBodyIsNotTheNextRequest) {
  start();
  Client client(port());
  client.send("POST /deny HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nHELLOGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read().status, 401);
  EXPECT_EQ(client.read().status, 200);
}

TEST_F(ServerTest, Row2ThrowingHandlerIsAnswered) {
  start();
  Client client(port());
  EXPECT_EQ(client.get("/throw").status, 500);
  const Answer answer = client.get("/throw-std");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  EXPECT_EQ(client.get("/").status, 200) << "the connection goes on";
  EXPECT_EQ(metrics_.counter("lotsen_http_handler_failures_total", "").value(), 2U);
}

// Ids by which the peer knows that it was us who answered: on every answer, whatever it is.
TEST_F(ServerTest, NamedFieldsGoBackWithEveryAnswer) {
  echoed_ = {"X-Request-Id", "X-Correlation-Id"};
  start();
  Client client(port());
  const auto ask = [&](const std::string& line, const std::string& more) {
    return client.ask(line + " HTTP/1.1\r\nHost: h\r\nx-request-id: r-7\r\nX-Correlation-Id: c-8\r\n" + more + "\r\n");
  };
  for (const auto& [line, status] : {std::pair<const char*, int>{"GET /", 200},
                                     {"GET /missing", 404},
                                     {"GET /throw", 500},
                                     {"GET /bad-field", 500},
                                     {"GET /empty", 204}}) {
    const Answer answer = ask(line, "");
    EXPECT_EQ(answer.status, status) << line;
    EXPECT_TRUE(answer.has("X-Request-Id: r-7\r\n") && answer.has("X-Correlation-Id: c-8\r\n")) << answer.head;
  }
  EXPECT_FALSE(client.get("/").has("X-Request-Id")) << "not those of the request before";
  const Answer large = ask("POST /echo", "Content-Length: 99999999999\r\n");
  EXPECT_EQ(large.status, 413);
  EXPECT_TRUE(large.has("X-Request-Id: r-7\r\n")) << "refused by the server itself";
  Client other(port());
  EXPECT_FALSE(other.ask("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: " + std::string(201, 'x') + "\r\n\r\n")
                   .has("X-Request-Id"));
}

TEST_F(ServerTest, Row3PostWithoutLengthIsAnsweredAtOnce) {
  start();
  Client client(port());
  const Stopwatch watch;
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: h\r\n\r\n").status, 411);
  EXPECT_LT(watch.ms(), 1000);
}

TEST_F(ServerTest, Row5CutBodyNeverReachesTheHandler) {
  start();
  for (const char* rest : {"Content-Length: 50\r\n\r\nHELLO", "Transfer-Encoding: chunked\r\n\r\n5\r\nHEL",
                           "Transfer-Encoding: chunked\r\n\r\n5\r\nHELLO\r\n"}) {
    Client client(port());
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\n" + std::string(rest));
    client.endSending();
    EXPECT_EQ(client.read().status, 400);
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(ServerTest, Row7FieldValuesAreNotDecoded) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask("GET /field HTTP/1.1\r\nHost: h\r\nX-Test: =?utf-8?q?=61dmin?=\r\n\r\n").body,
            "=?utf-8?q?=61dmin?=");
}

TEST_F(ServerTest, Row9AnnouncedLengthOverTheLimitIsRefusedBeforeReading) {
  start();
  Client client(port());
  const Stopwatch watch;
  EXPECT_EQ(client.ask(announce(52'428'800)).status, 413);
  EXPECT_LT(watch.ms(), 1000);
  EXPECT_EQ(handled_, 0);
}

TEST_F(ServerTest, Row9RefusalReachesAPeerThatKeepsSending) {
  start();
  Client client(port());
  client.send(announce(5'000'000));
  const std::string piece(10'000, 'x');
  for (int i = 0; i < 50; ++i) {
    if (!client.send(piece)) break;
  }
  EXPECT_EQ(client.read().status, 413);
}

TEST_F(ServerTest, Row9BodyOfExactlyTheLimitIsTaken) {
  start();
  Client client(port());
  const std::string body(4 * 1024 * 1024, 'z');
  const Answer answer = client.post("/echo", body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, body);
}

TEST_F(ServerTest, Row9ChunkedBodyOverTheLimit) {
  start();
  Client client(port());
  client.send(corpus::post(corpus::kChunked));
  const std::string chunk = "10000\r\n" + std::string(65536, 'y') + "\r\n";
  for (int i = 0; i < 80; ++i) {
    if (!client.send(chunk)) break;
  }
  EXPECT_EQ(client.read().status, 413);
}

TEST_F(ServerTest, Row16ResponseCannotBeSplit) {
  start();
  Client client(port());
  const Answer answer = client.get("/bad-field");
  EXPECT_EQ(answer.status, 500);
  EXPECT_FALSE(answer.has("Injected"));
  EXPECT_EQ(client.get("/").status, 200);
}

TEST_F(ServerTest, Row17HeadAndEmptyAnswersKeepTheFraming) {
  start();
  Client client(port());
  const Answer head = client.ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", true);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.has("Content-Length: 2\r\n"));
  const Answer empty = client.get("/empty");
  EXPECT_EQ(empty.status, 204);
  EXPECT_FALSE(empty.has("Content-Length"));
  EXPECT_EQ(client.get("/").body, "ok");
}

TEST_F(ServerTest, HandlerMayCloseTheConnection) {
  start();
  Client client(port());
  const Answer answer = client.get("/close");
  EXPECT_EQ(answer.body, "last");
  EXPECT_TRUE(answer.has("Connection: close\r\n"));
  EXPECT_TRUE(client.closedQuietly());
}

TEST_F(ServerTest, HalfClosedPeerIsAnswered) {
  start();
  Client client(port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.endSending();
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(client.closedQuietly());
}

TEST_F(ServerTest, ContinueIsSentWhenTheBodyIsWanted) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask(corpus::post("Expect: 100-continue\r\nContent-Length: 5\r\n")).status, 100);
  EXPECT_EQ(client.ask("HELLO").body, "HELLO");
}

TEST_F(ServerTest, TooLongABodyIsRefusedInsteadOfContinued) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask(corpus::post("Expect: 100-continue\r\nContent-Length: 5000000\r\n")).status, 413);
}

TEST_F(ServerTest, PeerThatLeavesDuringTheHandlerHarmsNobody) {
  start();
  {
    Client client(port());
    client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(gate_.waitForInside(1));
  }
  gate_.open();
  EXPECT_EQ(Client(port()).get("/").status, 200);
}

TEST_F(ServerTest, TwoHundredPipelinedRequests) {
  start();
  Client client(port());
  client.send(corpus::repeat(corpus::get(), 200));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.read().body, "ok") << i;
}

TEST_F(ServerTest, ManyKeptConnectionsAtOnce) {
  start();
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int t = 0; t < 64; ++t) {
    clients.emplace_back([&] {
      Client client(port());
      for (int i = 0; i < 20; ++i) good += client.post("/echo", "body").body == "body";
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 64 * 20);
}

TEST_F(ServerTest, RefusalsAreDressedByTheApplication) {
  refuse_ = [](int status, std::string_view why) {
    if (status == 411) throw std::runtime_error("cannot even do that");
    return http::Response::fhir(status, R"({"why":")" + std::string(why) + "\"}");
  };
  start();
  const Answer answer = Client(port()).ask("GET /\\ HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(answer.has("application/fhir+json"));
  EXPECT_EQ(answer.body, R"({"why":"bad request target"})");
  EXPECT_EQ(Client(port()).ask("POST / HTTP/1.1\r\nHost: h\r\n\r\n").body, "content length required\n");
  EXPECT_EQ(Client(port()).get("/throw").body, R"({"why":"internal error"})");
}

TEST_F(ServerTest, ApplicationMaySayWhenToTryAgain) {
  config_.bodyBudget = 0;
  refuse_ = [](int status, std::string_view) {
    auto response = http::Response::text(status, "later");
    response.fields.push_back({"Retry-After", "5"});
    return response;
  };
  start();
  Client client(port());
  client.send(announce(1'000'000));
  client.send(std::string(100'000, 'x'));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("Retry-After: 5\r\n"));
  EXPECT_FALSE(answer.has("Retry-After: 1\r\n"));
}

TEST_F(ServerTest, AdmissionSetsTheBodyLimitOfTheRoute) {
  admit_ = [](const http::Request& head, const ConnectionInfo&) {
    return Admission{head.path() == "/echo" ? std::size_t{8} << 20 : std::size_t{10}, {}};
  };
  start();
  const std::string body(5'000'000, 'b');
  EXPECT_EQ(Client(port()).post("/echo", body).body, body);
  EXPECT_EQ(Client(port()).post("/", "12345678901").status, 413);
}

TEST_F(ServerTest, AdmissionMayRefuseBeforeTheBodyIsSent) {
  admit_ = [](const http::Request& head, const ConnectionInfo& connection) {
    EXPECT_TRUE(connection.peer.starts_with("127.0.0.1:"));
    Admission admission;
    if (head.find("Authorization") == nullptr) admission.refusal = http::Response::text(401, "who are you?");
    if (head.path() == "/throw") throw 42;
    return admission;
  };
  start();
  Client client(port());
  const Answer answer = client.ask(announce(1'000'000));
  EXPECT_EQ(answer.status, 401);
  EXPECT_TRUE(answer.has("Connection: close\r\n"));
  EXPECT_TRUE(client.closedQuietly());
  EXPECT_EQ(Client(port()).get("/throw").status, 500);
  EXPECT_EQ(handled_, 0);
}

TEST_F(ServerTest, BodiesShareABudgetAndGiveItBack) {
  config_.bodyBudget = 1'000'000;
  start();
  const std::string fits(900'000, 'x');
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Client(port()).post("/echo", fits).status, 200);
    Client client(port());
    client.send(announce(1'400'000));
    client.send(std::string(1'100'000, 'x'));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
  }
}

}  // namespace
}  // namespace lotsen::inbound::testing
