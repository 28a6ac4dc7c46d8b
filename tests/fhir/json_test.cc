#include "gateway/base/text.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/schema_builder.h"
#include "gateway/json/reader.h"
#include "tests/fhir/corpora.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lotsen::fhir {
namespace {

std::string faultsOf(std::string_view text, const ReadOptions& options = {},
                     std::shared_ptr<const Schema> schema = Schema::r4()) {
  Issues issues;
  const auto document = readJson(text, schema, options, issues);
  EXPECT_EQ(document.ok(), !issues.hasErrors());
  std::string result;
  for (const Issue& issue : issues.list()) {
    result += issue.rule + " " + issue.expression + " " + std::to_string(issue.at.line) + ":" +
              std::to_string(issue.at.column) + "\n";
  }
  return result;
}

Document read(std::string_view text, const ReadOptions& options = {},
              std::shared_ptr<const Schema> schema = Schema::r4()) {
  Issues issues;
  auto document = readJson(text, schema, options, issues);
  if (!document) {
    ADD_FAILURE() << operationOutcome(issues);
    return Document(schema);
  }
  return std::move(document).value();
}

std::string roundTrip(std::string_view text) {
  return writeJson(read(text));
}

void expectSame(std::string_view text) {
  EXPECT_EQ(roundTrip(text), text);
}

TEST(FhirJson, KeepsOrderDigitsAndTwins) {
  expectSame(R"({"resourceType":"Patient","id":"p1","active":true,"birthDate":"1970-03-30","gender":"female"})");
  expectSame(
      R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50,"unit":"mg"}})");
  expectSame(
      R"({"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x.se/t","valueTime":"08:00:00"}]}})");
  expectSame(R"({"resourceType":"Patient","birthDate":"1970","_birthDate":{"id":"b"},"gender":"male"})");
  expectSame(R"({"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"g"},null]}]})");
  expectSame(R"({"resourceType":"Patient","name":[{"_given":[{"id":"g"},{"id":"h"}]}]})");
  expectSame(
      R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}],"managingOrganization":{"reference":"#o"}})");
  expectSame(
      R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Basic","code":{"text":"å \"\\\n"}}}]})");
  expectSame(
      R"({"resourceType":"Parameters","parameter":[{"name":"a","valueDecimal":-0.010},{"name":"b","valueDecimal":1E-7}]})");
}

TEST(FhirJson, PutsTwinsBesideTheirPropertyWhateverTheirOrder) {
  EXPECT_EQ(roundTrip(R"({"_birthDate":{"id":"b"},"gender":"male","birthDate":"1970","resourceType":"Patient"})"),
            R"({"resourceType":"Patient","birthDate":"1970","_birthDate":{"id":"b"},"gender":"male"})");
  EXPECT_EQ(
      roundTrip(
          R"({"resourceType":"Patient","name":[{"_given":[null,{"id":"g"}],"family":"F","given":["A",null,"C"]}]})"),
      R"({"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"g"},null],"family":"F"}]})");
  EXPECT_EQ(roundTrip(R"({"resourceType":"Patient","_deceasedBoolean":{"id":"d"},"deceasedBoolean":true})"),
            R"({"resourceType":"Patient","deceasedBoolean":true,"_deceasedBoolean":{"id":"d"}})");
}

TEST(FhirJson, FindsTheResourceTypeAnywhere) {
  EXPECT_EQ(
      roundTrip(
          R"({"entry":[{"resource":{"id":"x","name":[{"text":"resourceType"}],"resourceType":"Patient"}}],"type":"batch","resourceType":"Bundle"})"),
      R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"x","name":[{"text":"resourceType"}]}}],"type":"batch"})");
}

TEST(FhirJson, KnowsDefinitionTypeAndPlaceOfEveryElement) {
  const Document document = read("{\n  \"resourceType\": \"Observation\",\n  \"valueQuantity\": {\"value\": 7}\n}");
  const Element* value = child(document, document.root(), "value");
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(value->type, r4::kQuantity);
  EXPECT_EQ(document.schema().text(document.schema().def(value->def).path), "Observation.value[x]");
  EXPECT_EQ(value->at.line, 3U);
  EXPECT_EQ(value->at.column, 20U);
  EXPECT_EQ(pathOf(document, value->first), "Observation.value.ofType(Quantity).value");
  EXPECT_EQ(valueAt(document, document.root(), "value.value"), "7");
}

