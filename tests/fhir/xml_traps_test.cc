// What comes in the name of XML: every trap is either read as it is meant or refused with rule, path, line and column.
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"

#include <gtest/gtest.h>

namespace lotsen::fhir {
namespace {

std::string patient(const std::string& content) {
  return "<Patient xmlns=\"http://hl7.org/fhir\">\n" + content + "</Patient>";
}

/// "rule path line:column" a line.
std::string faultsOf(const std::string& xml) {
  Issues issues;
  const auto document = readXml(xml, Schema::r4(), {}, issues);
  EXPECT_EQ(document.ok(), !issues.hasErrors());
  std::string list;
  for (const Issue& issue : issues.list()) {
    list += (list.empty() ? "" : ", ") + issue.rule + " " + issue.expression + " " + std::to_string(issue.at.line) +
            ":" + std::to_string(issue.at.column);
  }
  return list;
}

std::string jsonOf(const std::string& xml) {
  Issues issues;
  const auto document = readXml(xml, Schema::r4(), {}, issues);
  return document ? writeJson(*document) : operationOutcome(issues);
}

std::string xmlOf(const std::string& json) {
  Issues issues;
  const auto document = readJson(json, Schema::r4(), {}, issues);
  if (!document) return operationOutcome(issues);
  const auto xml = writeXml(*document);
  return xml ? xml->substr(xml->find("?>") + 2) : xml.error().message;
}

TEST(XmlTraps, ReadsWhatIsMeant) {
  struct Case {
    std::string xml;
    std::string json;
  };
  const std::string gender = R"({"resourceType":"Patient","gender":"male"})";
  const std::vector<Case> cases = {
      {"<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<?xml-stylesheet href='a.xsl'?>\n<!-- c -->\n" +
           patient("<?go on?><gender value='male'/><!-- c -->") + "\n<!-- c -->",
       gender},
      {"\xef\xbb\xbf" + patient("<gender value='male'/>"), gender},
      {"<Patient xmlns='http://hl7.org/fhir' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
       "xsi:schemaLocation='http://hl7.org/fhir ../patient.xsd'><gender value='male'/></Patient>",
       gender},
      {"<f:Patient xmlns:f='http://hl7.org/fhir' xmlns:h='http://www.w3.org/1999/xhtml'><f:gender "
       "value='male'/></f:Patient>",
       gender},
      {patient("<x:gender xmlns:x='http://hl7.org/fhir' value='male'></x:gender>"), gender},
      {patient("<contained><Organization><name value='x'/></Organization></contained>"),
       R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","name":"x"}]})"},
      // Values: references are characters, literal line ends are blanks, what is written as a reference stays.
      {patient("<name><text value='&#229;&lt;&#10;&#9;&#13;\n\t.'/></name>"),
       R"({"resourceType":"Patient","name":[{"text":"å<\n\t\r  ."}]})"},
      {patient("<name><text value=' a  b '/></name>"), R"({"resourceType":"Patient","name":[{"text":" a  b "}]})"},
      // Elements may stand in any order; those of one name come together.
      {patient("<name><family value='A'/></name>\r\n<gender value='male'/><name><family value='B'/></name>"),
       R"({"resourceType":"Patient","name":[{"family":"A"},{"family":"B"}],"gender":"male"})"},
      {patient("<birthDate id='a'/>"), R"({"resourceType":"Patient","_birthDate":{"id":"a"}})"},
      {"<Bundle xmlns='http://hl7.org/fhir'><entry><resource><Patient><gender "
       "value='male'/></Patient></resource></entry></Bundle>",
       R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","gender":"male"}}]})"}};
  for (const Case& one : cases) {
    EXPECT_EQ(jsonOf(one.xml), one.json) << one.xml;
    EXPECT_EQ(jsonOf(xmlOf(one.json)), one.json) << xmlOf(one.json);
  }
}

TEST(XmlTraps, DecimalsKeepTheirDigits) {
  for (const std::string digits : {"1.00e2", "1E-7", "0.10", "-0.0", "100000000000000000000.00000000000000000001"}) {
    const std::string json = R"({"resourceType":"Observation","valueQuantity":{"value":)" + digits + "}}";
    const std::string xml = R"(<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value=")" + digits +
                            R"("/></valueQuantity></Observation>)";
    EXPECT_EQ(xmlOf(json), xml);
    EXPECT_EQ(jsonOf(xml), json);
  }
  for (const std::string wrong : {"+1", ".5", "1.", " 1", "1 ", "1,0", "0x1", "NaN", "01"}) {
    EXPECT_EQ(faultsOf("<Observation xmlns='http://hl7.org/fhir'><valueQuantity><value value='" + wrong +
                       "'/></valueQuantity></Observation>"),
              "xml-invalid-value Observation.value.ofType(Quantity).value 1:57")
        << wrong;
  }
}

