#include "gateway/service/read_back.h"

#include <gtest/gtest.h>

namespace lotsen::service {
namespace {

using queue::Finding;
using queue::Phase;

constexpr const char* kMessage = "5c2f9a51-64f0-4e5e-9d0b-0e7b3f6f8a11";

Finding find(std::string body, bool acknowledges = false, int status = 200, Phase phase = Phase::Answered) {
  queue::Answer answer;
  answer.phase = phase;
  answer.status = status;
  answer.body = std::move(body);
  return understandReadBack(fhir::Schema::r4(), kMessage, acknowledges, answer);
}

std::string searchset(const std::string& entries, const std::string& more = {}) {
  return R"({"resourceType":"Bundle","type":"searchset")" + more + R"(,"entry":[)" + entries + "]}";
}
std::string entry(const std::string& resource, const std::string& mode = "match") {
  return R"({"resource":)" + resource + R"(,"search":{"mode":")" + mode + R"("}})";
}
const std::string kTask = R"({"resourceType":"Task","id":"1","status":"requested","intent":"order","identifier":[)"
                          R"({"value":"x"},{"system":"urn:ietf:rfc:3986","value":"urn:uuid:)" +
                          std::string(kMessage) + R"("}]})";
const std::string kOther = R"({"resourceType":"Task","id":"2","status":"requested","intent":"order"})";

TEST(ReadBack, OneMatchThatNamesTheMessageIsThere) {
  EXPECT_EQ(find(searchset(entry(kTask))), Finding::Accepted);
  EXPECT_EQ(find(searchset(entry(kTask)), true), Finding::Arrived) << "its acknowledgement is still to come";
  EXPECT_EQ(find(searchset(entry(R"({"resourceType":"MessageHeader","id":")" + std::string(kMessage) + "\"}"))),
            Finding::Accepted);
  EXPECT_EQ(find(searchset(entry(R"({"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":)"
                                 R"("MessageHeader","id":")" +
                                 std::string(kMessage) + R"("}}]})"))),
            Finding::Accepted);
  EXPECT_EQ(find(searchset(entry(kTask) + "," + entry(kOther, "include"))), Finding::Accepted);
}

TEST(ReadBack, OnlyAnEmptySearchsetIsAbsence) {
  EXPECT_EQ(find(R"({"resourceType":"Bundle","type":"searchset","total":0})"), Finding::Absent);
  EXPECT_EQ(find(R"({"resourceType":"Bundle","type":"searchset"})"), Finding::Absent);
  EXPECT_EQ(
      find(searchset(entry(R"({"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"not-found"}]})",
                           "outcome"))),
      Finding::Absent);
}

TEST(ReadBack, WhatIsNotCertainIsUnclear) {
  EXPECT_EQ(find(R"({"resourceType":"Bundle","type":"searchset","total":1})"), Finding::Unclear) << "counted only";
  EXPECT_EQ(find(searchset(entry(kOther))), Finding::Unclear) << "something else under our identifier";
  EXPECT_EQ(find(searchset(entry(kTask) + "," + entry(kTask))), Finding::Unclear) << "twice";
  EXPECT_EQ(find(searchset(entry(kTask) + "," + entry(kOther))), Finding::Unclear);
  EXPECT_EQ(find(R"({"resourceType":"Bundle","type":"collection"})"), Finding::Unclear);
  EXPECT_EQ(find("<html>"), Finding::Unclear);
  EXPECT_EQ(find(""), Finding::Unclear);
  EXPECT_EQ(find("{}", false, 404), Finding::Unclear) << "it may be a wrong address";
  EXPECT_EQ(find("{}", false, 410), Finding::Unclear);
  EXPECT_EQ(find(searchset(""), false, 204), Finding::Unclear);
}

TEST(ReadBack, WhoCouldNotBeAskedIsAskedAgain) {
  EXPECT_EQ(find("", false, 0, Phase::Unsent), Finding::NoAnswer);
  EXPECT_EQ(find("", false, 0, Phase::Sent), Finding::NoAnswer);
  for (const int status : {401, 403, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(find("", false, status), Finding::NoAnswer) << status;
  }
}

}  // namespace
}  // namespace lotsen::service
