// The map that the benchmark is measured on: a record of a logical model to a message Bundle of 18 entries.
#include "tests/mapping/fixture.h"

namespace lotsen::mapping {
namespace {

TEST(Referral, becomesTheExpectedBundle) {
  const auto data = sharedFolder("peers/data");
  if (!data) GTEST_SKIP() << "no benchmark data";
  const auto schema = schemaWith({(*data / "source-referral.model.json").string()});
  const Outcome outcome =
      runMaps({{"referral.map", fileText(*data / "referral.map")}}, fileText(*data / "source-referral.json"), schema);
  EXPECT_EQ(outcome.issues, "");
  EXPECT_EQ(outcome.json, fileText(*data / "bundle.json"));
  const std::vector<std::string> unread = {"SourceReferral.version", "SourceReferral.referral.type",
                                           "SourceReferral.referral.status"};
  EXPECT_EQ(outcome.loss, unread);
}

}  // namespace
}  // namespace lotsen::mapping