TEST(FhirJson, ValuesDoNotNeedTheSourceBytes) {
  auto text = std::make_unique<std::string>(R"({"resourceType":"Patient","id":"p1"})");
  const Document document = read(*text);
  text->assign(text->size(), 'x');
  EXPECT_EQ(valueAt(document, document.root(), "id"), "p1");
}

struct Case {
  std::string text;
  std::string faults;
};

TEST(FhirJson, RefusesWithPathLineAndColumn) {
  const std::vector<Case> cases = {
      {R"({"resourceType":"Patient","birthdate":"1970"})", "json-unknown-property Patient 1:27\n"},
      {"{\"resourceType\":\"Patient\",\n\"name\":[{\"family\":\"A\"},\n{\"familly\":\"B\"}]}",
       "json-unknown-property Patient.name[1] 3:2\n"},
      {R"({"resourceType":"Patient","value":"x","_name":[]})",
       "json-unknown-property Patient 1:27\njson-unknown-property Patient 1:39\n"},
      {R"({"resourceType":"Observation","value":"x"})", "json-unknown-property Observation 1:31\n"},
      {R"({"resourceType":"Patient","active":"true"})", "json-wrong-type Patient.active 1:36\n"},
      {R"({"resourceType":"Patient","multipleBirthInteger":"2"})", "json-wrong-type Patient.multipleBirth 1:50\n"},
      {R"({"resourceType":"Patient","birthDate":1970})", "json-wrong-type Patient.birthDate 1:39\n"},
      {R"({"resourceType":"Patient","birthDate":{"a":1}})", "json-wrong-type Patient.birthDate 1:39\n"},
      {R"({"resourceType":"Patient","birthDate":["1970"]})", "json-array-unexpected Patient.birthDate 1:39\n"},
      {R"({"resourceType":"Patient","name":{"family":"A"}})", "json-array-expected Patient.name 1:34\n"},
      {R"({"resourceType":"Patient","name":["A"]})", "json-object-expected Patient.name[0] 1:35\n"},
      {R"({"resourceType":"Patient","name":[[]]})", "json-nested-array Patient.name[0] 1:35\n"},
      {R"({"resourceType":"Patient","birthDate":"2026-06-31"})", "json-invalid-value Patient.birthDate 1:39\n"},
      {R"({"resourceType":"Patient","id":""})", "json-invalid-value Patient.id 1:32\n"},
      {R"({"resourceType":"Patient","name":[]})", "json-empty Patient.name 1:35\n"},
      {R"({"resourceType":"Patient","maritalStatus":{}})", "json-empty Patient.maritalStatus 1:44\n"},
      {R"({"resourceType":"Patient","birthDate":null})", "json-null Patient.birthDate 1:39\n"},
      {R"({"resourceType":"Patient","name":[null]})", "json-null Patient.name[0] 1:35\n"},
      {R"({"resourceType":"Patient","name":[{"given":["A",null]}]})", "json-null Patient.name[0].given[1] 1:49\n"},
      {R"({"resourceType":"Patient","_birthDate":"x"})", "json-object-expected Patient.birthDate 1:40\n"},
      {R"({"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"})",
       "json-choice Patient.deceased 1:69\n"},
      {R"({"resourceType":"Pateint"})", "json-resource-type  1:1\n"},
      {R"({"resourceType":"DomainResource"})", "json-resource-type  1:1\n"},
      {R"({"resourceType":"HumanName"})", "json-resource-type  1:1\n"},
      {R"({"resourceType":"Bundle","type":"batch","entry":[{"resource":{"id":"x"}}]})",
       "json-resource-type Bundle.entry[0].resource 1:62\n"},
      {R"({"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":5}}]})",
       "json-resource-type Bundle.entry[0].resource 1:62\n"},
      {R"({"resourceTyp\u0065":"Patient"})", "json-resource-type %root 1:2\n"},
      {R"([1])", "json-root  1:1\n"},
      {R"("x")", "json-root  1:1\n"},
      {"{\"resourceType\":\"Patient\",\n\"id\":\"a\",\"id\":\"b\"}", "json-duplicate-key Patient 2:10\n"},
      {R"({"resourceType":"Observation","valueQuantity":{"value":1e400}})",
       "json-number-range Observation.value.ofType(Quantity).value 1:56\n"},
      {R"({"resourceType":"ClaimResponse","x":[-1e999]})",
       "json-unknown-property ClaimResponse 1:33\njson-number-range ClaimResponse 1:38\n"},
      {"{\"resourceType\":\"Patient\",\n\"id\":\"\\uDC00\"}", "json-surrogate  2:7\n"},
      {"{\"resourceType\":\"Patient\"", "json-syntax Patient 1:26\n"},
  };
  for (const Case& one : cases) EXPECT_EQ(faultsOf(one.text), one.faults) << one.text;
}

