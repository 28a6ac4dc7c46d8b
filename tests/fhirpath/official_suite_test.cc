// The official FHIRPath suites against the lists of what does not pass, which may only shrink.
#include "tests/fhirpath/suite.h"
#include "tests/support/shared.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace lotsen::fhirpath {
namespace {

/// "id: reason" a line; '#' starts a comment.
std::map<std::string, std::string> readList(const std::string& name) {
  std::map<std::string, std::string> known;
  std::ifstream file(std::string(LOTSEN_SOURCE_DIR) + "/tests/conformance/" + name);
  EXPECT_TRUE(file.good()) << name;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t colon = line.find(": ");
    known[line.substr(0, colon)] = colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return known;
}

struct Suite {
  std::string_view file;
  std::string_view list;
  std::size_t tests;
  std::size_t withoutInput;  // tests on a resource that the corpus does not have
};

class OfficialSuite : public testing::TestWithParam<Suite> {};

TEST_P(OfficialSuite, PassesButForTheList) {
  const Suite& suite = GetParam();
  const auto folder = test::sharedPath("corpora/fhirpath-r4/official");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpora at " << folder;
  auto tests = readSuite((folder / suite.file).string());
  ASSERT_TRUE(tests.ok()) << tests.error().message;
  EXPECT_EQ(tests->size(), suite.tests);
  SuiteInputs inputs((folder / "input").string());
  const auto known = readList(std::string(suite.list));
  std::size_t passed = 0;
  std::size_t withoutInput = 0;
  std::set<std::string> listed;
  for (const SuiteTest& test : *tests) {
    if (!inputs.has(test.inputFile)) {
      ++withoutInput;
      continue;
    }
    const std::string why = runSuiteTest(test, inputs);
    const auto entry = known.find(test.id);
    if (entry != known.end()) listed.insert(test.id);
    if (why.empty()) {
      ++passed;
      EXPECT_TRUE(entry == known.end()) << test.id << " passes: take it off the list";
    } else {
      EXPECT_TRUE(entry != known.end()) << test.id << ": " << test.expression << "\n  " << why;
    }
  }
  EXPECT_EQ(withoutInput, suite.withoutInput);
  for (const auto& [id, reason] : known) {
    EXPECT_TRUE(listed.contains(id)) << "the list names " << id << ", which does not exist";
    EXPECT_FALSE(reason.empty()) << id << " has no reason";
  }
  std::printf("%s: %zu of %zu pass, %zu have no input here\n", std::string(suite.file).c_str(), passed, tests->size(),
              withoutInput);
}

INSTANTIATE_TEST_SUITE_P(Files, OfficialSuite,
                         testing::Values(Suite{"tests-fhir-r4.xml", "fhirpath_known_failures.txt", 935, 0},
                                         Suite{"tests-fhir-r5.xml.gz", "fhirpath_r5_differences.txt", 1051, 9}),
                         [](const auto& file) { return file.index == 0 ? "R4" : "R5"; });

}  // namespace
}  // namespace lotsen::fhirpath
