#include "gateway/http/message.h"

#include <gtest/gtest.h>

namespace lotsen::http {
namespace {

TEST(Message, PathAndQuery) {
  Request request;
  request.target = "/a/b?c=1?2";
  EXPECT_EQ(request.path(), "/a/b");
  EXPECT_EQ(request.query(), "c=1?2");
  request.target = "/a";
  EXPECT_EQ(request.path(), "/a");
  EXPECT_EQ(request.query(), "");
}

TEST(Message, PercentDecode) {
  std::string out;
  EXPECT_TRUE(percentDecode("a%20b+c%2Fd%c3%A5", false, out));
  EXPECT_EQ(out, "a b+c/d\xc3\xa5");
  EXPECT_TRUE(percentDecode("a+b", true, out));
  EXPECT_EQ(out, "a b");
  for (const char* bad : {"%", "a%2", "%g0", "%0g", "%%"}) EXPECT_FALSE(percentDecode(bad, false, out)) << bad;
}

TEST(Message, QueryParameter) {
  std::string out;
  EXPECT_TRUE(queryParameter("state=parked&at=a%26b&empty=&bare", "at", out));
  EXPECT_EQ(out, "a&b");
  EXPECT_TRUE(queryParameter("state=parked&empty=&bare", "empty", out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(queryParameter("state=parked&bare", "bare", out));
  EXPECT_EQ(out, "");
  EXPECT_FALSE(queryParameter("state=parked", "stat", out));
  EXPECT_FALSE(queryParameter("", "state", out));
  EXPECT_FALSE(queryParameter("state=%zz", "state", out));
}

TEST(Message, ResponseHelpersSetTheMediaType) {
  const Response response = Response::fhir(422, "{}");
  EXPECT_EQ(response.status, 422);
  ASSERT_EQ(response.fields.size(), 1U);
  EXPECT_EQ(response.fields[0].name, "Content-Type");
  EXPECT_EQ(response.fields[0].value, "application/fhir+json; charset=utf-8");
}

}  // namespace
}  // namespace lotsen::http
