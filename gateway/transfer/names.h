// The names that Lotsen itself gives to things in FHIR: one spelling for maps, facts, service and documents.
// Used by: transfer, service, letter. Plain constants.
#pragma once

#include <string_view>

namespace lotsen::transfer {

constexpr std::string_view kReferralIdSystem = "http://lotsen.se/fhir/sid/referral-id";
constexpr std::string_view kConsentIdSystem = "http://lotsen.se/fhir/sid/consent-id";
constexpr std::string_view kBtfIdSystem = "http://lotsen.se/fhir/sid/btf-id";
constexpr std::string_view kAgreementIdSystem = "http://lotsen.se/fhir/sid/agreement-id";
constexpr std::string_view kDocumentIdSystem = "http://lotsen.se/fhir/sid/document-id";

// Extensions.
constexpr std::string_view kRecordVersion = "http://lotsen.se/fhir/StructureDefinition/record-version";
constexpr std::string_view kAssessment = "http://lotsen.se/fhir/StructureDefinition/assessment";
constexpr std::string_view kAgreement = "http://lotsen.se/fhir/StructureDefinition/agreement";
constexpr std::string_view kBtfReferral = "http://lotsen.se/fhir/StructureDefinition/btf-referral";
constexpr std::string_view kInformationSent = "http://lotsen.se/fhir/StructureDefinition/information-sent";
constexpr std::string_view kResponseDeadline = "http://lotsen.se/fhir/StructureDefinition/response-deadline";

// Code systems.
constexpr std::string_view kBtfClassSystem = "http://lotsen.se/fhir/CodeSystem/btf-class";
constexpr std::string_view kRegionSystem = "urn:oid:1.2.752.129.2.2.1.18";  // län
constexpr std::string_view kSecurityLabelSystem = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel";

}  // namespace lotsen::transfer
