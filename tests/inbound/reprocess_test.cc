// The body of POST /api/v1/reprocess: what it may say, and that nothing in it is passed over.
#include "gateway/inbound/reprocess.h"

#include "gateway/inbound/openapi.h"

#include <gtest/gtest.h>

namespace lotsen::inbound {
namespace {

const std::string kMaps = R"("maps":[{"file":"a.map","text":"map a"},{"file":"b.map","text":"map b"}])";

/// "rule path" of each fault.
std::vector<std::string> faults(const std::string& body) {
  fhir::Issues issues;
  EXPECT_FALSE(readReprocess(body, issues).has_value()) << body;
  std::vector<std::string> told;
  for (const auto& issue : issues.list())
    told.push_back(issue.rule + (issue.expression.empty() ? "" : " " + issue.expression));
  return told;
}

using Told = std::vector<std::string>;

TEST(ReprocessBody, SaysWhichRecordsAndWithWhichMaps) {
  fhir::Issues issues;
  const auto asked = readReprocess(
      R"({"dryRun":true,)" + kMaps +
          R"(,"filter":{"channel":"pas/referral","state":"parked","mapHash":"abc","from":"2026-03-01T00:00:00+01:00",)"
          R"("to":"2026-03-02T00:00:00Z"},"after":"0198a000-0000-7000-8000-000000000001","limit":7,"why":"care areas"})",
      issues);
  ASSERT_TRUE(asked) << issues.list()[0].text;
  EXPECT_TRUE(asked->dryRun);
  ASSERT_EQ(asked->request.maps.size(), 2u);
  EXPECT_EQ(asked->request.maps[1].file, "b.map");
  EXPECT_EQ(asked->request.maps[1].text, "map b");
  const auto& filter = asked->request.filter;
  EXPECT_EQ(filter.channel, "pas/referral");
  EXPECT_EQ(filter.state, store::RecordState::Parked);
  EXPECT_EQ(filter.mapHash, "abc");
  EXPECT_EQ(formatInstant(*filter.from), "2026-02-28T23:00:00.000Z");
  EXPECT_EQ(formatInstant(*filter.until), "2026-03-02T00:00:00.000Z");
  EXPECT_EQ(filter.after, "0198a000-0000-7000-8000-000000000001");
  EXPECT_EQ(filter.limit, 7u);
  EXPECT_EQ(asked->request.why, "care areas");
}

TEST(ReprocessBody, IsWrittenAsItIsRead) {
  fhir::Issues issues;
  const std::string body =
      R"({"dryRun":true,"maps":[{"file":"a \"b\".map","text":"map\n1"}],"drops":{"file":"a.drop","text":"A.b | c"},"filter":{"channel":"pas/btf","state":)"
      R"("processed","mapHash":"abc","from":"2026-03-01T00:00:00.000Z","to":"2026-03-02T00:00:00.000Z"},)"
      R"("after":"0198a000-0000-7000-8000-000000000001","limit":7,"why":"care areas"})";
  EXPECT_EQ(reprocessBody(*readReprocess(body, issues)), body);
}

TEST(ReprocessBody, WithoutDryRunIsNoDryRun) {
  fhir::Issues issues;
  const auto asked = readReprocess("{" + kMaps + "}", issues);
  ASSERT_TRUE(asked);
  EXPECT_FALSE(asked->dryRun);
  EXPECT_EQ(asked->request.filter.limit, service::WhatIf::kLimit);
  EXPECT_FALSE(readReprocess(R"({"dryRun":false,)" + kMaps + "}", issues)->dryRun);
}

