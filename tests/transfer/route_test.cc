#include "gateway/transfer/route.h"

#include "tests/transfer/cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lotsen::transfer {
namespace {

using testing::ElementsAre;

const LegPlan kPatientLetter{Role::PatientLetter, "letters", BtfForm::None, false, false, {Role::Provider}};
const LegPlan kClinicianLetter{Role::ClinicianLetter, "letters", BtfForm::None, false, false, {Role::Provider}};
const LegPlan kPas{Role::Pas, "sahlgrenska-pas", BtfForm::None, false, false, {Role::Provider}};
const LegPlan kReceipt{Role::Receipt, "sahlgrenska-pas", BtfForm::None, false, false, {Role::Provider}};

TEST(Route, OwnRegionSendsEverythingToTheProvider) {
  EXPECT_THAT(route(soundCase(), ownRegion(), policy()),
              ElementsAre(LegPlan{Role::Provider, "capio", BtfForm::Original, true, true, {}}, kPatientLetter,
                          kClinicianLetter, kPas, kReceipt));
}

TEST(Route, OtherRegionSendsTheOriginalToItsMediator) {
  LegPlan receipt = kReceipt;
  receipt.after = {Role::Provider, Role::Mediator};
  EXPECT_THAT(route(soundCase(), otherRegion(), policy()),
              ElementsAre(LegPlan{Role::Mediator, "halland-formedling", BtfForm::Original, false, false, {}},
                          LegPlan{Role::Provider, "capio", BtfForm::Copy, true, true, {}}, kPatientLetter,
                          kClinicianLetter, kPas, receipt));
}

TEST(Route, AgreementDecidesWhatTheMediatorAndTheProviderGet) {
  Agreement agreement = otherRegion();
  agreement.mediatorGetsDocuments = true;
  agreement.copyToProvider = false;
  const auto legs = route(soundCase(), agreement, policy());
  EXPECT_EQ(legs[0], (LegPlan{Role::Mediator, "halland-formedling", BtfForm::Original, true, true, {}}));
  EXPECT_EQ(legs[1], (LegPlan{Role::Provider, "capio", BtfForm::None, true, true, {}}));
}

TEST(Route, InternalHasNoBtf) {
  const auto legs = route(soundCase(), internalTransfer(), policy());
  EXPECT_THAT(legs, ElementsAre(LegPlan{Role::Provider, "capio", BtfForm::None, true, true, {}}, kPatientLetter,
                                kClinicianLetter, kPas, kReceipt));
}

TEST(Route, ExactlyOneOriginalUnderEveryExternalAgreement) {
  for (const Agreement& agreement : {ownRegion(), otherRegion()}) {
    int originals = 0;
    for (const LegPlan& leg : route(soundCase(), agreement, policy()))
      originals += leg.btf == BtfForm::Original ? 1 : 0;
    EXPECT_EQ(originals, 1);
  }
}

TEST(Route, NoDocumentsWhereThereAreNone) {
  Case c = soundCase();
  c.referral->documents = 0;
  EXPECT_FALSE(route(c, ownRegion(), policy())[0].documents);
}

TEST(Recalls, GoToEachReceiverOnce) {
  EXPECT_THAT(recalls({{Role::Mediator, "halland-formedling"},
                       {Role::Provider, "capio"},
                       {Role::Provider, "capio"},
                       {Role::PatientLetter, "letters"},
                       {Role::Pas, "sahlgrenska-pas"}}),
              ElementsAre(LegPlan{Role::Recall, "halland-formedling"}, LegPlan{Role::Recall, "capio"}));
  EXPECT_TRUE(recalls({}).empty());
}

TEST(Names, AreTheOnesOfTheStore) {
  EXPECT_EQ(name(Role::PatientLetter), "patient-letter");
  EXPECT_EQ(name(Role::Mediator), "mediator");
  EXPECT_EQ(name(BtfForm::Copy), "copy");
}

}  // namespace
}  // namespace lotsen::transfer
