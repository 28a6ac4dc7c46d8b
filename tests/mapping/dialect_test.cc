// What published maps write beyond the grammar, or leave to the reader of the specification: taken as their authors
// mean it, with a warning where the grammar says something else.
#include "tests/mapping/fixture.h"

namespace lotsen::mapping {
namespace {

/// Runs, and wants this warning too.
std::string madeWarning(const std::string& saying, const std::string& rules, const std::string& source) {
  const Outcome outcome = run("Patient", rules, source);
  EXPECT_NE(outcome.issues.find("warning: " + saying), std::string::npos) << outcome.issues;
  return outcome.json;
}

TEST(Dialect, AConditionMayStandInQuotes) {
  const std::string source = R"({"name":[{"family":"A","given":["x"]},{"family":"B"}]})";
  EXPECT_EQ(madeWarning("t.map:5:25: the condition stands in quotes",
                        "src.name as n where     \"given.exists()\" -> tgt.name as m, m.family = n.family;", source),
            R"({"resourceType":"Patient","name":[{"family":"A"}]})");
  EXPECT_EQ(made("Patient", "src.name as n where '1' & family = '1B' -> tgt.name as m, m.family = n.family;", source),
            R"({"name":[{"family":"B"}]})");
}

TEST(Dialect, AnAliasMayStandInQuotesAndAStructureMayBeCalledTwice) {
  const Outcome outcome = runMap(
      "map \"http://example.org/m\" = 'm'\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" alias 'the patient' as source\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/Basic\" alias T as target\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/Person\" alias T as produced\n"
      "group G(source src : 'the patient', target tgt : T) { src.id -> tgt.id; }\n",
      R"({"resourceType":"Patient","id":"7"})");
  EXPECT_EQ(outcome.json, R"({"resourceType":"Basic","id":"7"})");
  EXPECT_NE(outcome.issues.find("t.map:4:6: the alias 'T' already means another structure"), std::string::npos)
      << outcome.issues;
}

TEST(Dialect, TheWordForIsPassedOver) {
  EXPECT_EQ(madeWarning("t.map:5:1: the word 'for'", "for src.code as c -> tgt.language = c;", R"({"code":"sv"})"),
            R"({"resourceType":"Patient","language":"sv"})");
  EXPECT_TRUE(fails("Patient", "for as c -> tgt.language = c;", "{}", "there is no source variable 'for' here"));
}

TEST(Dialect, TheFirstFormOfTheLanguageIsNamed) {
  const Outcome outcome = runMap("map \"u\" = \"n\"\ngroup G\n  input src : A as source\nendgroup\n", "{}");
  EXPECT_NE(outcome.issues.find("t.map:3:3: this is how groups were written in STU3"), std::string::npos)
      << outcome.issues;
}

const char* const kModelHead =
    "map \"http://example.org/m\" = \"m\"\n"
    "uses \"http://example.org/StructureDefinition/Visit\" alias Visit as source\n"
    "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" alias Patient as target\n";

TEST(Dialect, AGroupWithoutParametersSeesThoseOfTheGroupThatExtendsIt) {
  const Outcome outcome = runMap(std::string(kModelHead) +
                                     "group G(source source : Visit, target target : Patient) extends Any {\n"
                                     "  source.text as t -> target.language = t;\n}\n"
                                     "group Any() { source.id -> target.id; }\n",
                                 R"({"id":"7","text":"sv"})", visitSchema());
  EXPECT_EQ(outcome.json, R"({"resourceType":"Patient","id":"7","language":"sv"})") << outcome.issues;
  const Outcome wrong = runMap(std::string(kModelHead) +
                                   "group G(source a : Visit, target b : Patient) extends Any { a.id -> b.id; }\n"
                                   "group Any() { source.id -> target.id; }\n"
                                   "group Lonely() { source.id -> target.id; }\n",
                               "{}", visitSchema());
  EXPECT_NE(wrong.issues.find("error: t.map:5:15: there is no source variable 'source' here"), std::string::npos)
      << wrong.issues;
  EXPECT_NE(wrong.issues.find("warning: t.map:6:7: nothing extends group 'Lonely'"), std::string::npos) << wrong.issues;
}

TEST(Dialect, AnExtendedGroupWithFewerParametersGetsThemByName) {
  const std::string text =
      std::string(kModelHead) +
      "group G(source src : Visit, target tgt : Patient) { src -> tgt then More(src, src, tgt); }\n"
      "group More(source other, source src : Visit, target tgt : Patient) extends Less {\n"
      "  other.text as t -> tgt.language = t;\n}\n"
      "group Less(source src : Visit, target tgt : Patient) { src.id -> tgt.id; }\n";
  const Outcome outcome = runMap(text, R"({"id":"7","text":"sv"})", visitSchema());
  EXPECT_EQ(outcome.json, R"({"resourceType":"Patient","id":"7","language":"sv"})") << outcome.issues;
  std::string unnamed = text;
  unnamed.replace(unnamed.find("group Less(source src"), 21, "group Less(source one");
  const Outcome wrong = runMap(unnamed, "{}", visitSchema());
  EXPECT_NE(wrong.issues.find("error: t.map:5:76: group 'Less' has 2 parameters and this one 3"), std::string::npos)
      << wrong.issues;
}

TEST(Dialect, ImportsOfImportsAreSeenToo) {
  const std::vector<MapText> maps = {
      {"a.map", std::string(kModelHead) +
                    "imports \"http://example.org/b\"\n"
                    "group G(source src : Visit, target tgt : Patient) { src -> tgt then C(src, tgt); }\n"},
      {"b.map",
       "map \"http://example.org/b\" = \"b\"\nimports \"http://example.org/c\"\ngroup B(source s, target t) { }\n"},
      {"c.map",
       "map \"http://example.org/c\" = \"c\"\nimports \"http://example.org/m\"\n"
       "group C(source s, target t) { s.id -> t.id; }\n"}};
  EXPECT_EQ(runMaps(maps, R"({"id":"7"})", visitSchema()).json, R"({"resourceType":"Patient","id":"7"})");
  const Outcome lost = runMaps({maps[0], maps[1]}, "{}", visitSchema());
  EXPECT_NE(lost.issues.find("b.map:2:9: no map with the canonical 'http://example.org/c' was given"),
            std::string::npos);
  EXPECT_NE(lost.issues.find("error: a.map:5:69: there is no group 'C'"), std::string::npos) << lost.issues;
}

TEST(Dialect, AConditionMayBeginAtTheParentOfItsItem) {
  EXPECT_EQ(madeWarning("t.map:5:24: 'count' is an element of Visit, not of string",
                        "src.text as t where    count < 2 -> tgt.language = t;", R"({"text":"sv","count":1})"),
            R"({"resourceType":"Patient","language":"sv"})");
  EXPECT_EQ(made("Patient", "src.text as t where (count < 2).not() -> tgt.language = t;", R"({"text":"x","count":1})"),
            "{}");
  EXPECT_EQ(made("Patient", "src.text as t check text.length() < 3 -> tgt.language = t;", R"({"text":"sv"})"),
            R"({"language":"sv"})");
  EXPECT_TRUE(fails("Patient", "src.text as t check text.length() < 3 -> tgt.language = t;", R"({"text":"abc"})",
                    "the rule's check failed"));
  // An element that both have is the item's.
  EXPECT_EQ(made("Patient", "src.identifier as i where id = 'x' -> tgt.identifier = i;",
                 R"({"id":"x","identifier":[{"value":"1"},{"id":"x","value":"2"}]})"),
            R"({"identifier":[{"id":"x","value":"2"}]})");
}

TEST(Dialect, AConditionOnAnUnknownStructureFindsItsElementWhenItRuns) {
  const std::string text =
      "map \"http://example.org/m\" = \"m\"\n"
      "uses \"http://example.org/left\" alias L as source\nuses \"http://example.org/right\" alias R as target\n"
      "group G(source src : L, target tgt : R) {\n"
      "  src.i as i where m < 2 -> tgt.j = i;\n  src.i as i where m >= 2 -> tgt.k = i;\n"
      "  src.a as a where a.length() <= 3 -> tgt.a = a;\n  src.o as o where m = 7 -> tgt.o = o.m;\n}\n";
  EXPECT_EQ(runMap(text, R"({"i":"x","m":1,"a":"abc","o":[{"m":7},{"m":1}]})").json, R"({"j":"x","a":"abc","o":7})");
  EXPECT_EQ(runMap(text, R"({"i":"x","m":3,"a":"abcd"})").json, R"({"k":"x"})");
}

TEST(Dialect, AChoiceWrittenOutIsTakenWithAWarning) {
  EXPECT_EQ(madeWarning("t.map:5:5: 'valueQuantity' is a choice element written out; the language says 'value', in a "
                        "source with the type: value : Quantity",
                        "src.valueQuantity as q, src.text as t -> tgt.language = t;",
                        R"({"text":"sv","valueQuantity":{"value":1}})"),
            R"({"resourceType":"Patient","language":"sv"})");
}

TEST(Dialect, WhatCreateMakesKeepsTheElementsOfItsPlace) {
  EXPECT_EQ(made("Patient", "src.text as t -> tgt.contact = create('BackboneElement') as c, c.gender = t;",
                 R"({"text":"male"})"),
            R"({"contact":[{"gender":"male"}]})");
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.contact = create('BackboneElement') as c, c.gendr = t;", "{}",
                    "t.map:5:66: Patient.contact has no element 'gendr'; did you mean 'gender'?"));
}

