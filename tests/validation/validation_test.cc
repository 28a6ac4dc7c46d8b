#include "gateway/validation/validation.h"

#include "gateway/fhir/forms.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/r4/types.h"

#include <gtest/gtest.h>

namespace lotsen::validation {
namespace {

using fhir::Issues;
using fhir::Schema;

std::shared_ptr<const Validator> validator() {
  static const auto shared = Validator::create(definitions::Definitions::r4());
  EXPECT_TRUE(shared.ok());
  return *shared;
}

std::string tell(const Issues& issues) {
  std::string result;
  for (const fhir::Issue& issue : issues.list()) {
    if (issue.severity > fhir::Severity::Error) continue;
    result += issue.rule + " " + issue.expression + "\n";
  }
  return result;
}

std::string faultsOf(std::string_view json) {
  Issues issues;
  const auto document = fhir::readJson(json, Schema::r4(), {}, issues);
  EXPECT_TRUE(document.ok()) << fhir::operationOutcome(issues);
  if (document) validator()->validate(*document, issues);
  return tell(issues);
}

TEST(Validation, AcceptsWhatIsRight) {
  EXPECT_EQ(
      faultsOf(
          R"({"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"},
                         "identifier":[{"system":"urn:x","value":"1"}]})"),
      "");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","_birthDate":{"extension":[{"url":"urn:x","valueString":"y"}]}})"),
            "");
}

TEST(Validation, FindsWhatIsMissing) {
  EXPECT_EQ(faultsOf(R"({"resourceType":"ServiceRequest","status":"active"})"),
            "cardinality-min ServiceRequest\ncardinality-min ServiceRequest\n");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","link":[{"type":"refer"}]})"), "cardinality-min Patient.link[0]\n");
  EXPECT_EQ(faultsOf(R"({"resourceType":"MessageHeader","source":{"endpoint":"urn:x"}})"),
            "cardinality-min MessageHeader\n");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","extension":[{"valueString":"y"}]})"),
            "cardinality-min Patient.extension[0]\n");
}

TEST(Validation, SaysPlaceAndWords) {
  Issues issues;
  const auto document =
      fhir::readJson("{\"resourceType\":\"Patient\",\n\"link\":[{\"type\":\"refer\"}]}", Schema::r4(), {}, issues);
  validator()->validate(*document, issues);
  ASSERT_EQ(issues.list().size(), 1U);
  EXPECT_EQ(issues.list()[0].text, "\"other\" is missing");
  EXPECT_EQ(issues.list()[0].code, "required");
  EXPECT_EQ(issues.list()[0].at.line, 2U);
}

TEST(Validation, ChecksRequiredBindings) {
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","gender":"kvinna"})"), "binding Patient.gender\n");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","contact":[{"gender":"x","name":{"use":"y","text":"z"}}]})"),
            "binding Patient.contact[0].gender\nbinding Patient.contact[0].name.use\n");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Binary","contentType":"text/plain"})"), "");
  const auto condition = [](const std::string& status) {
    return R"({"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":)" + status + "}";
  };
  const std::string system = R"("system":"http://terminology.hl7.org/CodeSystem/condition-clinical")";
  EXPECT_EQ(faultsOf(condition(R"({"coding":[{)" + system + R"(,"code":"active"}]})")), "");
  EXPECT_EQ(faultsOf(condition(R"({"coding":[{"system":"urn:own","code":"a"},{)" + system + R"(,"code":"active"}]})")),
            "");
  EXPECT_EQ(faultsOf(condition(R"({"coding":[{"system":"urn:own","code":"active"}]})")),
            "binding Condition.clinicalStatus\n");
  EXPECT_EQ(faultsOf(condition(R"({"text":"aktiv"})")), "binding Condition.clinicalStatus\n");
}

