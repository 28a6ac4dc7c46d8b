// Every transform of the language: what it makes, and how it fails. The source is a small logical model,
// tests/mapping/data/visit.model.json.
#include "tests/mapping/fixture.h"

namespace lotsen::mapping {
namespace {

TEST(Transform, copyMovesPrimitivesWithTheirTextAndStructuresWhole) {
  EXPECT_EQ(made("Patient", "src.day as d -> tgt.birthDate = d;", R"({"day":"2001-02"})"),
            R"({"birthDate":"2001-02"})");
  EXPECT_EQ(made("Patient", "src.day as d -> tgt.birthDate = copy(d);", R"({"day":"2001-02-03"})"),
            R"({"birthDate":"2001-02-03"})");
  EXPECT_EQ(
      made("Observation", "src.amount as a -> tgt.value = create('Quantity') as q, q.value = a;", R"({"amount":1.50})"),
      R"({"valueQuantity":{"value":1.50}})");
  EXPECT_EQ(made("Patient", "src.identifier as i -> tgt.identifier = i;",
                 R"({"identifier":[{"system":"urn:a","value":"1"},{"value":"2"}]})"),
            R"({"identifier":[{"system":"urn:a","value":"1"},{"value":"2"}]})");
  EXPECT_EQ(made("Patient", "src.name as n -> tgt.name as m, m.given = n.given;", R"({"name":[{"given":["A","B"]}]})"),
            R"({"name":[{"given":["A","B"]}]})");
  EXPECT_EQ(made("Patient", "src.text as t -> tgt.active = t;", R"({"text":"true"})"), R"({"active":true})");
  EXPECT_EQ(made("Patient", "src.at as t -> tgt.birthDate = t;", R"({"at":"2001-02-03T23:30:00+01:00"})"),
            R"({"birthDate":"2001-02-03"})");
}

TEST(Transform, copyKeepsTheExtensionsOfAPrimitive) {
  EXPECT_EQ(made("Patient", "src.code as c -> tgt.gender = c;",
                 R"({"code":"male","_code":{"extension":[{"url":"http://x","valueString":"y"}]}})"),
            R"({"gender":"male","_gender":{"extension":[{"url":"http://x","valueString":"y"}]}})");
}

TEST(Transform, copyRefusesWhatTheElementCannotHold) {
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.birthDate = t;", R"({"text":"not a day"})",
                    "the value is not a valid date"));
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.active = t;", R"({"text":"perhaps"})",
                    "the value is not a valid boolean"));
  EXPECT_TRUE(fails("Patient", "src.identifier as i -> tgt.name = i;", "{}", "'name' takes HumanName, not Identifier"));
  EXPECT_TRUE(fails("Patient", "src -> tgt.birthDate = '2001-13-01';", "{}", "'2001-13-01' is not a valid date"));
}

TEST(Transform, createMakesTheNamedTypeAndFindsTheChoice) {
  EXPECT_EQ(made("Bundle", "src -> tgt.entry as e, e.resource = create('Patient') as p, p.active = true;", "{}"),
            R"({"entry":[{"resource":{"resourceType":"Patient","active":true}}]})");
  EXPECT_EQ(made("Observation", "src.text as t -> tgt.value = create('CodeableConcept') as c, c.text = t;",
                 R"({"text":"x"})"),
            R"({"valueCodeableConcept":{"text":"x"}})");
  EXPECT_EQ(made("Observation", "src.text as t -> tgt.valueCodeableConcept as c, c.text = t;", R"({"text":"x"})"),
            R"({"valueCodeableConcept":{"text":"x"}})");
  EXPECT_EQ(made("Bundle", "src -> tgt.entry as e, e.resource = create(\"T\") as b, b.type = 'collection';", "{}"),
            R"({"entry":[{"resource":{"resourceType":"Bundle","type":"collection"}}]})");
}

TEST(Transform, createRefusesUnknownAndUnfitTypes) {
  EXPECT_TRUE(fails("Bundle", "src -> tgt.entry as e, e.resource = create('Pateint') as p;", "{}",
                    "unknown type 'Pateint'; did you mean 'Patient'?"));
  EXPECT_TRUE(
      fails("Patient", "src -> tgt.name = create('Address') as a;", "{}", "'name' takes HumanName, not Address"));
  EXPECT_TRUE(
      fails("Bundle", "src -> tgt.entry as e, e.resource as r;", "{}", "'resource' may be any resource: say which"));
  EXPECT_TRUE(fails("Observation", "src -> tgt.value as v;", "{}", "say which, value = create('Type')"));
  EXPECT_TRUE(fails("Bundle", "src -> tgt.entry as e, e.resource = create('DomainResource') as r;", "{}",
                    "no instances of the abstract type"));
}

