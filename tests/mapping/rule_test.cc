// Rules: sources, list modes, conditions, targets, groups, types. The result of every part of the grammar, and its
// failure.
#include "tests/mapping/fixture.h"

namespace lotsen::mapping {
namespace {

const std::string kTags = R"({"tag":["a","b","c"]})";

std::string tags(const std::string& source) {
  return made("Patient", "src.tag " + source + " -> tgt.name as n, n.text = t;", kTags);
}

TEST(Source, listModesPickFromTheItemsThatPassTheCondition) {
  EXPECT_EQ(tags("first as t"), R"({"name":[{"text":"a"}]})");
  EXPECT_EQ(tags("not_first as t"), R"({"name":[{"text":"b"},{"text":"c"}]})");
  EXPECT_EQ(tags("last as t"), R"({"name":[{"text":"c"}]})");
  EXPECT_EQ(tags("not_last as t"), R"({"name":[{"text":"a"},{"text":"b"}]})");
  EXPECT_EQ(tags("first as t where t != 'a'"), R"({"name":[{"text":"b"}]})");
  EXPECT_EQ(tags("only_one as t where t = 'b'"), R"({"name":[{"text":"b"}]})");
  EXPECT_TRUE(fails("Patient", "src.tag only_one as t -> tgt.name as n;", kTags,
                    "the rule wants only one and the record has 3"));
  EXPECT_EQ(made("Patient", "src.tag first as t -> tgt.name as n, n.text = t;", "{}"), "{}");
}

TEST(Source, conditionsSeeTheItemAndTheVariables) {
  EXPECT_EQ(tags("as t where (t = 'b')"), R"({"name":[{"text":"b"}]})");
  EXPECT_EQ(tags("as t where $this = 'b'"), R"({"name":[{"text":"b"}]})");
  EXPECT_EQ(tags("as t where src.tag.count() = 3 and t != 'a'"), R"({"name":[{"text":"b"},{"text":"c"}]})");
  EXPECT_EQ(made("Patient", "src.name as n where family.exists() -> tgt.name as m, m.family = n.family;",
                 R"({"name":[{"given":["x"]},{"family":"F"}]})"),
            R"({"name":[{"family":"F"}]})");
  EXPECT_EQ(made("Patient", "src where text = 'x' -> tgt.active = true;", R"({"text":"x"})"), R"({"active":true})");
  EXPECT_EQ(made("Patient", "src where text = 'x' -> tgt.active = true;", R"({"text":"y"})"), "{}");
  EXPECT_TRUE(fails("Patient", "src where src.tag -> tgt.active = true;", kTags, ""));
  EXPECT_TRUE(fails("Patient", "src where (text = ) -> tgt.active = true;", "{}",
                    "t.map:5:19: expected a FHIRPath expression but found ')'"));
}

TEST(Source, checksStopTheTransform) {
  EXPECT_EQ(tags("as t check t.length() = 1"), R"({"name":[{"text":"a"},{"text":"b"},{"text":"c"}]})");
  EXPECT_TRUE(fails("Patient", "src.tag as t check t = 'a' -> tgt.name as n;", kTags,
                    "the rule's check failed (t.map:5:1, rule 'tag' of group G)"));
}

TEST(Source, logsShowTheMapsTextAndNeverTheRecords) {
  const Outcome text = run("Patient", "src.text log 'seen' -> tgt.active = true;", R"({"text":"x"})");
  EXPECT_EQ(text.issues, "information: seen (t.map:5:1, rule 'text' of group G)\n");
  const Outcome value = run("Patient", "src.text as t log ('secret ' & t) -> tgt.active = true;", R"({"text":"x"})");
  EXPECT_NE(value.issues.find("log: 8 bytes, not shown"), std::string::npos) << value.issues;
  EXPECT_EQ(value.issues.find("secret"), std::string::npos);
}

TEST(Source, defaultsStandInForWhatIsMissing) {
  const std::string rules = "src.text default 'none' as t -> tgt.language = t;";
  EXPECT_EQ(made("Patient", rules, R"({"text":"sv"})"), R"({"language":"sv"})");
  EXPECT_EQ(made("Patient", rules, "{}"), R"({"language":"none"})");
  EXPECT_EQ(made("Patient", "src.text default (src.code & '-x') as t -> tgt.language = t;", R"({"code":"sv"})"),
            R"({"language":"sv-x"})");
}

TEST(Source, cardinalityIsChecked) {
  const std::string rules = "src.tag 1..2 as t -> tgt.name as n, n.text = t;";
  EXPECT_EQ(made("Patient", rules, R"({"tag":["a"]})"), R"({"name":[{"text":"a"}]})");
  EXPECT_TRUE(fails("Patient", rules, "{}", "the rule wants 1..2 and the record has 0"));
  EXPECT_TRUE(fails("Patient", rules, kTags, "the rule wants 1..2 and the record has 3"));
  EXPECT_TRUE(
      fails("Patient", "src.tag 4..* as t -> tgt.active = true;", kTags, "the rule wants 4..* and the record has 3"));
}

TEST(Source, typesSelectTheVariantsOfAChoice) {
  const std::string rules =
      "src.value : Quantity as q -> tgt.name as n, n.text = q.unit;\n src.value : string as s -> tgt.name as n, "
      "n.family = s;\n"
      "src.valueBoolean as b -> tgt.active = b;";
  EXPECT_EQ(made("Patient", rules, R"({"valueQuantity":{"unit":"mg"}})"), R"({"name":[{"text":"mg"}]})");
  EXPECT_EQ(made("Patient", rules, R"({"valueString":"x"})"), R"({"name":[{"family":"x"}]})");
  EXPECT_EQ(made("Patient", rules, R"({"valueBoolean":true})"), R"({"active":true})");
  EXPECT_TRUE(fails("Patient", "src.text : Quantity as q -> tgt.active = true;", "{}",
                    "'text' is a string and never a Quantity"));
  EXPECT_TRUE(fails("Patient", "src.value : Quantty as q -> tgt.active = true;", "{}",
                    "unknown type 'Quantty'; did you mean 'Quantity'?"));
}

TEST(Source, severalSourcesMeanEveryCombination) {
  EXPECT_EQ(
      made("Patient", "src.tag as a, src.name as n where a != 'b' -> tgt.name as m, m.text = append(a, n.family);",
           R"({"tag":["a","b"],"name":[{"family":"X"},{"family":"Y"}]})"),
      R"({"name":[{"text":"aX"},{"text":"aY"}]})");
}

TEST(Source, deepPathsAreFollowed) {
  EXPECT_EQ(made("Patient", "src.name.given as g -> tgt.name as n, n.given = g;",
                 R"({"name":[{"given":["a","b"]},{"given":["c"]}]})"),
            R"({"name":[{"given":["a"]},{"given":["b"]},{"given":["c"]}]})");
}

TEST(Source, namesAreChecked) {
  EXPECT_TRUE(fails("Patient", "src.txt as t -> tgt.active = true;", "{}",
                    "t.map:5:5: Visit has no element 'txt'; did you mean 'text'?"));
  EXPECT_TRUE(fails("Patient", "src.name as n then { n.famly as f -> tgt.active = true; };", "{}",
                    "Visit.name has no element 'famly'; did you mean 'family'?"));
  EXPECT_TRUE(
      fails("Patient", "sorc.text as t -> tgt.active = true;", "{}", "there is no source variable 'sorc' here"));
}

TEST(Target, namesAreChecked) {
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.birthdate = t;", "{}",
                    "Patient has no element 'birthdate'; did you mean 'birthDate'?"));
  EXPECT_TRUE(fails("Patient", "src.text as text -> text.name as n;", "{}",
                    "'text' is a source variable; a target begins with a target variable"));
  EXPECT_TRUE(fails("Patient", "src.text as t -> append(t) as a, a.name as n;", "{}",
                    "'a' is a value, not an element that could be filled"));
  EXPECT_EQ(run("Patient", "src -> tgt.gender = 'femal';", "{}").issues,
            "warning: t.map:5:21: 'femal' is not in the value set of Patient.gender, "
            "http://hl7.org/fhir/ValueSet/administrative-gender\n");
}

