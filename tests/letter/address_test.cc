#include "gateway/letter/address.h"

#include <gtest/gtest.h>

namespace lotsen::letter {
namespace {

std::vector<std::string> address(const std::string& second, const std::string& last) {
  fhir::Issues issues;
  return postalAddress({"Anna Berg", second, last}, "prov.sv.md", issues);
}

std::string fault(const std::vector<std::string>& lines) {
  fhir::Issues issues;
  EXPECT_TRUE(postalAddress(lines, "prov.sv.md", issues).empty());
  if (issues.list().size() != 1) return "";
  for (const auto& line : lines) {
    EXPECT_TRUE(line.size() < 4 || issues.list()[0].text.find(line) == std::string::npos) << "the address is told";
  }
  return issues.list()[0].rule;
}

TEST(PostalAddress, IsPrintedAsSwedishPostWants) {
  EXPECT_EQ(address("Storgatan 1", "41101 Göteborg").back(), "411 01  GÖTEBORG");
  EXPECT_EQ(address("Storgatan 1", "411 01 Göteborg").back(), "411 01  GÖTEBORG");
  EXPECT_EQ(address("Storgatan 1", "SE-411 01  västra frölunda").back(), "411 01  VÄSTRA FRÖLUNDA");
  EXPECT_EQ(address("Box 12", "41101 Göteborg")[1], "Box 12");
  EXPECT_EQ(address("c/o Öberg", "41101 Göteborg")[1], "c/o Öberg");
}

TEST(PostalAddress, WhatCannotBePostedIsRefused) {
  EXPECT_EQ(fault({"Anna Berg", "411 01 Göteborg"}), "letter-address");
  EXPECT_EQ(fault({"Anna", "a", "b", "c", "d", "e", "f", "411 01 Göteborg"}), "letter-address");
  EXPECT_EQ(fault({"Anna Berg", " ", "411 01 Göteborg"}), "letter-address");
  EXPECT_EQ(fault({"Anna Berg", "/Storgatan", "411 01 Göteborg"}), "letter-address");
  EXPECT_EQ(fault({"Anna Berg", "Adress okänd", "411 01 Göteborg"}), "letter-address");
  EXPECT_EQ(fault({"Anna Berg", "Skyddade personuppgifter", "411 01 Göteborg"}), "letter-address");
  for (const char* last : {"Göteborg", "4110 Göteborg", "411 01", "41101", "011 01 Göteborg", "411 01Göteborg",
                           "411 01 Göteborg 2", "NO-0150 Oslo", "4110 1 Göteborg", ""}) {
    EXPECT_EQ(fault({"Anna Berg", "Storgatan 1", last}), "letter-address") << last;
  }
}

}  // namespace
}  // namespace lotsen::letter
