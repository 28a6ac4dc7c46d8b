#include "gateway/transfer/gates.h"

#include "tests/transfer/cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace lotsen::transfer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Gates, SoundCasesPass) {
  for (const Agreement& agreement : {ownRegion(), otherRegion(), internalTransfer()}) {
    EXPECT_THAT(codes(soundCase(), &agreement), IsEmpty());
  }
}

struct GateCase {
  const char* code;
  std::function<void(Case&, Agreement&, RegionPolicy&)> spoil;
};

// Each spoils one thing of a sound case; that gate and no other must shut. Together they reach every row of the table.
const GateCase kCases[] = {
    {"referral-missing", [](Case& c, Agreement&, RegionPolicy&) { c.referral.reset(); }},
    {"referral-revoked", [](Case& c, Agreement&, RegionPolicy&) { c.referral->active = false; }},
    {"assessment-missing", [](Case& c, Agreement&, RegionPolicy&) { c.referral->assessment = Assessment::None; }},
    {"assessment-not-lotsas",
     [](Case& c, Agreement&, RegionPolicy&) { c.referral->assessment = Assessment::LotsasInte; }},
    {"assessment-not-lotsas",
     [](Case& c, Agreement&, RegionPolicy&) { c.referral->assessment = Assessment::VardgarantiUppfylls; }},
    {"protected-identity-stop",
     [](Case& c, Agreement&, RegionPolicy& p) {
       c.referral->protectedIdentity = true;
       p.protectedIdentity = ProtectedIdentity::Stop;
     }},
    {"agreement-not-valid",
     [](Case&, Agreement& a, RegionPolicy&) {
       a.valid = {day("2025-01-01"), day("2026-03-09")};
     }},
    {"receiver-mismatch", [](Case&, Agreement& a, RegionPolicy&) { a.providerHsaId = "SE5565594230-P002"; }},
    {"documents-missing", [](Case& c, Agreement&, RegionPolicy&) { c.referral->documents = 0; }},
    {"consent-missing", [](Case& c, Agreement&, RegionPolicy&) { c.consent.reset(); }},
    {"consent-entered-in-error",
     [](Case& c, Agreement&, RegionPolicy&) { c.consent->status = ConsentStatus::EnteredInError; }},
    {"consent-declined",
     [](Case& c, Agreement&, RegionPolicy&) {
       c.consent->status = ConsentStatus::Rejected;
       c.consent->basis = ConsentBasis::OptOut;
     }},
    {"consent-withdrawn",
     [](Case& c, Agreement&, RegionPolicy&) {
       c.consent->status = ConsentStatus::Inactive;
       c.consent->basis = ConsentBasis::OptOut;
     }},
    {"consent-not-active",
     [](Case& c, Agreement&, RegionPolicy&) {
       c.consent->status = ConsentStatus::Proposed;
       c.consent->basis = ConsentBasis::None;
     }},
    {"consent-not-active",
     [](Case& c, Agreement&, RegionPolicy&) {
       c.consent->status = ConsentStatus::Inactive;
       c.consent->basis = ConsentBasis::None;
     }},
    {"consent-basis-unknown", [](Case& c, Agreement&, RegionPolicy&) { c.consent->basis = ConsentBasis::Unknown; }},
    {"consent-basis-unknown", [](Case& c, Agreement&, RegionPolicy&) { c.consent->basis = ConsentBasis::None; }},
    {"consent-basis-unknown", [](Case& c, Agreement&, RegionPolicy&) { c.consent->basis = ConsentBasis::OptOut; }},
    {"consent-internal-basis",
     [](Case& c, Agreement&, RegionPolicy&) { c.consent->basis = ConsentBasis::InternalRule; }},
    {"silence-not-consent", [](Case& c, Agreement&, RegionPolicy&) { c.consent->basis = ConsentBasis::Silence; }},
    {"silence-unproven",
     [](Case& c, Agreement&, RegionPolicy& p) {
       p.silenceIsConsent = true;
       c.consent->basis = ConsentBasis::Silence;
       c.consent->responseDeadline = day("2026-03-01");
     }},
    {"silence-unproven",
     [](Case& c, Agreement&, RegionPolicy& p) {
       p.silenceIsConsent = true;
       c.consent->basis = ConsentBasis::Silence;
       c.consent->informedOn = day("2026-02-10");
       c.consent->responseDeadline = day("2026-03-10");  // today: the patient may still answer
     }},
    {"consent-other-patient", [](Case& c, Agreement&, RegionPolicy&) { c.consent->patient = kOther; }},
    {"consent-other-referral",
     [](Case& c, Agreement&, RegionPolicy&) { c.consent->referral = "SE2321000131-S01#1002"; }},
    {"consent-other-receiver", [](Case& c, Agreement&, RegionPolicy&) { c.consent->receiver = "SE5565594230-P002"; }},
    {"btf-missing", [](Case& c, Agreement&, RegionPolicy&) { c.btf.reset(); }},
    {"btf-not-active", [](Case& c, Agreement&, RegionPolicy&) { c.btf->active = false; }},
    {"btf-other-patient", [](Case& c, Agreement&, RegionPolicy&) { c.btf->patient = kOther; }},
    {"btf-other-referral", [](Case& c, Agreement&, RegionPolicy&) { c.btf->referral = "SE2321000131-S01#1002"; }},
    {"btf-other-receiver", [](Case& c, Agreement&, RegionPolicy&) { c.btf->receiver = "SE5565594230-P002"; }},
    {"btf-no-start", [](Case& c, Agreement&, RegionPolicy&) { c.btf->from.reset(); }},
    {"btf-no-end", [](Case& c, Agreement&, RegionPolicy&) { c.btf->until.reset(); }},
    {"btf-too-short", [](Case& c, Agreement&, RegionPolicy&) { c.btf->until = day("2026-09-01"); }},
    {"btf-not-yet-valid",
     [](Case& c, Agreement&, RegionPolicy&) {
       c.btf->from = day("2026-03-11");
       c.btf->until = day("2026-12-31");
     }},
    {"btf-expired",
     [](Case& c, Agreement&, RegionPolicy&) {
       c.btf->from = day("2025-03-01");
       c.btf->until = day("2026-03-09");
     }},
    {"btf-not-approved", [](Case& c, Agreement&, RegionPolicy&) { c.btf->approvedOn.reset(); }},
    {"btf-not-approved", [](Case& c, Agreement&, RegionPolicy&) { c.btf->approvedOn = day("2026-03-11"); }},
    {"btf-before-consent", [](Case& c, Agreement&, RegionPolicy&) { c.btf->approvedOn = day("2026-03-01"); }},
    {"btf-chapter-missing", [](Case& c, Agreement&, RegionPolicy&) { c.btf->type = "1"; }},
    {"btf-reimbursement-missing",
     [](Case& c, Agreement& a, RegionPolicy&) {
       a.privateProvider = true;
       c.btf->reimbursement.clear();
     }},
    {"btf-reimbursement-owner", [](Case& c, Agreement&, RegionPolicy&) { c.btf->contractOwner = "13"; }},
};