TEST(XmlTraps, RefusesWithPathAndPlace) {
  struct Case {
    std::string xml;
    std::string faults;
  };
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "<extension url='u'>\n";
  const std::vector<Case> cases = {
      {"<!DOCTYPE Patient>" + patient(""), "xml-doctype  1:1"},
      {"<!-- c -->\n <!DOCTYPE Patient SYSTEM 'http://example.org/x.dtd'>" + patient(""), "xml-doctype  2:2"},
      {"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a 'aaa'><!ENTITY b '&a;&a;'>]>" + patient("<gender value='&b;'/>"),
       "xml-doctype  1:22"},
      {patient("<gender value='&male;'/>"), "xml-syntax Patient 2:1"},
      {patient(" <gender value='male' value='female'/>"), "xml-syntax Patient 2:23"},
      {patient(deep), "xml-depth Patient" +
                          [] {
                            std::string path;
                            for (int i = 0; i < 63; ++i) path += ".extension[0]";
                            return path;
                          }() +
                          " 65:1"},
      {patient("<gender value='\xff'/>"), "xml-utf8  2:16"},
      {"<?xml version='1.1'?>" + patient(""), "xml-version  1:1"},
      {"<?xml version='1.0' encoding='ISO-8859-1'?>" + patient(""), "xml-encoding  1:1"},
      {"<?xml version='1.0' encoding='UTF-16'?>" + patient(""), "xml-encoding  1:1"},
      {std::string("\xff\xfe<\0P\0", 6), "xml-encoding  1:1"},
      {"<Patient/>", "xml-namespace  1:1"},
      {"<Patient xmlns='urn:hl7-org:v3'/>", "xml-namespace  1:1"},
      {"<Patient xmlns='http://hl7.org/fhir/'/>", "xml-namespace  1:1"},
      {patient("<gender xmlns='urn:x' value='male'/>"), "xml-namespace Patient.gender 2:1"},
      {patient("<gender value='male'>male</gender>"), "xml-text Patient.gender 2:22"},
      {patient("<name>Bo <family value='Ek'/></name>"), "xml-text Patient.name[0] 2:7"},
      {patient("text"), "xml-text Patient 2:1"},
      {patient("<![CDATA[x]]>"), "xml-text Patient 2:10"},
      {patient("<gender value=''/>"), "xml-invalid-value Patient.gender 2:1"},
      {patient("<gender id='' value='male'/>"), "xml-invalid-value Patient.gender.id 2:1"},
      {patient("<gender/>"), "xml-empty Patient.gender 2:10"},
      {patient("<gender value='male' xml:lang='sv'/>"), "xml-unknown-attribute Patient.gender 2:1"},
      {patient("<gender value='male' xmlns:x='urn:x' x:value='male'/>"), "xml-unknown-attribute Patient.gender 2:1"},
      {patient("<name value='x'><family value='Ek'/></name>"), "xml-unknown-attribute Patient.name[0] 2:1"},
      {patient("<id id='x' value='a'/>")
           .replace(8, 1, " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='x' "),
       "xml-unknown-attribute Patient 1:1"},
      {patient("<value value='x'/>"), "xml-unknown-element Patient 2:1"},
      {patient("<deceased value='true'/>"), "xml-unknown-element Patient 2:1"},
      {patient("<_gender id='x'/>"), "xml-unknown-element Patient 2:1"},
      {patient("<resourceType value='Patient'/>"), "xml-unknown-element Patient 2:1"},
      {patient("<contained value='x'/>"), "xml-unknown-attribute Patient.contained[0] 2:1"},
      {patient("<contained><contained/></contained>"), "xml-resource-type Patient.contained[0] 2:12"},
      {patient("<contained><Resource/></contained>"), "xml-resource-type Patient.contained[0] 2:12"},
      {patient("<contained><HumanName/></contained>"), "xml-resource-type Patient.contained[0] 2:12"},
      {patient("<contained><Patient xmlns=''/></contained>"), "xml-namespace Patient.contained[0] 2:12"},
      {patient("<contained><Patient/>x</contained>"), "xml-text Patient.contained[0].ofType(Patient) 2:22"},
      {"<HumanName xmlns='http://hl7.org/fhir'/>", "xml-resource-type  1:1"},
      {"<Resource xmlns='http://hl7.org/fhir'/>", "xml-resource-type  1:1"},
      {"{}", "xml-syntax  1:1"},
      {"", "xml-syntax  1:1"},
      {patient("") + "<Patient/>", "xml-syntax  2:11"},
      {patient("<gender value='male'>"), "xml-syntax Patient.gender 2:24"},
  };
  for (const Case& one : cases) EXPECT_EQ(faultsOf(one.xml), one.faults) << one.xml;
}

