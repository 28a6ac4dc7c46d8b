// Logical models with an XML of their own, through a model of CDA in tests/definitions/data/cda: the whole header, the
// sections with title and narrative, observations; other entries are unknown to it.
#include "gateway/base/text.h"
#include "gateway/definitions/definitions.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"
#include "tests/support/shared.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

namespace lotsen::definitions {
namespace {

using fhir::Document;
using fhir::valueAt;

std::shared_ptr<const fhir::Schema> cda() {
  static const auto kSchema = [] {
    fhir::Issues issues;
    const auto loaded = load({LOTSEN_SOURCE_DIR "/tests/definitions/data/cda"}, issues);
    EXPECT_TRUE(loaded.ok()) << fhir::operationOutcome(issues);
    return loaded.ok() ? (*loaded)->schema : fhir::Schema::r4();
  }();
  return kSchema;
}

std::string documentWith(const std::string& content) {
  return "<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:sdtc=\"urn:hl7-org:sdtc\" "
         "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n" +
         content + "</ClinicalDocument>";
}

std::string inPatient(const std::string& content) {
  return documentWith("<recordTarget><patientRole><patient>" + content + "</patient></patientRole></recordTarget>");
}

std::string inObservation(const std::string& content) {
  return documentWith("<component><structuredBody><component><section><entry><observation>" + content +
                      "</observation></entry></section></component></structuredBody></component>");
}

/// "rule path line:column" a line.
std::string faultsOf(const std::string& xml) {
  fhir::Issues issues;
  const auto document = fhir::readXml(xml, cda(), {}, issues);
  EXPECT_EQ(document.ok(), !issues.hasErrors());
  std::string list;
  for (const auto& issue : issues.list()) {
    list += issue.rule + " " + issue.expression + " " + std::to_string(issue.at.line) + ":" +
            std::to_string(issue.at.column) + "\n";
  }
  return list;
}

std::string jsonOf(const std::string& xml) {
  fhir::Issues issues;
  const auto document = fhir::readXml(xml, cda(), {}, issues);
  return document ? fhir::writeJson(*document) : fhir::operationOutcome(issues);
}

/// XML to the tree, to JSON, back to the tree and to XML.
std::string around(const std::string& xml) {
  const std::string json = jsonOf(xml);
  fhir::Issues issues;
  const auto again = fhir::readJson(json, cda(), {.type = cda()->findType("ClinicalDocument")}, issues);
  if (!again) return json + fhir::operationOutcome(issues);
  const auto written = fhir::writeXml(*again);
  return written ? *written : written.error().message;
}

constexpr const char* kHead = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"";

TEST(ModelXml, AttributesTextAndNamespaces) {
  const std::string xml = documentWith(
      "<code code='1'><originalText> free\n <![CDATA[<text>]]> <reference "
      "value='#a'/></originalText></code>\n<title>Remiss</title>");
  EXPECT_EQ(
      jsonOf(xml),
      R"({"code":{"code":"1","originalText":{"xmlText":"free\n <text>","reference":{"value":"#a"}}},"title":{"xmlText":"Remiss"}})");
  EXPECT_EQ(around(xml),
            std::string(kHead) +
                "><code code=\"1\"><originalText>free\n &lt;text&gt;<reference value=\"#a\"/></originalText>"
                "</code><title>Remiss</title></ClinicalDocument>");
  const std::string other = inPatient("<raceCode code='a'/><sdtc:raceCode code='b' sdtc:valueSetVersion='2'/>");
  EXPECT_EQ(
      jsonOf(other),
      R"({"recordTarget":[{"patientRole":{"patient":{"raceCode":{"code":"a"},"sdtcRaceCode":[{"code":"b","valueSetVersion":"2"}]}}}]})");
  EXPECT_NE(around(other).find("<raceCode code=\"a\"/><raceCode xmlns=\"urn:hl7-org:sdtc\" code=\"b\" "
                               "xmlns:a1=\"urn:hl7-org:sdtc\" a1:valueSetVersion=\"2\"/>"),
            std::string::npos)
      << around(other);
  EXPECT_EQ(jsonOf(around(other)), jsonOf(other));
}

TEST(ModelXml, GroupsStandForTheirItemsInTheirOrder) {
  const std::string xml = inPatient(
      "<name use='L SRCH'>Herr <given>Bo</given> <family qualifier='BR'>Ek</family><given>Ivar</given></name>");
  EXPECT_EQ(
      jsonOf(xml),
      R"({"recordTarget":[{"patientRole":{"patient":{"name":[{"use":["L","SRCH"],"item":[{"xmlText":"Herr"},{"given":{"xmlText":"Bo"}},{"family":{"qualifier":["BR"],"xmlText":"Ek"}},{"given":{"xmlText":"Ivar"}}]}]}}}]})");
  EXPECT_NE(around(xml).find("<name use=\"L SRCH\">Herr<given>Bo</given><family qualifier=\"BR\">Ek</family>"
                             "<given>Ivar</given></name>"),
            std::string::npos)
      << around(xml);
}

TEST(ModelXml, TheTypeStandsInXsiType) {
  const std::string xml = inObservation(
      "<value xsi:type='PQ' value='1.50' unit='g'/><value xsi:type='cda:IVL_TS' xmlns:cda='urn:hl7-org:v3'><low "
      "value='2020'/></value><value xsi:type=' ST '>x</value>");
  EXPECT_NE(
      jsonOf(xml).find(R"("value":[{"resourceType":"PQ","value":1.50,"unit":"g"},{"resourceType":"IVL_TS","low":)"),
      std::string::npos)
      << jsonOf(xml);
  EXPECT_NE(around(xml).find("<value xsi:type=\"PQ\" value=\"1.50\" unit=\"g\"/><value xsi:type=\"IVL_TS\"><low "
                             "value=\"2020\"/></value><value xsi:type=\"ST\">x</value>"),
            std::string::npos)
      << around(xml);
}

TEST(ModelXml, ATypeThatDerivesFromTheDeclaredOneIsSaidInBothForms) {
  const std::string title = documentWith("<code code='1'><originalText xsi:type='ST'>x</originalText></code>");
  EXPECT_EQ(jsonOf(title), R"({"code":{"code":"1","originalText":{"resourceType":"ST","xmlText":"x"}}})");
  EXPECT_NE(around(title).find("<originalText xsi:type=\"ST\">x</originalText>"), std::string::npos) << around(title);
  const std::string time = documentWith("<effectiveTime xsi:type='IVL_TS'><low value='2020'/></effectiveTime>");
  EXPECT_EQ(jsonOf(time), R"({"effectiveTime":{"resourceType":"IVL_TS","low":{"value":"2020"}}})");
  EXPECT_EQ(jsonOf(around(time)), jsonOf(time));
  const auto refused = [](const std::string& json) {
    fhir::Issues issues;
    EXPECT_FALSE(fhir::readJson(json, cda(), {.type = cda()->findType("ClinicalDocument")}, issues).ok());
    return issues.list().front().rule + " " + issues.list().front().expression;
  };
  EXPECT_EQ(refused(R"({"effectiveTime":{"resourceType":"PQ","value":1}})"),
            "json-resource-type ClinicalDocument.effectiveTime");
  EXPECT_EQ(refused(R"({"effectiveTime":{"low":{}}})"), "json-unknown-property ClinicalDocument.effectiveTime");
  // A declared type that is not abstract may stand without xsi:type where a type of its own may be said.
  const std::string bare =
      documentWith("<code code='1'><qualifier code='2'/><qualifier xsi:type='CE' code='3'/></code>");
  EXPECT_EQ(jsonOf(bare),
            R"({"code":{"code":"1","qualifier":[{"resourceType":"CD","code":"2"},{"resourceType":"CE","code":"3"}]}})");
  EXPECT_EQ(jsonOf(around(bare)), jsonOf(bare));
}

TEST(ModelXml, DatesKeepTheirPrecision) {
  const std::map<std::string, std::string> dates = {{"1975", "1975"},
                                                    {"197505", "1975-05"},
                                                    {"19750501", "1975-05-01"},
                                                    {"1975050103", "1975-05-01T03"},
                                                    {"201309210500-0800", "2013-09-21T05:00-08:00"},
                                                    {"20130921050059.50+0130", "2013-09-21T05:00:59.50+01:30"}};
  for (const auto& [v3, fhir] : dates) {
    const std::string xml = documentWith("<effectiveTime value=\"" + v3 + "\"/>");
    EXPECT_EQ(jsonOf(xml), "{\"effectiveTime\":{\"value\":\"" + fhir + "\"}}");
    EXPECT_EQ(around(xml), std::string(kHead) + "><effectiveTime value=\"" + v3 + "\"/></ClinicalDocument>");
  }
  for (const std::string wrong :
       {"", "75", "197513", "20130229", "2013092124", "201309210560", "2013-09-21", "2013092105.5", "201309+0100",
        "2013092105+1500", "20130921050059.", "201309210500Z"}) {
    EXPECT_EQ(faultsOf(documentWith("<effectiveTime value='" + wrong + "'/>")),
              "xml-invalid-value ClinicalDocument.effectiveTime.value 2:1\n")
        << wrong;
  }
}

TEST(ModelXml, RefusesWithPathAndPlace) {
  const std::map<std::string, std::string> cases = {
      {documentWith("<tilte/>"), "xml-unknown-element ClinicalDocument 2:1\n"},
      {documentWith("<sdtc:title>x</sdtc:title>"), "xml-namespace ClinicalDocument.title 2:1\n"},
      {documentWith("<code code='1' x='2'/>"), "xml-unknown-attribute ClinicalDocument.code 2:1\n"},
      {documentWith("<code sdtc:code='1'/>"), "xml-unknown-attribute ClinicalDocument.code 2:1\n"},
      {documentWith("<code>text</code>"), "xml-text ClinicalDocument.code 2:7\n"},
      {documentWith("<title>a<reference/>b</title>"), "xml-text ClinicalDocument.title.xmlText 2:21\n"},
      {documentWith("<title>a</title>\n <title>b</title>"), "xml-cardinality ClinicalDocument.title 3:2\n"},
      {documentWith("<xmlText/>"), "xml-unknown-element ClinicalDocument 2:1\n"},
      {documentWith("<title><xmlText/></title>"), "xml-unknown-element ClinicalDocument.title 2:8\n"},
      {inPatient("<name><item/></name>").substr(0),
       "xml-unknown-element ClinicalDocument.recordTarget[0].patientRole.patient.name[0] 2:43\n"},
      {documentWith("<versionNumber value='1.5'/>"), "xml-invalid-value ClinicalDocument.versionNumber.value 2:1\n"},
      {documentWith("<title xsi:nil='true'/>"), "xml-unknown-attribute ClinicalDocument.title 2:1\n"},
      {documentWith("<title xsi:type='PQ'/>"), "xml-type ClinicalDocument.title 2:1\n"},
      {inObservation("\n<value value='1'/>"),
       "xml-type ClinicalDocument.component.structuredBody.component[0].section.entry[0].observation.value 3:1\n"},
      {inObservation("\n<value xsi:type='ANY' value='1'/>"),
       "xml-type ClinicalDocument.component.structuredBody.component[0].section.entry[0].observation.value 3:1\n"},
      {"<ClinicalDocument/>", "xml-namespace  1:1\n"},
      {"<clinicalDocument xmlns='urn:hl7-org:v3'/>", "xml-namespace  1:1\n"}};
  for (const auto& [xml, faults] : cases) EXPECT_EQ(faultsOf(xml), faults) << xml;
  fhir::Issues issues;
  const fhir::ReadOptions wanted{.type = cda()->findType("ClinicalDocument")};
  EXPECT_FALSE(fhir::readXml("<observation xmlns='urn:hl7-org:v3'/>", cda(), wanted, issues).ok());
  EXPECT_EQ(issues.list().back().text, "expected <ClinicalDocument> as the whole document");
  EXPECT_FALSE(fhir::readXml("<ClinicalDocument/>", cda(), wanted, issues).ok());
  EXPECT_EQ(issues.list().back().text, "expected this element in the namespace urn:hl7-org:v3");
}

TEST(ModelXml, WordsOfAnAttributeCountAsElements) {
  std::string words;
  for (int i = 0; i < 1000; ++i) words += "a ";
  const std::string xml = inPatient("<name use='" + words + "'/>");
  fhir::Issues issues;
  EXPECT_TRUE(fhir::readXml(xml, cda(), {.maxElements = 1005}, issues).ok());
  const auto document = fhir::readXml(xml, cda(), {.maxElements = 1000}, issues);
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.error().code, Code::TooLarge);
  EXPECT_EQ(issues.list().back().rule, "xml-elements");
}

TEST(ModelXml, NarrativesOfTheModelStayAsTheyAre) {
  const std::string section =
      "<component><structuredBody><component><section><text>a <content "
      "ID='x'>b</content>\n<br/></text></section></component></structuredBody></component>";
  const std::string text = "<text xmlns=\\\"urn:hl7-org:v3\\\">a <content ID=\\\"x\\\">b</content>\\n<br/></text>";
  EXPECT_NE(jsonOf(documentWith(section)).find(text), std::string::npos) << jsonOf(documentWith(section));
  EXPECT_EQ(jsonOf(around(documentWith(section))), jsonOf(documentWith(section)));
}

class RealNotes : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto notes = test::sharedPath("corpora/source-xml");
    if (!readFile((notes / GetParam()).string(), text_)) GTEST_SKIP() << "no corpora at " << notes;
  }
  std::string text_;
};

