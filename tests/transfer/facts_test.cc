#include "gateway/transfer/facts.h"

#include "gateway/fhir/forms.h"
#include "tests/transfer/cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lotsen::transfer {
namespace {

using testing::Contains;
using testing::HasSubstr;

fhir::Document read(const std::string& text) {
  fhir::Issues issues;
  auto document = fhir::readJson(text, fhir::Schema::r4(), {}, issues);
  EXPECT_TRUE(document.ok()) << (issues.empty() ? ""
                                                : issues.list().front().text + " " + issues.list().front().expression);
  LOTSEN_CHECK(document.ok());
  return std::move(document).value();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  LOTSEN_CHECK(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::vector<std::string> expressions(const fhir::Issues& issues) {
  std::vector<std::string> list;
  for (const fhir::Issue& issue : issues.list()) list.push_back(issue.expression);
  return list;
}

const std::string kPatient =
    R"({"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000002","resource":{"resourceType":"Patient",
  "identifier":[{"system":"http://electronichealth.se/identifier/personnummer","value":"191212121212"}]}})";
const std::string kUnit =
    R"({"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000003","resource":{"resourceType":"Organization",
  "identifier":[{"system":"urn:oid:1.2.752.29.4.19","value":"SE5565594230-P001"}]}})";

std::string bundle(const std::string& entries) {
  return R"({"resourceType":"Bundle","type":"collection","entry":[)" + entries + "," + kPatient + "," + kUnit + "]}";
}

const std::string kReferral = bundle(R"({"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000001","resource":{
  "resourceType":"ServiceRequest","extension":[
    {"url":"http://lotsen.se/fhir/StructureDefinition/record-version","valuePositiveInt":3},
    {"url":"http://lotsen.se/fhir/StructureDefinition/agreement",
     "valueIdentifier":{"system":"http://lotsen.se/fhir/sid/agreement-id","value":"AVT-1"}},
    {"url":"http://lotsen.se/fhir/StructureDefinition/assessment","extension":[{"url":"kind","valueCode":"lotsas"}]}],
  "identifier":[{"system":"http://lotsen.se/fhir/sid/referral-id","value":"SE2321000131-S01#1001"}],
  "status":"active","intent":"order","subject":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000002"},
  "requester":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000004"},
  "performer":[{"reference":"urn:uuid:00000000-0000-5000-8000-000000000003"}],
  "supportingInfo":[{"reference":"urn:uuid:00000000-0000-5000-8000-000000000006"},
    {"reference":"urn:uuid:00000000-0000-5000-8000-000000000008"}]}},
  {"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000004","resource":{"resourceType":"PractitionerRole",
    "organization":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000005"}}},
  {"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000005","resource":{"resourceType":"Organization",
    "identifier":[{"system":"urn:oid:1.2.752.129.2.1.4.1","value":"SE2321000131-E01"}]}},
  {"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000006","resource":{"resourceType":"DocumentReference","status":"current",
    "content":[{"attachment":{"contentType":"text/plain","url":"urn:uuid:00000000-0000-5000-8000-000000000007"}}]}},
  {"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000007","resource":{"resourceType":"Binary","contentType":"text/plain","data":"aGVq"}},
  {"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000008","resource":{"resourceType":"Flag","status":"active",
    "code":{"text":"x"},"subject":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000002"}}})");

TEST(ReferralFacts, AreReadFromTheCanonicalBundle) {
  const auto document = read(kReferral);
  fhir::Issues issues;
  const auto facts = referralFacts(document, issues);
  ASSERT_TRUE(facts.ok()) << issues.list().front().expression;
  EXPECT_EQ(facts->id, "SE2321000131-S01#1001");
  EXPECT_EQ(facts->version, 3);
  EXPECT_TRUE(facts->active);
  EXPECT_EQ(facts->patient, kTolvan);
  EXPECT_FALSE(facts->protectedIdentity);
  EXPECT_EQ(facts->requesterUnit, "SE2321000131-E01");
  EXPECT_EQ(facts->receiver, "SE5565594230-P001");
  EXPECT_EQ(facts->agreement, "AVT-1");
  EXPECT_EQ(facts->assessment, Assessment::Lotsas);
  EXPECT_EQ(facts->documents, 1U);
}

TEST(ReferralFacts, SeeProtectedIdentityAndRevocation) {
  std::string text = replaced(kReferral, R"("resourceType":"Patient",)",
                              R"("resourceType":"Patient","meta":{"security":[
    {"system":"http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel","code":"sekretessmarkering"}]},)");
  text = replaced(text, R"("status":"active","intent")", R"("status":"revoked","intent")");
  fhir::Issues issues;
  const auto facts = referralFacts(read(text), issues);
  ASSERT_TRUE(facts.ok());
  EXPECT_TRUE(facts->protectedIdentity);
  EXPECT_FALSE(facts->active);
}

TEST(ReferralFacts, AcceptTheOidOfAPersonalIdentifierSystem) {
  fhir::Issues issues;
  const auto facts = referralFacts(
      read(replaced(kReferral, "http://electronichealth.se/identifier/personnummer", "urn:oid:1.2.752.129.2.1.3.1")),
      issues);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->patient, kTolvan);
}