TEST(Transform, truncateCountsCharacters) {
  EXPECT_EQ(made("Patient", "src.text as t -> tgt.language = truncate(t, 3);", R"({"text":"åäöx"})"),
            R"({"language":"åäö"})");
  EXPECT_EQ(made("Patient", "src.text as t -> tgt.language = truncate(t, 30);", R"({"text":"sv"})"),
            R"({"language":"sv"})");
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.language = truncate(t, 'x');", R"({"text":"sv"})",
                    "truncate needs a whole number"));
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.language = truncate(t);", "{}",
                    "wrong number of arguments: truncate(text, length)"));
}

TEST(Transform, escapeGoesFromOneFormatToAnother) {
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.id = escape(t, 'uri');", R"({"text":"å b"})"),
            R"({"id":"%C3%A5%20b"})");
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.id = escape(t, 'xml');", R"({"text":"<a&'\">"})"),
            R"({"id":"&lt;a&amp;&#39;&quot;&gt;"})");
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.id = escape(t, 'xml', 'text');", R"({"text":"&lt;a&amp;&apos;"})"),
            R"({"id":"<a&'"})");
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.id = escape(t, 'uri', 'text');", R"({"text":"a%20b"})"),
            R"({"id":"a b"})");
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.id = escape(t, 'text', 'json');", R"({"text":"a\nb"})"),
            R"({"id":"a\\nb"})");
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.id = escape(t, 'json', 'text');", R"({"text":"a\\tb"})"),
            R"({"id":"a\tb"})");
  EXPECT_TRUE(fails("Basic", "src.text as t -> tgt.id = escape(t, 'rot13');", R"({"text":"x"})", "escape knows"));
  EXPECT_TRUE(
      fails("Basic", "src.text as t -> tgt.id = escape(t, 'uri', 'text');", R"({"text":"%zz"})", "escape knows"));
}

TEST(Transform, castDecidesTheTypeOfAChoice) {
  EXPECT_EQ(made("Basic", "src.text as t -> tgt.extension as x, x.url = 'u', x.value = cast(t, 'positiveInt');",
                 R"({"text":"7"})"),
            R"({"extension":[{"url":"u","valuePositiveInt":7}]})");
  EXPECT_EQ(made("Basic", "src.count as c -> tgt.extension as x, x.url = 'u', x.value = cast(c, 'string');",
                 R"({"count":7})"),
            R"({"extension":[{"url":"u","valueString":"7"}]})");
  EXPECT_EQ(made("Patient", "src.text as t -> tgt.birthDate = cast(t);", R"({"text":"2001"})"),
            R"({"birthDate":"2001"})");
  EXPECT_EQ(made("Basic", "src.count as c -> tgt.extension as x, x.url = 'u', x.value = c;", R"({"count":7})"),
            R"({"extension":[{"url":"u","valueInteger":7}]})");
  EXPECT_TRUE(fails("Basic", "src.text as t -> tgt.extension as x, x.value = cast(t, 'integer');", R"({"text":"7.5"})",
                    "the value cannot be cast to integer"));
  EXPECT_TRUE(fails("Basic", "src.text as t -> tgt.extension as x, x.value = cast(t, 'Quantity');", "{}",
                    "a cast makes primitives only"));
}

TEST(Transform, appendJoinsTexts) {
  EXPECT_EQ(made("Basic", "src.text as t, src.count as c -> tgt.id = append('a-', t, c);", R"({"text":"b","count":3})"),
            R"({"id":"a-b3"})");
  EXPECT_EQ(made("Basic", "src.text as t -> append('a-', t) as joined, tgt.id = joined;", R"({"text":"b"})"),
            R"({"id":"a-b"})");
  EXPECT_TRUE(fails("Basic", "src.concept as t -> tgt.id = append('a-', t);", R"({"concept":{"text":"b"}})",
                    "what is appended must be a primitive value and is a CodeableConcept"));
}