TEST_P(RealNotes, TheHeaderIsReadAndWrittenWhole) {
  const auto body = text_.find("<structuredBody>");
  const auto end = text_.rfind("</structuredBody>");
  ASSERT_NE(end, std::string::npos);
  text_.erase(body, end + 17 - body);
  fhir::Issues issues;
  const auto document = fhir::readXml(text_, cda(), {}, issues);
  ASSERT_TRUE(document.ok()) << fhir::operationOutcome(issues);
  const std::string_view race = "recordTarget.patientRole.patient.sdtcRaceCode.displayName";
  EXPECT_EQ(valueAt(*document, document->root(), race), "Native Hawaiian or Other Pacific Islander");
  const std::string written = around(text_);
  const auto again = fhir::readXml(written, cda(), {}, issues);
  ASSERT_TRUE(again.ok()) << fhir::operationOutcome(issues) << written;
  EXPECT_EQ(fhir::canonicalDigest(*again), fhir::canonicalDigest(*document));  // the order of attributes may differ
}

/// Entries of other kinds, values of other types, and the two notes' own broken dates (201102019).
TEST_P(RealNotes, WhatTheModelLacksIsToldWithItsPlace) {
  fhir::Issues issues;
  EXPECT_FALSE(fhir::readXml(text_, cda(), {}, issues).ok());
  std::map<std::string, int> rules;
  for (const auto& issue : issues.list()) {
    ++rules[issue.rule];
    EXPECT_NE(issue.expression.find(".entry["), std::string::npos) << issue.expression << issue.text;
    EXPECT_GT(issue.at.line, 200U);
    EXPECT_GT(issue.at.column, 1U);
  }
  EXPECT_GT(rules["xml-unknown-element"], 20);
  EXPECT_LE(rules.size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Cda, RealNotes, ::testing::Values("Referral_Note.xml", "Consultation_Note.xml"),
                         [](const auto& one) { return std::string(one.param, 5); });

}  // namespace
}  // namespace lotsen::definitions
