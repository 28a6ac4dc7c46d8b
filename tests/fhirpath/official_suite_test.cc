// The official R4 FHIRPath suite against the list of known failures, which may only shrink.
#include "tests/fhirpath/suite.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace lotsen::fhirpath {
namespace {

std::filesystem::path sharedFolder() {
  if (const char* folder = std::getenv("LOTSEN_SHARED")) return folder;
  return std::filesystem::path(LOTSEN_SOURCE_DIR).parent_path() / "shared";
}

/// "id: reason" a line; '#' starts a comment.
std::map<std::string, std::string> knownFailures() {
  std::map<std::string, std::string> known;
  std::ifstream file(std::string(LOTSEN_SOURCE_DIR) + "/tests/conformance/fhirpath_known_failures.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t colon = line.find(": ");
    known[line.substr(0, colon)] = colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return known;
}

TEST(OfficialSuite, PassesButForTheKnownFailures) {
  const auto folder = sharedFolder() / "corpora" / "fhirpath-r4" / "official";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpora at " << folder;
  auto tests = readSuite((folder / "tests-fhir-r4.xml").string());
  ASSERT_TRUE(tests.ok()) << tests.error().message;
  EXPECT_EQ(tests->size(), 935U);
  SuiteInputs inputs((folder / "input").string());
  const auto known = knownFailures();
  std::size_t passed = 0;
  std::set<std::string> listed;
  for (const SuiteTest& test : *tests) {
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
  for (const auto& [id, reason] : known) {
    EXPECT_TRUE(listed.contains(id)) << "the list names " << id << ", which does not exist";
    EXPECT_FALSE(reason.empty()) << id << " has no reason";
  }
  const auto start = std::chrono::steady_clock::now();
  for (const SuiteTest& test : *tests) runSuiteTest(test, inputs);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  std::printf("official FHIRPath suite: %zu of %zu; parsed, compiled, evaluated and judged in %.1f ms\n", passed,
              tests->size(), static_cast<double>(took.count()) / 1000);
}

}  // namespace
}  // namespace lotsen::fhirpath
