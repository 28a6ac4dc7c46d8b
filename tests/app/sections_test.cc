#include "gateway/app/sections.h"

#include <gtest/gtest.h>

namespace lotsen::app {
namespace {

std::string told(const Faults& faults) {
  std::string all;
  for (const auto& fault : faults.list) all += fault.file + ":" + std::to_string(fault.line) + ": " + fault.text + "\n";
  return all;
}

TEST(Sections, ReadsKeysListsAndComments) {
  Faults faults;
  auto sections = parseSections(
      "x.conf", "# head\n[partner klinik]\n  name = Kliniken = bäst \nsender = A\nsender = B\n\n[listen]\nport = 0\n",
      faults);
  ASSERT_EQ(sections.size(), 2U) << told(faults);
  EXPECT_EQ(sections[0].kind, "partner");
  EXPECT_EQ(sections[0].name, "klinik");
  EXPECT_EQ(sections[0].required("name", faults), "Kliniken = bäst");
  EXPECT_EQ(sections[0].all("sender"), (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(sections[1].number("port", 8080, 0, 65535, faults), 0);
  sections[0].refuseUnread(faults);
  EXPECT_FALSE(faults.any()) << told(faults);
}

TEST(Sections, TellsEveryFaultWithItsLine) {
  Faults faults;
  auto sections = parseSections(
      "x.conf", "early = 1\n[listen\nport = 1\n[listen]\nprt = 1\nport = 70000\nport = 2\nnonsense\n= 3\n[listen]\n",
      faults);
  ASSERT_FALSE(sections.empty());
  sections[0].number("port", 8080, 0, 65535, faults);
  sections[0].refuseUnread(faults);
  const std::string all = told(faults);
  EXPECT_NE(all.find("x.conf:1: a key before the first [section]"), std::string::npos) << all;
  EXPECT_NE(all.find("x.conf:2: a section must end with ]"), std::string::npos) << all;
  EXPECT_NE(all.find("x.conf:5: unknown key prt in [listen]; did you mean port?"), std::string::npos) << all;
  EXPECT_NE(all.find("x.conf:6: port must be a whole number from 0 to 65535"), std::string::npos) << all;
  EXPECT_NE(all.find("x.conf:7: key port stands twice"), std::string::npos) << all;
  EXPECT_NE(all.find("x.conf:8: expected key = value"), std::string::npos) << all;
  EXPECT_NE(all.find("x.conf:9: expected key = value"), std::string::npos) << all;
  EXPECT_NE(all.find("x.conf:10: section [listen] stands a second time"), std::string::npos) << all;
}

TEST(Sections, ReadsDurationsFlagsAndChoices) {
  Faults faults;
  auto sections =
      parseSections("x.conf", "[a]\none = 250ms\ntwo = 15min\nthree = 3 s\nfour = yes\nfive = maybe\n", faults);
  auto& section = sections[0];
  EXPECT_EQ(section.duration("one", milliseconds(1), faults), milliseconds(250));
  EXPECT_EQ(section.duration("two", milliseconds(1), faults), milliseconds(900'000));
  EXPECT_EQ(section.duration("absent", milliseconds(7), faults), milliseconds(7));
  EXPECT_TRUE(section.flag("four", false, faults));
  EXPECT_FALSE(faults.any()) << told(faults);
  EXPECT_EQ(section.duration("three", milliseconds(1), faults), milliseconds(1));
  EXPECT_TRUE(section.flag("five", true, faults));
  EXPECT_EQ(faults.list.size(), 2U) << told(faults);
}

TEST(Sections, AKeyMayNameWhatItIsAbout) {
  Faults faults;
  auto sections = parseSections("f",
                                "[partner p]\nvalidate_in = warn\nvalidate_in  pas/referral = off\n"
                                "validate_in pas/referral = refuse\nvalidate_in pas/btf = maybe\nvalidate_inner = x\n",
                                faults);
  const auto found = sections[0].choices("validate_in", {"refuse", "warn", "off"}, faults);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].key + "=" + found[0].value, "=warn");
  EXPECT_EQ(found[1].key + "=" + found[1].value, "pas/referral=off");
  sections[0].refuseUnread(faults);
  std::string told;
  for (const auto& fault : faults.list) told += std::to_string(fault.line) + ": " + fault.text + "\n";
  EXPECT_EQ(told,
            "4: validate_in pas/referral stands twice; the first is in line 3\n"
            "5: validate_in must be one of: refuse, warn, off\n"
            "6: unknown key validate_inner in [partner]; did you mean validate_in?\n");
}

}  // namespace
}  // namespace lotsen::app
