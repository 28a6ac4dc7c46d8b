// translate() by the concept maps of packages and by those inside StructureMap resources.
#include "tests/mapping/fixture.h"
#include "tests/support/temp_dir.h"

#include <unistd.h>

#include <fstream>

namespace lotsen::mapping {
namespace {

using DefinitionsPointer = std::shared_ptr<const definitions::Definitions>;

/// The Visit model and these concept maps.
DefinitionsPointer definitionsWith(const std::vector<std::string>& conceptMaps) {
  const test::TempDir folder;
  std::vector<std::string> paths{LOTSEN_SOURCE_DIR "/tests/mapping/data/visit.model.json"};
  for (const std::string& text : conceptMaps) {
    paths.push_back(folder.file(std::to_string(paths.size()) + ".json"));
    std::ofstream(paths.back()) << text;
  }
  fhir::Issues issues;
  auto loaded = definitions::load(paths, issues);
  EXPECT_TRUE(loaded.ok()) << allIssues(issues);
  return loaded ? *loaded : definitions::Definitions::r4();
}

const char* const kSex = R"({"resourceType":"ConceptMap","url":"http://example.org/cm/sex","status":"draft","group":[{
  "source":"urn:s","target":"urn:t","element":[
  {"code":"M","target":[{"code":"male","display":"Man","equivalence":"equivalent"}]},
  {"code":"K","target":[{"code":"female","equivalence":"equal"}]},
  {"code":"H","target":[{"code":"male","equivalence":"wider"},{"code":"female","equivalence":"wider"}]}],
  "unmapped":{"mode":"fixed","code":"unknown"}}]})";

/// The result without its resourceType, or the issues.
std::string translated(const std::string& target, const std::string& rules, const std::string& source,
                       const std::string& more = "") {
  static const DefinitionsPointer definitions = definitionsWith({kSex});
  fhir::Issues issues;
  const auto library = Library::compile({{"t.map", mapOf(target, rules, more)}}, definitions, issues);
  if (!library) return allIssues(issues);
  fhir::ReadOptions read;
  read.type = library->sourceType();
  const auto record = fhir::readJson(source, definitions->schema, read, issues);
  if (!record) return allIssues(issues);
  const auto result = transform(*library, *record, {}, issues);
  return (result ? fhir::writeJson(*result) + "\n" : std::string()) + allIssues(issues);
}

const std::string kRule = "src.code as c -> tgt.gender = translate(c, 'http://example.org/cm/sex', 'code');";

TEST(ConceptMap, OfAPackageIsFoundByItsCanonical) {
  EXPECT_EQ(translated("Patient", kRule, R"({"code":"M"})"), "{\"resourceType\":\"Patient\",\"gender\":\"male\"}\n");
  EXPECT_EQ(translated("Patient", kRule, R"({"code":"?"})"), "{\"resourceType\":\"Patient\",\"gender\":\"unknown\"}\n");
  EXPECT_NE(translated("Patient", kRule, R"({"code":"H"})").find("has several translations"), std::string::npos);
  EXPECT_EQ(
      translated("Patient", "src.code as c -> tgt.gender = translate(c, 'http://example.org/cm/age', 'code');", "{}"),
      "error: t.map:5:44: there is no concept map 'http://example.org/cm/age'; give the package that has it\n");
}

TEST(ConceptMap, EveryOutcomeIsMade) {
  const auto to = [](const std::string& element, const std::string& output) {
    return translated(
        "Observation",
        "src.code as c -> tgt." + element + " = translate(c, 'http://example.org/cm/sex', '" + output + "');",
        R"({"code":"M"})");
  };
  const std::string head = "{\"resourceType\":\"Observation\",";
  EXPECT_EQ(to("code", "CodeableConcept"),
            head + "\"code\":{\"coding\":[{\"system\":\"urn:t\",\"code\":\"male\",\"display\":\"Man\"}]}}\n");
  EXPECT_EQ(to("code", "Coding"),
            head + "\"code\":{\"coding\":[{\"system\":\"urn:t\",\"code\":\"male\",\"display\":\"Man\"}]}}\n");
  EXPECT_EQ(to("language", "code"), head + "\"language\":\"male\"}\n");
  EXPECT_EQ(to("implicitRules", "system"), head + "\"implicitRules\":\"urn:t\"}\n");
  EXPECT_EQ(to("implicitRules", "uri"), head + "\"implicitRules\":\"male\"}\n");
  EXPECT_EQ(to("value", "display"), head + "\"valueString\":\"Man\"}\n");
  EXPECT_NE(to("value", "colour").find("t.map:5:72: translate makes 'code'"), std::string::npos)
      << to("value", "colour");
}

