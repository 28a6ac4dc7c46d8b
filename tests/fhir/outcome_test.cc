#include "gateway/fhir/outcome.h"

#include <gtest/gtest.h>

namespace lotsen::fhir {
namespace {

Document read(std::string_view text) {
  Issues issues;
  auto document = readJson(text, Schema::r4(), {}, issues);
  EXPECT_TRUE(document.ok()) << operationOutcome(issues);
  return std::move(document).value();
}

TEST(OperationOutcome, TellsEveryIssue) {
  Issues issues;
  issues.error("required", "cardinality-min", "a name is missing", "Patient.name", {3, 12});
  issues.add({Severity::Warning, "business-rule", "btf-too-short", "too short", "", "btf.period", {}});
  const std::string text = operationOutcome(issues);
  EXPECT_EQ(
      text,
      R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required","details":{"text":"a name is missing"},)"
      R"("diagnostics":"rule cardinality-min","location":["line 3, column 12"],"expression":["Patient.name"]},)"
      R"({"severity":"warning","code":"business-rule","details":{"text":"too short"},"diagnostics":"rule btf-too-short; source btf.period"}]})");
  read(text);
  EXPECT_TRUE(issues.hasErrors());
}

TEST(OperationOutcome, IsReadBackWithoutPositions) {
  Issues issues;
  issues.error("required", "cardinality-min", "a name is missing; give one", "Patient.name", {3, 12});
  issues.add({Severity::Warning, "business-rule", "btf-too-short", "too short", "", "btf.period", {}});
  issues.add({Severity::Information, "processing", "", "noted", "", "", {}});
  const Issues again = *readOutcome(operationOutcome(issues));
  ASSERT_EQ(again.list().size(), 3u);
  EXPECT_EQ(again.list()[0].text, "a name is missing; give one");
  EXPECT_EQ(again.list()[0].at.line, 0u);
  EXPECT_EQ(again.list()[1].source, "btf.period");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(again.list()[i].severity, issues.list()[i].severity);
    EXPECT_EQ(again.list()[i].code, issues.list()[i].code);
    EXPECT_EQ(again.list()[i].rule, issues.list()[i].rule);
    EXPECT_EQ(again.list()[i].expression, issues.list()[i].expression);
  }
  EXPECT_EQ(readOutcome(R"({"resourceType":"Patient"})").error().code, Code::Invalid);
  EXPECT_FALSE(readOutcome("not JSON").ok());
}

TEST(OperationOutcome, SaysThatAllIsWell) {
  const std::string text = operationOutcome({});
  EXPECT_NE(text.find("informational"), std::string::npos);
  read(text);
}

TEST(Resolve, FindsEntriesByUrlAndContainedById) {
  const Document document = read(R"({"resourceType":"Bundle","type":"message","entry":[
    {"fullUrl":"http://a.se/fhir/MessageHeader/m","resource":{"resourceType":"MessageHeader","eventCoding":{"code":"x"},"source":{"endpoint":"urn:x"},
      "contained":[{"resourceType":"Practitioner","id":"c"},{"resourceType":"PractitionerRole","id":"d","practitioner":{"reference":"#c"}}],"author":{"reference":"#c"}}},
    {"fullUrl":"http://b.se/fhir/Patient/1","resource":{"resourceType":"Patient","id":"1"}},
    {"fullUrl":"http://a.se/fhir/Patient/1","resource":{"resourceType":"Patient","id":"1","gender":"male"}},
    {"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Organization","id":"o"}},
    {"resource":{"resourceType":"Location","id":"l"}}]})");
  const Element* header = firstResource(document, document.root(), "MessageHeader");
  ASSERT_NE(header, nullptr);
  const auto idOf = [&](const Element* holder, std::string_view reference) {
    const Element* found = resolve(document, holder, reference);
    return found == nullptr ? std::string("none") : std::string(valueAt(document, found, "id"));
  };
  EXPECT_EQ(valueAt(document, resolve(document, header, "Patient/1"), "gender"), "male");  // same server as the header
  EXPECT_EQ(valueAt(document, resolve(document, header, "http://b.se/fhir/Patient/1"), "gender"), "");
  EXPECT_EQ(valueAt(document, resolve(document, header, "http://a.se/fhir/Patient/1/_history/3"), "gender"), "male");
  EXPECT_EQ(idOf(header, "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"), "o");
  EXPECT_EQ(idOf(header, "Location/l"), "l");
  EXPECT_EQ(idOf(header, "Patient/2"), "none");
  EXPECT_EQ(idOf(header, "ient/1"), "none");
  EXPECT_EQ(idOf(header, "#c"), "c");
  EXPECT_EQ(idOf(header, "#x"), "none");
  const Element* role = child(document, header, "contained")->next;
  EXPECT_EQ(idOf(role, "#c"), "c");
  EXPECT_EQ(resolve(document, role, "#"), header);
  EXPECT_EQ(firstResource(document, document.root(), "Task"), nullptr);
}

TEST(CanonicalDigest, DependsOnContentOnly) {
  const auto digest = [](std::string_view text) { return canonicalDigest(read(text)); };
  EXPECT_EQ(digest(R"({"resourceType":"Patient","id":"a","active":true})"),
            digest("{ \"active\" : true,\n\"resourceType\":\"Patient\",\"id\":\"\\u0061\" }"));
  EXPECT_NE(digest(R"({"resourceType":"Parameters","parameter":[{"name":"a","valueDecimal":1.0}]})"),
            digest(R"({"resourceType":"Parameters","parameter":[{"name":"a","valueDecimal":1.00}]})"));
  EXPECT_EQ(digest(R"({"resourceType":"Patient"})").size(), 64U);
}

}  // namespace
}  // namespace lotsen::fhir
