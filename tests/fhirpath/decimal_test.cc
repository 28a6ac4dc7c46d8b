#include "gateway/fhirpath/decimal.h"

#include <gtest/gtest.h>

namespace lotsen::fhirpath {
namespace {

Decimal dec(std::string_view text) {
  const auto value = Decimal::parse(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Decimal());
}
std::string text(const std::optional<Decimal>& value) {
  return value ? value->toString() : "none";
}

TEST(Decimal, TextStaysAsItWas) {
  for (const char* each :
       {"0", "-0.10", "1.50", "1234567890987654321.0", "0.00000001", "9999999999999999999999999999999999999"}) {
    EXPECT_EQ(dec(each).toString(), each);
  }
  EXPECT_EQ(dec("1.5e3").toString(), "1500");
  EXPECT_EQ(dec("1.5E-3").toString(), "0.0015");
  EXPECT_EQ(dec("+7").toString(), "7");
  for (const char* wrong :
       {"", "-", ".", "1.", ".5", "1e", "1e9999", "1x", "--1", "99999999999999999999999999999999999999", "1e400"}) {
    EXPECT_FALSE(Decimal::parse(wrong).has_value()) << wrong;
  }
}

TEST(Decimal, ArithmeticIsExact) {
  EXPECT_EQ(text(Decimal::add(dec("0.1"), dec("0.2"))), "0.3");
  EXPECT_EQ(text(Decimal::subtract(dec("1.8"), dec("1.2"))), "0.6");
  EXPECT_EQ(text(Decimal::multiply(dec("1.2"), dec("1.80"))), "2.160");
  EXPECT_EQ(text(Decimal::divide(dec("1"), dec("8"))), "0.125");
  EXPECT_EQ(text(Decimal::divide(dec("1.2"), dec("1.8"))), "0.6666666666666666666666666667");
  EXPECT_EQ(text(Decimal::divide(dec("100"), dec("0.001"))), "100000");
  EXPECT_EQ(text(Decimal::divide(dec("1"), dec("0"))), "none");
  EXPECT_EQ(text(Decimal::remainder(dec("2.2"), dec("1.8"))), "0.4");
  EXPECT_EQ(text(Decimal::remainder(dec("-5"), dec("3"))), "-2");
  EXPECT_EQ(text(Decimal::divideWhole(dec("-7"), dec("2"))), "-3");
  const Decimal most = dec("9999999999999999999999999999999999999");
  EXPECT_EQ(text(Decimal::add(most, dec("1"))), "none");
  EXPECT_EQ(text(Decimal::multiply(most, most)), "none");
  EXPECT_EQ(text(Decimal::multiply(dec("1234567890.1234567890123456789"), dec("9876543210.9876543210987654321"))),
            "12193263113702179522.61850327336229233");
}

TEST(Decimal, OrderIsByValue) {
  EXPECT_EQ(Decimal::compare(dec("1.10"), dec("1.1")), 0);
  EXPECT_LT(Decimal::compare(dec("-2"), dec("1.5")), 0);
  EXPECT_GT(Decimal::compare(dec("0.000000000000000000001"), dec("0")), 0);
  // The scales cannot be brought together exactly: the digits that get lost decide.
  EXPECT_LT(Decimal::compare(dec("1000000000000000000000000000000"), dec("1000000000000000000000000000000.00001")), 0);
  EXPECT_GT(Decimal::compare(dec("3000000000000000000000000000000000000"), dec("0.00001")), 0);
  EXPECT_LT(Decimal::compare(dec("-3000000000000000000000000000000000000"), dec("0.00001")), 0);
}

TEST(Decimal, RoundingGoesTheNamedWay) {
  EXPECT_EQ(dec("2.345").rounded(2).toString(), "2.35");
  EXPECT_EQ(dec("-2.5").rounded(0).toString(), "-3");
  EXPECT_EQ(dec("2.9").rounded(0, Decimal::Rounding::TowardZero).toString(), "2");
  EXPECT_EQ(dec("-2.1").rounded(0, Decimal::Rounding::Floor).toString(), "-3");
  EXPECT_EQ(dec("2.1").rounded(0, Decimal::Rounding::Ceiling).toString(), "3");
  EXPECT_EQ(text(dec("1.5").withScale(4)), "1.5000");
}

TEST(Decimal, PowersAndRoots) {
  EXPECT_EQ(text(Decimal::power(dec("2.5"), dec("2"))), "6.25");
  EXPECT_EQ(text(Decimal::power(dec("2"), dec("-2"))), "0.25");
  EXPECT_EQ(text(Decimal::power(dec("-1"), dec("0.5"))), "none");
  EXPECT_EQ(text(Decimal::power(dec("10"), dec("40"))), "none");
  EXPECT_EQ(text(Decimal::squareRoot(dec("81"))), "9");
  EXPECT_EQ(text(Decimal::squareRoot(dec("0.0004"))), "0.02");
  EXPECT_EQ(text(Decimal::squareRoot(dec("-1"))), "none");
  EXPECT_EQ(Decimal::squareRoot(dec("2"))->rounded(10).toString(), "1.4142135624");
  EXPECT_EQ(text(Decimal::squareRoot(dec("9999999999999999999999999999999999999"))->rounded(0)), "3162277660168379332");
}

}  // namespace
}  // namespace lotsen::fhirpath