TEST(Target, allFaultsAreToldAtOnce) {
  const Outcome outcome = run(
      "Patient",
      "src.txt as t -> tgt.birthdate = t;\nsrc.tag as t -> tgt.nme as n then Nowhere(t, n);\nsrc -> tgt.x = y;", "{}");
  EXPECT_EQ(outcome.issues,
            "error: t.map:5:5: Visit has no element 'txt'; did you mean 'text'?\n"
            "error: t.map:5:21: Patient has no element 'birthdate'; did you mean 'birthDate'?\n"
            "error: t.map:6:21: Patient has no element 'nme'; did you mean 'name'?\n"
            "error: t.map:6:35: there is no group 'Nowhere'\n"
            "error: t.map:7:12: Patient has no element 'x'\n"
            "error: t.map:7:16: there is no variable 'y' here\n");
}

TEST(Target, anElementThatDoesNotRepeatIsMadeOnce) {
  EXPECT_EQ(
      made("Observation", "src.code as c -> tgt.code as cc, cc.text = c; src.text as t -> tgt.code as cc, cc.text = t;",
           R"({"code":"c","text":"t"})"),
      R"({"code":{"text":"t"}})");
  EXPECT_EQ(made("Patient", "src.code as c -> tgt.gender = c; src.text as c -> tgt.gender = c;",
                 R"({"code":"male","text":"female"})"),
            R"({"gender":"female"})");
  EXPECT_EQ(made("Observation", "src.text as t -> tgt.value = t; src.flag as f -> tgt.value = f;",
                 R"({"text":"x","flag":true})"),
            R"({"valueBoolean":true})");
}

