// The official FML cases of FHIR/fhir-test-cases: every map parses, every case of the manifest gives the expected
// resource, and the list of known failures (tests/conformance/fml_known_failures.txt: case, then the reason) may only
// shrink.
#include "gateway/fhir/xml_form.h"
#include "gateway/xml/reader.h"
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

/// XML that says the same becomes the same text: names with their namespaces, attributes sorted, one element a line.
/// What does not count: prefixes, the order of attributes, how they are quoted, comments, blanks between elements.
/// Everything else counts. Made from the XML events, so that it does not share what it judges.
class CanonicalXml final : public xml::Handler {
 public:
  bool startElement(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                    xml::Place) override {
    std::map<std::string, std::string> sorted;
    for (const auto& one : attributes) sorted["{" + std::string(one.space) + "}" + std::string(one.name)] = one.value;
    std::string tag = "<{" + std::string(space) + "}" + std::string(name);
    for (const auto& [attribute, value] : sorted) tag += " " + attribute + "='" + value + "'";
    return add(tag + ">");
  }
  bool endElement(xml::Place) override { return add("</>"); }
  bool text(std::string_view characters, xml::Place) override {
    pending_ += characters;
    return true;
  }
  static std::string of(const std::string& xml) {
    CanonicalXml canonical;
    const auto fault = xml::parse(xml, {}, canonical);
    EXPECT_FALSE(fault) << fault->text << ": " << xml;
    return canonical.text_;
  }

 private:
  bool add(const std::string& tag) {
    if (pending_.find_first_not_of(" \t\r\n") != std::string::npos) text_ += "'" + pending_ + "'\n";
    pending_.clear();
    text_ += tag + "\n";
    return true;
  }
  std::string text_;
  std::string pending_;
};

/// The CDA structures that the cases name, as far as they use them.
SchemaPointer cdaSchema() {
  static const SchemaPointer schema = schemaWith({LOTSEN_SOURCE_DIR "/tests/mapping/data/cdatest"});
  return schema;
}

/// Empty if the case passes, else what went wrong.
std::string runCase(const std::filesystem::path& folder, const Case& test) {
  const std::string expected = fileText(folder / test.output);
  const std::string source = fileText(folder / test.source);
  const std::vector<MapText> maps = {{test.map, fileText(folder / test.map)}};
  if (test.output.ends_with(".json")) {
    const Outcome outcome = runMaps(maps, source);
    if (!outcome.ok) return outcome.issues;
    return canonical(outcome.json) == canonical(expected) ? "" : outcome.json;
  }
  fhir::Issues issues;
  const auto library = Library::compile(maps, cdaSchema(), issues);
  if (!library) return allIssues(issues);
  const auto record = fhir::readJson(source, cdaSchema(), {}, issues);
  const auto result = record ? transform(*library, *record, {}, issues) : record.error();
  if (!result) return allIssues(issues);
  const auto xml = fhir::writeXml(*result);
  if (!xml) return xml.error().message;
  return CanonicalXml::of(*xml) == CanonicalXml::of(expected) ? "" : *xml;
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
  EXPECT_GE(passed, 20u);
}

}  // namespace
}  // namespace lotsen::mapping