TEST(FhirJson, GoesOnAfterAFaultAndSaysAll) {
  EXPECT_EQ(
      faultsOf(R"({"resourceType":"Patient","x":{"y":[{"z":1}]},"gender":1,"birthDate":"1970-13","active":true})"),
      "json-unknown-property Patient 1:27\njson-wrong-type Patient.gender 1:56\njson-invalid-value Patient.birthDate "
      "1:70\n");
}

TEST(FhirJson, StopsAfterAHundredFaults) {
  std::string text = R"({"resourceType":"Patient","name":[)";
  for (int i = 0; i < 500; ++i) text += R"({"x":1},)";
  text += R"({"text":"x"}]})";
  Issues issues;
  EXPECT_FALSE(readJson(text, Schema::r4(), {}, issues).ok());
  EXPECT_EQ(issues.list().size(), 101U);
  EXPECT_EQ(issues.list().back().rule, "json-too-many-faults");
}

TEST(FhirJson, SuggestsTheNearestName) {
  Issues issues;
  (void)readJson(R"({"resourceType":"Patient","birthdate":"1970"})", Schema::r4(), {}, issues);
  ASSERT_EQ(issues.list().size(), 1U);
  EXPECT_EQ(issues.list()[0].text, "unknown property \"birthdate\"; did you mean \"birthDate\"?");
}

TEST(FhirJson, PrintsNoStrangeNames) {
  Issues issues;
  (void)readJson(R"({"resourceType":"Patient","19121212-1212 Tolvan":"x"})", Schema::r4(), {}, issues);
  EXPECT_EQ(issues.list()[0].text.find("Tolvan"), std::string::npos);
}

TEST(FhirJson, BoundsSizeDepthAndElements) {
  Issues issues;
  const std::string text = R"({"resourceType":"Patient","name":[{"given":["A","B","C","D"]}]})";
  EXPECT_EQ(readJson(text, Schema::r4(), {.maxBytes = 20}, issues).error().code, Code::TooLarge);
  EXPECT_EQ(readJson(text, Schema::r4(), {.maxDepth = 3}, issues).error().code, Code::TooLarge);
  EXPECT_EQ(readJson(text, Schema::r4(), {.maxElements = 4}, issues).error().code, Code::TooLarge);
  EXPECT_TRUE(readJson(text, Schema::r4(), {.maxElements = 5}, issues).ok());
}

TEST(FhirJson, ReadsUntypedRecordsAsTheyAre) {
  const std::string text =
      R"({"vårdgaranti":{"nummer":["1"],"ja":true,"n":1.50,"x":null,"rader":[{"a":1},{"a":2}]},"tom":""})";
  const Document document = read(text);
  EXPECT_EQ(writeJson(document),
            R"({"vårdgaranti":{"nummer":["1"],"ja":true,"n":1.50,"rader":[{"a":1},{"a":2}]},"tom":""})");
  EXPECT_EQ(valueAt(document, document.root(), "vårdgaranti.n"), "1.50");
  const Element* row = child(document, child(document, document.root(), "vårdgaranti"), "rader");
  EXPECT_EQ(pathOf(document, row->next->first), "%root.vårdgaranti.rader[1].a");
}

