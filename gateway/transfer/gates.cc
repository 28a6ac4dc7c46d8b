#include "gateway/transfer/gates.h"

#include "gateway/sweden/organisation.h"

#include <algorithm>
#include <array>

namespace lotsen::transfer {

namespace {

constexpr std::string_view kConsentLaw = "PL 4:2; OSL 25:1; RIVTA TKB clinicalprocess:activity:request 2.2 rule 6";
constexpr std::string_view kSixMonths = "VGR OSN11757-1980785390-17 (giltighetstiden minst 6 månader)";
constexpr std::string_view kBtfOrder = "VGR OSN11757-1980785390-17 (BTF utfärdas när patienten godkänt lotsning)";

// clang-format off
constexpr std::array<GateRule, 37> kRules{{
    {"referral-missing", "Lotsen: a transfer is about one referral",
     "The referral has not come.", "Send the referral record.",
     "Remissen har inte kommit.", "Skicka remissen.", "Bundle.entry.resource.ofType(ServiceRequest)"},
    {"referral-revoked", "RIVTA TKB 2.2 rule 4: nothing more is sent after AVB or AVV",
     "The referral is revoked or entered in error.", "Send a new version if the referral still holds; else close the transfer.",
     "Remissen är återkallad eller makulerad.", "Skicka en ny version om remissen gäller, annars avsluta ärendet.", "Bundle.entry.resource.ofType(ServiceRequest).status"},
    {"assessment-missing", "VGR OSN11757-1980785390-17 (remissbedömning)",
     "The referral has no assessment.", "Assess the referral and send it again as a new version.",
     "Remissen är inte bedömd.", "Bedöm remissen och skicka den igen som ny version.", "Bundle.entry.resource.ofType(ServiceRequest).extension('http://lotsen.se/fhir/StructureDefinition/assessment')"},
    {"assessment-not-lotsas", "VGR OSN11757-1980785390-17 (patienter som lotsas)",
     "The assessment says that the patient is not to be moved.", "Send a new version of the referral if the assessment has changed; else close the transfer.",
     "Bedömningen säger att patienten inte ska lotsas.", "Skicka remissen igen om bedömningen har ändrats, annars avsluta ärendet.", "Bundle.entry.resource.ofType(ServiceRequest).extension('http://lotsen.se/fhir/StructureDefinition/assessment')"},
    {"protected-identity-stop", "SFS 1991:481 34 §; OSL 22:1; the region's policy",
     "The patient has a protected identity and the region's policy is to stop.", "Handle the case by hand.",
     "Patienten har skyddade personuppgifter och regionen har valt att stoppa.", "Hantera ärendet manuellt.", "Bundle.entry.resource.ofType(Patient).meta.security"},
    {"agreement-unknown", "Lotsen: the agreement decides the route",
     "The referral names no agreement that this gateway knows.", "Correct the agreement in the referral, or add it to the configuration.",
     "Remissen anger inget avtal som är känt här.", "Rätta avtalet i remissen eller lägg in avtalet.", "Bundle.entry.resource.ofType(ServiceRequest).extension('http://lotsen.se/fhir/StructureDefinition/agreement')"},
    {"agreement-not-valid", "Region Halland HSU §168: only providers with an active agreement can be offered",
     "The agreement is not valid today.", "Choose another agreement, or correct its dates in the configuration.",
     "Avtalet gäller inte i dag.", "Välj ett annat avtal eller rätta avtalets datum.", "Bundle.entry.resource.ofType(ServiceRequest).extension('http://lotsen.se/fhir/StructureDefinition/agreement')"},
    {"receiver-mismatch", "Lotsen: the receiver is the agreement's provider",
     "The receiver in the referral is not the provider of the agreement.", "Correct the receiver or the agreement in the referral.",
     "Mottagaren i remissen är inte avtalets vårdgivare.", "Rätta mottagaren eller avtalet i remissen.", "Bundle.entry.resource.ofType(ServiceRequest).performer"},
    {"documents-missing", "VGR OSN11757-1980785390-17 (medicinskt underlag i de fall det krävs); the agreement",
     "The agreement demands medical documents and none came with the referral.", "Send the referral again as a new version with its documents.",
     "Avtalet kräver medicinskt underlag och inget följde med remissen.", "Skicka remissen igen med underlaget.", "Bundle.entry.resource.ofType(ServiceRequest).supportingInfo"},

    {"consent-missing", kConsentLaw,
     "The patient's consent has not come.", "Document the consent and send it.",
     "Patientens samtycke har inte kommit.", "Dokumentera samtycket och skicka det.", "Bundle.entry.resource.ofType(Consent)"},
    {"consent-entered-in-error", kConsentLaw,
     "The consent is marked as entered in error.", "Send the right consent.",
     "Samtycket är makulerat.", "Skicka det rätta samtycket.", "Bundle.entry.resource.ofType(Consent).status"},
    {"consent-declined", "PL 4:2; HSF 2017:80 6:2",
     "The patient has declined and stays in the queue.", "Close the transfer; the referral stays with the sender.",
     "Patienten har tackat nej och står kvar i kön.", "Avsluta ärendet; remissen ligger kvar hos avsändaren.", "Bundle.entry.resource.ofType(Consent).status"},
    {"consent-withdrawn", "PL 4:2: a consent may be withdrawn at any time",
     "The patient has withdrawn the consent.", "Nothing more is sent. Send a new consent only if the patient has changed his or her mind.",
     "Patienten har återkallat samtycket.", "Inget mer skickas. Skicka ett nytt samtycke bara om patienten har ändrat sig.", "Bundle.entry.resource.ofType(Consent).status"},
    {"consent-not-active", kConsentLaw,
     "The consent is not in force: it is asked for, unanswered or expired.", "Send the consent again when the patient has answered.",
     "Samtycket gäller inte: det är efterfrågat, obesvarat eller har gått ut.", "Skicka samtycket igen när patienten har svarat.", "Bundle.entry.resource.ofType(Consent).status"},
    {"consent-basis-unknown", kConsentLaw,
     "The consent does not say in a known way how it was given.", "Send it with the basis OPTIN, or IMPLIEDD where the region allows it.",
     "Samtycket anger inte på känt sätt hur det har lämnats.", "Skicka det med en känd grund.", "Bundle.entry.resource.ofType(Consent).policyRule"},
    {"consent-internal-basis", "PL 4:2; OSL 25:11 covers disclosure inside the region only",
     "The consent rests on an internal rule, but the receiver is another vårdgivare.", "Ask the patient and send the consent.",
     "Samtycket bygger på en intern regel men mottagaren är en annan vårdgivare.", "Fråga patienten och skicka samtycket.", "Bundle.entry.resource.ofType(Consent).policyRule"},
    {"silence-not-consent", "HSF 2017:80 6:2; the region's policy (silence is not consent)",
     "The patient has not answered, and in this region silence is not consent.", "Contact the patient and send the answer.",
     "Patienten har inte svarat, och i den här regionen räknas tystnad inte som samtycke.", "Kontakta patienten och skicka svaret.", "Bundle.entry.resource.ofType(Consent).policyRule"},
    {"silence-unproven", "The region's policy: silence counts only after information that named the deadline",
     "Silence counts as consent here, but there is no proof of information, or the deadline has not passed.", "Send the consent with the day of the information and a deadline that has passed.",
     "Tystnad räknas som samtycke här, men det saknas bevis för informationen eller så har svarstiden inte gått ut.", "Skicka samtycket med datum för informationen och en svarstid som har gått ut.", "Bundle.entry.resource.ofType(Consent).extension('http://lotsen.se/fhir/StructureDefinition/response-deadline')"},
    {"consent-in-future", "Lotsen: a consent is dated when it was given",
     "The consent is dated after today.", "Correct the date and send the consent again.",
     "Samtycket är daterat efter i dag.", "Rätta datumet och skicka samtycket igen.", "Bundle.entry.resource.ofType(Consent).dateTime"},
    {"consent-other-patient", kConsentLaw,
     "The consent is about another patient than the referral.", "Find out which is right; send the wrong record again.",
     "Samtycket gäller en annan patient än remissen.", "Ta reda på vilket som är rätt och skicka det som var fel igen.", "Bundle.entry.resource.ofType(Consent).patient"},
    {"consent-other-referral", kConsentLaw,
     "The consent is about another referral.", "Send the consent for this referral.",
     "Samtycket gäller en annan remiss.", "Skicka samtycket för den här remissen.", "Bundle.entry.resource.ofType(Consent).provision.data.reference"},
    {"consent-other-receiver", kConsentLaw,
     "The consent names another provider than the referral.", "Ask the patient about this provider and send a new consent.",
     "Samtycket gäller en annan vårdgivare än remissen.", "Fråga patienten om den här vårdgivaren och skicka ett nytt samtycke.", "Bundle.entry.resource.ofType(Consent).provision.actor.reference"},

    {"btf-missing", kBtfOrder,
     "The BTF has not come.", "Issue the BTF and send it.",
     "Betalningsförbindelsen har inte kommit.", "Utfärda betalningsförbindelsen och skicka den.", "Bundle.entry.resource.ofType(Coverage)"},
    {"btf-not-active", kBtfOrder,
     "The BTF is cancelled or not decided.", "Send a BTF in force.",
     "Betalningsförbindelsen är makulerad eller inte beslutad.", "Skicka en gällande betalningsförbindelse.", "Bundle.entry.resource.ofType(Coverage).status"},
    {"btf-other-patient", kBtfOrder,
     "The BTF is for another patient than the referral.", "Find out which is right; send the wrong record again.",
     "Betalningsförbindelsen gäller en annan patient än remissen.", "Ta reda på vilket som är rätt och skicka det som var fel igen.", "Bundle.entry.resource.ofType(Coverage).beneficiary"},
    {"btf-other-referral", kBtfOrder,
     "The BTF is for another referral.", "Send the BTF for this referral.",
     "Betalningsförbindelsen gäller en annan remiss.", "Skicka betalningsförbindelsen för den här remissen.", "Bundle.entry.resource.ofType(Coverage).extension('http://lotsen.se/fhir/StructureDefinition/btf-referral')"},
    {"btf-other-receiver", kBtfOrder,
     "The BTF names another provider than the referral.", "Issue a BTF for this provider and send it.",
     "Betalningsförbindelsen gäller en annan vårdgivare än remissen.", "Utfärda en betalningsförbindelse för den här vårdgivaren och skicka den.", "Bundle.entry.resource.ofType(ClaimResponse).requestor"},
    {"btf-no-start", kSixMonths,
     "The BTF has no first day.", "Send it with both days of its validity.",
     "Betalningsförbindelsen saknar startdatum.", "Skicka den med både start- och slutdatum.", "Bundle.entry.resource.ofType(Coverage).period.start"},
    {"btf-no-end", kSixMonths,
     "The BTF has no last day.", "Send it with both days of its validity.",
     "Betalningsförbindelsen saknar slutdatum.", "Skicka den med både start- och slutdatum.", "Bundle.entry.resource.ofType(Coverage).period.end"},
    {"btf-too-short", kSixMonths,
     "The BTF is valid for less than six calendar months.", "Issue a BTF that is valid for at least six months.",
     "Betalningsförbindelsen gäller kortare tid än sex månader.", "Utfärda en betalningsförbindelse som gäller minst sex månader.", "Bundle.entry.resource.ofType(Coverage).period"},
    {"btf-not-yet-valid", "1177 and VGR: a BTF is never retroactive",
     "The BTF is not valid yet.", "Wait: the transfer is looked at again on its first day.",
     "Betalningsförbindelsen har inte börjat gälla.", "Vänta: ärendet prövas igen på startdagen.", "Bundle.entry.resource.ofType(Coverage).period.start"},
    {"btf-expired", "1177 and VGR: a BTF is never retroactive",
     "The BTF has expired.", "Issue a new BTF and send it.",
     "Betalningsförbindelsen har gått ut.", "Utfärda en ny betalningsförbindelse och skicka den.", "Bundle.entry.resource.ofType(Coverage).period.end"},
    {"btf-not-approved", "RIVTA TKB 2.2 dateOfApproval; VGR OSN11757-1980785390-17",
     "The BTF is not approved: it has no day of approval, or one after today.", "Send it with the day of approval and who approved it.",
     "Betalningsförbindelsen är inte beslutad: beslutsdatum saknas eller ligger efter i dag.", "Skicka den med beslutsdatum och vem som beslutat.", "Bundle.entry.resource.ofType(ClaimResponse).created"},
    {"btf-before-consent", kBtfOrder,
     "The BTF was approved before the patient consented.", "Approve the BTF again and send it.",
     "Betalningsförbindelsen beslutades innan patienten samtyckte.", "Besluta om betalningsförbindelsen på nytt och skicka den.", "Bundle.entry.resource.ofType(ClaimResponse).created"},
    {"btf-chapter-missing", "RIVTA TKB 2.2: commitmentTypeChapter is required when commitmentType is 1",
     "The BTF rests on the Riksavtal and does not say which chapter.", "Send it with the chapter.",
     "Betalningsförbindelsen enligt Riksavtalet saknar kapitel.", "Skicka den med kapitel.", "Bundle.entry.resource.ofType(Coverage).class"},
    {"btf-reimbursement-missing", "RIVTA TKB 2.2: reimbursementInformation is required for a private provider",
     "The provider is private and the BTF does not say how the care is reimbursed.", "Send it with the reimbursement type and the contract's owner.",
     "Vårdgivaren är privat och betalningsförbindelsen anger inte hur vården ersätts.", "Skicka den med ersättningstyp och avtalsägare.", "Bundle.entry.resource.ofType(Coverage).class"},
    {"btf-reimbursement-owner", "RIVTA TKB 2.2: ownerOfInvokedContract; domain rule: owner and agreement agree",
     "The BTF names another region's contract than the agreement.", "Correct the contract's owner in the BTF, or the agreement in the referral.",
     "Betalningsförbindelsen anger en annan regions avtal än remissen.", "Rätta avtalsägaren i betalningsförbindelsen eller avtalet i remissen.", "Bundle.entry.resource.ofType(Coverage).class"},
}};
// clang-format on

// Collects what is shut; the table's order is restored at the end, so judging may follow the matter.
class Shut {
 public:
  void when(bool condition, std::string_view code) {
    if (condition) codes_.push_back(code);
  }
  std::vector<ShutGate> list() const {
    std::vector<ShutGate> gates;
    for (const GateRule& rule : kRules) {
      if (std::find(codes_.begin(), codes_.end(), rule.code) != codes_.end()) gates.push_back(rule);
    }
    LOTSEN_CHECK(gates.size() == codes_.size());
    return gates;
  }