TEST(Gates, OneFaultShutsOneGate) {
  for (const GateCase& one : kCases) {
    Case c = soundCase();
    Agreement agreement = ownRegion();
    RegionPolicy region = policy();
    one.spoil(c, agreement, region);
    EXPECT_THAT(codes(c, &agreement, region), ElementsAre(one.code)) << one.code;
  }
}

TEST(Gates, EveryRowOfTheTableIsReachedAndComplete) {
  std::set<std::string> reached = {"agreement-unknown", "consent-in-future"};  // see the tests below
  for (const GateCase& one : kCases) reached.insert(one.code);
  std::set<std::string_view> seen;
  for (const GateRule& rule : gateRules()) {
    EXPECT_TRUE(reached.contains(std::string(rule.code))) << rule.code;
    EXPECT_TRUE(seen.insert(rule.code).second) << rule.code << " stands twice";
    for (const auto text : {rule.source, rule.text, rule.remedy, rule.textSwedish, rule.remedySwedish, rule.path}) {
      EXPECT_FALSE(text.empty()) << rule.code;
    }
    EXPECT_EQ(rule.text.back(), '.') << rule.code;
    EXPECT_EQ(findGate(rule.code), &rule);
  }
  EXPECT_EQ(findGate("no-such-gate"), nullptr);
}

