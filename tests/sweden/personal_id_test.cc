#include "gateway/sweden/personal_id.h"

#include <gtest/gtest.h>

namespace lotsen::sweden {
namespace {

constexpr CivilDate kToday{std::chrono::year(2026), std::chrono::month(3), std::chrono::day(2)};

struct Vector {
  PersonalIdKind kind;
  const char* value;
};

// Public test numbers only.
constexpr Vector kValid[] = {
    {PersonalIdKind::Personnummer, "195009072553"},      {PersonalIdKind::Personnummer, "196101182803"},
    {PersonalIdKind::Personnummer, "189002029800"},      {PersonalIdKind::Personnummer, "200302022389"},
    {PersonalIdKind::Personnummer, "199002222397"},      {PersonalIdKind::Personnummer, "200001252386"},
    {PersonalIdKind::Personnummer, "189602029812"},      {PersonalIdKind::Personnummer, "191212121212"},
    {PersonalIdKind::Personnummer, "191905107122"},      {PersonalIdKind::Personnummer, "189911253830"},
    {PersonalIdKind::Samordningsnummer, "197010632391"}, {PersonalIdKind::Samordningsnummer, "196206703974"},
    {PersonalIdKind::Samordningsnummer, "196109732393"}, {PersonalIdKind::NationalReserve, "22950606FH20"},
    {PersonalIdKind::NationalReserve, "25780404KHD5"},   {PersonalIdKind::NationalReserve, "00342145BZ31"},
    {PersonalIdKind::NationalReserve, "00749852BZK0"},   {PersonalIdKind::NationalReserve, "98240301AA06"},
    {PersonalIdKind::VgrReserve, "19810829M071"},        {PersonalIdKind::VgrReserve, "19450829K088"},
    {PersonalIdKind::VgrReserve, "19930829X802"},        {PersonalIdKind::VgrReserve, "20210325K069"},
    {PersonalIdKind::StockholmReserve, "991981000010"},  {PersonalIdKind::StockholmReserve, "991945000023"},
    {PersonalIdKind::StockholmReserve, "991993000032"},
};

TEST(PersonalId, ClassifiesAndAcceptsTheValidVectors) {
  for (const Vector& vector : kValid) {
    const auto id = checkPersonalId(vector.value);
    ASSERT_TRUE(id.ok()) << vector.value << ": " << id.error().message;
    EXPECT_EQ(id->kind, vector.kind) << vector.value;
    EXPECT_EQ(id->value.reveal(), vector.value);
    EXPECT_EQ(readPersonalId(vector.value, kToday).value(), *id);
  }
}

TEST(PersonalId, NoOtherLastCharacterPasses) {
  for (const Vector& vector : kValid) {
    for (char c = '0'; c <= '9'; ++c) {
      std::string value = vector.value;
      if (value.back() == c) continue;
      value.back() = c;
      EXPECT_FALSE(checkPersonalId(value).ok()) << value;
    }
  }
}

TEST(PersonalId, RefusesTheInvalidVectorsWithoutRepeatingThem) {
  for (const std::string value :
       {"195009072554", "195013072550", "22950606FH21", "19810829M070", "195006310000", "24950606FH20", "22950606IH20",
        "19810829M081", "170101010000", "", "1950", "19500907255x", "19500907-2553 "}) {
    const auto id = checkPersonalId(value);
    ASSERT_FALSE(id.ok()) << value;
    EXPECT_EQ(id.error().code, Code::Invalid);
    EXPECT_TRUE(value.empty() || id.error().message.find(value) == std::string::npos) << id.error().message;
  }
}

TEST(PersonalId, SaysWhatIsWrong) {
  EXPECT_EQ(checkPersonalId("195009072554").error().message, "personnummer: wrong check digit");
  EXPECT_EQ(checkPersonalId("195013072550").error().message, "personnummer: there is no such date of birth");
  EXPECT_EQ(checkPersonalId("19810829M070").error().message, "reservnummer in Västra Götaland: wrong check digit");
}

TEST(PersonalId, NormalisesInputForms) {
  for (const char* input : {"19500907-2553", "500907-2553", "5009072553"}) {
    EXPECT_EQ(readPersonalId(input, kToday).value().value.reveal(), "195009072553") << input;
  }
  for (const char* input : {"19190510+7122", "190510+7122"}) {
    EXPECT_EQ(readPersonalId(input, kToday).value().value.reveal(), "191905107122") << input;
  }
  EXPECT_EQ(readPersonalId("030202-2389", kToday).value().value.reveal(), "200302022389");
  EXPECT_EQ(readPersonalId("701063-2391", kToday).value().value.reveal(), "197010632391");
  EXPECT_EQ(readPersonalId("701063-2391", kToday).value().kind, PersonalIdKind::Samordningsnummer);
}

TEST(PersonalId, PlusBeginsInTheYearOfTheHundredthBirthday) {
  const CivilDate newYear{std::chrono::year(2012), std::chrono::month(1), std::chrono::day(1)};
  EXPECT_EQ(readPersonalId("121212+1212", newYear).value().value.reveal(), "191212121212");
  // Without the sign the birth date may not lie in the future.
  EXPECT_EQ(readPersonalId("121212-1212", newYear).value().value.reveal(), "191212121212");
  const CivilDate later{std::chrono::year(2012), std::chrono::month(12), std::chrono::day(12)};
  EXPECT_EQ(readPersonalId("121212-1212", later).value().value.reveal(), "201212121212");
}

TEST(PersonalId, KnowsSystemsOldNewAndMisspelt) {
  PersonalIdKind kind{};
  EXPECT_TRUE(isPersonalIdSystem("http://electronichealth.se/identifier/personnummer", &kind));
  EXPECT_EQ(kind, PersonalIdKind::Personnummer);
  EXPECT_TRUE(isPersonalIdSystem("urn:oid:1.2.752.129.2.1.3.3", &kind));
  EXPECT_EQ(kind, PersonalIdKind::Samordningsnummer);
  EXPECT_TRUE(isPersonalIdSystem("http://electronichealth.se/identifier/nationelltReservnumer", &kind));
  EXPECT_EQ(kind, PersonalIdKind::NationalReserve);
  EXPECT_FALSE(isPersonalIdSystem("http://electronichealth.se/identifier/LMA-nummer"));
  EXPECT_FALSE(isPersonalIdSystem(""));
  EXPECT_EQ(identifierSystem(PersonalIdKind::NationalReserve),
            "http://electronichealth.se/identifier/nationelltReservnummer");
  EXPECT_EQ(identifierSystem(PersonalIdKind::VgrReserve), "urn:oid:1.2.752.113.11.0.2.1.1.1");
}

}  // namespace
}  // namespace lotsen::sweden