TEST(FhirJson, ReadsRecordsTypedByALogicalModel) {
  SchemaBuilder builder(*Schema::r4());
  const TypeId record = builder.declare("Remiss", "http://example.org/Remiss", TypeKind::Logical, r4::kElement);
  const ShapeId shape = builder.reserveShape();
  std::vector<Property> properties;
  const auto add = [&](std::string_view name, TypeId type, std::uint32_t max) {
    const std::vector<SchemaBuilder::NewTypeRef> types = {{type, {}}};
    properties.push_back(
        {builder.string(name),
         builder.add({.path = builder.string("Remiss." + std::string(name)), .name = builder.string(name), .max = max},
                     types, {}),
         type});
  };
  add("nummer", r4::kInteger, 1);
  add("akut", r4::kBoolean, 1);
  add("koder", r4::kCoding, kUnbounded);
  add("datum", r4::kDate, 1);
  builder.fill(shape, properties);
  builder.complete(record, shape, kNone);
  const auto schema = std::move(builder).build();

  const std::string text = R"({"nummer":7,"akut":false,"koder":[{"code":"a"}],"datum":"2026-03-02"})";
  const Document document = read(text, {.type = record}, schema);
  EXPECT_EQ(writeJson(document), text);
  EXPECT_EQ(document.root()->type, record);
  EXPECT_EQ(child(document, document.root(), "nummer")->type, r4::kInteger);
  EXPECT_EQ(
      faultsOf(R"({"nummer":"7","datum":"2026-06-31","annat":1,"koder":{"code":"a"}})", {.type = record}, schema),
      "json-wrong-type Remiss.nummer 1:11\njson-invalid-value Remiss.datum 1:23\njson-unknown-property Remiss 1:36\n"
      "json-array-expected Remiss.koder 1:54\n");
  EXPECT_EQ(faultsOf(R"({"nummer":null,"koder":[]})", {.type = record}, schema), "");
  // A record may say what it is, anywhere; it then says so again.
  EXPECT_EQ(writeJson(read(R"({"nummer":7,"resourceType":"Remiss"})", {.type = record}, schema)),
            R"({"resourceType":"Remiss","nummer":7})");
  EXPECT_EQ(faultsOf(R"({"nummer":7,"resourceType":"Patient"})", {.type = record}, schema),
            "json-resource-type Remiss 1:28\n");
}

TEST(FhirJson, LongListsTakeLinearTime) {
  std::string text = R"({"resourceType":"Bundle","type":"collection","entry":[)";
  for (int i = 0; i < 50'000; ++i) text += R"({"resource":{"resourceType":"Basic"}},)";
  text.back() = ']';
  text += "}";
  EXPECT_EQ(roundTrip(text), text);
}

TEST(FhirJson, ReferralRecordsOfOthersSurviveARoundTrip) {
  LOTSEN_NEEDS_CORPORA();
  std::size_t read = 0;
  for (const char* folder : {"referral-bundles", "validator-r4/files", "profiles", "fhirpath-r4"}) {
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(test::sharedPath("corpora/" + std::string(folder)))) {
      if (file.path().extension() != ".json") continue;
      std::string text;
      ASSERT_TRUE(readFile(file.path(), text));
      Issues issues;
      const auto document = readJson(text, Schema::r4(), {}, issues);
      if (!document || document->root()->type == kNone) continue;  // some are invalid on purpose, some are indexes
      ++read;
      const std::string once = writeJson(*document);
      const auto again = readJson(once, Schema::r4(), {}, issues);
      ASSERT_TRUE(again.ok()) << file.path();
      EXPECT_EQ(writeJson(*again), once) << file.path();
      EXPECT_EQ(canonicalDigest(*again), canonicalDigest(*document)) << file.path();
      // No member or item may get lost: the compact text has the size of the source without blanks outside strings.
      class Counter : public json::Handler {
       public:
        bool null(std::size_t) override { return true; }
        bool boolean(bool, std::size_t) override { return count(1); }
        bool number(std::string_view digits, std::size_t) override { return count(digits.size()); }
        bool string(std::string_view value, std::size_t) override { return count(value.size() + 1); }
        bool key(std::string_view name, std::size_t) override { return count(name.size()); }
        bool startObject(std::size_t) override { return count(1); }
        bool endObject(std::size_t) override { return true; }
        bool startArray(std::size_t) override { return count(1); }
        bool endArray(std::size_t) override { return true; }
        std::size_t sum = 0;

       private:
        bool count(std::size_t size) {
          sum += size;
          return true;
        }
      } before, after;
      ASSERT_FALSE(json::parse(text, {}, before));
      ASSERT_FALSE(json::parse(once, {}, after));
      EXPECT_EQ(before.sum, after.sum) << file.path();
    }
  }
  EXPECT_GT(read, 150U);
}

