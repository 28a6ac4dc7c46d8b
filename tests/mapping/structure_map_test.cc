// StructureMap resources, R4 form: a map written as one and read again does the same; what the form cannot hold is
// refused.
#include "tests/mapping/fixture.h"

namespace lotsen::mapping {
namespace {

struct Written {
  std::string json;
  std::string issues;
};

Written write(const std::string& map) {
  Written out;
  fhir::Issues issues;
  const auto document = toStructureMap({"t.map", map}, visitSchema(), issues);
  if (document) out.json = fhir::writeJson(*document);
  out.issues = allIssues(issues);
  return out;
}

void sameBothWays(const std::string& map, const std::string& source) {
  const Written written = write(map);
  ASSERT_EQ(written.issues, "");
  const Outcome direct = runMap(map, source, visitSchema());
  const Outcome resource = runMap(written.json, source, visitSchema());
  EXPECT_TRUE(direct.ok) << direct.issues;
  EXPECT_EQ(resource.issues, direct.issues);
  EXPECT_EQ(resource.json, direct.json) << written.json;
}

TEST(StructureMap, aMapReadBackDoesTheSame) {
  const std::string rules =
      "src.text default 'none' as t where t.exists() check t.length() > 0 -> tgt.language = truncate(t, 2) "
      "\"language\";\n"
      "src.name 0..* first as n -> tgt.name as m share one, m.family = n then Name(n, m) \"name\";\n"
      "src.tag as g -> tgt.name as m collate, m.given = g;\n"
      "src.id -> tgt.id;\n"
      "src.code as c -> tgt.gender = translate(c, '#sex', 'code') \"sex\";\n"
      "src.amount as a -> tgt.multipleBirth = evaluate(a, $this.toString().toInteger()) as b \"birth\";\n"
      "src.value : Quantity as q -> tgt.extension as x, x.url = 'u', x.value = q \"quantity\";\n"
      "src -> tgt.active = true then { src.day as d -> tgt.birthDate = d \"d\"; } \"active\";";
  std::string map =
      mapOf("Patient", rules,
            "conceptmap \"#sex\" { prefix s = \"urn:s\" prefix t = \"urn:t\" unmapped for s = provided s:M == t:male "
            "}\n") +
      "group Name(source s, target t) { s.family as f -> t.text = append(f, '!') \"f\"; }\n"
      "group Text(source a : string, target b : string) <<type+>> { a.value as v -> b.value = v \"v\"; }\n";
  map.replace(map.find("m.family = n then"), 17, "m.use = 'usual' then");
  sameBothWays(map, R"({"id":"1","text":"svenska","code":"M","amount":2,"day":"2001-02-03","tag":["a","b"],
                        "name":[{"family":"F"},{"family":"G"}],"valueQuantity":{"unit":"mg"}})");
}

TEST(StructureMap, theFormRefusesWhatItCannotHold) {
  EXPECT_EQ(write(mapOf("Patient", "src.name.given as g -> tgt.name.given = g;", "let a = 'x';\n")).issues,
            "error: t.map:2:5: an R4 StructureMap has no place for a constant (let)\n"
            "error: t.map:6:10: an R4 StructureMap has no place for several elements in one path; use a variable for "
            "the one between\n"
            "error: t.map:6:33: an R4 StructureMap has no place for several elements in one path; use a variable for "
            "the one between\n");
  EXPECT_NE(write(mapOf("Patient", "src as s -> tgt as t then G(s, 'x');"))
                .issues.find("an argument of a group that is not a variable"),
            std::string::npos);
}

TEST(StructureMap, faultsOfTheResourceHaveTheirPlace) {
  EXPECT_EQ(runMap("{\n \"resourceType\": \"StructureMap\", \"group\": [ { \"rule\": [ {} ] } ] }", "{}")
                .issues.substr(0, 10),
            "error: t.m");
  EXPECT_NE(runMap("{\"resourceType\":\"Patient\"}", "{}").issues, "");
}

TEST(StructureMap, theReferralMapSurvivesTheRoundTrip) {
  const auto data = sharedFolder("peers/data");
  if (!data) GTEST_SKIP() << "no benchmark data";
  fhir::Issues issues;
  const auto schema = schemaWith({(*data / "source-referral.model.json").string()});
  const auto resource = toStructureMap({"referral.map", fileText(*data / "referral.map")}, schema, issues);
  ASSERT_TRUE(resource.ok()) << allIssues(issues);
  const Outcome outcome =
      runMaps({{"referral.json", fhir::writeJson(*resource)}}, fileText(*data / "source-referral.json"), schema);
  EXPECT_EQ(outcome.issues, "");
  EXPECT_EQ(outcome.json, fileText(*data / "bundle.json"));
}

}  // namespace
}  // namespace lotsen::mapping
