#include "gateway/inbound/router.h"

#include "gateway/inbound/endpoints.h"

#include <gtest/gtest.h>

namespace lotsen::inbound {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  http::Response ask(const std::string& method, const std::string& target) {
    http::Request request;
    request.method = method;
    request.target = target;
    return router_.handle(request, {"127.0.0.1:1"});
  }
  void add(const std::string& method, const std::string& pattern) {
    router_.add(method, pattern, [method, pattern](const Call& call) {
      std::string body = method + " " + pattern;
      for (const auto& [name, value] : call.parameters) body += " " + std::string(name) + "=" + value;
      return http::Response::text(200, body);
    });
  }

  observe::Metrics metrics_;
  Router router_{metrics_,
                 [](int status, std::string_view why) { return http::Response::text(status, std::string(why)); }};
};

TEST_F(RouterTest, LiteralsAndParameters) {
  add("GET", "/");
  add("GET", "/api/v1/transfers");
  add("GET", "/api/v1/transfers/{id}");
  add("GET", "/api/v1/transfers/{id}/legs/{leg}");
  EXPECT_EQ(ask("GET", "/").body, "GET /");
  EXPECT_EQ(ask("GET", "/api/v1/transfers?state=parked").body, "GET /api/v1/transfers");
  EXPECT_EQ(ask("GET", "/api/v1/transfers/a%20%C3%A5").body, "GET /api/v1/transfers/{id} id=a \xc3\xa5");
  EXPECT_EQ(ask("GET", "/api/v1/transfers/7/legs/8").body, "GET /api/v1/transfers/{id}/legs/{leg} id=7 leg=8");
}

TEST_F(RouterTest, LiteralWinsOverParameter) {
  add("GET", "/fhir/{type}");
  add("GET", "/fhir/metadata");
  add("POST", "/fhir/$process-message");
  add("GET", "/a/{x}/c");
  add("GET", "/a/b/{y}");
  EXPECT_EQ(ask("GET", "/fhir/metadata").body, "GET /fhir/metadata");
  EXPECT_EQ(ask("GET", "/fhir/Patient").body, "GET /fhir/{type} type=Patient");
  EXPECT_EQ(ask("POST", "/fhir/%24process-message").body, "POST /fhir/$process-message");
  EXPECT_EQ(ask("GET", "/a/b/c").body, "GET /a/b/{y} y=c");
}

TEST_F(RouterTest, UnknownPathAndMethod) {
  add("GET", "/thing/{id}");
  add("DELETE", "/thing/{id}");
  add("POST", "/thing/$merge");
  EXPECT_EQ(ask("GET", "/").status, 404);
  EXPECT_EQ(ask("GET", "/thing").status, 404);
  EXPECT_EQ(ask("GET", "/thing/1/2").status, 404);
  const auto response = ask("POST", "/thing/1");
  EXPECT_EQ(response.status, 405);
  ASSERT_EQ(response.fields.back().name, "Allow");
  EXPECT_EQ(response.fields.back().value, "DELETE, GET, HEAD");
  EXPECT_EQ(ask("GET", "/thing/$merge").fields.back().value, "POST") << "the literal pattern owns its path";
}

TEST_F(RouterTest, HeadIsAnsweredByGet) {
  add("GET", "/");
  EXPECT_EQ(ask("HEAD", "/").status, 200);
}

TEST_F(RouterTest, TrickyPathsMatchNothing) {
  add("GET", "/files/{name}");
  add("GET", "/files/{name}/{part}");
  for (const char* path :
       {"/files/", "/files//", "/files/..", "/files/.", "/files/%2e%2e", "/files/a%2Fb", "/files/a%2fb", "/files/%ff",
        "/files/%00", "//files/a", "/files/a/", "/FILES/a", "files/a", ""}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
}

TEST_F(RouterTest, BodyLimitOfTheRoute) {
  router_.add(
      "POST", "/intake/{channel}", [](const Call&) { return http::Response{}; }, 20U << 20);
  http::Request head;
  head.method = "POST";
  head.target = "/intake/pas";
  EXPECT_EQ(router_.bodyLimit(head), 20U << 20);
  head.target = "/elsewhere";
  EXPECT_EQ(router_.bodyLimit(head), Router::kDefaultBodyLimit);
}

TEST_F(RouterTest, CountsByPattern) {
  add("GET", "/thing/{id}");
  router_.add("POST", "/thing/{id}", [](const Call&) -> http::Response { throw 42; });
  ask("GET", "/thing/1");
  ask("GET", "/thing/2");
  EXPECT_ANY_THROW(ask("POST", "/thing/3"));
  const auto text = metrics_.exposition();
  EXPECT_NE(text.find("lotsen_http_requests_total{method=\"GET\",route=\"/thing/{id}\",status=\"2xx\"} 2\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lotsen_http_requests_total{method=\"POST\",route=\"/thing/{id}\",status=\"5xx\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lotsen_http_request_seconds_count{method=\"GET\",route=\"/thing/{id}\"} 2\n"), std::string::npos)
      << text;
}

TEST_F(RouterTest, ObservationEndpoints) {
  observe::Health health;
  addObservation(router_, metrics_, health);
  health.expect(observe::Health::Kind::Live, "store");
  EXPECT_EQ(ask("GET", "/health/live").status, 200);
  EXPECT_EQ(ask("GET", "/health/ready").status, 503);
  health.good("store");
  EXPECT_EQ(ask("GET", "/health/ready").body, R"({"status":"good","checks":[{"name":"store","good":true}]})");
  EXPECT_NE(ask("GET", "/metrics").body.find("# TYPE lotsen_http_requests_total counter\n"), std::string::npos);
}

TEST(RouterDeathTest, RouteStandsOnce) {
  observe::Metrics metrics;
  Router router(metrics, [](int status, std::string_view) { return http::Response::text(status, ""); });
  const auto handler = [](const Call&) { return http::Response{}; };
  router.add("GET", "/a/{x}", handler);
  EXPECT_DEATH(router.add("GET", "/a/{y}", handler), "");
  EXPECT_DEATH(router.add("GET", "/a/{}", handler), "");
  EXPECT_DEATH(router.add("GET", "a", handler), "");
}

}  // namespace
}  // namespace lotsen::inbound
