// The golden cases of the house beyond what `lotsen mapping test --complete fixtures` says of them
// (tests/app/tests.cmake runs that), and what that verb says when something is wrong with cases.
#include "gateway/app/golden.h"

#include "gateway/base/text.h"
#include "gateway/definitions/definitions.h"
#include "gateway/fhir/forms.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>

namespace lotsen::app {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = LOTSEN_SOURCE_DIR;
const fs::path kFixtures = kRoot / "fixtures";

std::string contentOf(const fs::path& path) {
  std::string text;
  EXPECT_TRUE(readFile(path.string(), text)) << path;
  return text;
}

std::vector<fs::path> sorted(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::shared_ptr<const fhir::Schema> schema() {
  static const auto loaded = [] {
    std::vector<std::string> models;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / "mappings")) {
      if (entry.path().string().ends_with(".model.json")) models.push_back(entry.path().string());
    }
    fhir::Issues issues;
    auto result = definitions::load(models, issues);
    EXPECT_TRUE(result.ok() && !issues.hasErrors());
    return result.ok() ? (*result)->schema : fhir::Schema::r4();
  }();
  return loaded;
}

// Needles from the inputs that must not come out: words are looked for, so no map can hide them in another element.
TEST(Golden, NobodySeesWhatIsNotForThem) {
  for (const auto& flow : sorted(kFixtures)) {
    const fs::path secret = flow / "protected-identity" / "expected.json";
    if (!fs::exists(secret)) continue;
    EXPECT_EQ(contentOf(secret).find("Hemliga gatan"), std::string::npos) << secret;
  }
  const std::string referral = contentOf(kFixtures / "pas-referral/other-region/expected.json");
  const std::string placed = contentOf(kFixtures / "leg-mediator/other-region/expected.json");
  const std::string recalled = contentOf(kFixtures / "leg-recall/withdrawn/expected.json");
  const std::string deregistered = contentOf(kFixtures / "leg-deregistration/own-region/expected.json");
  for (const char* clinical : {"höftledsartros", "bröstsmärta", "penicillin", "Arbets-EKG", "I20.9", "Karin"}) {
    EXPECT_NE(referral.find(clinical), std::string::npos) << clinical << " is not in the record at all";
    for (const std::string* message : {&placed, &recalled, &deregistered}) {
      EXPECT_EQ(message->find(clinical), std::string::npos) << clinical;
    }
  }
  // The record as it came (unaccounted = carry) is for the provider alone.
  for (const char* carried : {"original-record", "eyJyZWZlcnJhbElkI"}) {
    EXPECT_NE(contentOf(kFixtures / "leg-provider/original-carried/expected.json").find(carried), std::string::npos);
    EXPECT_EQ(contentOf(kFixtures / "leg-mediator/original-not-for-it/expected.json").find(carried), std::string::npos);
  }
  for (const char* personal : {"Tolvansson", "Exempelgatan 12", "Kranskärlsutredning"}) {
    EXPECT_EQ(recalled.find(personal), std::string::npos) << personal;
    EXPECT_EQ(deregistered.find(personal), std::string::npos) << personal;
  }
}

void addCodings(const fhir::Document& document, const fhir::Element* node, std::set<std::string>& found) {
  const auto system = fhir::valueAt(document, node, "system");
  constexpr std::string_view kOurs = "http://lotsen.se/fhir/CodeSystem/";
  if (system.starts_with(kOurs))
    found.insert(std::string(system.substr(kOurs.size())) + "|" + std::string(fhir::valueAt(document, node, "code")));
  for (const auto* child = node->first; child != nullptr; child = child->next) addCodings(document, child, found);
}

