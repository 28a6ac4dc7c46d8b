#include "gateway/base/text.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"
#include "tests/fhir/corpora.h"

#include <gtest/gtest.h>

namespace lotsen::fhir {
namespace {

const std::string kHead = R"(<?xml version="1.0" encoding="UTF-8"?>)";

std::string faultsOf(std::string_view text) {
  Issues issues;
  const auto document = readXml(text, Schema::r4(), {}, issues);
  EXPECT_EQ(document.ok(), !issues.hasErrors());
  std::string result;
  for (const Issue& issue : issues.list())
    result += issue.rule + " " + issue.expression + " " + std::to_string(issue.at.line) + "\n";
  return result;
}

Document fromXml(std::string_view text) {
  Issues issues;
  auto document = readXml(text, Schema::r4(), {}, issues);
  if (document) return std::move(document).value();
  ADD_FAILURE() << operationOutcome(issues);
  return Document(Schema::r4());
}

std::string xmlOf(std::string_view json, Layout layout = Layout::Compact) {
  Issues issues;
  const auto document = readJson(json, Schema::r4(), {}, issues);
  EXPECT_TRUE(document.ok()) << operationOutcome(issues);
  if (!document) return {};
  const auto xml = writeXml(*document, layout);
  return xml ? *xml : xml.error().message;
}

void expectBoth(const std::string& xml, const std::string& json) {
  EXPECT_EQ(writeJson(fromXml(kHead + xml)), json);
  EXPECT_EQ(xmlOf(json), kHead + xml);
}

TEST(FhirXml, SaysTheSameAsJson) {
  expectBoth(
      R"(<Patient xmlns="http://hl7.org/fhir"><id value="p1"/><active value="true"/><name><given value="A"/><given value="B"/></name></Patient>)",
      R"({"resourceType":"Patient","id":"p1","active":true,"name":[{"given":["A","B"]}]})");
  expectBoth(
      R"(<Observation xmlns="http://hl7.org/fhir"><status value="final"/><code><text value="&lt;å> &quot;&amp;&#10;"/></code><valueQuantity><value value="1.50"/></valueQuantity></Observation>)",
      R"({"resourceType":"Observation","status":"final","code":{"text":"<å> \"&\n"},"valueQuantity":{"value":1.50}})");
  expectBoth(
      R"(<Patient xmlns="http://hl7.org/fhir"><name id="n"><given id="g"><extension url="urn:x"><valueCode value="c"/></extension></given></name></Patient>)",
      R"({"resourceType":"Patient","name":[{"id":"n","_given":[{"id":"g","extension":[{"url":"urn:x","valueCode":"c"}]}]}]})");
  expectBoth(
      R"(<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><resource><Basic><contained><Patient/></contained><code><text value="x"/></code></Basic></resource></entry></Bundle>)",
      R"({"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Basic","contained":[{"resourceType":"Patient"}],"code":{"text":"x"}}}]})");
  expectBoth(
      R"(<Basic xmlns="http://hl7.org/fhir"><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a <b class="c">d &lt; e</b><br/></div></text><code><text value="x"/></code></Basic>)",
      R"({"resourceType":"Basic","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b class=\"c\">d &lt; e</b><br/></div>"},"code":{"text":"x"}})");
}

TEST(FhirXml, WritesInTheOrderOfTheDefinition) {
  EXPECT_EQ(
      xmlOf(
          R"({"birthDate":"1970","resourceType":"Patient","gender":"male","id":"a","extension":[{"valueString":"x","url":"urn:x"}]})",
          Layout::Indented),
      kHead +
          "\n<Patient xmlns=\"http://hl7.org/fhir\">\n  <id value=\"a\"/>\n  <extension url=\"urn:x\">\n    "
          "<valueString value=\"x\"/>\n  </extension>\n"
          "  <gender value=\"male\"/>\n  <birthDate value=\"1970\"/>\n</Patient>");
}

TEST(FhirXml, RefusesNarrativeThatIsNoXml) {
  EXPECT_NE(xmlOf(R"({"resourceType":"Patient","text":{"status":"generated","div":"<div>a<br></div>"}})")
                .find("Patient.text.div"),
            std::string::npos);
}

TEST(FhirXml, KeepsTheNarrativeAsItStands) {
  const std::string start =
      "<Basic xmlns=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\">\r\n<!-- å --><text><status "
      "value=\"generated\"/>\r <!-- å -->";
  const auto divOf = [&](const std::string& div) {
    const Document document =
        fromXml("\xef\xbb\xbf" + start + div + "</text>\n<code><text value=\"x\"/></code></Basic>");
    return std::string(valueAt(document, document.root(), "text.div"));
  };
  for (const std::string div :
       {"<div xmlns=\"http://www.w3.org/1999/xhtml\">\n å &quot;a&quot; <!-- c --><br /><![CDATA[<x>]]>\n</div >",
        "<div xmlns='http://www.w3.org/1999/xhtml' title='å>' />"}) {
    EXPECT_EQ(divOf(div), div);
  }
  EXPECT_EQ(divOf("<h:div>a<h:br/></h:div>"), "<div xmlns=\"http://www.w3.org/1999/xhtml\">a<br/></div>");
  EXPECT_EQ(divOf("<div xmlns=\"http://www.w3.org/1999/xhtml\"><h:b>a</h:b></div>"),
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><b>a</b></div>");
}

TEST(FhirXml, RefusesWhatXmlCannotSay) {
  const auto narrative = [](const std::string& div) {
    return R"({"resourceType":"Patient","text":{"status":"generated","div":")" + div + "\"}}";
  };
  EXPECT_NE(xmlOf(narrative("<p>x</p>")).find("one <div>"), std::string::npos);
  EXPECT_NE(xmlOf(narrative("<div>x</div>")).find("one <div>"), std::string::npos);
  EXPECT_NE(xmlOf("{\"resourceType\":\"Basic\",\"code\":{\"text\":\"\\uffff\"}}").find("Basic.code.text"),
            std::string::npos);
  EXPECT_NE(xmlOf("{\"resourceType\":\"Basic\",\"code\":{\"text\":\"\\ufffd\"}}").find("<Basic"), std::string::npos);
}