TEST(Validation, ChecksTheTargetsOfReferences) {
  const auto request = [](const std::string& subject) {
    return R"({"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":")" + subject +
           "\"}}";
  };
  EXPECT_EQ(faultsOf(request("http://a.se/fhir/Patient/1/_history/2")), "");
  EXPECT_EQ(faultsOf(request("Practitioner/1")), "reference-target ServiceRequest.subject\n");
  EXPECT_EQ(faultsOf(request("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")), "");
  EXPECT_EQ(faultsOf(request("#none")), "ref-1 ServiceRequest.subject\n");
}

TEST(Validation, KnowsTheRulesOfBundles) {
  const auto bundle = [](const std::string& type, const std::string& entries) {
    return R"({"resourceType":"Bundle","type":")" + type + R"(","entry":[)" + entries + "]}";
  };
  const std::string url = R"("fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520")";
  const std::string patient = "{" + url + R"(,"resource":{"resourceType":"Patient"}})";
  EXPECT_EQ(faultsOf(bundle("collection", patient)), "");
  EXPECT_EQ(faultsOf(bundle("collection", patient + "," + patient)), "bdl-7 Bundle.entry[1]\n");
  EXPECT_EQ(faultsOf(bundle("message", patient)), "bdl-12 Bundle.entry[0]\n");
  const std::string request =
      R"({"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521","resource":{"resourceType":"ServiceRequest","status":"active","intent":"order",
          "subject":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},"requester":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239522"}}})";
  EXPECT_EQ(faultsOf(bundle("collection", patient + "," + request)), "");
  const std::string device = "{" + url + R"(,"resource":{"resourceType":"Binary","contentType":"text/plain"}})";
  EXPECT_EQ(faultsOf(bundle("collection", request + "," + device)),
            "reference-target Bundle.entry[0].resource.ofType(ServiceRequest).subject\n");
}

TEST(Validation, ChecksFullUrls) {
  const auto entry = [](const std::string& url) {
    return R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":")" + url +
           R"(","resource":{"resourceType":"Patient","id":"1"}}]})";
  };
  EXPECT_EQ(faultsOf(entry("http://a.se/fhir/Patient/1")), "");
  EXPECT_EQ(faultsOf(entry("http://a.se/document/7")), "");
  EXPECT_EQ(faultsOf(entry("urn:oid:1.2.3")), "");
  EXPECT_EQ(faultsOf(entry("Patient/1")), "full-url Bundle.entry[0]\n");
  EXPECT_EQ(faultsOf(entry("http://a.se/fhir/Patient/2")), "full-url Bundle.entry[0]\n");
  EXPECT_EQ(faultsOf(entry("http://a.se/fhir/Person/1")), "full-url Bundle.entry[0]\n");
}

TEST(Validation, AnElementWithNothingButAnIdIsEmpty) {
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","name":[{"id":"n"}]})"), "ele-1 Patient.name[0]\n");
}

TEST(Validation, EvaluatesTheInvariantsOfTypesAndElements) {
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","contact":[{"gender":"male"}]})"), "pat-1 Patient.contact[0]\n");
  EXPECT_EQ(
      faultsOf(
          R"({"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"period":{"start":"2026-02","end":"2026-01"}})"),
      "per-1 Encounter.period\n");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","extension":[{"url":"urn:x"}]})"), "ext-1 Patient.extension[0]\n");
  EXPECT_EQ(
      faultsOf(
          R"({"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}})"),
      "txt-1 Patient.text.div\ntxt-2 Patient.text.div\n");
}

TEST(Validation, RepairsTheInvariantsThatArePublishedWithFaults) {
  EXPECT_EQ(
      faultsOf(R"({"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1"}}]})"),
      "");
  EXPECT_EQ(
      faultsOf(
          R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://a.se/Basic/1/_history/2","resource":{"resourceType":"Basic","id":"1","code":{"text":"x"}}}]})"),
      "bdl-8 Bundle.entry[0]\n");
  const std::string reason =
      R"("start":"2026-03-02T08:00:00Z","end":"2026-03-02T09:00:00Z","cancelationReason":{"text":"x"},"participant":[{"status":"accepted","type":[{"text":"x"}]}])";
  EXPECT_EQ(faultsOf(R"({"resourceType":"Appointment","status":"noshow",)" + reason + "}"), "");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Appointment","status":"proposed",)" + reason + "}"), "app-4 Appointment\n");
  EXPECT_EQ(faultsOf(R"({"resourceType":"Patient","managingOrganization":{"display":"x"}})"), "");
}

