// Walks tests/mapping/cases/: every case does what it says, and together they use and refuse every construct of the
// language. cases/README.md describes the files.
#include "fixture.h"
#include "gateway/mapping/coverage.h"

#include <algorithm>
#include <set>

namespace lotsen::mapping {
namespace {

namespace fs = std::filesystem;

const fs::path kCases = LOTSEN_SOURCE_DIR "/tests/mapping/cases";

struct Case {
  std::string name;
  std::vector<std::string> refuses;  // "transform/truncate"
  std::vector<MapText> maps;
  std::string source;
  std::optional<std::string> result;
  std::vector<std::string> faults;
};

Case readCase(const fs::path& path) {
  Case out;
  out.name = path.filename().string();
  const std::string text = fileText(path);
  std::string* into = nullptr;
  std::string faults;
  for (const auto line : split(text, '\n')) {
    if (line == "=== map") {
      out.maps.push_back({out.maps.empty() ? "map" : "map" + std::to_string(out.maps.size() + 1), ""});
      into = &out.maps.back().text;
    } else if (line == "=== source") {
      into = &out.source;
    } else if (line == "=== result") {
      into = &out.result.emplace();
    } else if (line == "=== faults") {
      into = &faults;
    } else if (into != nullptr) {
      into->append(line).append("\n");
    } else if (line.starts_with("refuses:")) {
      for (const auto one : split(line.substr(8), ',')) out.refuses.emplace_back(trim(one));
    } else {
      ADD_FAILURE() << out.name << ": a line that belongs to nothing: " << line;
    }
  }
  for (const auto line : split(faults, '\n')) {
    if (!trim(line).empty()) out.faults.emplace_back(trim(line));
  }
  EXPECT_NE(out.result.has_value(), !out.faults.empty()) << out.name << " needs either === result or === faults";
  EXPECT_EQ(out.faults.empty(), out.refuses.empty()) << out.name << ": a case that fails says what it refuses";
  return out;
}

std::vector<Case> allCases() {
  std::vector<Case> list;
  for (const auto& entry : fs::directory_iterator(kCases)) {
    if (entry.path().extension() == ".case") list.push_back(readCase(entry.path()));
  }
  std::sort(list.begin(), list.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return list;
}

std::string nameOf(const Construct& construct) {
  return std::string(construct.kind) + "/" + std::string(construct.name);
}

/// The document as Lotsen writes it, so that white space in a case does not matter.
std::string normal(const std::string& json, const SchemaPointer& schema, fhir::TypeId type) {
  fhir::Issues issues;
  fhir::ReadOptions read;
  read.type = type;
  const auto document = fhir::readJson(json, schema, read, issues);
  EXPECT_TRUE(document.ok()) << json << "\n" << allIssues(issues);
  return document.ok() ? fhir::writeJson(*document) : "";
}

void runCase(const Case& one, GrammarCoverage& passing) {
  SCOPED_TRACE(one.name);
  const SchemaPointer schema = visitSchema();
  const Outcome outcome = runMaps(one.maps, one.source, schema);
  if (!one.result) {
    EXPECT_FALSE(outcome.ok) << outcome.json;
    for (const auto& fault : one.faults)
      EXPECT_NE(outcome.issues.find(fault), std::string::npos) << "wanted: " << fault << "\ngot: " << outcome.issues;
    return;
  }
  ASSERT_TRUE(outcome.ok) << outcome.issues;
  fhir::Issues issues;
  const auto library = Library::compile(one.maps, schema, issues);
  ASSERT_TRUE(library.ok());
  EXPECT_EQ(outcome.json, normal(*one.result, schema, library->targetType()));
  for (const auto& map : one.maps) EXPECT_TRUE(passing.add(map, schema, issues).ok());
}

// What no case shows yet is listed in cases/uncovered.txt, which may only shrink and goes when it is empty.
TEST(Cases, EveryConstructPassesAndIsRefusedSomewhere) {
  GrammarCoverage passing;
  std::set<std::string> refused, known, uncovered, expected;
  for (const auto& construct : constructs()) known.insert(nameOf(construct));
  for (const auto& one : allCases()) {
    runCase(one, passing);
    for (const auto& name : one.refuses) {
      EXPECT_TRUE(known.contains(name)) << one.name << ": no construct is called " << name;
      refused.insert(name);
    }
  }
  for (std::size_t i = 0; i < constructs().size(); ++i) {
    const std::string name = nameOf(constructs()[i]);
    if (passing.count(i) == 0) uncovered.insert("passing " + name);
    if (!refused.contains(name)) uncovered.insert("refused " + name);
  }
  if (fs::exists(kCases / "uncovered.txt")) {
    const std::string text = fileText(kCases / "uncovered.txt");
    for (const auto line : split(text, '\n')) {
      if (!line.empty()) expected.emplace(line);
    }
  }
  for (const auto& name : uncovered) EXPECT_TRUE(expected.contains(name)) << "no case: " << name;
  for (const auto& name : expected) EXPECT_TRUE(uncovered.contains(name)) << "take out of uncovered.txt: " << name;
}

}  // namespace
}  // namespace lotsen::mapping