// Every code of ours that a map writes stands in mappings/profiles, and every code there is written by some map.
TEST(Golden, OurCodesAreDefinedAndUsed) {
  std::set<std::string> used, defined;
  fhir::Issues issues;
  for (const auto& entry : fs::recursive_directory_iterator(kFixtures)) {
    if (entry.path().filename() != "expected.json") continue;
    const auto document = fhir::readJson(contentOf(entry.path()), schema(), {}, issues);
    ASSERT_TRUE(document.ok()) << entry.path();
    addCodings(*document, document->root(), used);
  }
  constexpr std::string_view kCodeSystem = "CodeSystem-";
  for (const auto& path : sorted(kRoot / "mappings/profiles")) {
    const std::string stem = path.stem().string();
    if (!stem.starts_with(kCodeSystem)) continue;
    const auto document = fhir::readJson(contentOf(path), schema(), {}, issues);
    ASSERT_TRUE(document.ok()) << path;
    const auto* concept_ = fhir::child(*document, document->root(), "concept");
    for (const auto name = concept_->name; concept_ != nullptr && concept_->name == name; concept_ = concept_->next) {
      defined.insert(stem.substr(kCodeSystem.size()) + "|" + std::string(fhir::valueAt(*document, concept_, "code")));
    }
  }
  std::erase_if(used, [](const std::string& code) { return code.starts_with("mvo|"); });  // the region's own list
  // Those that stand as `code`, without their system: they are the codes of a field of the records.
  std::erase_if(defined, [](const std::string& code) {
    constexpr std::array<std::string_view, 4> kWithoutSystem = {"consent-state|", "consent-method|", "assessment|",
                                                                "agreement-kind|"};
    return std::any_of(kWithoutSystem.begin(), kWithoutSystem.end(),
                       [&](std::string_view system) { return code.starts_with(system); });
  });
  EXPECT_EQ(used, defined);
}

// Every map of the house is the entry or an import of some flow, so no map is without a case.
TEST(Golden, EveryMapHasCases) {
  std::set<std::string> used;
  for (const auto& path : sorted(kFixtures)) {
    if (!fs::exists(path / "flow")) continue;
    const std::string text = contentOf(path / "flow");
    for (const auto line : split(text, '\n')) {
      if (line.starts_with("map"))
        used.insert((path / trim(line.substr(line.find('=') + 1))).lexically_normal().string());
    }
  }
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "mappings")) {
    if (entry.path().extension() != ".map") continue;
    EXPECT_TRUE(used.contains(entry.path().string())) << entry.path() << " has no golden case";
  }
}

// --- the verb

constexpr std::string_view kMap = R"(map "http://example.org/m" = "m"
uses "http://example.org/StructureDefinition/Visit" alias Visit as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
group G(source src : Visit, target tgt : Patient) {
  src.text as t -> tgt.language = t "language";
  src.flag as f -> tgt.active = f "active";
  src.day as d check d > @2000-01-01 -> tgt.birthDate = d "birth";
}
)";

/// A folder with one flow "visit" and, if wanted, a case "one" that passes.
class Folder {
 public:
  explicit Folder(std::string_view input = R"({"text":"sv"})",
                  std::string_view expected = "{\n  \"resourceType\": \"Patient\",\n  \"language\": \"sv\"\n}\n") {
    write("visit.map", kMap);
    write("visit/flow",
          "[flow]\nmap = ../visit.map\npackage = " LOTSEN_SOURCE_DIR "/tests/mapping/data/visit.model.json\n");
    if (!input.empty()) write("visit/one/input.json", input);
    if (!expected.empty()) write("visit/one/expected.json", expected);
  }
  void write(const std::string& name, std::string_view text) const {
    const fs::path path = fs::path(folder_.path()) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  /// Faults of the folder and of its cases, one a line, without the folder's path.
  std::string run(bool accept = false) {
    Faults faults;
    report = runGolden(folder_.path(), accept, faults);
    std::string told;
    for (const auto& fault : faults.list)
      told += fault.file + (fault.line == 0 ? "" : ":" + std::to_string(fault.line)) + ": " + fault.text + "\n";
    for (const auto& one : report.cases) {
      for (const auto& fault : one.faults) told += one.name + ": " + fault + "\n";
    }
    for (std::size_t at; (at = told.find(folder_.path() + "/")) != std::string::npos;)
      told.erase(at, folder_.path().size() + 1);
    return told;
  }
  GoldenReport report;

 private:
  test::TempDir folder_;
};

TEST(MappingTest, TellsWhatTheCasesDoNotReach) {
  Folder folder;
  EXPECT_EQ(folder.run(), "");
  EXPECT_EQ(folder.report.cases.size(), 1U);
  EXPECT_EQ(folder.report.mapped, 1U);
  EXPECT_EQ(folder.report.rules.all, 3U);
  ASSERT_EQ(folder.report.rules.missed.size(), 2U);
  EXPECT_TRUE(folder.report.rules.missed[0].ends_with("visit.map:6:3 'active' of group G"))
      << folder.report.rules.missed[0];
  EXPECT_EQ(std::count(folder.report.fields.missed.begin(), folder.report.fields.missed.end(), "Visit.text"), 0);
  EXPECT_EQ(std::count(folder.report.fields.missed.begin(), folder.report.fields.missed.end(), "Visit.name.family"), 1);
  EXPECT_GT(folder.report.grammar.used(), 5U);
}

TEST(MappingTest, AWrongExpectationFailsAndCanBeAccepted) {
  Folder folder(R"({"text":"sv"})", "{\n  \"resourceType\": \"Patient\",\n  \"language\": \"en\"\n}\n");
  EXPECT_EQ(folder.run(),
            "visit/one: expected.json line 3: expected \"language\": \"en\" but got \"language\": \"sv\"\n");
  EXPECT_EQ(folder.report.failed(), 1U);
  EXPECT_EQ(folder.report.rules.missed.size(), 3U) << "a case that fails reaches nothing";
  EXPECT_EQ(folder.run(true), "");
  EXPECT_TRUE(folder.report.cases[0].accepted);
  EXPECT_EQ(folder.run(), "");
}

TEST(MappingTest, ALostFieldFails) {
  Folder folder(R"({"text":"sv","code":"x"})");
  EXPECT_EQ(folder.run(), "visit/one: source-unaccounted Visit.code: no rule maps it, and no .drop file names it\n");
  folder.write("visit.drop", "Visit.code | a test\nVisit.count | never there\n");
  EXPECT_EQ(folder.run(), "");
  EXPECT_EQ(folder.report.dropped, 1U);
  EXPECT_EQ(folder.report.drops.all, 2U);
  ASSERT_EQ(folder.report.drops.missed.size(), 1U);
  EXPECT_TRUE(folder.report.drops.missed[0].ends_with("visit.drop:2 Visit.count"));
}

TEST(MappingTest, AResultMustConformToTheProfilesOfItsFlow) {
  Folder folder;
  folder.write("named.json",
               R"({"resourceType":"StructureDefinition","url":"http://example.org/named","name":"N","status":"draft",
  "fhirVersion":"4.0.1","kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
  "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",
  "differential":{"element":[{"id":"Patient.name","path":"Patient.name","min":1}]}})");
  folder.write("visit/flow", "[flow]\nmap = ../visit.map\npackage = " LOTSEN_SOURCE_DIR
                             "/tests/mapping/data/visit.model.json\npackage = ../named.json\n"
                             "profile = http://example.org/named\n");
  EXPECT_EQ(folder.run(), "visit/one: cardinality-min Patient: \"name\" is missing (http://example.org/named)\n");
}