TEST(Dialect, AConceptOfOneCodingIsACoding) {
  EXPECT_EQ(made("Observation", "src.code as c -> tgt.code as cc, cc.coding = cc('urn:s', c);", R"({"code":"c"})"),
            R"({"code":{"coding":[{"system":"urn:s","code":"c"}]}})");
  EXPECT_TRUE(fails("Observation", "src.text as t -> tgt.code as cc, cc.coding = cc(t);", R"({"text":"x"})",
                    "a CodeableConcept becomes a Coding only if it has exactly one"));
}

TEST(Dialect, DateOpOfADateAloneTakesTheTextAsADate) {
  EXPECT_EQ(made("Patient", "src.text as t -> tgt.birthDate = dateOp(t);", R"({"text":"2001-02-03"})"),
            R"({"birthDate":"2001-02-03"})");
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.birthDate = dateOp(t);", R"({"text":"soon"})",
                    "the value is not a valid date"));
}

TEST(Dialect, WhatIsMadeIntoAnyResourceMustBeKnown) {
  const Outcome outcome = runMap(
      "map \"http://example.org/m\" = \"m\"\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" as source\n"
      "uses \"http://example.org/StructureDefinition/our-condition\" alias OurCondition as target\n"
      "group G(source src : Patient, target tgt : Bundle) {\n"
      "  src -> tgt.entry as e, e.resource = create('OurCondition') as c;\n}\n",
      R"({"resourceType":"Patient"})");
  EXPECT_NE(
      outcome.issues.find("t.map:3:6: the structure 'http://example.org/StructureDefinition/our-condition' is not "
                          "known"),
      std::string::npos)
      << outcome.issues;
  EXPECT_NE(outcome.issues.find("t.map:5:46: what this makes is not known, so it cannot go into 'resource': give the "
                                "package that defines it"),
            std::string::npos)
      << outcome.issues;
}

