// Identifiers of organisations: organisationsnummer and HSA-id.
// Used by: service (before the commit), wire, transfer. Thread rule: pure functions. Failure rule: Invalid.
// Sources: Skatteverket SKV 709 (organisationsnummer), Inera HSA-id (syntax), HL7Sweden/basprofiler-r4 and RIVTA
// (systems).
#pragma once

#include "gateway/base/result.h"

#include <string>
#include <string_view>

namespace lotsen::sweden {

constexpr std::string_view kOrganisationNumberSystem = "urn:oid:2.5.4.97";
/// The system that we write for an HSA-id; RIVTA and NTJP name the same values by the other one.
constexpr std::string_view kHsaIdSystem = "urn:oid:1.2.752.29.4.19";
constexpr std::string_view kHsaIdSystemRivta = "urn:oid:1.2.752.129.2.1.4.1";

inline bool isHsaIdSystem(std::string_view system) {
  return system == kHsaIdSystem || system == kHsaIdSystemRivta;
}

/// Ten digits; input may have a hyphen before the last four. Returns the wire form without it.
Result<std::string> readOrganisationNumber(std::string_view input);

struct HsaId {
  std::string value;               // as given; compare with sameHsaId()
  std::string organisationNumber;  // its ten digits
  bool numberIsSound =
      true;  // false: those digits fail the Luhn check: warn, do not refuse (Inera has issued such ids)
};

/// "SE" and an organisationsnummer, a hyphen, and letters and digits: at most 31 characters. "TSTNMT" stands for "SE"
/// in Inera's test environments.
Result<HsaId> readHsaId(std::string_view input);

/// HSA-ids are compared without regard to case.
bool sameHsaId(std::string_view a, std::string_view b);

}  // namespace lotsen::sweden