TEST(XmlTraps, BoundsTheFaultsAndTheElements) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "<x/>";
  Issues issues;
  EXPECT_FALSE(readXml(patient(many), Schema::r4(), {}, issues).ok());
  EXPECT_EQ(issues.list().size(), 101U);
  EXPECT_EQ(issues.list().back().rule, "xml-too-many-faults");
  Issues large;
  const auto document = readXml(patient("<name/><name/>"), Schema::r4(), {.maxElements = 2}, large);
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.error().code, Code::TooLarge);
}

TEST(XmlTraps, TheNarrativeStaysByteForByte) {
  const auto basic = [](const std::string& div) {
    return "<Basic xmlns=\"http://hl7.org/fhir\"><text><status value=\"generated\"/>" + div +
           "</text><code><text value=\"x\"/></code></Basic>";
  };
  const std::string start = "<div xmlns=\"http://www.w3.org/1999/xhtml\"";
  for (const std::string& div :
       {start + ">å &#229; &#x1F600; &lt;b> &amp;amp; <![CDATA[<raw> & ]]><!-- kept --><br/><br /> \n\t</div>",
        start + " xml:lang='sv' title=\"a > b\">\n<?pi kept?><p  class = 'x' >a</p></div>", start + "/>",
        start + ">" + std::string("\n  ") + "<h:b xmlns:h=\"http://www.w3.org/1999/xhtml\">own prefix</h:b></div>"}) {
    EXPECT_EQ(xmlOf(jsonOf(basic(div))), basic(div));
  }
  EXPECT_EQ(faultsOf(basic(start + ">&nbsp;</div>")), "xml-syntax Basic.text.div 1:111");
  EXPECT_EQ(faultsOf(basic("<div>x</div>")), "xml-namespace Basic.text.div 1:69");
  EXPECT_EQ(faultsOf(basic(start + "><svg xmlns='http://www.w3.org/2000/svg'/></div>")),
            "xml-namespace Basic.text.div 1:111");
  EXPECT_EQ(faultsOf(basic(start + ">a</div>" + start + ">b</div>")), "xml-cardinality Basic.text.div 1:118");
  const std::string broken = xmlOf(
      R"({"resourceType":"Basic","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">&nbsp;</div>"}})");
  EXPECT_EQ(broken,
            "Basic.text.div: the narrative has no XML form: the XML is not well-formed: undefined entity, at "
            "line 1 column 43 of it");
}

}  // namespace
}  // namespace lotsen::fhir
