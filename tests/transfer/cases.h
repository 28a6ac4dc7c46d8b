// A case with nothing wrong, and short names for dates: tests change one thing each.
#pragma once

#include "gateway/transfer/gates.h"

#include <string>
#include <vector>

namespace lotsen::transfer {

inline CivilDate day(std::string_view text) {
  return sweden::parseCivilDate(text).value();
}

inline const std::string kProvider = "SE5565594230-P001";
inline const PatientIdentity kTolvan{"http://electronichealth.se/identifier/personnummer",
                                     Phi<std::string>("191212121212")};
inline const PatientIdentity kOther{"http://electronichealth.se/identifier/personnummer",
                                    Phi<std::string>("195009072553")};

inline Case soundCase() {
  Case c;
  c.source = "sahlgrenska-pas";
  ReferralFacts referral;
  referral.id = "SE2321000131-S01#1001";
  referral.version = 1;
  referral.patient = kTolvan;
  referral.receiver = kProvider;
  referral.requesterUnit = "SE2321000131-E01";
  referral.agreement = "AVT-1";
  referral.assessment = Assessment::Lotsas;
  referral.documents = 2;
  c.referral = referral;
  ConsentFacts consent;
  consent.id = "SAM-1";
  consent.version = 1;
  consent.status = ConsentStatus::Active;
  consent.basis = ConsentBasis::Explicit;
  consent.patient = kTolvan;
  consent.referral = referral.id;
  consent.receiver = kProvider;
  consent.date = day("2026-03-02");
  c.consent = consent;
  BtfFacts btf;
  btf.id = "SE2321000131-S01#1001#betfor#1";
  btf.version = 1;
  btf.patient = kTolvan;
  btf.referral = referral.id;
  btf.from = day("2026-03-03");
  btf.until = day("2026-12-31");
  btf.approvedOn = day("2026-03-03");
  btf.payorRegion = "14";
  btf.type = "2";
  btf.reimbursement = "2";
  btf.contractOwner = "14";
  c.btf = btf;
  return c;
}

inline Agreement ownRegion() {
  Agreement a;
  a.id = "AVT-1";
  a.kind = AgreementKind::OwnRegion;
  a.provider = "capio";
  a.providerHsaId = kProvider;
  a.ownerRegion = "14";
  return a;
}

inline Agreement otherRegion() {
  Agreement a = ownRegion();
  a.kind = AgreementKind::OtherRegion;
  a.mediator = "halland-formedling";
  return a;
}

inline Agreement internalTransfer() {
  Agreement a = ownRegion();
  a.kind = AgreementKind::Internal;
  return a;
}

inline RegionPolicy policy() {
  RegionPolicy p;
  p.region = "14";
  p.letters = "letters";
  return p;
}

inline std::vector<std::string> codes(const Case& c, const Agreement* a, const RegionPolicy& p = policy(),
                                      std::string_view today = "2026-03-10") {
  std::vector<std::string> list;
  for (const ShutGate& gate : shutGates(c, a, p, day(today))) list.emplace_back(gate.code);
  return list;
}

}  // namespace lotsen::transfer