TEST(ReferralFacts, PreferThePersonalIdentifierAmongSeveral) {
  fhir::Issues issues;
  const auto facts = referralFacts(
      read(replaced(kReferral, R"("identifier":[{"system":"http://electronichealth.se)",
                    R"("identifier":[{"system":"urn:oid:1.2.3","value":"1"},{"system":"http://electronichealth.se)")),
      issues);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->patient, kTolvan);
}

TEST(ReferralFacts, NameWhatIsMissingAtItsPlaceAndNoPatientData) {
  std::string text = replaced(kReferral, "http://lotsen.se/fhir/sid/referral-id", "http://example.org/other");
  text = replaced(text, "\"valuePositiveInt\":3", "\"valueString\":\"three\"");
  text = replaced(text, "\"value\":\"191212121212\"", "\"use\":\"official\"");
  text = replaced(text, "\"lotsas\"", "\"kanske\"");
  fhir::Issues issues;
  const auto document = read(text);
  ASSERT_FALSE(referralFacts(document, issues).ok());
  EXPECT_EQ(issues.list().size(), 4U);
  EXPECT_THAT(expressions(issues), Contains(HasSubstr(".identifier")));
  EXPECT_THAT(expressions(issues), Contains(HasSubstr(".subject")));
  EXPECT_THAT(expressions(issues), Contains(HasSubstr("record-version")));
  for (const fhir::Issue& issue : issues.list()) EXPECT_THAT(issue.text, testing::Not(HasSubstr("1912")));
}

TEST(ReferralFacts, NeedAServiceRequest) {
  fhir::Issues issues;
  ASSERT_FALSE(referralFacts(read(bundle(kUnit)), issues).ok());
  EXPECT_EQ(issues.list().front().expression, "Bundle.entry.resource.ofType(ServiceRequest)");
}

const std::string kConsent = bundle(R"({"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000001","resource":{
  "resourceType":"Consent","extension":[
    {"url":"http://lotsen.se/fhir/StructureDefinition/record-version","valuePositiveInt":1},
    {"url":"http://lotsen.se/fhir/StructureDefinition/information-sent","valueDateTime":"2026-02-10T23:30:00Z"},
    {"url":"http://lotsen.se/fhir/StructureDefinition/response-deadline","valueDate":"2026-03-01"}],
  "identifier":[{"system":"http://lotsen.se/fhir/sid/consent-id","value":"SAM-1"}],
  "status":"active","scope":{"text":"x"},"category":[{"text":"x"}],
  "patient":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000002"},"dateTime":"2026-03-02",
  "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
  "provision":{"type":"permit","actor":[{"role":{"text":"x"},"reference":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000003"}}],
    "data":[{"meaning":"related","reference":{"type":"ServiceRequest",
      "identifier":{"system":"http://lotsen.se/fhir/sid/referral-id","value":"SE2321000131-S01#1001"}}}]}}})");

TEST(ConsentFacts, AreReadFromTheCanonicalBundle) {
  fhir::Issues issues;
  const auto facts = consentFacts(read(kConsent), issues);
  ASSERT_TRUE(facts.ok()) << issues.list().front().expression;
  EXPECT_EQ(facts->id, "SAM-1");
  EXPECT_EQ(facts->version, 1);
  EXPECT_EQ(facts->status, ConsentStatus::Active);
  EXPECT_EQ(facts->basis, ConsentBasis::Explicit);
  EXPECT_EQ(facts->patient, kTolvan);
  EXPECT_EQ(facts->referral, "SE2321000131-S01#1001");
  EXPECT_EQ(facts->receiver, "SE5565594230-P001");
  EXPECT_EQ(facts->date, day("2026-03-02"));
  EXPECT_EQ(facts->informedOn, day("2026-02-11"));  // half past midnight in Stockholm
  EXPECT_EQ(facts->responseDeadline, day("2026-03-01"));
}

TEST(ConsentFacts, TellTheBasis) {
  for (const auto& [code, basis] : {std::pair{"IMPLIEDD", ConsentBasis::Silence},
                                    {"IMPLIED", ConsentBasis::InternalRule},
                                    {"OPTOUT", ConsentBasis::OptOut},
                                    {"NOCONSENT", ConsentBasis::Unknown}}) {
    fhir::Issues issues;
    EXPECT_EQ(consentFacts(read(replaced(kConsent, "OPTIN", code)), issues)->basis, basis) << code;
  }
}

TEST(ConsentFacts, NameExactlyOneReceiver) {
  fhir::Issues issues;
  const auto document =
      read(replaced(kConsent, R"("actor":[)", R"("actor":[{"role":{"text":"y"},"reference":{"display":"z"}},)"));
  ASSERT_FALSE(consentFacts(document, issues).ok());
  EXPECT_THAT(expressions(issues), Contains(HasSubstr(".provision.actor")));
}

TEST(ConsentFacts, NeedAFullDate) {
  fhir::Issues issues;
  ASSERT_FALSE(consentFacts(read(replaced(kConsent, "\"2026-03-02\"", "\"2026-03\"")), issues).ok());
  EXPECT_THAT(expressions(issues), Contains(HasSubstr(".dateTime")));
}

const std::string kBtf = bundle(R"({"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000001","resource":{
  "resourceType":"Coverage","extension":[
    {"url":"http://lotsen.se/fhir/StructureDefinition/record-version","valuePositiveInt":2},
    {"url":"http://lotsen.se/fhir/StructureDefinition/btf-referral","valueReference":{"type":"ServiceRequest",
      "identifier":{"system":"http://lotsen.se/fhir/sid/referral-id","value":"SE2321000131-S01#1001"}}}],
  "identifier":[{"system":"http://lotsen.se/fhir/sid/btf-id","value":"SE2321000131-S01#1001#betfor#1"}],"status":"active",
  "type":{"coding":[{"system":"urn:oid:1.2.752.129.2.2.2.44","code":"1"}]},
  "beneficiary":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000002"},
  "period":{"start":"2026-03-03","end":"2026-12-31"},
  "payor":[{"reference":"urn:uuid:00000000-0000-5000-8000-000000000009"}],
  "class":[{"type":{"coding":[{"system":"http://lotsen.se/fhir/CodeSystem/btf-class","code":"chapter"}]},"value":"2"},
    {"type":{"coding":[{"system":"http://lotsen.se/fhir/CodeSystem/btf-class","code":"reimbursement"}]},"value":"1"},
    {"type":{"coding":[{"system":"http://lotsen.se/fhir/CodeSystem/btf-class","code":"contract-owner"}]},"value":"13"}]}},
  {"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000008","resource":{"resourceType":"ClaimResponse","status":"active",
    "type":{"text":"x"},"use":"preauthorization","patient":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000002"},
    "created":"2026-03-03T09:00:00+01:00","insurer":{"reference":"urn:uuid:00000000-0000-5000-8000-000000000009"},
    "outcome":"complete"}},
  {"fullUrl":"urn:uuid:00000000-0000-5000-8000-000000000009","resource":{"resourceType":"Organization",
    "identifier":[{"system":"urn:oid:1.2.752.129.2.2.1.18","value":"14"}]}})");

