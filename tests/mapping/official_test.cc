// The official FML cases of FHIR/fhir-test-cases: every map parses, every case of the manifest gives the expected
// resource, and the list of known failures (tests/conformance/fml_known_failures.txt: case, then the reason) may only
// shrink.
#include "tests/mapping/fixture.h"

#include <map>
#include <regex>
#include <sstream>

namespace lotsen::mapping {
namespace {

struct Case {
  std::string name;
  std::string source;
  std::string map;
  std::string output;
};

std::vector<Case> manifest(const std::filesystem::path& folder) {
  std::vector<Case> cases;
  const std::string text = fileText(folder / "manifest.xml");
  static const std::regex kTest(R"re(<test name="[^"]*/([^"/]+)" source="([^"]+)" map="([^"]+)" output="([^"]+)")re");
  for (std::sregex_iterator at(text.begin(), text.end(), kTest), end; at != end; ++at) {
    cases.push_back({folder.filename().string() + "/" + (*at)[1].str(), (*at)[2], (*at)[3], (*at)[4]});
  }
  return cases;
}

std::map<std::string, std::string> knownFailures() {
  std::map<std::string, std::string> known;
  std::istringstream lines(fileText(LOTSEN_SOURCE_DIR "/tests/conformance/fml_known_failures.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t blank = line.find(' ');
    known[line.substr(0, blank)] = line.substr(blank + 1);
  }
  return known;
}

/// Both through our reader and writer: layout does not count, order of members does not count.
std::string canonical(const std::string& json) {
  fhir::Issues issues;
  const auto document = fhir::readJson(json, fhir::Schema::r4(), {}, issues);
  EXPECT_TRUE(document.ok()) << allIssues(issues);
  return document ? fhir::writeJson(*document) : std::string();
}

/// Empty if the case passes, else what went wrong.
std::string runCase(const std::filesystem::path& folder, const Case& test) {
  if (!test.output.ends_with(".json")) return "output is not JSON";
  const Outcome outcome = runMaps({{test.map, fileText(folder / test.map)}}, fileText(folder / test.source));
  if (!outcome.ok) return outcome.issues;
  const std::string expected = canonical(fileText(folder / test.output));
  return canonical(outcome.json) == expected ? "" : outcome.json;
}

TEST(Official, casesGiveTheExpectedResource) {
  const auto root = sharedFolder("corpora/structure-mapping");
  if (!root) GTEST_SKIP() << "no corpus";
  const auto known = knownFailures();
  std::size_t passed = 0;
  for (const char* release : {"official-r4b", "official-r5"}) {
    for (const Case& test : manifest(*root / release)) {
      const std::string wrong = runCase(*root / release, test);
      if (wrong.empty()) ++passed;
      EXPECT_EQ(wrong.empty(), known.count(test.name) == 0)
          << test.name << (wrong.empty() ? ": passes now, take it off the list" : ": " + wrong);
    }
  }
  EXPECT_GE(passed, 12u);
}

}  // namespace
}  // namespace lotsen::mapping