constexpr const char* kMap =
    "conceptmap \"#sex\" { prefix s = \"urn:s\" prefix t = \"urn:t\"\n s:M == t:male\n s:F - t:female\n s:X -- \n s:U "
    "!= t:unknown\n"
    " s:D - t:a\n s:D - t:b }\n";

TEST(Transform, translateUsesTheConceptMapOfTheMap) {
  EXPECT_EQ(made("Patient", "src.code as c -> tgt.gender = translate(c, '#sex', 'code');", R"({"code":"F"})", kMap),
            R"({"gender":"female"})");
  EXPECT_EQ(made("Patient", "src.coding as c -> tgt.gender = translate(c, '#sex', 'code');",
                 R"({"coding":{"system":"urn:s","code":"M"}})", kMap),
            R"({"gender":"male"})");
  EXPECT_EQ(made("Patient", "src.code as c -> tgt.maritalStatus = translate(c, '#sex', 'CodeableConcept');",
                 R"({"code":"M"})", kMap),
            R"({"maritalStatus":{"coding":[{"system":"urn:t","code":"male"}]}})");
  EXPECT_EQ(made("Patient", "src.code as c -> tgt.maritalStatus as m, m.coding = translate(c, '#sex');",
                 R"({"code":"M"})", kMap),
            R"({"maritalStatus":{"coding":[{"system":"urn:t","code":"male"}]}})");
  EXPECT_EQ(
      made("Patient", "src.code as c -> tgt.implicitRules = translate(c, '#sex', 'system');", R"({"code":"M"})", kMap),
      R"({"implicitRules":"urn:t"})");
}

TEST(Transform, translateWritesNothingForACodeItDoesNotKnow) {
  for (const char* code : {"Q", "X", "U"}) {
    const Outcome outcome = run("Patient", "src.code as c -> tgt.gender = translate(c, '#sex', 'code');",
                                std::string(R"({"code":")") + code + "\"}", kMap);
    EXPECT_EQ(outcome.json, R"({"resourceType":"Patient"})");
    EXPECT_NE(outcome.issues.find("warning: concept map '#sex' has no translation for the code"), std::string::npos)
        << outcome.issues;
  }
  EXPECT_EQ(
      made("Patient", "src.code as c -> tgt.gender = translate(c, '#p', 'code');", R"({"code":"other"})",
           "conceptmap \"#p\" { prefix s = \"urn:s\" prefix t = \"urn:t\" unmapped for s = provided s:M - t:male }\n"),
      R"({"gender":"other"})");
  EXPECT_TRUE(fails("Patient", "src.code as c -> tgt.gender = translate(c, '#sex', 'code');", R"({"code":"D"})",
                    "several translations", kMap));
  EXPECT_TRUE(fails("Patient", "src.code as c -> tgt.gender = translate(c, '#sexx', 'code');", "{}",
                    "there is no concept map '#sexx'; did you mean 'sex'?", kMap));
  EXPECT_TRUE(fails("Patient", "src.code as c -> tgt.gender = translate(c, '#sex', 'colour');", "{}",
                    "translate makes 'code'", kMap));
}

TEST(Transform, referenceNamesAResource) {
  EXPECT_EQ(made("Basic", "src.person as p -> tgt.subject as s, s.reference = reference(p);",
                 R"({"person":{"resourceType":"Patient","id":"7"}})"),
            R"({"subject":{"reference":"Patient/7"}})");
  const std::string bundle = made("Bundle",
                                  "src -> tgt.entry as e, e.fullUrl = 'urn:uuid:1', e.resource = create('Patient') as "
                                  "p, p.active = true, tgt.entry as f, "
                                  "f.resource = create('Basic') as b, b.subject as s, s.reference = reference(p);",
                                  "{}");
  EXPECT_NE(bundle.find(R"("subject":{"reference":"urn:uuid:1"})"), std::string::npos) << bundle;
  const std::string withId = made("Bundle",
                                  "src -> tgt.entry as e, e.resource = create('Patient') as p, tgt.entry as f, "
                                  "f.resource = create('Basic') as b, b.subject as s, "
                                  "s.reference = reference(p), s.type = pointer(p);",
                                  "{}");
  const std::size_t id = withId.find(R"("id":")");
  ASSERT_NE(id, std::string::npos) << withId;
  const std::string uuid = withId.substr(id + 6, 36);
  EXPECT_NE(withId.find("Patient/" + uuid), std::string::npos) << withId;
  EXPECT_NE(withId.find("urn:uuid:" + uuid), std::string::npos) << withId;
  EXPECT_TRUE(fails("Basic", "src.text as p -> tgt.subject as s, s.reference = reference(p);", R"({"text":"x"})",
                    "only a resource can be referred to"));
  EXPECT_TRUE(fails("Basic", "src.person as p -> tgt.subject as s, s.reference = reference(p);",
                    R"({"person":{"resourceType":"Patient"}})", "has no id"));
}