TEST(Target, listModesOrderTheList) {
  const std::string three =
      "src.tag as t where t = 'a' -> tgt.name as n, n.text = t; src.tag as t where t = 'b' -> tgt.name as n first, "
      "n.text = t; "
      "src.tag as t where t = 'c' -> tgt.name as n, n.text = t;";
  EXPECT_EQ(made("Patient", three, kTags), R"({"name":[{"text":"b"},{"text":"a"},{"text":"c"}]})");
  const std::string last =
      "src.tag as t where t = 'a' -> tgt.name as n last, n.text = t; src.tag as t where t = 'b' -> tgt.name as n, "
      "n.text = t; "
      "src.tag as t where t = 'c' -> tgt.name as n, n.text = t;";
  EXPECT_EQ(made("Patient", last, kTags), R"({"name":[{"text":"b"},{"text":"c"},{"text":"a"}]})");
  EXPECT_EQ(made("Patient", "src.tag as t -> tgt.name as n collate, n.given = t;", kTags),
            R"({"name":[{"given":["a","b","c"]}]})");
  EXPECT_EQ(made("Patient", "src.tag as t -> tgt.name as n single, n.given = t;", kTags),
            R"({"name":[{"given":["a","b","c"]}]})");
  // Several of one rule stay in their order; of two rules only one can have an end of the list.
  const std::string ends =
      "src.tag as t where t = 'b' -> tgt.name as n, n.text = t; src.tag as t where t != 'b' -> tgt.name as n first, "
      "n.text = t; src.tag as t -> tgt.telecom as c last, c.value = t; src.tag as t -> tgt.telecom as c, c.value = "
      "('+' & "
      "t);";
  EXPECT_EQ(made("Patient", ends, kTags),
            R"({"name":[{"text":"a"},{"text":"c"},{"text":"b"}],"telecom":[{"value":"+a"},{"value":"+b"},)"
            R"({"value":"+c"},{"value":"a"},{"value":"b"},{"value":"c"}]})");
  EXPECT_TRUE(fails("Patient", "src -> tgt.name as n first, n.text = 'a'; src -> tgt.name as n first, n.text = 'b';",
                    kTags, "two rules want to be first in this list"));
  EXPECT_TRUE(fails("Patient", "src -> tgt.name as n last, n.text = 'a'; src -> tgt.name as n last, n.text = 'b';",
                    kTags, "two rules want to be last in this list"));
}