TEST(Gates, UnknownAgreementIsJudgedAsExternal) {
  EXPECT_THAT(codes(soundCase(), nullptr), ElementsAre("agreement-unknown"));
  Case c = soundCase();
  c.consent.reset();
  c.btf.reset();
  EXPECT_THAT(codes(c, nullptr), ElementsAre("agreement-unknown", "consent-missing", "btf-missing"));
}

TEST(Gates, WithoutReferralNothingElseIsJudged) {
  Case c;
  EXPECT_THAT(codes(c, nullptr), ElementsAre("referral-missing"));
  c.consent = soundCase().consent;
  c.btf = soundCase().btf;
  EXPECT_THAT(codes(c, nullptr), ElementsAre("referral-missing"));
}

TEST(Gates, FutureConsentIsNone) {
  const Agreement agreement = ownRegion();
  Case c = soundCase();
  c.consent->date = day("2026-03-11");
  c.btf->approvedOn = day("2026-03-11");
  EXPECT_THAT(codes(c, &agreement), ElementsAre("consent-in-future", "btf-not-approved"));
}

TEST(Gates, ConsentAndBtfOnTheSameDayPass) {
  const Agreement agreement = ownRegion();
  Case c = soundCase();
  c.consent->date = c.btf->approvedOn.value();
  EXPECT_THAT(codes(c, &agreement), IsEmpty());
}

TEST(Gates, ComparesHsaIdsWithoutCase) {
  const Agreement agreement = ownRegion();
  Case c = soundCase();
  c.consent->receiver = "se5565594230-p001";
  EXPECT_THAT(codes(c, &agreement), IsEmpty());
}

TEST(Gates, SixCalendarMonthsInclusive) {
  EXPECT_TRUE(lastsSixMonths(day("2026-03-15"), day("2026-09-14")));   // exactly
  EXPECT_FALSE(lastsSixMonths(day("2026-03-15"), day("2026-09-13")));  // one day short
  EXPECT_TRUE(lastsSixMonths(day("2026-01-01"), day("2026-06-30")));
  EXPECT_FALSE(lastsSixMonths(day("2026-01-01"), day("2026-06-29")));
  // The month end clips: 31 August + 6 months is 28 February.
  EXPECT_TRUE(lastsSixMonths(day("2025-08-31"), day("2026-02-27")));
  EXPECT_FALSE(lastsSixMonths(day("2025-08-31"), day("2026-02-26")));
  EXPECT_TRUE(lastsSixMonths(day("2027-08-31"), day("2028-02-28")));  // leap year: + 6 months is the 29th
  EXPECT_FALSE(lastsSixMonths(day("2027-08-31"), day("2028-02-27")));
}

TEST(Gates, BtfIsValidOnItsFirstAndLastDay) {
  const Agreement agreement = ownRegion();
  Case c = soundCase();
  EXPECT_THAT(codes(c, &agreement, policy(), "2026-03-03"), IsEmpty());
  EXPECT_THAT(codes(c, &agreement, policy(), "2026-12-31"), IsEmpty());
  EXPECT_THAT(codes(c, &agreement, policy(), "2027-01-01"), ElementsAre("btf-expired"));
}

TEST(Gates, InternalNeedsNoBtfAndConsentByPolicyOnly) {
  const Agreement agreement = internalTransfer();
  Case c = soundCase();
  c.btf.reset();
  c.consent.reset();
  EXPECT_THAT(codes(c, &agreement), IsEmpty());
  RegionPolicy strict = policy();
  strict.internalNeedsConsent = true;
  EXPECT_THAT(codes(c, &agreement, strict), ElementsAre("consent-missing"));
  c.consent = soundCase().consent;
  c.consent->basis = ConsentBasis::InternalRule;
  EXPECT_THAT(codes(c, &agreement, strict), IsEmpty());
}