TEST(BtfFacts, AreReadFromTheCanonicalBundle) {
  fhir::Issues issues;
  const auto facts = btfFacts(read(kBtf), issues);
  ASSERT_TRUE(facts.ok()) << issues.list().front().expression;
  EXPECT_EQ(facts->id, "SE2321000131-S01#1001#betfor#1");
  EXPECT_EQ(facts->version, 2);
  EXPECT_TRUE(facts->active);
  EXPECT_EQ(facts->patient, kTolvan);
  EXPECT_EQ(facts->referral, "SE2321000131-S01#1001");
  EXPECT_EQ(facts->receiver, "");
  EXPECT_EQ(facts->from, day("2026-03-03"));
  EXPECT_EQ(facts->until, day("2026-12-31"));
  EXPECT_EQ(facts->approvedOn, day("2026-03-03"));
  EXPECT_EQ(facts->payorRegion, "14");
  EXPECT_EQ(facts->type, "1");
  EXPECT_EQ(facts->chapter, "2");
  EXPECT_EQ(facts->reimbursement, "1");
  EXPECT_EQ(facts->contractOwner, "13");
}

TEST(BtfFacts, LeaveAMissingEndToTheGates) {
  fhir::Issues issues;
  const auto facts = btfFacts(read(replaced(kBtf, R"(,"end":"2026-12-31")", "")), issues);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->until, std::nullopt);
}

TEST(BtfFacts, AreNotActiveWhenEitherPartIsNot) {
  fhir::Issues issues;
  EXPECT_FALSE(btfFacts(read(replaced(kBtf, R"("status":"active")", R"("status":"cancelled")")), issues)->active);
  EXPECT_FALSE(btfFacts(read(replaced(kBtf, R"("outcome":"complete")", R"("outcome":"queued")")), issues)->active);
}

TEST(BtfFacts, NeedDecisionAndCommitment) {
  fhir::Issues issues;
  ASSERT_FALSE(btfFacts(read(bundle(kUnit)), issues).ok());
  EXPECT_EQ(issues.list().size(), 2U);
}

}  // namespace
}  // namespace lotsen::transfer