TEST(MappingTest, AnInvalidCaseMustBeRefusedAsExpected) {
  Folder folder;
  folder.write("visit/invalid-day/input.json", R"({"day":"1999-01-01"})");
  EXPECT_EQ(folder.run(), "visit/invalid-day: expected.issues.json is missing; --accept writes it\n");
  EXPECT_EQ(folder.run(true), "");
  EXPECT_EQ(folder.run(), "");
  folder.write("visit/invalid-day/input.json", R"({"day":"2001-01-01"})");
  EXPECT_TRUE(folder.run().starts_with("visit/invalid-day: a case named invalid-… must be refused, and it was not\n"));
}

TEST(MappingTest, RecordsMayBeXmlOrMadeOfOtherCases) {
  Folder folder;
  folder.write("visit/xml/input.xml", R"(<Visit xmlns="http://hl7.org/fhir"><text value="en"/></Visit>)");
  folder.write("visit/xml/expected.json", "{\n  \"resourceType\": \"Patient\",\n  \"language\": \"en\"\n}\n");
  folder.write("visit/lost/input.json", "\"@visit/none@\"");
  EXPECT_EQ(folder.run(), "visit/lost: \"@visit/none@\" names no case with an expected.json\n");
}

TEST(MappingTest, WrongFilesAreFaultsWithTheirPlace) {
  Folder folder;
  folder.write("visit/one/notes.txt", "");
  folder.write("visit/stray.json", "{}");
  EXPECT_EQ(folder.run(), "visit/stray.json: belongs to no case: a case is a folder\n");
  Folder other;
  other.write("visit/one/notes.txt", "");
  EXPECT_EQ(other.run(), "visit/one: visit/one/notes.txt belongs to nothing\n");
  other.write("visit/flow", "[flow]\nmap = ../visit.map\npakage = x\n");
  EXPECT_NE(other.run().find("visit/flow:3: unknown key pakage"), std::string::npos) << other.run();
  Folder broken;
  broken.write("visit.map", std::string(kMap) + "group H(source s : Visit, target t : Patient) { s.txt -> t.id; }\n");
  EXPECT_EQ(broken.run(), "visit.map:9:51: Visit has no element 'txt'; did you mean 'text'?\n");
}

}  // namespace
}  // namespace lotsen::app