TEST(FhirPrimitives, FollowTheGrammarsOfR4) {
  const auto schema = Schema::r4();
  const auto good = [&](TypeId type, std::initializer_list<std::string_view> texts) {
    for (const auto text : texts) EXPECT_TRUE(isValidPrimitive(*schema, type, text)) << text;
  };
  const auto bad = [&](TypeId type, std::initializer_list<std::string_view> texts) {
    for (const auto text : texts) EXPECT_FALSE(isValidPrimitive(*schema, type, text)) << text;
  };
  good(r4::kDate, {"2026", "2026-02", "2024-02-29", "0001-01-01", "2000-02-29"});
  bad(r4::kDate, {"", "26", "2026-13", "2026-00", "2026-2-1", "2026-06-31", "2026-02-29", "1900-02-29", "0000",
                  "2026-01-01T", "2026-", " 2026"});
  good(r4::kDateTime, {"2026", "2026-03-02", "2026-03-02T08:14:07Z", "2026-03-02T08:14:07.120+01:00",
                       "2026-06-30T23:59:60Z", "2026-03-02T08:14:07-14:00"});
  bad(r4::kDateTime, {"2026-03-02T08:14Z", "2026-03-02T08:14:07", "2026-03T08:14:07Z", "2026-03-02T24:00:00Z",
                      "2026-03-02T08:14:07.Z", "2026-03-02T08:14:07+14:30", "2026-03-02 08:14:07Z"});
  good(r4::kInstant, {"2026-03-02T08:14:07Z"});
  bad(r4::kInstant, {"2026-03-02", "2026-03-02T08:14:07"});
  good(r4::kTime, {"00:00:00", "23:59:60.5"});
  bad(r4::kTime, {"24:00:00", "08:00", "08:00:00Z"});
  good(r4::kInteger, {"0", "-5", "2147483647", "-2147483648"});
  bad(r4::kInteger, {"", "-", "-0", "01", "2147483648", "1.0", "1e3", "+1"});
  good(r4::kPositiveInt, {"1"});
  bad(r4::kPositiveInt, {"0", "-1"});
  good(r4::kUnsignedInt, {"0"});
  bad(r4::kUnsignedInt, {"-1"});
  good(r4::kDecimal, {"0", "-0.10", "1e3", "1E-7", "123456789012345678901234567890.1"});
  bad(r4::kDecimal, {"", ".5", "1.", "01", "1e", "+1", "0x1"});
  good(r4::kId, {"a", "A-1.b"});
  bad(r4::kId, {"", "a_b", "å", std::string_view("12345678901234567890123456789012345678901234567890123456789012345")});
  good(r4::kCode, {"a", "a b"});
  bad(r4::kCode, {"", " a", "a ", "a  b", "a\tb"});
  good(r4::kUri, {"urn:x", "#a", "http://x.se/å"});
  bad(r4::kUri, {"", "a b", " a"});
  good(r4::kOid, {"urn:oid:1.2.752.129.2.1.2.1"});
  bad(r4::kOid, {"1.2", "urn:oid:3.1", "urn:oid:1.", "urn:oid:1.01", "urn:oid:1"});
  good(r4::kUuid, {"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"});
  bad(r4::kUuid,
      {"c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873d-ec9a-4326-a141-556f43239520", "urn:uuid:x"});
  good(r4::kBase64Binary, {"QUJD", "QUI=", "QQ==", "QUJD\nQUJD"});
  bad(r4::kBase64Binary, {"", "QUJ", "QQ=", "Q===", "QQ==QUJD", "Q-JD"});
  good(r4::kString, {" ", "å\t\n"});
  bad(r4::kString, {"", "a\x01"});
  good(r4::kBoolean, {"true", "false"});
  bad(r4::kBoolean, {"1", "True"});
}

}  // namespace
}  // namespace lotsen::fhir