TEST(Transform, uuidIsAFunctionOfTheRecordAndTheMap) {
  const std::string map = mapOf("Basic", "src -> tgt.id = uuid(); src -> tgt.identifier as i, i.value = uuid();");
  RunOptions one;
  one.seed = "digest-1";
  RunOptions two;
  two.seed = "digest-2";
  const Outcome a = runMaps({{"t.map", map}}, "{}", visitSchema(), one);
  const Outcome b = runMaps({{"t.map", map}}, "{}", visitSchema(), one);
  const Outcome c = runMaps({{"t.map", map}}, "{}", visitSchema(), two);
  const Outcome d = runMaps({{"t.map", map + "\n"}}, "{}", visitSchema(), one);
  EXPECT_TRUE(a.ok) << a.issues;
  EXPECT_EQ(a.json, b.json);
  EXPECT_NE(a.json, c.json);
  EXPECT_NE(a.json, d.json);
  EXPECT_TRUE(fails("Basic", "src -> tgt.id = uuid('x');", "{}", "wrong number of arguments: uuid()"));
}

TEST(Transform, dateOpMovesADate) {
  EXPECT_EQ(made("Patient", "src.day as d -> tgt.birthDate = dateOp(d, '+5 days');", R"({"day":"2001-02-26"})"),
            R"({"birthDate":"2001-03-03"})");
  EXPECT_EQ(made("Patient", "src.day as d -> tgt.birthDate = dateOp(d, -1, 'month');", R"({"day":"2001-03-31"})"),
            R"({"birthDate":"2001-02-28"})");
  EXPECT_TRUE(fails("Patient", "src.day as d, src.text as t -> tgt.birthDate = dateOp(d, t);", "{}",
                    "the amount must be written out"));
  EXPECT_TRUE(fails("Patient", "src.text as d -> tgt.birthDate = dateOp(d, '+5 days');", R"({"text":"abc"})", ""));
}

TEST(Transform, evaluateRunsFhirPathWithTheVariablesOfTheRule) {
  EXPECT_EQ(made("Patient", "src.name as n -> tgt.name as m, m.text = (n.given.first() & ' ' & %n.family);",
                 R"({"name":[{"given":["A"],"family":"B"}]})"),
            R"({"name":[{"text":"A B"}]})");
  EXPECT_EQ(made("Patient", "src.name as n -> tgt.name as m, m.given = evaluate(n, given);",
                 R"({"name":[{"given":["A","C"]}]})"),
            R"({"name":[{"given":["A","C"]}]})");
  EXPECT_EQ(made("Patient", "src -> tgt.active = evaluate(src, text = 'x');", R"({"text":"x"})"), R"({"active":true})");
  EXPECT_EQ(made("Patient", "src -> tgt.gender = (src.text);", "{}"), "{}");
  EXPECT_EQ(made("Patient", "src.day as d -> tgt.deceased = (%d + 1 day);", R"({"day":"2001-02-03"})"),
            R"({"deceasedDateTime":"2001-02-04"})");
  EXPECT_EQ(made("Patient", "src.text as t -> tgt.gender = k;", R"({"text":"x"})", ""),
            "error: t.map:5:31: there is no variable 'k' here\n");
  EXPECT_TRUE(fails("Patient", "src.name as n -> tgt.gender = evaluate(n, given);", R"({"name":[{"given":["A","C"]}]})",
                    "the expression gave 2 values"));
  EXPECT_TRUE(fails("Patient", "src -> tgt.gender = (src.nofunction());", "{}", "t.map:5"));
}