TEST(Gates, RefusalStopsInternalTransfersToo) {
  const Agreement agreement = internalTransfer();
  Case c = soundCase();
  c.consent->status = ConsentStatus::Rejected;
  EXPECT_TRUE(isRefused(c));
  EXPECT_THAT(codes(c, &agreement), ElementsAre("consent-declined"));
  c.consent->status = ConsentStatus::Inactive;
  c.consent->basis = ConsentBasis::OptOut;
  EXPECT_TRUE(isRefused(c));
  EXPECT_THAT(codes(c, &agreement), ElementsAre("consent-withdrawn"));
  c.consent->basis = ConsentBasis::None;  // expired without an answer: not a refusal
  EXPECT_FALSE(isRefused(c));
}

TEST(Gates, SilenceIsConsentOnlyWithPolicyProofAndPassedDeadline) {
  const Agreement agreement = ownRegion();
  RegionPolicy lenient = policy();
  lenient.silenceIsConsent = true;
  Case c = soundCase();
  c.consent->basis = ConsentBasis::Silence;
  c.consent->informedOn = day("2026-02-10");
  c.consent->responseDeadline = day("2026-03-01");
  EXPECT_THAT(codes(c, &agreement, lenient), IsEmpty());
  EXPECT_THAT(codes(c, &agreement, policy()), ElementsAre("silence-not-consent"));
}

TEST(Gates, ProtectedIdentityMayGoWithoutAddress) {
  const Agreement agreement = ownRegion();
  Case c = soundCase();
  c.referral->protectedIdentity = true;
  EXPECT_THAT(codes(c, &agreement), IsEmpty());
}

TEST(Gates, DocumentsAreAskedForWhereTheAgreementSaysSo) {
  Agreement agreement = ownRegion();
  agreement.documentsRequired = false;
  Case c = soundCase();
  c.referral->documents = 0;
  EXPECT_THAT(codes(c, &agreement), IsEmpty());
}

TEST(Gates, SeveralFaultsStandInTableOrder) {
  const Agreement agreement = ownRegion();
  Case c = soundCase();
  c.btf->until = day("2026-03-05");
  c.btf->patient = kOther;
  c.consent->receiver = "SE5565594230-P002";
  c.referral->documents = 0;
  EXPECT_THAT(codes(c, &agreement), ElementsAre("documents-missing", "consent-other-receiver", "btf-other-patient",
                                                "btf-too-short", "btf-expired"));
}

TEST(Validity, IsWhatConsentBtfAndAgreementShare) {
  Agreement agreement = ownRegion();
  Case c = soundCase();
  EXPECT_EQ(validity(c, agreement), (sweden::CivilPeriod{day("2026-03-03"), day("2026-12-31")}));
  agreement.valid = {day("2026-01-01"), day("2026-10-31")};
  c.consent->date = day("2026-03-05");
  c.btf->approvedOn = day("2026-03-06");
  EXPECT_EQ(validity(c, agreement), (sweden::CivilPeriod{day("2026-03-06"), day("2026-10-31")}));
}

TEST(Validity, InternalHasNoEndOfItsOwn) {
  Case c = soundCase();
  c.btf.reset();
  EXPECT_EQ(validity(c, internalTransfer()).until, day("9999-12-31"));
  EXPECT_EQ(validity(c, internalTransfer()).from, day("2026-03-02"));
}

TEST(LegalBasis, IsNamed) {
  Case c = soundCase();
  EXPECT_EQ(legalBasis(c, ownRegion()), "consent");
  c.consent->basis = ConsentBasis::Silence;
  EXPECT_EQ(legalBasis(c, ownRegion()), "implied-consent");
  c.consent.reset();
  EXPECT_EQ(legalBasis(c, internalTransfer()), "internal-policy");
}

}  // namespace
}  // namespace lotsen::transfer