 private:
  std::vector<std::string_view> codes_;
};

bool isInternal(const Agreement* agreement) {
  return agreement != nullptr && agreement->kind == AgreementKind::Internal;
}

bool isWithdrawn(const ConsentFacts& consent) {
  return consent.status == ConsentStatus::Inactive && consent.basis == ConsentBasis::OptOut;
}

// A consent is in force whose status, and only whose status, would let the referral leave.
void judgeConsentState(const ConsentFacts& consent, bool internal, const RegionPolicy& policy, CivilDate today,
                       Shut& shut) {
  const bool active = consent.status == ConsentStatus::Active;
  const bool silent = active && consent.basis == ConsentBasis::Silence;
  const bool ended = consent.status == ConsentStatus::EnteredInError || consent.status == ConsentStatus::Rejected ||
                     isWithdrawn(consent);
  shut.when(consent.status == ConsentStatus::EnteredInError, "consent-entered-in-error");
  shut.when(consent.status == ConsentStatus::Rejected, "consent-declined");
  shut.when(isWithdrawn(consent), "consent-withdrawn");
  shut.when(!active && !ended, "consent-not-active");
  shut.when(active && (consent.basis == ConsentBasis::None || consent.basis == ConsentBasis::Unknown ||
                       consent.basis == ConsentBasis::OptOut),
            "consent-basis-unknown");
  shut.when(active && consent.basis == ConsentBasis::InternalRule && !internal, "consent-internal-basis");
  shut.when(silent && !policy.silenceIsConsent, "silence-not-consent");
  const bool proven = consent.informedOn && consent.responseDeadline &&
                      *consent.informedOn <= *consent.responseDeadline && *consent.responseDeadline < today;
  shut.when(silent && policy.silenceIsConsent && !proven, "silence-unproven");
  shut.when(active && today < consent.date, "consent-in-future");
}

void judgeConsent(const Case& theCase, bool internal, const RegionPolicy& policy, CivilDate today, Shut& shut) {
  const bool needed = !internal || policy.internalNeedsConsent;
  if (!theCase.consent) {
    shut.when(needed, "consent-missing");
    return;
  }
  // Where no consent is needed, a refusal still counts: the patient has been asked and has answered.
  if (!needed && !isRefused(theCase)) return;
  const ConsentFacts& consent = *theCase.consent;
  const ReferralFacts& referral = *theCase.referral;
  judgeConsentState(consent, internal, policy, today, shut);
  shut.when(consent.patient != referral.patient, "consent-other-patient");
  shut.when(consent.referral != referral.id, "consent-other-referral");
  shut.when(!sweden::sameHsaId(consent.receiver, referral.receiver), "consent-other-receiver");
}

void judgeBtf(const Case& theCase, const Agreement* agreement, CivilDate today, Shut& shut) {
  if (!theCase.btf) {
    shut.when(true, "btf-missing");
    return;
  }
  const BtfFacts& btf = *theCase.btf;
  const ReferralFacts& referral = *theCase.referral;
  shut.when(!btf.active, "btf-not-active");
  shut.when(btf.patient != referral.patient, "btf-other-patient");
  shut.when(btf.referral != referral.id, "btf-other-referral");
  shut.when(!btf.receiver.empty() && !sweden::sameHsaId(btf.receiver, referral.receiver), "btf-other-receiver");
  shut.when(!btf.from, "btf-no-start");
  shut.when(!btf.until, "btf-no-end");
  shut.when(btf.from && btf.until && !lastsSixMonths(*btf.from, *btf.until), "btf-too-short");
  shut.when(btf.from && today < *btf.from, "btf-not-yet-valid");
  shut.when(btf.until && *btf.until < today, "btf-expired");
  shut.when(!btf.approvedOn || today < *btf.approvedOn, "btf-not-approved");
  shut.when(btf.approvedOn && theCase.consent && *btf.approvedOn < theCase.consent->date, "btf-before-consent");
  shut.when(btf.type == "1" && btf.chapter.empty(), "btf-chapter-missing");
  const bool mustSay = agreement != nullptr && agreement->privateProvider;
  shut.when(mustSay && (btf.reimbursement.empty() || btf.contractOwner.empty()), "btf-reimbursement-missing");
  shut.when(agreement != nullptr && !agreement->ownerRegion.empty() && !btf.contractOwner.empty() &&
                btf.contractOwner != agreement->ownerRegion,
            "btf-reimbursement-owner");
}

}  // namespace

std::span<const GateRule> gateRules() {
  return kRules;
}

const GateRule* findGate(std::string_view code) {
  const auto found =
      std::find_if(kRules.begin(), kRules.end(), [&](const GateRule& rule) { return rule.code == code; });
  return found == kRules.end() ? nullptr : &*found;
}

bool lastsSixMonths(CivilDate from, CivilDate until) {
  return sweden::addDays(until, 1) >= sweden::addMonths(from, 6);
}

bool isRefused(const Case& theCase) {
  return theCase.consent && (theCase.consent->status == ConsentStatus::Rejected || isWithdrawn(*theCase.consent));
}

std::vector<ShutGate> shutGates(const Case& theCase, const Agreement* agreement, const RegionPolicy& policy,
                                CivilDate today) {
  Shut shut;
  shut.when(!theCase.referral, "referral-missing");
  if (!theCase.referral) return shut.list();
  const ReferralFacts& referral = *theCase.referral;
  const bool internal = isInternal(agreement);
  shut.when(!referral.active, "referral-revoked");
  shut.when(referral.assessment == Assessment::None, "assessment-missing");
  shut.when(referral.assessment == Assessment::LotsasInte || referral.assessment == Assessment::VardgarantiUppfylls,
            "assessment-not-lotsas");
  shut.when(referral.protectedIdentity && policy.protectedIdentity == ProtectedIdentity::Stop,
            "protected-identity-stop");
  if (agreement == nullptr) {
    shut.when(true, "agreement-unknown");
  } else {
    shut.when(agreement->valid && !agreement->valid->contains(today), "agreement-not-valid");
    shut.when(!sweden::sameHsaId(referral.receiver, agreement->providerHsaId), "receiver-mismatch");
    shut.when(agreement->documentsRequired && referral.documents == 0, "documents-missing");
  }
  judgeConsent(theCase, internal, policy, today, shut);
  if (!internal) judgeBtf(theCase, agreement, today, shut);
  return shut.list();
}

sweden::CivilPeriod validity(const Case& theCase, const Agreement& agreement) {
  using namespace std::chrono;
  sweden::CivilPeriod period{CivilDate(year(1), January, day(1)), CivilDate(year(9999), December, day(31))};
  const auto narrow = [&](CivilDate from, CivilDate until) {
    period.from = std::max(period.from, from);
    period.until = std::min(period.until, until);
  };
  if (agreement.valid) narrow(agreement.valid->from, agreement.valid->until);
  if (theCase.consent) narrow(theCase.consent->date, period.until);
  if (agreement.kind != AgreementKind::Internal) {
    const BtfFacts* btf = theCase.btf ? &*theCase.btf : nullptr;
    LOTSEN_CHECK(btf != nullptr && btf->from && btf->until && btf->approvedOn);
    narrow(std::max(*btf->from, *btf->approvedOn), *btf->until);
  }
  return period;
}

std::string_view legalBasis(const Case& theCase, const Agreement& agreement) {
  const bool consented = theCase.consent && theCase.consent->status == ConsentStatus::Active;
  if (consented && theCase.consent->basis == ConsentBasis::Explicit) return "consent";
  if (consented && theCase.consent->basis == ConsentBasis::Silence) return "implied-consent";
  LOTSEN_CHECK(agreement.kind == AgreementKind::Internal);
  return "internal-policy";
}

}  // namespace lotsen::transfer
