#include "gateway/fhirpath/units.h"

#include <gtest/gtest.h>

namespace lotsen::fhirpath {
namespace {

Quantity quantity(std::string_view value, std::string_view unit) {
  return {*Decimal::parse(value), unit};
}

std::string compared(const Quantity& a, const Quantity& b) {
  const auto order = compareQuantities(a, b);
  return !order ? "?" : *order < 0 ? "<" : *order > 0 ? ">" : "=";
}

TEST(Units, ConversionIsExact) {
  EXPECT_EQ(compared(quantity("4.0000", "g"), quantity("4000.0", "mg")), "=");
  EXPECT_EQ(compared(quantity("1", "[in_i]"), quantity("2.54", "cm")), "=");
  EXPECT_EQ(compared(quantity("185", "[lb_av]"), quantity("83.91458845", "kg")), "=");
  EXPECT_EQ(compared(quantity("1", "N"), quantity("1", "kg.m/s2")), "=");
  EXPECT_EQ(compared(quantity("5", "mmol/L"), quantity("5", "mol/m3")), "=");
  EXPECT_EQ(compared(quantity("60", "{beats}/min"), quantity("1", "Hz")), "=");
  EXPECT_EQ(compared(quantity("120", "mm[Hg]"), quantity("16", "kPa")), "<");
  EXPECT_EQ(compared(quantity("4.5", "10*9/L"), quantity("4500", "10*6/L")), "=");
  EXPECT_EQ(compared(quantity("5", "%"), quantity("0.05", "1")), "=");
  EXPECT_EQ(compared(quantity("37", "Cel"), quantity("310.15", "K")), "=");
  EXPECT_EQ(compared(quantity("98.6", "[degF]"), quantity("37", "Cel")), "=");
  EXPECT_EQ(compared(quantity("1", "ug/(kg.h)"), quantity("1", "ug/kg/h")), "=");
}

TEST(Units, CalendarAndUcumMeetBelowTheMonth) {
  EXPECT_EQ(compared(quantity("7", "days"), quantity("1", "wk")), "=");
  EXPECT_EQ(compared(quantity("1", "year"), quantity("12", "months")), "=");
  EXPECT_EQ(compared(quantity("1", "year"), quantity("1", "a")), "?");
  EXPECT_EQ(compared(quantity("1", "month"), quantity("30", "days")), "=");
  EXPECT_EQ(compared(quantity("1", "year"), quantity("365", "days")), "=");
  EXPECT_EQ(compared(quantity("1", "year"), quantity("365", "d")), "?");
  EXPECT_EQ(compared(quantity("1", "week"), quantity("1", "a")), "?");
  EXPECT_TRUE(equivalentQuantities(quantity("1", "year"), quantity("1", "a")));
  EXPECT_TRUE(equivalentQuantities(quantity("4", "g"), quantity("4040", "mg")));
  EXPECT_FALSE(equivalentQuantities(quantity("4", "g"), quantity("4", "cm")));
}

TEST(Units, OtherDimensionsAndUnknownUnitsDoNotCompare) {
  EXPECT_EQ(compared(quantity("1", "cm"), quantity("1", "s")), "?");
  EXPECT_EQ(compared(quantity("1", "[s]"), quantity("1", "cm")), "?");
  EXPECT_EQ(compared(quantity("2", "tablets"), quantity("3", "tablets")), "<");
  for (const char* wrong : {"kkg", "m//s", "m(", "(m", "m/", "{open", "m2x", "", "m999"}) {
    if (std::string_view(wrong).empty()) continue;
    EXPECT_FALSE(parseUnit(wrong).has_value()) << wrong;
  }
  EXPECT_FALSE(parseUnit(std::string(1000, '(') + "m").has_value());
}

TEST(Units, ProductsAndQuotientsNameTheirUnit) {
  EXPECT_EQ(multiplyUnits("cm", "m", false), "cm.m");
  EXPECT_EQ(multiplyUnits("m", "m", false), "m2");
  EXPECT_EQ(multiplyUnits("g", "m", true), "g/m");
  EXPECT_EQ(multiplyUnits("m", "m", true), "1");
  EXPECT_EQ(multiplyUnits("g", "m.s", true), "g/m/s");
  EXPECT_EQ(multiplyUnits("g", "1", true), "g");
  EXPECT_EQ(multiplyUnits("cm2", "cm", true), "cm");
  EXPECT_EQ(multiplyUnits("cm", "cm2", false), "cm3");
  EXPECT_EQ(multiplyUnits("mg/kg", "kg", false), "mg");
  EXPECT_EQ(multiplyUnits("m/s2", "m/s", true), "/s");
  EXPECT_EQ(multiplyUnits("kg.m", "ug/(kg.h)", true), "kg.m/(ug/(kg.h))");
  EXPECT_EQ(multiplyUnits("mm[Hg]", "days", false), "mm[Hg].d");
  EXPECT_EQ(multiplyUnits("1", "week", true), "/wk");
  EXPECT_EQ(multiplyUnits("mg", "years", true), std::nullopt);
  EXPECT_EQ(multiplyUnits(std::string(200, 'm'), "g", true), std::nullopt);
}

}  // namespace
}  // namespace lotsen::fhirpath