TEST(Dialect, AMisspeltStructureOfFhirIsSuggested) {
  const Outcome outcome = runMap(
      "map \"http://example.org/m\" = \"m\"\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/QuestionnaireReponse\" as source\n"
      "group G(source src : QuestionnaireResponse, target tgt : Basic) { src.id -> tgt.id; }\n",
      R"({"resourceType":"QuestionnaireResponse","id":"7"})");
  EXPECT_EQ(outcome.json, R"({"resourceType":"Basic","id":"7"})");
  EXPECT_NE(outcome.issues.find("is checked; did you mean 'QuestionnaireResponse'?"), std::string::npos)
      << outcome.issues;
}

TEST(Dialect, IntoAnUnknownStructureTheGroupForTheSourceTypeDecides) {
  const Outcome outcome = runMap(
      "map \"http://example.org/m\" = \"m\"\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" as source\n"
      "uses \"http://hl7.org/fhir/3.0/StructureDefinition/Patient\" alias PatientR3 as target\n"
      "group G(source src : Patient, target tgt : PatientR3) { src.maritalStatus -> tgt.maritalStatus; src.id -> "
      "tgt.id; }\n"
      "group Concept(source src : CodeableConcept, target tgt : CodeableConcept) <<type+>> { src.text -> tgt.text; }\n",
      R"({"resourceType":"Patient","id":"7","maritalStatus":{"coding":[{"code":"M"}],"text":"wed"}})");
  EXPECT_EQ(outcome.json, R"({"maritalStatus":{"text":"wed"},"id":"7"})") << outcome.issues;
}

}  // namespace
}  // namespace lotsen::mapping
