// What leaves over HTTP, and how far it came: against a partner that misbehaves on command.
#include "gateway/base/text.h"
#include "gateway/outbound/outbound.h"
#include "tests/support/scripted_server.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace lotsen::outbound {
namespace {

using queue::Answer;
using queue::Phase;
using support::ScriptedServer;
using support::Step;
using What = Step::What;

constexpr milliseconds kPatience{10'000};

Endpoint endpointAt(std::string url) {
  Endpoint endpoint;
  endpoint.id = "partner";
  endpoint.url = std::move(url);
  if (endpoint.url.starts_with("https")) endpoint.tls = std::make_shared<Tls>();
  endpoint.connectTimeout = milliseconds(2'000);
  endpoint.totalTimeout = milliseconds(5'000);
  return endpoint;
}

queue::Sending message(std::string delivery, std::string body = R"({"resourceType":"Bundle"})") {
  queue::Sending sending;
  sending.delivery = std::move(delivery);
  sending.token = 7;
  sending.endpoint = "partner";
  sending.messageId = "5c2f9a51-64f0-4e5e-9d0b-0e7b3f6f8a11";
  sending.transfer = "0c6d5d6e-93c4-4f0e-8a51-2f4f9d2b1c33";
  sending.mediaType = "application/fhir+json; charset=utf-8";
  sending.body = std::move(body);
  return sending;
}

std::unique_ptr<Outbound> outboundTo(Endpoint endpoint) {
  auto made = Outbound::create({std::move(endpoint)});
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return std::move(made).value();
}

Answer sendOne(Outbound& outbound, queue::Sending sending) {
  outbound.start(std::move(sending));
  auto answers = outbound.take(kPatience);
  EXPECT_EQ(answers.size(), 1U);
  return answers.empty() ? Answer{} : answers.front();
}

TEST(Http, SendsTheBytesWithTheirIdsAndReturnsTheWholeAnswer) {
  ScriptedServer server(
      {{.status = 422, .body = R"({"resourceType":"OperationOutcome"})", .fields = "Retry-After: 7\r\n"}});
  Endpoint endpoint = endpointAt(server.url());
  endpoint.fields = {{"X-Contract", "lotsning-1"}};
  const auto outbound = outboundTo(endpoint);

  const Answer answer = sendOne(*outbound, message("d1"));

  EXPECT_EQ(answer.phase, Phase::Answered);
  EXPECT_EQ(answer.delivery, "d1");
  EXPECT_EQ(answer.token, 7U);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body, R"({"resourceType":"OperationOutcome"})");
  EXPECT_NE(
      std::find(answer.fields.begin(), answer.fields.end(), std::pair<std::string, std::string>("Retry-After", "7")),
      answer.fields.end());
  ASSERT_EQ(server.requests().size(), 1U);
  const auto request = server.requests().front();
  EXPECT_TRUE(request.head.starts_with("POST /fhir/$process-message HTTP/1.1\r\n")) << request.head;
  EXPECT_EQ(request.body, R"({"resourceType":"Bundle"})");
  EXPECT_EQ(request.field("X-Request-Id"), "5c2f9a51-64f0-4e5e-9d0b-0e7b3f6f8a11");
  EXPECT_EQ(request.field("X-Correlation-Id"), "0c6d5d6e-93c4-4f0e-8a51-2f4f9d2b1c33");
  EXPECT_EQ(request.field("Content-Type"), "application/fhir+json; charset=utf-8");
  EXPECT_EQ(request.field("Accept"), "application/fhir+json");
  EXPECT_EQ(request.field("X-Contract"), "lotsning-1");
  EXPECT_EQ(request.field("Authorization"), "(absent)");
  EXPECT_EQ(request.field("Expect"), "(absent)");
  EXPECT_EQ(request.field("Accept-Encoding"), "(absent)");
}

TEST(Http, AnEndpointMayAskForItsOwnKindOfAnswer) {
  ScriptedServer server({Step{.status = 200}});
  Endpoint endpoint = endpointAt(server.url());
  endpoint.fields = {{"accept", "application/fhir+json; version=1.1.0"}, {"NHSD-Target-Identifier", "e30="}};
  const auto outbound = outboundTo(std::move(endpoint));
  sendOne(*outbound, message("a"));
  const auto request = server.requests().front();
  EXPECT_EQ(request.field("Accept"), "application/fhir+json; version=1.1.0");
  EXPECT_EQ(request.head.find("Accept: application/fhir+json\r\n"), std::string::npos) << "once only";
  EXPECT_EQ(request.field("NHSD-Target-Identifier"), "e30=");
}

TEST(Http, ReadsTheTokenAnewAtEachSending) {
  const std::string path = testing::TempDir() + "/lotsen-outbound-token";
  ScriptedServer server({Step{}});
  Endpoint endpoint = endpointAt(server.url());
  endpoint.tokenFile = path;
  const auto outbound = outboundTo(endpoint);

  std::ofstream(path) << "first\n";
  EXPECT_EQ(sendOne(*outbound, message("d1")).phase, Phase::Answered);
  std::ofstream(path) << "second";
  EXPECT_EQ(sendOne(*outbound, message("d2")).phase, Phase::Answered);
  std::filesystem::remove(path);
  const Answer without = sendOne(*outbound, message("d3"));

  EXPECT_EQ(without.phase, Phase::Unsent);
  EXPECT_NE(without.error.find("token file"), std::string::npos) << without.error;
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[0].field("Authorization"), "Bearer first");
  EXPECT_EQ(server.requests()[1].field("Authorization"), "Bearer second");
}

TEST(Http, NobodyListensIsUnsent) {
  const auto outbound = outboundTo(endpointAt("http://127.0.0.1:" + std::to_string(support::closedPort()) + "/"));
  const Answer answer = sendOne(*outbound, message("d1"));
  EXPECT_EQ(answer.phase, Phase::Unsent);
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(answer.error.find("partner"), std::string::npos);
}

TEST(Http, AnUnknownHostIsUnsent) {
  const auto outbound = outboundTo(endpointAt("https://nowhere.invalid/"));
  EXPECT_EQ(sendOne(*outbound, message("d1")).phase, Phase::Unsent);
}

TEST(Http, AFailedTlsHandshakeIsUnsent) {
  ScriptedServer server({Step{}});  // speaks no TLS
  Endpoint endpoint = endpointAt("https" + server.url().substr(4));
  endpoint.connectTimeout = milliseconds(300);
  const auto outbound = outboundTo(endpoint);
  EXPECT_EQ(sendOne(*outbound, message("d1")).phase, Phase::Unsent);
  EXPECT_TRUE(server.requests().empty());
}

struct NoAnswer {
  const char* name;
  Step step;
};

class HttpNoAnswer : public testing::TestWithParam<NoAnswer> {};

// The same libcurl code may stand for unsent and for sent: what counts is what was written.
TEST_P(HttpNoAnswer, IsSent) {
  ScriptedServer server({GetParam().step});
  Endpoint endpoint = endpointAt(server.url());
  endpoint.totalTimeout = milliseconds(300);
  const auto outbound = outboundTo(endpoint);

  const Answer answer = sendOne(*outbound, message("d1"));

  EXPECT_EQ(answer.phase, Phase::Sent) << answer.error;
  EXPECT_EQ(answer.status, 0);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_TRUE(answer.fields.empty());
  EXPECT_LT(answer.took, milliseconds(3'000));
  EXPECT_EQ(server.requests().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Partners, HttpNoAnswer,
    testing::Values(NoAnswer{"swallowed", {.what = What::Swallow}}, NoAnswer{"hangs", {.what = What::Hang}},
                    NoAnswer{"drips", {.what = What::Drip, .body = std::string(10'000, 'x')}},
                    NoAnswer{"halfHead", {.what = What::HalfHead}},
                    NoAnswer{"half", {.what = What::HalfBody, .body = std::string(10'000, 'x')}},
                    NoAnswer{"reset", {.what = What::ResetEarly}},
                    NoAnswer{"large", {.body = std::string((std::size_t{4} << 20) + 1, 'x')}},
                    NoAnswer{"longhead", {.fields = "X-Long: " + std::string(70'000, 'x') + "\r\n"}}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(Http, ALargeBodyStillCountsAsSentWhenTheConnectionBreaksUnderIt) {
  ScriptedServer server({Step{.what = What::ResetEarly}});
  const auto outbound = outboundTo(endpointAt(server.url()));
  EXPECT_EQ(sendOne(*outbound, message("d1", std::string(std::size_t{8} << 20, 'x'))).phase, Phase::Sent);
}

// The trap that D7 is about. If this fails after an update of libcurl, the fresh connection may have become
// unnecessary.
TEST(Http, LibcurlRepeatsAPostOnADeadReusedConnectionSoTheMessageIdMustBeStable) {
  ScriptedServer server({Step{}, {.what = What::Swallow}, Step{}});
  const auto outbound = outboundTo(endpointAt(server.url()));

  EXPECT_EQ(sendOne(*outbound, message("d1")).phase, Phase::Answered);
  EXPECT_EQ(sendOne(*outbound, message("d2", "again")).phase, Phase::Answered);

  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U) << "two sendings, three requests";
  EXPECT_EQ(requests[0].connection, requests[1].connection);
  EXPECT_NE(requests[1].connection, requests[2].connection);
  EXPECT_EQ(requests[1].head, requests[2].head);
  EXPECT_EQ(requests[1].body, requests[2].body);
}

TEST(Http, AReceiverThatKnowsNoRepeatsGetsNone) {
  ScriptedServer server({Step{}, {.what = What::Swallow}, Step{}});
  Endpoint endpoint = endpointAt(server.url());
  endpoint.idempotent = false;
  const auto outbound = outboundTo(endpoint);

  EXPECT_EQ(sendOne(*outbound, message("d1")).phase, Phase::Answered);
  EXPECT_EQ(sendOne(*outbound, message("d2")).phase, Phase::Sent);

  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_NE(requests[0].connection, requests[1].connection);
}

TEST(Http, AsksWhetherAMessageIsThere) {
  ScriptedServer server({{.status = 200, .body = R"({"resourceType":"Bundle","type":"searchset"})"}});
  Endpoint endpoint = endpointAt(server.url());
  endpoint.readBackUrl = server.url() + "/Task?identifier=urn:uuid:{message}";
  const auto outbound = outboundTo(endpoint);
  queue::Sending question = message("d1", "");
  question.purpose = queue::Purpose::ReadBack;
  const Answer answer = sendOne(*outbound, question);
  EXPECT_EQ(answer.phase, Phase::Answered);
  EXPECT_EQ(answer.status, 200);
  const std::string request = server.requests().at(0).head;
  EXPECT_NE(request.find("GET "), std::string::npos) << request;
  EXPECT_NE(request.find("/Task?identifier=urn:uuid:5c2f9a51-64f0-4e5e-9d0b-0e7b3f6f8a11 HTTP/1.1"), std::string::npos)
      << request;
  EXPECT_EQ(request.find("Content-Type"), std::string::npos);
}

TEST(Http, WhoCannotBeAskedIsNotAsked) {
  ScriptedServer server({Step{}});
  const auto outbound = outboundTo(endpointAt(server.url()));
  queue::Sending question = message("d1", "");
  question.purpose = queue::Purpose::ReadBack;
  EXPECT_EQ(sendOne(*outbound, question).phase, Phase::Unsent);
  EXPECT_TRUE(server.requests().empty());
}

TEST(Http, FollowsNoRedirect) {
  ScriptedServer elsewhere({Step{}});
  ScriptedServer server({Step{.status = 307, .fields = "Location: " + elsewhere.url() + "\r\n"}});
  const auto outbound = outboundTo(endpointAt(server.url()));
  EXPECT_EQ(sendOne(*outbound, message("d1")).status, 307);
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST(Http, IgnoresTheProxyOfItsEnvironment) {
  ScriptedServer proxy({Step{}});
  ScriptedServer server({Step{.status = 201}});
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  const auto outbound = outboundTo(endpointAt(server.url()));
  const Answer answer = sendOne(*outbound, message("d1"));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_EQ(answer.status, 201);
  EXPECT_TRUE(proxy.requests().empty());
}

TEST(Http, LeavesACompressedAnswerAlone) {
  ScriptedServer server({Step{.body = "\x1f\x8b not gzip", .fields = "Content-Encoding: gzip\r\n"}});
  const auto outbound = outboundTo(endpointAt(server.url()));
  EXPECT_EQ(sendOne(*outbound, message("d1")).body, "\x1f\x8b not gzip");
}

TEST(Http, ASlowPartnerDoesNotHoldUpTheOthers) {
  ScriptedServer slow({Step{.what = What::Hang}});
  ScriptedServer quick({Step{}});
  Endpoint slowly = endpointAt(slow.url());
  slowly.totalTimeout = milliseconds(60'000);
  Endpoint quickly = endpointAt(quick.url());
  quickly.id = "quick";
  auto outbound = Outbound::create({slowly, quickly});
  ASSERT_TRUE(outbound.ok());

  (*outbound)->start(message("slow"));
  ASSERT_TRUE(slow.waitFor(1));
  queue::Sending sending = message("quick");
  sending.endpoint = "quick";
  EXPECT_EQ(sendOne(**outbound, sending).delivery, "quick");
  // The slow one is still on its way: destruction ends it, in bounded time.
}

TEST(Http, AnUnknownEndpointAndAWrongFieldAreUnsent) {
  ScriptedServer server({Step{}});
  const auto outbound = outboundTo(endpointAt(server.url()));
  queue::Sending stray = message("d1");
  stray.endpoint = "elsewhere";
  EXPECT_EQ(sendOne(*outbound, stray).phase, Phase::Unsent);
  queue::Sending split = message("d2");
  split.messageId = "a\r\nX-Evil: 1";
  EXPECT_EQ(sendOne(*outbound, split).phase, Phase::Unsent);
  EXPECT_TRUE(server.requests().empty());
}

TEST(Http, WakeEndsAWaitingTake) {
  ScriptedServer server({Step{}});
  const auto outbound = outboundTo(endpointAt(server.url()));
  outbound->wake();
  EXPECT_TRUE(outbound->take(milliseconds(60'000)).empty());
}

TEST(Endpoints, AreCheckedBeforeAnythingIsSent) {
  const auto faultOf = [](auto change) {
    Endpoint endpoint = endpointAt("https://partner.example/fhir");
    change(endpoint);
    if (endpoint.url.starts_with("http:")) endpoint.tls = nullptr;
    const Status checked = checkEndpoint(endpoint);
    return checked.ok() ? std::string("fine") : checked.error().message;
  };
  EXPECT_EQ(faultOf([](Endpoint&) {}), "fine");
  EXPECT_NE(faultOf([](Endpoint& e) { e.tls = nullptr; }).find("ca_file"), std::string::npos);
  for (const char* url : {"http://127.0.0.1:1/", "http://127.8.8.8/", "http://localhost:1/", "http://[::1]:1/"})
    EXPECT_EQ(faultOf([&](Endpoint& e) { e.url = url; }), "fine") << url;
  for (const char* url : {"", "http://10.0.0.1/", "http://127.0.0.1.example.org/", "http://localhost.example/",
                          "ftp://a/", "file:///etc/passwd", "https://user:secret@a/"})
    EXPECT_NE(faultOf([&](Endpoint& e) { e.url = url; }), "fine") << url;
  EXPECT_EQ(faultOf([](Endpoint& e) { e.url = "https://user:secret@a/"; }).find("secret"), std::string::npos);
  EXPECT_EQ(faultOf([](Endpoint& e) { e.readBackUrl = "https://a/Task?identifier={message}"; }), "fine");
  for (const char* url : {"https://a/Task", "http://10.0.0.1/{message}", "{message}"})
    EXPECT_NE(faultOf([&](Endpoint& e) { e.readBackUrl = url; }), "fine") << url;
  EXPECT_NE(faultOf([](Endpoint& e) { e.id = "../up"; }), "fine");
  EXPECT_NE(faultOf([](Endpoint& e) { e.totalTimeout = milliseconds(0); }), "fine");
  EXPECT_FALSE(Outbound::create({endpointAt("https://a/"), endpointAt("https://b/")}).ok()) << "one id, two endpoints";
}

}  // namespace
}  // namespace lotsen::outbound
