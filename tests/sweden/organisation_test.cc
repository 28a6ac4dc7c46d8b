#include "gateway/sweden/organisation.h"

#include "gateway/sweden/address.h"

#include <gtest/gtest.h>

namespace lotsen::sweden {
namespace {

TEST(OrganisationNumber, AcceptsAndNormalises) {
  for (const char* value : {"2321000131", "2321000115", "5565594230", "2120000803"}) {
    EXPECT_EQ(readOrganisationNumber(value).value(), value);
  }
  EXPECT_EQ(readOrganisationNumber("232100-0131").value(), "2321000131");
}

TEST(OrganisationNumber, Refuses) {
  EXPECT_EQ(readOrganisationNumber("2321000132").error().message, "organisationsnummer: wrong check digit");
  for (const char* value : {"", "232100013", "23210001311", "1912121212", "232100+0131", "232100013x"}) {
    EXPECT_FALSE(readOrganisationNumber(value).ok()) << value;
  }
}

TEST(HsaId, AcceptsSyntaxAndWarnsOfTheNumber) {
  const auto id = readHsaId("SE2321000131-E000000000001").value();
  EXPECT_EQ(id.organisationNumber, "2321000131");
  EXPECT_TRUE(id.numberIsSound);
  EXPECT_FALSE(readHsaId("SE2321000132-E1").value().numberIsSound);
  EXPECT_TRUE(readHsaId("TSTNMT2321000156-A1").ok());
  EXPECT_TRUE(readHsaId("SE2321000131-" + std::string(18, 'A')).ok());
}

TEST(HsaId, Refuses) {
  for (const std::string value : {"SE2321000131", "SE2321000131-", "SE232100013-E1", "NO2321000131-E1",
                                  "SE2321000131-E1 ", "SE2321000131-å1", "SE2321000131_E1", ""}) {
    EXPECT_FALSE(readHsaId(value).ok()) << value;
  }
  EXPECT_FALSE(readHsaId("SE2321000131-" + std::string(19, 'A')).ok());
}

TEST(HsaId, ComparesWithoutCase) {
  EXPECT_TRUE(sameHsaId("SE2321000131-E0a", "SE2321000131-e0A"));
  EXPECT_FALSE(sameHsaId("SE2321000131-E01", "SE2321000131-E02"));
  EXPECT_TRUE(isHsaIdSystem("urn:oid:1.2.752.29.4.19"));
  EXPECT_TRUE(isHsaIdSystem("urn:oid:1.2.752.129.2.1.4.1"));
  EXPECT_FALSE(isHsaIdSystem("urn:oid:2.5.4.97"));
}

TEST(PostalCode, PrintsFiveDigitsInTwoGroups) {
  for (const char* value : {"41345", "413 45", "SE-413 45", "S-41345"})
    EXPECT_EQ(readPostalCode(value).value(), "413 45");
  for (const char* value : {"", "4134", "413  45", "01345", "4134a", "413-45"})
    EXPECT_FALSE(readPostalCode(value).ok()) << value;
}

}  // namespace
}  // namespace lotsen::sweden