TEST(Target, sharedTargetsLiveAsLongAsTheirBlock) {
  EXPECT_EQ(made("Patient",
                 "src.text as t -> tgt.name as n share one, n.family = t; src.tag as t -> tgt.name as n share one, "
                 "n.given = t;",
                 R"({"text":"F","tag":["a","b"]})"),
            R"({"name":[{"family":"F","given":["a","b"]}]})");
  EXPECT_EQ(made("Patient",
                 "src.name as s then { s.family as f -> tgt.name as n share one, n.family = f; s.given as g -> "
                 "tgt.name as n share one, n.given = g; } \"names\";",
                 R"({"name":[{"family":"A","given":["a"]},{"family":"B","given":["b"]}]})"),
            R"({"name":[{"family":"A","given":["a"]},{"family":"B","given":["b"]}]})");
}

TEST(Target, aVariableMayGetASecondName) {
  EXPECT_EQ(made("Patient", "src -> tgt as p, p.active = true;", "{}"), R"({"active":true})");
}

TEST(Target, pathsMakeWhatIsMissingOnTheWay) {
  EXPECT_EQ(made("Observation", "src.code as c -> tgt.code.text = c; src.text as t -> tgt.code.coding.code = t;",
                 R"({"code":"c","text":"t"})"),
            R"({"code":{"text":"c","coding":[{"code":"t"}]}})");
}

TEST(Target, elementsThatGetNothingAreLeftOut) {
  EXPECT_EQ(
      made("Patient",
           "src -> tgt.name as n then { src.text as t -> n.text = t; }; src -> tgt.contact as c, c.name as m;", "{}"),
      "{}");
}

TEST(Group, dependentGroupsGetTheirArguments) {
  const std::string map =
      mapOf(
          "Patient",
          "src.name as n -> tgt.name as m then Name(n, m, 'official'), Text(n, m) { n.given as g -> m.given = g; };") +
      "group Name(source s, target t : HumanName, source use) { s.family as f -> t.family = f; s -> t.use = use "
      "\"use\"; }\n"
      "group Text(source s, target t) { s.family as f -> t.text = f; }\n";
  EXPECT_EQ(runMap(map, R"({"name":[{"family":"F","given":["g"]}]})", visitSchema()).json,
            R"({"resourceType":"Patient","name":[{"family":"F","use":"official","text":"F","given":["g"]}]})");
}

TEST(Group, callsAreChecked) {
  const auto fault = [](const std::string& call, const std::string& group) {
    return runMap(mapOf("Patient", "src.name as n -> tgt.name as m then " + call + ";") + group, "{}", visitSchema())
        .issues;
  };
  const std::string group = "group Name(source s, target t) { s -> t; }\n";
  EXPECT_EQ(fault("Nam(n, m)", group), "error: t.map:5:37: there is no group 'Nam'; did you mean 'Name'?\n");
  EXPECT_EQ(fault("Name(n)", group), "error: t.map:5:37: group 'Name' takes 2 arguments, not 1\n");
  EXPECT_EQ(fault("Name(m, n)", group), "error: t.map:5:45: argument 2 of 'Name' must be a target variable\n");
  EXPECT_EQ(fault("Name(k, m)", group), "error: t.map:5:42: there is no variable 'k' here\n");
}

TEST(Group, aCallThatNeverEndsIsStopped) {
  const std::string map = mapOf("Patient", "src -> tgt as t then G(src, t);");
  const Outcome outcome = runMap(map, "{}", visitSchema());
  EXPECT_FALSE(outcome.ok);
  EXPECT_NE(outcome.issues.find("groups call each other more than 200 deep"), std::string::npos) << outcome.issues;
}

