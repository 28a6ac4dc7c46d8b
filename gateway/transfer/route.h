// The route: which legs a released transfer has, what each may carry, and what must be done before it.
// Used by: service at release and at a withdrawal; `route explain`. Thread rule: pure functions.
// Sources: VGR routine (S0-27 to S0-30), domain facts 4.3 and A4; patientdatalagen 3:11 for the receipt.
//
//   Internal      provider: referral + documents
//   OwnRegion     provider: BTF original + referral + documents
//   OtherRegion   mediator: BTF original + what places the patient; provider: BTF copy + referral + documents
//   then, after the provider's positive acknowledgement: patient letter, clinician letter, deregistration in the PAS;
//   after all that received anything: the disclosure receipt to the PAS
#pragma once

#include "gateway/transfer/gates.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::transfer {

enum class Role { Provider, Mediator, Pas, Receipt, PatientLetter, ClinicianLetter, Recall };
enum class BtfForm { None, Original, Copy };

std::string_view name(Role role);     // "patient-letter"
std::string_view name(BtfForm form);  // "original"

struct LegPlan {
  Role role = Role::Provider;
  std::string partner;
  BtfForm btf = BtfForm::None;
  bool referral = false;      // the whole referral; false: only what the role needs of it
  bool documents = false;     // the medical documents
  std::vector<Role> after{};  // legs of this transfer that must be done first
  bool operator==(const LegPlan&) const = default;
};

/// Legs in the order in which they are created. REQUIRES: shutGates() is empty.
std::vector<LegPlan> route(const Case& theCase, const Agreement& agreement, const RegionPolicy& policy);

/// A leg that has left, or may have left.
struct SentLeg {
  Role role = Role::Provider;
  std::string partner;
};

/// One recall for each receiver of patient data; letters and messages to the source are not recalled.
std::vector<LegPlan> recalls(const std::vector<SentLeg>& sent);

}  // namespace lotsen::transfer