TEST(ConceptMap, CodingsOfAConceptMustAgree) {
  const std::string rule = "src.concept as c -> tgt.gender = translate(c, 'http://example.org/cm/sex', 'code');";
  EXPECT_EQ(translated("Patient", rule,
                       R"({"concept":{"coding":[{"system":"urn:x","code":"M"},{"system":"urn:s","code":"K"}]}})"),
            "{\"resourceType\":\"Patient\",\"gender\":\"female\"}\n");
  EXPECT_NE(translated("Patient", rule,
                       R"({"concept":{"coding":[{"system":"urn:s","code":"M"},{"system":"urn:s","code":"K"}]}})")
                .find("has several translations"),
            std::string::npos);
  EXPECT_EQ(translated("Patient", "src.coding as c -> tgt.gender = translate(c, 'http://example.org/cm/sex', 'code');",
                       R"({"coding":{"system":"urn:s","code":"M"}})"),
            "{\"resourceType\":\"Patient\",\"gender\":\"male\"}\n");
}

TEST(ConceptMap, OfTheMapIsFoundWithoutItsSign) {
  EXPECT_EQ(translated("Patient", "src.code as c -> tgt.gender = translate(c, 'sex', 'code');", R"({"code":"M"})",
                       "conceptmap \"sex\" { prefix s = \"urn:s\" prefix t = \"urn:t\" s:M == t:male }\n"),
            "{\"resourceType\":\"Patient\",\"gender\":\"male\"}\n");
}

TEST(ConceptMap, OidsBecomeUrisByTheSpecialMap) {
  const std::string rule =
      "src.text as t -> tgt.identifier as i, i.system = translate(t, "
      "'http://hl7.org/fhir/ConceptMap/special-oid2uri', 'uri');";
  EXPECT_EQ(translated("Patient", rule, R"({"text":"1.2.3"})"),
            "{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"urn:oid:1.2.3\"}]}\n");
  EXPECT_EQ(translated("Patient", rule, R"({"text":"2.16.840.1.113883.6.1"})"),
            "{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"http://loinc.org\"}]}\n");
}

TEST(ConceptMap, InsideAStructureMapIsReadAndWrittenWhole) {
  const std::string json =
      R"({"resourceType":"StructureMap","contained":[{"resourceType":"ConceptMap","id":"cm","status":"draft","group":[)"
      R"({"source":"urn:s","target":"urn:t","element":[{"code":"M","target":[{"code":"male","display":"Man",)"
      R"("equivalence":"wider"}]}],"unmapped":{"mode":"fixed","code":"unknown"}},)"
      R"({"source":"urn:u","target":"urn:t","element":[{"code":"Q","target":[{"equivalence":"unmatched"}]}],)"
      R"("unmapped":{"mode":"other-map","url":"http://example.org/cm/sex"}}]}],)"
      R"("url":"http://example.org/m","version":"2","name":"m","title":"A map","status":"active",)"
      R"("structure":[{"url":"http://hl7.org/fhir/StructureDefinition/Coding","mode":"source","alias":"C"}],)"
      R"("group":[{"name":"G","typeMode":"none","input":[{"name":"s","type":"Coding","mode":"source"},)"
      R"({"name":"t","type":"Patient","mode":"target"}],"rule":[{"name":"r","source":[{"context":"s","variable":"v"}],)"
      R"("target":[{"context":"t","contextType":"variable","element":"gender","transform":"translate","parameter":[)"
      R"({"valueId":"v"},{"valueString":"#cm"},{"valueString":"code"}]}]}]}]})";
  fhir::Issues issues;
  const auto written = toStructureMap({"t.json", json}, fhir::Schema::r4(), issues);
  ASSERT_TRUE(written.ok()) << allIssues(issues);
  EXPECT_EQ(fhir::writeJson(*written), json);
  const DefinitionsPointer definitions = definitionsWith({kSex});
  const auto library = Library::compile({{"t.json", json}}, definitions, issues);
  ASSERT_TRUE(library.ok()) << allIssues(issues);
  const std::vector<std::pair<std::string, std::string>> cases = {{R"({"system":"urn:s","code":"M"})", "male"},
                                                                  {R"({"system":"urn:s","code":"?"})", "unknown"},
                                                                  {R"({"system":"urn:u","code":"K"})", ""},
                                                                  {R"({"system":"urn:u","code":"Q"})", ""}};
  for (const auto& [source, gender] : cases) {
    fhir::ReadOptions read;
    read.type = library->sourceType();
    const auto record = fhir::readJson(source, definitions->schema, read, issues);
    ASSERT_TRUE(record.ok()) << allIssues(issues);
    const auto result = transform(*library, *record, {}, issues);
    ASSERT_TRUE(result.ok()) << allIssues(issues);
    EXPECT_EQ(fhir::valueAt(*result, result->root(), "gender"), gender) << source;
  }
}

}  // namespace
}  // namespace lotsen::mapping