TEST(FhirXml, PassesOverCommentsAndKeepsPlaces) {
  const Document document = fromXml(
      "<Patient xmlns=\"http://hl7.org/fhir\"\n xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:schemaLocation=\"a b\">"
      "<!-- c -->\n <gender value=\"male\"/></Patient>");
  EXPECT_EQ(writeJson(document), R"({"resourceType":"Patient","gender":"male"})");
  EXPECT_EQ(document.root()->first->at.line, 3U);
  EXPECT_EQ(document.root()->first->at.column, 2U);
}

TEST(FhirXml, RefusesWithPathAndLine) {
  struct Case {
    std::string text;
    std::string faults;
  };
  const auto patient = [](const std::string& content) {
    return "<Patient xmlns=\"http://hl7.org/fhir\">\n" + content + "</Patient>";
  };
  const std::vector<Case> cases = {
      {patient("<birthdate value=\"1970\"/>"), "xml-unknown-element Patient 2\n"},
      {patient("<name><x><y/></x>\n<family value=\"\"/></name>"),
       "xml-unknown-element Patient.name[0] 2\nxml-invalid-value Patient.name[0].family 3\n"},
      {patient("<gender value=\"male\" x=\"y\"/>"), "xml-unknown-attribute Patient.gender 2\n"},
      {patient("<gender>male</gender>"), "xml-text Patient.gender 2\n"},
      {patient("<gender value=\"male\"/><gender value=\"male\"/>"), "xml-cardinality Patient.gender 2\n"},
      {patient("<deceasedBoolean value=\"true\"/><deceasedDateTime value=\"2020\"/>"),
       "xml-choice Patient.deceased 2\n"},
      {patient("<birthDate value=\"2026-06-31\"/>"), "xml-invalid-value Patient.birthDate 2\n"},
      {patient("<name/>"), "xml-empty Patient.name[0] 2\n"},
      {patient("<contained/>"), "xml-empty Patient.contained[0] 2\n"},
      {patient("<contained><Patient/><Patient/></contained>"),
       "xml-cardinality Patient.contained[0].ofType(Patient) 2\n"},
      {patient("<contained><Pateint/></contained>"), "xml-resource-type Patient.contained[0] 2\n"},
      {patient("<text><status value=\"empty\"/><div>x</div></text>"), "xml-namespace Patient.text.div 2\n"},
      {patient("<text><status value=\"empty\"/><div xmlns=\"http://www.w3.org/1999/xhtml\"><x "
               "xmlns=\"urn:x\"/></div></text>"),
       "xml-namespace Patient.text.div 2\n"},
      {"<Patient/>", "xml-namespace  1\n"},
      {"<!DOCTYPE Patient [<!ENTITY x \"y\">]><Patient xmlns=\"http://hl7.org/fhir\"/>", "xml-doctype  1\n"},
      {patient("<gender value=\"male\">"), "xml-syntax Patient.gender 2\n"},
  };
  for (const Case& one : cases) EXPECT_EQ(faultsOf(one.text), one.faults) << one.text;
}

TEST(FhirXml, ExamplesSurviveTheWayThroughJsonAndBack) {
  LOTSEN_NEEDS_CORPORA();
  std::size_t count = 0;
  for (const char* folder : {"fhirpath-r4/official/input", "validator-r4/files", "structure-mapping"}) {
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(test::sharedPath("corpora/" + std::string(folder)))) {
      if (file.path().extension() != ".xml") continue;
      std::string text;
      ASSERT_TRUE(readFile(file.path(), text));
      Issues issues;
      const auto document = readXml(text, Schema::r4(), {}, issues);
      if (!document) continue;  // invalid on purpose, or CDA
      ++count;
      const auto xml = writeXml(*document);
      ASSERT_TRUE(xml.ok()) << file.path() << xml.error().message;
      const auto json = readJson(writeJson(*document), Schema::r4(), {}, issues);
      ASSERT_TRUE(json.ok()) << file.path();
      EXPECT_EQ(*writeXml(*json), *xml) << file.path();
    }
  }
  EXPECT_GT(count, 8U);
  std::string text;
  for (const char* name : {"codesystem-example", "observation-example", "parameters-example-types", "patient-example",
                           "patient-example-period", "questionnaire-example", "valueset-example-expansion"}) {
    ASSERT_TRUE(readFile(test::sharedPath("corpora/fhirpath-r4/official/input/" + std::string(name) + ".xml"), text));
    Issues issues;
    EXPECT_TRUE(readXml(text, Schema::r4(), {}, issues).ok()) << name << operationOutcome(issues);
  }
}

}  // namespace
}  // namespace lotsen::fhir