TEST(Group, extendsRunsTheOtherGroupFirst) {
  const std::string map =
      "map \"http://example.org/m\" = \"m\"\nuses \"http://example.org/StructureDefinition/Visit\" alias Visit as "
      "source\n"
      "group G(source src : Visit, target tgt : Patient) extends Base { src.text as t -> tgt.language = t; }\n"
      "group Base(source a : Visit, target b : Patient) { a.id as i -> b.id = i; }\n";
  EXPECT_EQ(runMap(map, R"({"id":"1","text":"sv"})", visitSchema()).json,
            R"({"resourceType":"Patient","id":"1","language":"sv"})");
}

TEST(Group, arrowsWithoutBodyUseTheGroupForTheTypesElseCopy) {
  EXPECT_EQ(made("Patient", "src.id -> tgt.id; src.identifier -> tgt.identifier; src.day -> tgt.birthDate;",
                 R"({"id":"1","identifier":[{"value":"v"}],"day":"2001"})"),
            R"({"id":"1","identifier":[{"value":"v"}],"birthDate":"2001"})");
  const std::string byType =
      mapOf("Observation", "src.concept -> tgt.code; src.value -> tgt.value;") +
      "group Concept(source s : CodeableConcept, target t : CodeableConcept) <<types>> { s.text as x -> t.text = "
      "append(x, '!'); }\n"
      "group Amount(source s : Quantity, target t : Quantity) <<type+>> { s.unit as u -> t.code = u; }\n";
  EXPECT_EQ(runMap(byType, R"({"concept":{"text":"x"},"valueQuantity":{"unit":"mg"}})", visitSchema()).json,
            R"({"resourceType":"Observation","code":{"text":"x!"},"valueQuantity":{"code":"mg"}})");
  EXPECT_EQ(runMap(byType, R"({"valueString":"mg"})", visitSchema()).json,
            R"({"resourceType":"Observation","valueString":"mg"})");
  EXPECT_TRUE(
      fails("Patient", "src.identifier -> tgt.name;", "{}", "no group maps Identifier to HumanName by default"));
}

TEST(Group, backboneElementsOfDifferentStructuresAreCopiedByName) {
  EXPECT_EQ(made("Patient", "src.name -> tgt.contact;", R"({"name":[{"given":["x"]}]})"),
            "error: the copied structure has an element 'given' that the target lacks (t.map:5:13, rule 'name' of "
            "group G)\n");
  EXPECT_EQ(made("Bundle", "src.person as p -> tgt.entry as e, e.resource = p as q, q.active = true;",
                 R"({"person":{"resourceType":"Patient","link":[{"type":"seealso"}]}})"),
            R"({"entry":[{"resource":{"resourceType":"Patient","link":[{"type":"seealso"}],"active":true}}]})");
}

TEST(Group, aCopyBetweenDifferentTypesUsesTheirGroup) {
  const std::string map =
      mapOf("Patient", "src.concept as c -> tgt.name = c;") +
      "group Named(source s : CodeableConcept, target t : HumanName) <<types>> { s.text as x -> t.text = x; }\n";
  EXPECT_EQ(runMap(map, R"({"concept":{"text":"x"}})", visitSchema()).json,
            R"({"resourceType":"Patient","name":[{"text":"x"}]})");
}

TEST(Group, createWithoutTypeUsesTheGroupForTheSourcesType) {
  const std::string groups =
      "group Text(source s : string, target t : CodeableConcept) <<type+>> { s.value as v -> t.text = v; }\n";
  EXPECT_EQ(runMap(mapOf("Observation", "src.text as s -> tgt.value = create() as t;") + groups, R"({"text":"x"})",
                   visitSchema())
                .json,
            R"({"resourceType":"Observation","valueCodeableConcept":{"text":"x"}})");
  EXPECT_EQ(runMap(mapOf("Observation", "src.text as s -> tgt.value as t then { s -> t.text = 'y' \"y\"; };") + groups,
                   R"({"text":"x"})", visitSchema())
                .json,
            R"({"resourceType":"Observation","valueCodeableConcept":{"text":"y"}})");
}

