#include "gateway/http/writer.h"

#include <gtest/gtest.h>

namespace lotsen::http {
namespace {

Instant noon() {
  return *parseInstant("2026-03-02T12:04:07.120Z");
}

TEST(Writer, WholeHead) {
  Response response = Response::json(202, "{}");
  response.fields.push_back({"Location", "/api/v1/transfers/1"});
  const auto head = writeHead(response, {.keepAlive = true, .now = noon()});
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(*head,
            "HTTP/1.1 202 Accepted\r\nDate: Mon, 02 Mar 2026 12:04:07 GMT\r\nContent-Type: application/json\r\n"
            "Location: /api/v1/transfers/1\r\nContent-Length: 2\r\n\r\n");
}

TEST(Writer, CloseIsSaid) {
  Response response = Response::text(200, "x");
  EXPECT_NE(writeHead(response, {.keepAlive = false}).value().find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(writeHead(response, {.keepAlive = true}).value().find("Connection"), std::string::npos);
  response.close = true;
  EXPECT_NE(writeHead(response, {.keepAlive = true}).value().find("Connection: close\r\n"), std::string::npos);
}

TEST(Writer, StatusesWithoutBodyAndHead) {
  for (const int status : {204, 304}) {
    Response response;
    response.status = status;
    response.body = "must not go out";
    EXPECT_EQ(writeHead(response, {}).value().find("Content-Length"), std::string::npos) << status;
    EXPECT_EQ(bodyOnWire(response, "GET"), "") << status;
  }
  const Response response = Response::text(200, "12345");
  EXPECT_NE(writeHead(response, {}).value().find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(bodyOnWire(response, "HEAD"), "");
  EXPECT_EQ(bodyOnWire(response, "GET"), "12345");
}

TEST(Writer, MoreFieldsGoOutAsFarAsTheyCan) {
  const Response response = Response::text(200, "x");
  const std::vector<Field> more = {{"X-Request-Id", "7"}, {"X-Bad", "a\r\nInjected: 1"}, {"Bad Name", "x"}};
  const std::string head = writeHead(response, {.more = more}).value();
  EXPECT_NE(head.find("\r\nX-Request-Id: 7\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Injected"), std::string::npos);
  EXPECT_EQ(head.find("Bad"), std::string::npos);
}

TEST(Writer, FieldsThatWouldBreakTheFramingAreRefused) {
  using namespace std::string_literals;
  const std::pair<std::string, std::string> bad[] = {{"X-Note", "a\r\nInjected: 1"},
                                                     {"X-Note", "a\nb"},
                                                     {"X-Note", "a\rb"},
                                                     {"X-Note", "a\0b"s},
                                                     {"X-Note", "\x7f"},
                                                     {"X\r\nY", "a"},
                                                     {"X Y", "a"},
                                                     {"X:", "a"},
                                                     {"", "a"}};
  for (const auto& [name, value] : bad) {
    Response response;
    response.fields.push_back({name, value});
    const auto head = writeHead(response, {});
    ASSERT_FALSE(head.ok()) << name;
    EXPECT_EQ(head.error().code, Code::Internal);
  }
}

TEST(Writer, FramingFieldsBelongToTheWriter) {
  for (const char* name : {"Content-Length", "transfer-encoding", "Connection", "DATE"}) {
    Response response;
    response.fields.push_back({name, "1"});
    EXPECT_FALSE(writeHead(response, {}).ok()) << name;
  }
}

TEST(Writer, OnlyFinalStatuses) {
  for (const int status : {0, 100, 199, 600, -1}) {
    Response response;
    response.status = status;
    EXPECT_FALSE(writeHead(response, {}).ok()) << status;
  }
}

TEST(Writer, Date) {
  EXPECT_EQ(formatHttpDate(*parseInstant("2024-02-29T23:59:59.999Z")), "Thu, 29 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(formatHttpDate(Instant{}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace lotsen::http
