// What the gates and the route need to know of a canonical record: plain values read out of a collection Bundle.
// Used by: service, between mapping and the gates. Thread rule: pure functions.
// Failure rule: what is missing or wrong goes to `issues` with its FHIRPath (no values, so no patient data) and the
// result is Invalid; an element that a gate judges (a BTF without end) is no fault here but an empty optional.
//
// The canonical shape is made by mappings/pas and described in docs/records.md; records that come as FHIR messages have
// it too.
#pragma once

#include "gateway/base/phi.h"
#include "gateway/fhir/issues.h"
#include "gateway/sweden/civil_time.h"

#include <cstdint>
#include <optional>
#include <string>

namespace lotsen::transfer {

using sweden::CivilDate;

struct PatientIdentity {
  std::string system;
  Phi<std::string> value;
  bool operator==(const PatientIdentity&) const = default;
};

/// The result of the referral assessment (remissbedömning), S0-19 to S0-21.
enum class Assessment { None, Lotsas, LotsasInte, VardgarantiUppfylls };

struct ReferralFacts {
  std::string id;  // remiss-id
  std::int64_t version = 0;
  bool active = true;  // ServiceRequest.status
  PatientIdentity patient;
  bool protectedIdentity = false;
  std::string requesterUnit;  // HSA-id; may be empty
  std::string receiver;       // HSA-id of the named new provider; may be empty
  std::string agreement;      // agreement id; may be empty
  Assessment assessment = Assessment::None;
  std::size_t documents = 0;  // medical documents with content
};

enum class ConsentStatus { Draft, Proposed, Active, Rejected, Inactive, EnteredInError };
/// Consent.policyRule in v3-ActCode: OPTIN and OPTINR, IMPLIEDD, IMPLIED, OPTOUT; None: no code; Unknown: another one.
enum class ConsentBasis { None, Explicit, Silence, InternalRule, OptOut, Unknown };

struct ConsentFacts {
  std::string id;
  std::int64_t version = 0;
  ConsentStatus status = ConsentStatus::Proposed;
  ConsentBasis basis = ConsentBasis::None;
  PatientIdentity patient;
  std::string referral;  // remiss-id
  std::string receiver;  // HSA-id of the one named provider
  CivilDate date{};
  std::optional<CivilDate> informedOn;        // proof that the information reached the patient
  std::optional<CivilDate> responseDeadline;  // last day to answer
};

struct BtfFacts {
  std::string id;
  std::int64_t version = 0;
  bool active = true;  // Coverage.status and ClaimResponse.status and outcome
  PatientIdentity patient;
  std::string referral;  // remiss-id
  std::string receiver;  // HSA-id, if the BTF names a provider
  std::optional<CivilDate> from;
  std::optional<CivilDate> until;  // inclusive
  std::optional<CivilDate> approvedOn;
  std::string payorRegion;    // län code "14"
  std::string type;           // 1 Riksavtal, 2 Regionavtal, 3 Mellanlänsavtal
  std::string chapter;        // of the Riksavtal, 1 to 7
  std::string reimbursement;  // 1 per Riksavtal, 2 per contract
  std::string contractOwner;  // län code of the region whose contract is used
};

// `bundle` is a document whose root is the canonical collection Bundle of one record.
Result<ReferralFacts> referralFacts(const fhir::Document& bundle, fhir::Issues& issues);
Result<ConsentFacts> consentFacts(const fhir::Document& bundle, fhir::Issues& issues);
Result<BtfFacts> btfFacts(const fhir::Document& bundle, fhir::Issues& issues);

}  // namespace lotsen::transfer