TEST(Library, importsFindGroupsInOtherMaps) {
  const std::string main =
      mapOf("Patient", "src.name as n -> tgt.name as m then Name(n, m);", "imports \"http://example.org/lib/*\"\n");
  const std::string lib =
      "map \"http://example.org/lib/names\" = \"names\"\ngroup Name(source s, target t) { s.family as f -> t.family = "
      "f; }\n";
  const std::string source = R"({"name":[{"family":"F"}]})";
  EXPECT_EQ(runMaps({{"main.map", main}, {"lib.map", lib}}, source, visitSchema()).json,
            R"({"resourceType":"Patient","name":[{"family":"F"}]})");
  const Outcome missing = runMaps({{"main.map", main}}, source, visitSchema());
  EXPECT_NE(missing.issues.find(
                "warning: main.map:2:9: no map with the canonical 'http://example.org/lib/*' was given; add its file"),
            std::string::npos)
      << missing.issues;
  const std::string unimported = mapOf("Patient", "src.name as n -> tgt.name as m then Name(n, m);");
  const Outcome hint = runMaps({{"main.map", unimported}, {"lib.map", lib}}, source, visitSchema());
  EXPECT_NE(hint.issues.find("there is no group 'Name'; lib.map has one: import 'http://example.org/lib/names'"),
            std::string::npos)
      << hint.issues;
}

TEST(Library, constantsAreSeenEverywhere) {
  EXPECT_EQ(
      made("Patient",
           "src -> tgt.language = sv; src.tag as t where t = %sv -> tgt.active = true; src -> tgt.id = (both) \"id\";",
           R"({"tag":["sv"]})", "let sv = 'sv';\nlet both = sv & '-SE';\n"),
      R"({"language":"sv","active":true,"id":"sv-SE"})");
  EXPECT_TRUE(
      fails("Patient", "src -> tgt.language = vs;", "{}", "there is no variable 'vs' here", "let sv = 'sv';\n"));
}

TEST(Library, unknownStructuresAreAWarningAndUntyped) {
  const std::string map =
      "map \"http://example.org/m\" = \"m\"\nuses \"http://example.org/Unknown\" alias Src as source\nuses "
      "\"http://example.org/Other\" alias Tgt as target\n"
      "group G(source src : Src, target tgt : Tgt) { src.what as w -> tgt.ever as e, e.text = w, e.n = w.n, e.flag = "
      "true; src.list as l -> tgt.list = l; src.tree -> tgt.tree; }\n";
  const Outcome outcome = runMap(map, R"({"what":{"n":1.50},"list":["a","b"],"tree":{"x":[1],"y":"z"}})");
  EXPECT_TRUE(outcome.ok) << outcome.issues;
  EXPECT_NE(outcome.issues.find("warning: t.map:2:6: the structure 'http://example.org/Unknown' is not known"),
            std::string::npos)
      << outcome.issues;
  EXPECT_EQ(outcome.json,
            R"({"ever":{"text":{"n":1.50},"n":1.50,"flag":true},"list":["a","b"],"tree":{"x":[1],"y":"z"}})");
}

TEST(Library, theRecordMustBeOfTheMapsType) {
  fhir::Issues issues;
  const auto library =
      Library::compile({{"t.map", mapOf("Patient", "src -> tgt.active = true;")}}, visitSchema(), issues);
  ASSERT_TRUE(library.ok());
  const auto patient = fhir::readJson(R"({"resourceType":"Patient"})", visitSchema(), {}, issues);
  ASSERT_TRUE(patient.ok());
  EXPECT_FALSE(transform(*library, *patient, {}, issues).ok());
  EXPECT_EQ(allIssues(issues), "error: the map takes a Visit and the record is a Patient\n");
}

TEST(Library, theEntryGroupNeedsOneSourceAndOneTarget) {
  EXPECT_EQ(runMap("map \"u\" = \"n\"\ngroup G(source a, source b) { a as x; }\n", "{}").issues,
            "error: t.map:2:7: the first group is where a run begins: it needs exactly one source and one target "
            "parameter\n");
}

}  // namespace
}  // namespace lotsen::mapping
