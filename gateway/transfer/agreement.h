// Agreements (avtal) and region policies as the gates and the route see them. Plain values: `app` reads them from the
// configuration, `service` hands them in.
// Ambiguous law or text is a flag of the policy, with the safe value as its default (domain facts, section 1.6).
#pragma once

#include "gateway/sweden/civil_time.h"

#include <optional>
#include <string>
#include <vector>

namespace lotsen::transfer {

enum class AgreementKind {
  Internal,     // inside the region: no BTF, consent as the policy says
  OwnRegion,    // the sending region's own agreement: everything goes to the provider
  OtherRegion,  // another region's agreement: the BTF original goes to its förmedlingsfunktion
};

struct Agreement {
  std::string id;
  AgreementKind kind = AgreementKind::OwnRegion;
  std::string provider;       // partner id
  std::string providerHsaId;  // the unit that referral and consent must name
  std::string mediator;       // partner id of the förmedlingsfunktion; OtherRegion only
  std::string ownerRegion;    // län code of the region whose agreement it is
  bool documentsRequired = true;
  bool mediatorGetsDocuments = false;
  bool copyToProvider = true;    // OtherRegion: a BTF copy goes to the provider (A4, reading i)
  bool privateProvider = false;  // then the BTF must say how the care is reimbursed (RIVTA TKB 2.2)
  std::optional<sweden::CivilPeriod> valid;
};

enum class ProtectedIdentity {
  Stop,                // a person handles the whole case
  SendWithoutAddress,  // messages go, no address does
};

struct RegionPolicy {
  std::string region;                 // län code
  bool silenceIsConsent = false;      // A1: uteblivet svar
  bool internalNeedsConsent = false;  // OSL 25:11: disclosure within the region is allowed without consent
  ProtectedIdentity protectedIdentity = ProtectedIdentity::SendWithoutAddress;
  std::string letters;  // partner id of whoever takes letters (1177 adapter, print)
};

}  // namespace lotsen::transfer
