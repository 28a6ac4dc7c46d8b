#include "gateway/transfer/route.h"

#include <algorithm>

namespace lotsen::transfer {

std::string_view name(Role role) {
  switch (role) {
    case Role::Provider: return "provider";
    case Role::Mediator: return "mediator";
    case Role::Pas: return "pas";
    case Role::Receipt: return "receipt";
    case Role::PatientLetter: return "patient-letter";
    case Role::ClinicianLetter: return "clinician-letter";
    case Role::Recall: return "recall";
  }
  return "";
}

std::string_view name(BtfForm form) {
  switch (form) {
    case BtfForm::None: return "none";
    case BtfForm::Original: return "original";
    case BtfForm::Copy: return "copy";
  }
  return "";
}

std::vector<LegPlan> route(const Case& theCase, const Agreement& agreement, const RegionPolicy& policy) {
  const bool hasDocuments = theCase.referral && theCase.referral->documents > 0;
  std::vector<LegPlan> legs;
  BtfForm providerBtf = BtfForm::None;
  std::vector<Role> disclosing = {Role::Provider};
  if (agreement.kind == AgreementKind::OwnRegion) providerBtf = BtfForm::Original;
  if (agreement.kind == AgreementKind::OtherRegion) {
    const bool documents = agreement.mediatorGetsDocuments && hasDocuments;
    legs.push_back({Role::Mediator, agreement.mediator, BtfForm::Original, agreement.mediatorGetsDocuments, documents});
    if (agreement.copyToProvider) providerBtf = BtfForm::Copy;
    disclosing.push_back(Role::Mediator);
  }
  legs.push_back({Role::Provider, agreement.provider, providerBtf, true, hasDocuments});
  // Letters and deregistration tell that the patient has been moved, so they wait until the provider has said that it
  // has them.
  legs.push_back({Role::PatientLetter, policy.letters, BtfForm::None, false, false, {Role::Provider}});
  legs.push_back({Role::ClinicianLetter, policy.letters, BtfForm::None, false, false, {Role::Provider}});
  legs.push_back({Role::Pas, theCase.source, BtfForm::None, false, false, {Role::Provider}});
  legs.push_back({Role::Receipt, theCase.source, BtfForm::None, false, false, std::move(disclosing)});
  return legs;
}

std::vector<LegPlan> recalls(const std::vector<SentLeg>& sent) {
  std::vector<LegPlan> legs;
  for (const SentLeg& leg : sent) {
    if (leg.role != Role::Provider && leg.role != Role::Mediator) continue;
    const bool known =
        std::any_of(legs.begin(), legs.end(), [&](const LegPlan& made) { return made.partner == leg.partner; });
    if (!known) legs.push_back({Role::Recall, leg.partner});
  }
  return legs;
}

}  // namespace lotsen::transfer