TEST(Validation, AContainedResourceIsReferredTo) {
  const auto patient = [](const std::string& contained, const std::string& rest) {
    return R"({"resourceType":"Patient","contained":[)" + contained + "]" + rest + "}";
  };
  const std::string organization = R"({"resourceType":"Organization","id":"o","name":"x"})";
  EXPECT_EQ(faultsOf(patient(organization, R"(,"managingOrganization":{"reference":"#o"})")), "");
  EXPECT_EQ(faultsOf(patient(organization, "")), "dom-3 Patient.contained[0].ofType(Organization)\n");
  EXPECT_EQ(faultsOf(patient(organization, R"(,"managingOrganization":{"reference":"#p"})")),
            "dom-3 Patient.contained[0].ofType(Organization)\nref-1 Patient.managingOrganization\n");
  EXPECT_EQ(
      faultsOf(patient(
          R"({"resourceType":"Provenance","id":"v","target":[{"reference":"#"}],"recorded":"2026-03-02T08:00:00Z","agent":[{"who":{"display":"x"}}]})",
          "")),
      "");
}

TEST(Validation, ChecksWhatAMappingMade) {
  fhir::Document document(Schema::r4());
  fhir::Element* patient = document.createRoot(fhir::r4::kPatient);
  const auto property = [&](std::string_view name) {
    return *Schema::r4()->property(Schema::r4()->type(fhir::r4::kPatient).shape, Schema::r4()->findName(name));
  };
  document.setValue(document.append(patient, property("birthDate")), "31 juni");
  document.setValue(document.append(patient, property("gender")), "male");
  document.setValue(document.append(patient, property("gender")), "female");
  fhir::Property wrong = property("active");
  wrong.type = fhir::r4::kDate;
  document.setValue(document.append(patient, wrong), "2026");
  document.append(patient, property("name"));
  Issues issues;
  validator()->validate(document, issues);
  EXPECT_EQ(tell(issues),
            "value Patient.birthDate\ncardinality-max Patient.gender\ntype Patient.active\nele-1 Patient.name[0]\n");
}

TEST(Validation, TellsInTheOrderOfTheDocument) {
  const std::string json = R"({"resourceType":"Bundle","type":"collection","entry":[
      {"fullUrl":"urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff","resource":{"resourceType":"Patient","id":"a",
        "link":[{"type":"refer"}],"gender":"x"}},
      {"fullUrl":"relative","resource":{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"c"}]}}]})";
  const std::string faults = faultsOf(json);
  EXPECT_EQ(faults,
            "cardinality-min Bundle.entry[0].resource.ofType(Patient).link[0]\n"
            "binding Bundle.entry[0].resource.ofType(Patient).gender\n"
            "full-url Bundle.entry[1]\n"
            "dom-3 Bundle.entry[1].resource.ofType(Patient).contained[0].ofType(Patient)\n");
  EXPECT_EQ(faults, faultsOf(json));
  Issues issues;
  const auto document = fhir::readJson(json, Schema::r4(), {}, issues);
  validator()->validate(*document, issues);
  for (const fhir::Issue& issue : issues.list()) EXPECT_GT(issue.at.line * issue.at.column, 0U) << issue.text;
}

TEST(Validation, TellsAtMostSoManyOfARule) {
  std::string json = R"({"resourceType":"Patient","link":[{"type":"refer"})";
  for (int i = 0; i < 99; ++i) json += R"(,{"type":"refer"})";
  json += "]}";
  Issues issues;
  const auto document = fhir::readJson(json, Schema::r4(), {}, issues);
  validator()->validate(*document, issues, {.mostPerRule = 10});
  EXPECT_EQ(issues.list().size(), 11U);
  EXPECT_EQ(issues.list().back().text, "90 more faults of the rule cardinality-min are not listed");
}

}  // namespace
}  // namespace lotsen::validation
