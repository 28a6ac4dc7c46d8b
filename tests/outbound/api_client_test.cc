// The command line's way to a running gateway.
#include "gateway/outbound/api_client.h"

#include "tests/support/certificates.h"
#include "tests/support/scripted_server.h"

#include <gtest/gtest.h>

#include <fstream>

namespace lotsen::outbound {
namespace {

using support::ScriptedServer;
using support::Step;
using What = Step::What;

class ApiClientTest : public testing::Test {
 protected:
  ApiClientTest() { std::ofstream(token_) << "operators-token\n"; }

  /// The server's root: its url() has a path.
  static std::string root(const ScriptedServer& server) {
    const std::string url = server.url();
    return url.substr(0, url.find('/', url.find("://") + 3));
  }
  std::unique_ptr<ApiClient> clientOf(const ScriptedServer& server, milliseconds timeout = milliseconds(5'000)) {
    auto client = ApiClient::create({root(server), token_, {}}, timeout);
    EXPECT_TRUE(client.ok()) << (client.ok() ? "" : client.error().message);
    return client.ok() ? std::move(*client) : nullptr;
  }

  const std::string token_ = testing::TempDir() + "/lotsen-api-client-token";
};

TEST_F(ApiClientTest, PostsWithTheTokenAndReturnsEveryWholeAnswer) {
  ScriptedServer server(
      {{.status = 200, .body = "{\"a\":1}"}, {.status = 503, .body = "later", .fields = "Retry-After: 7\r\n"}});
  const auto client = clientOf(server);
  const auto first = client->post("/api/v1/reprocess", "{}");
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "{\"a\":1}");
  EXPECT_EQ(first->retryAfter, milliseconds(0));
  const auto second = client->post("/api/v1/reprocess", "{}");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->status, 503);
  EXPECT_EQ(second->retryAfter, milliseconds(7'000));

  const auto seen = server.requests();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen[0].head.starts_with("POST /api/v1/reprocess HTTP/1.1\r\n")) << seen[0].head;
  EXPECT_EQ(seen[0].field("Authorization"), "Bearer operators-token");
  EXPECT_EQ(seen[0].field("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(seen[0].field("X-Correlation-Id"), "(absent)");
  EXPECT_NE(seen[0].connection, seen[1].connection)
      << "libcurl repeats a POST by itself on a kept connection that died";
}

TEST_F(ApiClientTest, SaysWhetherALostRequestMayHaveArrived) {
  ScriptedServer swallows({{.what = What::Swallow}});
  const auto lost = clientOf(swallows)->post("/x", "{}");
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, Code::Unavailable);
  EXPECT_NE(lost.error().message.find("may have arrived"), std::string::npos) << lost.error().message;
  EXPECT_EQ(swallows.requests().size(), 1u);

  const auto nobody =
      ApiClient::create({"http://127.0.0.1:" + std::to_string(support::closedPort()), token_, {}}, milliseconds(5'000));
  ASSERT_TRUE(nobody.ok());
  const auto unsent = (*nobody)->post("/x", "{}");
  ASSERT_FALSE(unsent.ok());
  EXPECT_NE(unsent.error().message.find("was not sent"), std::string::npos) << unsent.error().message;
}

TEST_F(ApiClientTest, TheTokenLeavesLoopbackOnlyUnderTls) {
  const std::string authority = support::authority("CA").write(testing::TempDir(), "lotsen-api-client-ca") + ".pem";
  const auto create = [&](const std::string& url, const std::string& caFile = {}) {
    return ApiClient::create({url, token_, {caFile, {}, {}}}, milliseconds(1'000));
  };
  EXPECT_TRUE(create("http://127.0.0.1:8080/").ok());
  EXPECT_TRUE(create("https://gateway.example", authority).ok());
  EXPECT_FALSE(create("https://gateway.example").ok()) << "nobody is trusted by default";
  EXPECT_FALSE(create("https://gateway.example", "/nowhere").ok());
  EXPECT_EQ(create("http://gateway.example").error().code, Code::Invalid);
  EXPECT_EQ(create("http://127.0.0.1:8080/api").error().code, Code::Invalid);
  EXPECT_EQ(create("nonsense").error().code, Code::Invalid);
}

}  // namespace
}  // namespace lotsen::outbound