TEST(Transform, dataTypesAreBuiltFromTexts) {
  EXPECT_EQ(made("Observation", "src.text as t -> tgt.code = cc(t);", R"({"text":"x"})"), R"({"code":{"text":"x"}})");
  EXPECT_EQ(made("Observation", "src.code as c, src.text as t -> tgt.code = cc('urn:s', c, t);",
                 R"({"code":"c","text":"x"})"),
            R"({"code":{"coding":[{"system":"urn:s","code":"c","display":"x"}]}})");
  EXPECT_EQ(made("Observation", "src.code as c -> tgt.code as cc, cc.coding = c('urn:s', c);", R"({"code":"c"})"),
            R"({"code":{"coding":[{"system":"urn:s","code":"c"}]}})");
  EXPECT_EQ(made("Observation", "src.text as t -> tgt.value = qty(t);", R"({"text":"< 4.50 mg"})"),
            R"({"valueQuantity":{"value":4.50,"comparator":"<","unit":"mg"}})");
  EXPECT_EQ(
      made("Observation", "src.amount as a -> tgt.value = qty(a, 'milligram', 'http://unitsofmeasure.org', 'mg');",
           R"({"amount":4.50})"),
      R"({"valueQuantity":{"value":4.50,"unit":"milligram","system":"http://unitsofmeasure.org","code":"mg"}})");
  EXPECT_EQ(
      made("Patient", "src.text as t -> tgt.identifier = id('urn:s', t, 'MR');", R"({"text":"7"})"),
      R"({"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:s","value":"7"}]})");
  EXPECT_EQ(
      made("Patient", "src.tag as t -> tgt.telecom = cp(t);",
           R"({"tag":["+46 70 000 00 12","a@example.org","https://example.org"]})"),
      R"({"telecom":[{"system":"phone","value":"+46 70 000 00 12"},{"system":"email","value":"a@example.org"},{"system":"url","value":"https://example.org"}]})");
  EXPECT_EQ(made("Patient", "src.tag as t -> tgt.telecom = cp('fax', t) as c, c.use = 'work';", R"({"tag":["1"]})"),
            R"({"telecom":[{"system":"fax","value":"1","use":"work"}]})");
}

TEST(Transform, dataTypesFitTheElementTheyGoTo) {
  EXPECT_EQ(made("Observation", "src.code as c -> tgt.code = c('urn:s', c);", R"({"code":"c"})"),
            R"({"code":{"coding":[{"system":"urn:s","code":"c"}]}})");
  EXPECT_EQ(made("Condition", "src.text as t -> tgt.onsetAge = qty(t);", R"({"text":"4 a"})"),
            R"({"onsetAge":{"value":4,"unit":"a"}})");
  EXPECT_EQ(made("Patient", "src.text as t -> cc(t) as c, tgt.maritalStatus = c;", R"({"text":"x"})"),
            R"({"maritalStatus":{"text":"x"}})");
  EXPECT_EQ(made("Patient", "src.tag as t -> tgt.maritalStatus = cc(t);", R"({"tag":["x","y"]})"),
            R"({"maritalStatus":{"text":"y"}})");
}

TEST(Transform, dataTypesRefuseWhatTheyCannotBeBuiltFrom) {
  EXPECT_TRUE(fails("Observation", "src.text as t -> tgt.value = qty(t);", R"({"text":"much"})",
                    "a quantity looks like '4.5 mg'"));
  EXPECT_TRUE(
      fails("Observation", "src.text as t -> tgt.value = qty(t, 'mg');", R"({"text":"much"})", "must be a number"));
  EXPECT_TRUE(
      fails("Patient", "src.text as t -> tgt.name = cc(t);", "{}", "'name' takes HumanName, not CodeableConcept"));
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.name = c(t);", "{}",
                    "wrong number of arguments: c('system', code, display)"));
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.identifier = id(t);", "{}", "wrong number of arguments: id("));
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.telecom = cp();", "{}", "wrong number of arguments: cp("));
  EXPECT_TRUE(fails("Patient", "src.concept as t -> tgt.telecom = cp(t);", R"({"concept":{"text":"x"}})",
                    "must be a primitive value"));
}

TEST(Transform, emptyArgumentsMakeNothing) {
  EXPECT_EQ(made("Patient", "src -> tgt.name as n, n.text = src.text, n.family = append(src.text);", "{}"), "{}");
}

TEST(Transform, unknownTransformsAreNamedWithASuggestion) {
  EXPECT_TRUE(fails("Patient", "src -> tgt.name = crate('HumanName') as n;", "{}",
                    "unknown transform 'crate'; did you mean 'create'?"));
  EXPECT_TRUE(fails("Patient", "src.text as t -> tgt.identifier = id('u', append('x', t));", "{}",
                    "a transform cannot stand inside another"));
}

}  // namespace
}  // namespace lotsen::mapping
