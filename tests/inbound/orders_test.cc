// The bodies of POST /api/v1/records/reprocess and of a pause, resume or settle: what they may say, and that nothing in
// them is passed over; and the report of the first.
#include "gateway/inbound/orders.h"

#include "gateway/inbound/openapi.h"

#include <gtest/gtest.h>

namespace lotsen::inbound {
namespace {

const std::string kId = "0198a000-0000-7000-8000-000000000001";

/// "rule path" of each fault that `read` finds.
template <typename Read>
std::vector<std::string> faultsOf(const Read& read, const std::string& body) {
  fhir::Issues issues;
  EXPECT_FALSE(read(body, issues).has_value()) << body;
  std::vector<std::string> told;
  for (const auto& issue : issues.list())
    told.push_back(issue.rule + (issue.expression.empty() ? "" : " " + issue.expression));
  return told;
}

std::vector<std::string> faults(const std::string& body) {
  return faultsOf(readReopen, body);
}

using Told = std::vector<std::string>;

TEST(ReopenBody, IsWrittenAsItIsRead) {
  const std::string byFilter =
      R"({"dryRun":true,"filter":{"reason":"mapping-failed","partner":"pas","channel":"pas/referral","transfer":")" +
      kId + R"(","receivedBefore":"2026-03-02T00:00:00.000Z"},"expect":0,"most":300,"why":"the map was wrong"})";
  const std::string byId =
      R"({"dryRun":false,"records":[")" + kId + R"(",")" + kId + R"("],"most":100,"why":"because"})";
  for (const auto& body : {byFilter, byId}) {
    fhir::Issues issues;
    const auto order = readReopen(body, issues);
    ASSERT_TRUE(order) << issues.list()[0].text;
    EXPECT_EQ(reopenBody(*order), body);
  }
}

TEST(ReopenBody, EveryFaultIsToldAtItsPlace) {
  EXPECT_EQ(faults("nonsense").size(), 1u);
  EXPECT_EQ(faults("[]").size(), 1u);
  EXPECT_EQ(faults(R"({"deliveries":["x"]})"), Told{"unknown-member deliveries[0]"});
  EXPECT_EQ(faults(R"({"records":["x"]})"), Told{"id records[0]"});
  EXPECT_EQ(faults(R"({"records":[{}]})"), Told{"id records[0]"});
  EXPECT_EQ(faults(R"({"filter":{}})"), Told{"filter filter"});
  EXPECT_EQ(faults(R"({"filter":"all"})"), (Told{"member-form filter", "filter filter"}));
  EXPECT_EQ(faults(R"({"filter":{"reson":"mapping-failed"}})"), (Told{"unknown-member filter.reson", "filter filter"}));
  EXPECT_EQ(faults(R"({"filter":{"partner":"pas","transfer":"1","receivedBefore":"yesterday"}})"),
            (Told{"id filter.transfer", "instant filter.receivedBefore"}));
  EXPECT_EQ(faults(R"({"dryRun":"yes","expect":-1,"most":0})"),
            (Told{"expect expect", "most most", "member-form dryRun"}));
  EXPECT_EQ(faults(R"({"why":")" + std::string(501, 'x') + "\"}"), Told{"too-long why"});
}

TEST(ReopenBody, TheReportIsReadAsItWasWritten) {
  service::ReopenReport report;
  EXPECT_EQ(reopenJson(report), R"({"dryRun":false,"applied":0,"records":[]})");
  EXPECT_TRUE(readReopenJson(reopenJson(report))->lines.empty());

  report.dryRun = true;
  report.applied = 1;
  report.lines.resize(3);
  for (auto& line : report.lines) {
    line.record.id = line.record.transfer = kId;
    line.record.partner = "pas";
    line.record.channel = "pas/referral";
    line.record.version = 2;
    line.record.state = store::RecordState::Parked;
    line.record.reason = "mapping-failed";
    line.outcome = store::name(store::Intervened::Applied);
  }
  report.lines[1].outcome = service::kMapFails;
  report.lines[1].reasonNow = "source-unaccounted";
  report.lines[1].firstFault = "source-unaccounted PasReferral.question";
  report.lines[2] = {};
  report.lines[2].record.id = kId;
  report.lines[2].outcome = store::name(store::Intervened::Unknown);
  const auto answer = readReopenJson(reopenJson(report));
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->dryRun);
  EXPECT_EQ(answer->applied, 1u);
  ASSERT_EQ(answer->lines.size(), 3u);
  EXPECT_EQ(answer->lines[0].channel + answer->lines[0].version, "pas/referral2");
  EXPECT_EQ(answer->lines[0].reason, "mapping-failed");
  EXPECT_EQ(answer->lines[1].outcome, "map-fails");
  EXPECT_EQ(answer->lines[1].reasonNow, "source-unaccounted");
  EXPECT_EQ(answer->lines[1].firstFault, "source-unaccounted PasReferral.question");
  EXPECT_EQ(answer->lines[2].outcome, "unknown");
  EXPECT_EQ(answer->lines[2].channel, "");
  for (const auto* other : {"{}", "[]", R"({"resourceType":"OperationOutcome"})", "busy"})
    EXPECT_FALSE(readReopenJson(other).ok()) << other;
}

TEST(ReopenBody, EveryOutcomeStandsInTheDescription) {
  const std::string description = kOpenApi;
  const auto at = description.find("\"ReopenReport\"", description.find("\"schemas\""));
  ASSERT_NE(at, std::string::npos);
  for (const auto outcome : {service::kNotParked, service::kOriginalRemoved, service::kMapFails, service::kBusy})
    EXPECT_NE(description.find('"' + std::string(outcome) + '"', at), std::string::npos) << outcome;
}

TEST(WhyBody, IsReadAsItIsWritten) {
  fhir::Issues issues;
  EXPECT_EQ(readWhy(whyBody("told \"the clinic\""), issues), "told \"the clinic\"");
  EXPECT_EQ(readWhy("{}", issues), "") << "that a reason is needed is service's to say";
  EXPECT_TRUE(issues.empty());
}

TEST(WhyBody, EveryFaultIsToldAtItsPlace) {
  EXPECT_EQ(faultsOf(readWhy, "nonsense").size(), 1u);
  EXPECT_EQ(faultsOf(readWhy, "[]").size(), 1u);
  EXPECT_EQ(faultsOf(readWhy, R"({"because":"x"})"), Told{"unknown-member because"});
  EXPECT_EQ(faultsOf(readWhy, R"({"why":1})"), Told{"member-form why"});
  EXPECT_EQ(faultsOf(readWhy, R"({"why":")" + std::string(501, 'x') + "\"}"), Told{"too-long why"});
}

}  // namespace
}  // namespace lotsen::inbound
