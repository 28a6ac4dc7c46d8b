// Walks tests/mapping/cases/: every case does what it says, and together they use and refuse every construct of the
// language. cases/README.md describes the files.
#include "fixture.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/mapping/coverage.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
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

/// What must stand on the line of a fault that is said to be about the construct; empty: nothing that could be named.
std::string witness(const std::string& construct) {
  static const std::map<std::string, std::string> kSigns = {
      {"relatedto", " - "}, {"equal", " = "},   {"equivalent", "=="},  {"wider", "<="},    {"subsumes", "<-"},
      {"inexact", " ~ "},   {"narrower", ">="}, {"specializes", ">-"}, {"disjoint", "!="}, {"unmatched", "--"}};
  const std::size_t slash = construct.find('/');
  const std::string kind = construct.substr(0, slash);
  const std::string name = construct.substr(slash + 1);
  if (kind == "equivalence") return kSigns.at(name);
  if (kind == "uses" || kind == "imports") return kind;
  if (kind == "let") return kind;
  if (kind == "transform") return name == "evaluate" ? "(" : name + "(";
  if (kind.ends_with("list mode")) return name;
  if (name == "extends" || name == "type" || name == "where" || name == "check" || name == "log" || name == "default")
    return name == "type" ? ":" : name;
  return "";
}

/// uuid() hangs on the text of the map, which differs between its forms.
std::string withoutUuids(const std::string& json) {
  static const std::regex kUuid("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}");
  return std::regex_replace(json, kUuid, "UUID");
}

/// Each construct that a case refuses stands where one of the faults points to.
void checkPlaces(const Case& one) {
  static const std::regex kPlace(R"(map(\d*):(\d+):\d+)");
  std::string lines;
  for (const std::string& fault : one.faults) {
    std::smatch at;
    if (!std::regex_search(fault, at, kPlace)) {
      ADD_FAILURE() << "a fault without its place: " << fault;
      continue;
    }
    const std::size_t map = at[1].str().empty() ? 0 : std::stoul(at[1]) - 1;
    const auto text = split(one.maps.at(map).text, '\n');
    const std::size_t line = std::stoul(at[2]);
    ASSERT_LE(line, text.size()) << fault;
    lines += std::string(text[line - 1]) + "\n";
  }
  for (const std::string& construct : one.refuses)
    EXPECT_NE(lines.find(witness(construct)), std::string::npos) << construct << " stands on none of these:\n" << lines;
}

void runCase(const Case& one, GrammarCoverage& passing) {
  SCOPED_TRACE(one.name);
  const SchemaPointer schema = visitSchema();
  const Outcome outcome = runMaps(one.maps, one.source, schema);
  if (!one.result) {
    EXPECT_FALSE(outcome.ok) << outcome.json;
    checkPlaces(one);
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

TEST(Cases, EveryConstructPassesAndIsRefusedSomewhere) {
  GrammarCoverage passing;
  std::set<std::string> refused, known;
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
    EXPECT_GT(passing.count(i), 0u) << name << ": no case that passes";
    EXPECT_TRUE(refused.contains(name)) << name << ": no case that is refused";
    std::cout << "  " << name << ": passes " << passing.count(i) << ", refused " << refused.count(name) << '\n';
  }
}

/// Written as a StructureMap and read back, a map does the same, and is written the same again, in JSON and in XML; or
/// the form cannot hold it, and that is said.
TEST(Cases, StructureMapsDoWhatTheirTextsDo) {
  const SchemaPointer schema = visitSchema();
  std::size_t held = 0;
  for (const auto& one : allCases()) {
    if (!one.result) continue;
    SCOPED_TRACE(one.name);
    std::vector<MapText> json, xml;
    std::string why;
    for (const auto& map : one.maps) {
      fhir::Issues issues;
      const auto written = toStructureMap(map, schema, issues);
      if (!written.ok()) {
        why = allIssues(issues);
        EXPECT_NE(why.find("an R4 StructureMap has no place for"), std::string::npos) << why;
        break;
      }
      json.push_back({map.file, fhir::writeJson(*written)});
      const auto asXml = fhir::writeXml(*written);
      ASSERT_TRUE(asXml.ok()) << asXml.error().message;
      xml.push_back({map.file, *asXml});
      const auto again = toStructureMap(json.back(), schema, issues);
      ASSERT_TRUE(again.ok()) << allIssues(issues);
      EXPECT_EQ(fhir::writeJson(*again), json.back().text);
    }
    if (!why.empty()) continue;
    ++held;
    const std::string wanted = withoutUuids(runMaps(one.maps, one.source, schema).json);
    EXPECT_EQ(withoutUuids(runMaps(json, one.source, schema).json), wanted) << json.front().text;
    EXPECT_EQ(withoutUuids(runMaps(xml, one.source, schema).json), wanted) << xml.front().text;
  }
  EXPECT_GE(held, 5u);
}

}  // namespace
}  // namespace lotsen::mapping
