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

TEST(Dialect, AParameterOfAnUnknownTypeTakesWhatItsGroupIsCalledWith) {
  const std::string called =
      "src -> tgt then Named(src, tgt);\n}\n"
      "group Text(source src : string, target tgt : string) { src.value as v -> tgt.value = v; }\n";
  const std::string source = R"({"text":"sv"})";
  const std::string made = R"({"resourceType":"Patient","language":"sv"})";
  const auto named = [](const std::string& type) {
    return "group Named(source src : " + type + ", target tgt : Patient) { src.text as t -> tgt.language = t;";
  };
  EXPECT_EQ(
      madeWarning("t.map:8:26: unknown type 'Text', which is a group: the parameter takes what the group is called "
                  "with",
                  called + named("Text"), source),
      made);
  EXPECT_EQ(madeWarning("t.map:8:26: unknown type 'TheWholeJournal': the parameter", called + named("TheWholeJournal"),
                        source),
            made);
  // What it is called with is known all the same, and a misspelt type is a fault.
  EXPECT_TRUE(fails("Patient", called + named("Text") + " src.texx -> tgt.language;", source,
                    "Visit has no element 'texx'; did you mean 'text'?"));
  EXPECT_TRUE(fails("Patient", called + named("Patiemt"), source, "unknown type 'Patiemt'; did you mean 'Patient'?"));
}

TEST(Dialect, DigitsWithLeadingZerosAreANumber) {
  EXPECT_EQ(made("Basic",
                 "src.text as t -> tgt.extension as e, e.url = 'u', e.value = create('integer') as v, v.value = "
                 "(t.substring(5, 2));",
                 R"({"text":"2026-07-01"})"),
            R"({"extension":[{"url":"u","valueInteger":7}]})");
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.extension as e, e.url = 'u', e.value = cast(t, 'decimal');",
                 R"({"text":"+00.50"})"),
            R"({"extension":[{"url":"u","valueDecimal":0.50}]})");
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.multipleBirth = create('integer') as m, m.value = t;",
                    R"({"text":"0x7"})", "the value is not a valid integer"));
}

