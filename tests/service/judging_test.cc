#include "gateway/service/judging.h"

#include <gtest/gtest.h>

namespace lotsen::service {
namespace {

TEST(ValidationRules, AKindsOwnRuleComesBeforeThePartners) {
  ValidationRules rules;
  EXPECT_EQ(rules.of("pas/referral"), Strictness::Refuse);
  rules.otherwise = Strictness::Warn;
  rules.kinds["pas/referral"] = Strictness::Off;
  EXPECT_EQ(rules.of("pas/referral"), Strictness::Off);
  EXPECT_EQ(rules.of("pas/consent"), Strictness::Warn);
  EXPECT_EQ(rules.of(""), Strictness::Warn);
}

// Definitions bring names of rules, and packages may be large: they must not fill the registry.
TEST(ValidationCounts, RulesBeyondTheMostAreOneSeries) {
  observe::Metrics metrics;
  ValidationCounts counts(metrics);
  Judgement judgement;
  for (std::size_t i = 0; i < ValidationCounts::kMostRules + 5; ++i)
    judgement.found.error("invariant", "rule-" + std::to_string(i), "");
  judgement.found.add({fhir::Severity::Information, "informational", "note", "", "", "", {}});
  counts.count(judgement);
  const std::string text = metrics.exposition();
  std::size_t series = 0;
  for (auto at = text.find("\nlotsen_validation_issues_total{"); at != std::string::npos;
       at = text.find("\nlotsen_validation_issues_total{", at + 1))
    ++series;
  EXPECT_EQ(series, ValidationCounts::kMostRules + 1);
  EXPECT_NE(text.find("lotsen_validation_issues_total{direction=\"in\",rule=\"other\",severity=\"error\"} 5\n"),
            std::string::npos);
  EXPECT_EQ(text.find("note"), std::string::npos) << "what was not checked is no fault";
}

}  // namespace
}  // namespace lotsen::service