TEST(ReprocessBody, EveryFaultIsToldAtItsPlace) {
  EXPECT_EQ(faults("nonsense").size(), 1u);
  EXPECT_EQ(faults("[]").size(), 1u);
  EXPECT_EQ(faults("{}"), Told{"maps"});
  EXPECT_EQ(faults(R"({"resourceType":"Patient"})"), Told{"request-body"});
  EXPECT_EQ(faults(R"({"maps":["map a"]})"), Told{"map-member maps[0]"});
  EXPECT_EQ(faults(R"({"maps":[{"file":"a.map"}]})"), Told{"map-member maps[0]"});
  EXPECT_EQ(faults(R"({"dryrun":true,)" + kMaps + "}"), Told{"unknown-member dryrun"});
  EXPECT_EQ(faults(R"({"dryRun":"true",)" + kMaps + "}"), Told{"member-form dryRun"});
  EXPECT_EQ(faults("{" + kMaps + R"(,"filter":"all"})"), Told{"member-form filter"});
  EXPECT_EQ(faults("{" + kMaps + R"(,"filter":[{"state":"parked"},{"state":"parked"}]})"),
            Told{"member-form filter[0]"});
  EXPECT_EQ(faults("{" + kMaps + R"(,"filter":{"chanel":"pas/referral","state":"accepted","from":"yesterday"}})"),
            (Told{"unknown-member filter.chanel", "instant filter.from", "record-state filter.state"}));
  EXPECT_EQ(faults("{" + kMaps + R"(,"after":"1","limit":0})"), (Told{"cursor after", "limit limit"}));
  for (const auto* limit : {"1001", "1.5", "-1", "1e2"})
    EXPECT_EQ(faults("{" + kMaps + R"(,"limit":)" + limit + "}"), Told{"limit limit"});
  EXPECT_EQ(faults("{" + kMaps + R"(,"why":")" + std::string(201, 'x') + "\"}"), Told{"too-long why"});
}

TEST(ReprocessBody, TheReportIsWrittenWhole) {
  service::WhatIfAnswer answer;
  answer.startedAt = *parseInstant("2026-03-02T08:00:00Z");
  answer.mapHash = "new";
  answer.channels = {"pas/referral"};
  answer.report.examined = 3;
  answer.report.different = 2;
  answer.report.mapHashes["old"] = 3;
  answer.report.groups[{service::Finding::NowFails, "Bundle.type", "dom-3"}] = {1, 2, "why it fails", {"id-1"}};
  answer.report.leftOut = 5;
  answer.next = "id-9";
  answer.mapWarnings = {"a.map:1:1: mind this"};
  const std::string text =
      R"({"dryRun":true,"startedAt":"2026-03-02T08:00:00.000Z","mapHash":"new","channels":["pas/referral"],"mapWarnings":["a.map:1:1: mind this"],)"
      R"("records":{"examined":3,"same":0,"different":2,"nowFail":0,"nowSucceed":0,"stillFail":0,"waiting":0},)"
      R"("madeBy":[{"mapHash":"old","records":3}],"groups":[{"kind":"now-fails","path":"Bundle.type","rule":"dom-3",)"
      R"("text":"why it fails","records":1,"count":2,"examples":["id-1"]}],"groupsLeftOut":5,"next":"id-9"})";
  EXPECT_EQ(reprocessJson(answer), text);
  const auto again = readReprocessJson(text);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(reprocessJson(*again), text);
  for (const auto* other : {"{}", "[]", R"({"resourceType":"OperationOutcome"})", "busy"})
    EXPECT_FALSE(readReprocessJson(other).ok()) << other;
}

TEST(ReprocessBody, EveryKindStandsInTheDescriptionAndHasItsOwnName) {
  const std::string description = kOpenApi;
  for (int i = 0; i <= static_cast<int>(service::Finding::Unreadable); ++i) {
    const auto finding = static_cast<service::Finding>(i);
    EXPECT_EQ(service::findingOf(name(finding)), finding);
    EXPECT_NE(description.find('"' + std::string(name(finding)) + '"'), std::string::npos) << name(finding);
  }
  EXPECT_FALSE(service::findingOf("no-such-kind").has_value());
}

}  // namespace
}  // namespace lotsen::inbound