TEST(Dialect, ATargetThatNothingIsPutIntoIsNamed) {
  EXPECT_EQ(madeWarning("t.map:5:22: nothing is put into 'language', and an empty element is not written",
                        "src.text as t -> tgt.language, tgt.id = t;", R"({"text":"sv"})"),
            R"({"resourceType":"Patient","id":"sv"})");
  const Outcome simple =
      run("Patient", "src.text -> tgt.language; src.text as t -> tgt.name as n then { t -> n.text = t; };",
          R"({"text":"sv"})");
  EXPECT_EQ(simple.issues, "");
  EXPECT_EQ(simple.json, R"({"resourceType":"Patient","language":"sv","name":[{"text":"sv"}]})");
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

TEST(Dialect, AVariableMayStandBehindItsCondition) {
  const std::string source = R"({"name":[{"family":"A"},{"family":"B"}]})";
  EXPECT_EQ(madeWarning("t.map:5:31: 'as n' is read as the variable of this source",
                        "src.name where (family = 'B') as n -> tgt.name as m, m.family = n.family;", source),
            R"({"resourceType":"Patient","name":[{"family":"B"}]})");
  EXPECT_EQ(
      made("Patient", "src.name where family = 'B' as n check n.exists() -> tgt.name as m, m.text = n.family;", source),
      R"({"name":[{"text":"B"}]})");
  // A type stays a type, and a variable that is there already one.
  EXPECT_EQ(made("Patient", "src.value where $this as string -> tgt.language = 'sv';", R"({"valueString":"x"})"),
            R"({"language":"sv"})");
  EXPECT_TRUE(fails("Patient", "src.name as n where (family = 'B') as m -> tgt.name as p, p.text = m.family;", "{}",
                    "there is no type m"));
}

TEST(Dialect, AReferenceMadeOfTextIsAReference) {
  const std::string person = R"({"id":"7","person":{"resourceType":"Patient","id":"p"}})";
  EXPECT_EQ(made("Basic", "src.person as p -> tgt.subject = reference(p);", person),
            R"({"subject":{"reference":"Patient/p"}})");
  EXPECT_EQ(made("Basic", "src.id as i -> tgt.subject = append('Patient/', i) as s, s.display = 'x';", person),
            R"({"subject":{"reference":"Patient/7","display":"x"}})");
  EXPECT_EQ(made("MedicationRequest", "src.person as p -> tgt.medication = reference(p);", person),
            R"({"medicationReference":{"reference":"Patient/p"}})");
  // Where text can stand, text it is.
  EXPECT_EQ(made("Basic", "src.person as p -> tgt.extension as x, x.url = 'urn:x', x.value = reference(p);", person),
            R"({"extension":[{"url":"urn:x","valueString":"Patient/p"}]})");
  EXPECT_TRUE(fails("Basic", "src.flag as f -> tgt.subject = f;", "{}", "'subject' takes Reference, not boolean"));
}

TEST(Dialect, InnerElementsAreCreatedByTheirPaths) {
  EXPECT_EQ(made("Bundle",
                 "src -> tgt.entry = create('Bundle.entry') as e, e.request = create('Bundle.entry.request') as r, "
                 "r.url = 'u';",
                 "{}"),
            R"({"entry":[{"request":{"url":"u"}}]})");
  EXPECT_EQ(made("Bundle", "src -> create('Bundle_Entry') as e, e.fullUrl = 'urn:x', tgt.entry = e;", "{}"),
            R"({"entry":[{"fullUrl":"urn:x"}]})");
  EXPECT_TRUE(fails("Bundle", "src -> tgt.entry = create('Bundle.link') as e;", "{}",
                    "t.map:5:12: 'entry' takes Bundle.entry, not Bundle.link"));
  EXPECT_TRUE(fails("Bundle", "src -> tgt.entry = create('Bundle.entri') as e;", "{}", "unknown type 'Bundle.entri'"));
}

TEST(Dialect, ATypeOfR4StandsInForAnUnknownStructureOfItsName) {
  const Outcome outcome = runMap(
      "map \"http://example.org/m\" = \"m\"\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" as source\n"
      "uses \"http://example.org/StructureDefinition/our-observation\" alias Observation as target\n"
      "group G(source src : Patient, target tgt : Bundle) {\n"
      "  src.id as i -> tgt.entry as e, e.resource = create('Observation') as o then Fill(i, o);\n}\n"
      "group Fill(source i, target o : Observation) { i -> o.value = i; }\n",
      R"({"resourceType":"Patient","id":"7"})");
  EXPECT_EQ(outcome.json,
            R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","valueString":"7"}}]})");
  EXPECT_NE(outcome.issues.find("warning: t.map:5:54: what 'Observation' stands for is not known"), std::string::npos)
      << outcome.issues;
}

TEST(Dialect, AConstantMayBeASource) {
  EXPECT_EQ(made("Patient", "k as c -> tgt.language = c;\nsrc.id as i, k -> tgt.id = i;", R"({"id":"7"})",
                 "let k = 'sv';\nlet none = {};\n"),
            R"({"language":"sv","id":"7"})");
  EXPECT_EQ(made("Patient", "none as c -> tgt.language = c;", "{}", "let none = {};\n"), "{}");
  EXPECT_TRUE(fails("Patient", "k as c -> tgt.language = c;", "{}", "a constant (let) has one value, this one has 2",
                    "let k = 'sv' | 'en';\n"));
}

TEST(Dialect, TwoDefaultGroupsForTheSameTypesAreAFault) {
  const std::string text =
      std::string(kModelHead) +
      "group G(source src : Visit, target tgt : Patient) { src.identifier -> tgt.identifier; }\n"
      "group A(source s : Identifier, target t : Identifier) <<types>> { s.value -> t.value; }\n"
      "group B(source s : Identifier, target t : Identifier) <<type+>> { s.system -> t.system; }\n";
  EXPECT_NE(runMap(text, "{}", visitSchema())
                .issues.find("error: t.map:4:71: two groups say that they map these types by default: 'A' (t.map:5) "
                             "and 'B' (t.map:6)"),
            std::string::npos);
  // One that is imported is further away.
  const std::size_t second = text.find("group B");
  const std::vector<MapText> maps = {{"t.map", "imports \"http://example.org/b\"\n" + text.substr(0, second)},
                                     {"b.map", "map \"http://example.org/b\" = \"b\"\n" + text.substr(second)}};
  EXPECT_EQ(runMaps(maps, R"({"identifier":[{"system":"urn:s","value":"1"}]})", visitSchema()).json,
            R"({"resourceType":"Patient","identifier":[{"value":"1"}]})");
}

TEST(Dialect, ACommentMayStandBehindAMetadataValue) {
  fhir::Issues issues;
  const auto written = toStructureMap(
      {"t.map",
       "/// url = http://example.org/m\n/// name = m // the name\n/// status = active /* one */ /* two */\n"
       "/// title = 'a // b' // c\n/// experimental = true\n/// version = 1.0//x\n"
       "uses \"http://hl7.org/fhir/4.0/Patient\" alias /* which */ P as source\n"
       "group G(source src : P, target tgt : Basic) { src.id -> tgt.id; }\n"},
      fhir::Schema::r4(), issues);
  ASSERT_TRUE(written.ok()) << allIssues(issues);
  EXPECT_TRUE(fhir::writeJson(*written).starts_with(
      R"({"resourceType":"StructureMap","url":"http://example.org/m","version":"1.0//x","name":"m","title":"a // b",)"
      R"("status":"active","experimental":true,)"))
      << fhir::writeJson(*written);
}

TEST(Dialect, AStructureOfR4MayLackItsFolder) {
  const Outcome outcome = runMap(
      "map \"http://example.org/m\" = \"m\"\nuses \"http://hl7.org/fhir/4.0/Patient\" alias P as source\n"
      "uses \"http://hl7.org/fhir/4.0/StructureDefinition/Basic\" alias B as target\n"
      "group G(source src : P, target tgt : B) { src.id -> tgt.id; }\n",
      R"({"resourceType":"Patient","id":"7"})");
  EXPECT_EQ(outcome.json, R"({"resourceType":"Basic","id":"7"})") << outcome.issues;
  EXPECT_EQ(outcome.issues, "");
}

TEST(Dialect, EvaluateTakesADate) {
  EXPECT_EQ(
      made("Patient",
           "src -> tgt.birthDate = evaluate(src, @2026-03-02), tgt.deceased = evaluate(src, @2026-03-02T08:00:00Z);",
           "{}"),
      R"({"birthDate":"2026-03-02","deceasedDateTime":"2026-03-02T08:00:00Z"})");
}

TEST(Dialect, AnUnknownStructureIsCopiedByTheNamesOfItsElements) {
  const std::string text =
      "map \"http://example.org/m\" = \"m\"\n"
      "uses \"http://example.org/StructureDefinition/Old\" alias Old as source\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" as target\n"
      "group G(source src : Old, target tgt : Patient) {\n"
      "  src.identifier -> tgt.identifier;\n  src.marital as m -> tgt.maritalStatus = m;\n"
      "  src.born as b -> tgt.birthDate = create('date') as d then date(b, d);\n}\n"
      "group date(source src, target tgt : date) { src.value as v -> tgt.value = v; }\n";
  EXPECT_EQ(runMap(text, R"({"identifier":[{"system":"s","period":{"start":"2012"}},{"value":"2"}],)"
                         R"("marital":{"coding":[{"code":"M"}],"text":"wed"},"born":"1970-01-02"})")
                .json,
            R"({"resourceType":"Patient","identifier":[{"system":"s","period":{"start":"2012"}},{"value":"2"}],)"
            R"("maritalStatus":{"coding":[{"code":"M"}],"text":"wed"},"birthDate":"1970-01-02"})");
  const Outcome wrong = runMap(text, R"({"identifier":[{"number":"1"}]})");
  EXPECT_FALSE(wrong.ok);
  EXPECT_NE(wrong.issues.find("the copied structure has an element 'number' that the target lacks"), std::string::npos)
      << wrong.issues;
}

TEST(Dialect, AGroupMayBeCalledByTheWordGroup) {
  EXPECT_EQ(madeWarning("t.map:5:17: behind 'then' a group stands by its name alone",
                        "src -> tgt then group Text(src, tgt);\n}\n"
                        "group Text(source src : Visit, target tgt : Patient) { src.text as t -> tgt.language = t;",
                        R"({"text":"sv"})"),
            R"({"resourceType":"Patient","language":"sv"})");
  EXPECT_TRUE(fails("Patient", "src -> tgt then group (src, tgt);", "{}", "there is no group 'group'"));
}

TEST(Dialect, HabitsOfOtherLanguagesAreNamed) {
  EXPECT_NE(runMap("map \"u\" = \"n\"\nconceptmap \"c\" {\n  prefix s = \"u:s\"\n  prefix t = \"u:t\"\n"
                   "  s:a == t:b \"B\"\n}\n",
                   "{}")
                .issues.find("t.map:5:14: a concept map has no displays: put them behind //"),
            std::string::npos);
  EXPECT_TRUE(fails("Patient", "src.text log 'x' where text.exists() -> tgt.language = 'sv';", "{}",
                    "expected '->' but found 'where'; a source is written in this order: type, cardinality, default, "
                    "list mode, as, where, check, log"));
  EXPECT_EQ(runMap("map \"u\" = \"n\"\ngroup G(source: src Visit, target: tgt Patient) { }\n", "{}").issues,
            "error: t.map:2:15: expected the name of a parameter but found ':'; a parameter is written: source src : "
            "Type\n");
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.language = translate(t, '', 'code');", "{}",
                    "there is no concept map ''; name one: no terminology server is asked"));
  EXPECT_EQ(madeWarning("t.map:5:24: string has no element 'trim'; the function is written with brackets: trim()",
                        "src.text as t where (t.trim = 'sv') -> tgt.language = t;", R"({"text":"sv"})"),
            R"({"resourceType":"Patient"})");
  EXPECT_TRUE(fails("Patient", "src.name.where(family = 'A') as n -> tgt.id = 'x';", "{}",
                    "t.map:5:15: expected an element but found '('; a source is a path: filter it with"));
  EXPECT_TRUE(fails("Patient", "src.value[x] as v -> tgt.id = 'x';", "{}",
                    "t.map:5:10: expected an element but found '['; a choice is named without '[x]'"));
}

}  // namespace
}  // namespace lotsen::mapping
