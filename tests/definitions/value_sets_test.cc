// Value sets from small code systems of our own: composition, filters, imports, versions, what stays open.
#include "gateway/definitions/definitions.h"
#include "gateway/fhir/outcome.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lotsen::definitions {
namespace {

namespace fs = std::filesystem;
using Membership = fhir::Schema::Membership;

constexpr const char* kAnimals =
    R"({"resourceType":"CodeSystem","url":"urn:animals","version":"1.2.0","status":"active",
  "content":"complete","property":[{"code":"legs","type":"integer"},{"code":"wild","type":"boolean"}],"concept":[
  {"code":"mammal","display":"Mammal","concept":[
    {"code":"dog","display":"Dog","property":[{"code":"legs","valueInteger":4}]},
    {"code":"whale","display":"Whale","property":[{"code":"legs","valueInteger":0},{"code":"wild","valueBoolean":true}],
     "concept":[{"code":"orca"}]}]},
  {"code":"bird","concept":[{"code":"hen","property":[{"code":"legs","valueInteger":2}]}]},
  {"code":"pet","concept":[{"code":"parrot","property":[{"code":"subsumedBy","valueCode":"bird"}]}]}]})";

class ValueSetsTest : public ::testing::Test {
 protected:
  ValueSetsTest() { add(kAnimals); }

  void add(const std::string& definition) {
    std::ofstream(folder_ / ("d" + std::to_string(++count_) + ".json")) << definition;
  }
  /// A value set urn:vs of these parts of a composition.
  void compose(const std::string& parts, const std::string& url = "urn:vs", const std::string& version = "") {
    add(R"({"resourceType":"ValueSet","url":")" + url + "\"" +
        (version.empty() ? "" : R"(,"version":")" + version + "\"") + R"(,"status":"active","compose":{)" + parts +
        "}}");
  }
  void filter(const std::string& property, const std::string& op, const std::string& value) {
    compose(R"("include":[{"system":"urn:animals","filter":[{"property":")" + property + R"(","op":")" + op +
            R"(","value":")" + value + R"("}]}])");
  }
  Membership in(const std::string& code, const std::string& system = "urn:animals", const std::string& url = "urn:vs") {
    if (schema_ == nullptr) {
      fhir::Issues issues;
      const auto loaded = load({folder_.string()}, issues);
      EXPECT_TRUE(loaded.ok()) << fhir::operationOutcome(issues);
      schema_ = loaded.ok() ? (*loaded)->schema : fhir::Schema::r4();
    }
    return schema_->inValueSet(url, system, code);
  }
  /// Those of the code system that are in urn:vs, in the order of the alphabet; "?" if one is not known.
  std::string members() {
    std::string text;
    for (const char* code : {"bird", "dog", "hen", "mammal", "orca", "parrot", "pet", "whale"}) {
      const Membership membership = in(code);
      if (membership == Membership::Unknown) return "?";
      if (membership == Membership::In) text += std::string(text.empty() ? "" : " ") + code;
    }
    return text;
  }

  const test::TempDir made_;
  const fs::path folder_ = made_.path();
  int count_ = 0;
  std::shared_ptr<const fhir::Schema> schema_;
};

struct FilterCase {
  const char *property, *op, *value, *members;
};

class Filters : public ValueSetsTest, public ::testing::WithParamInterface<FilterCase> {};

TEST_P(Filters, LetThrough) {
  filter(GetParam().property, GetParam().op, GetParam().value);
  EXPECT_EQ(members(), GetParam().members);
}

INSTANTIATE_TEST_SUITE_P(
    Operators, Filters,
    ::testing::Values(FilterCase{"concept", "is-a", "mammal", "dog mammal orca whale"},
                      FilterCase{"concept", "is-a", "bird", "bird hen parrot"},  // by subsumedBy too
                      FilterCase{"concept", "descendent-of", "mammal", "dog orca whale"},
                      FilterCase{"concept", "is-not-a", "mammal", "bird hen parrot pet"},
                      FilterCase{"concept", "generalizes", "orca", "mammal orca whale"},
                      FilterCase{"concept", "generalizes", "parrot", "bird parrot pet"},
                      FilterCase{"concept", "in", "dog, hen", "dog hen"},
                      FilterCase{"concept", "not-in", "dog,hen", "bird mammal orca parrot pet whale"},
                      FilterCase{"legs", "=", "4", "dog"}, FilterCase{"legs", "in", "2,0", "hen whale"},
                      FilterCase{"legs", "exists", "true", "dog hen whale"},
                      FilterCase{"legs", "exists", "false", "bird mammal orca parrot pet"},
                      FilterCase{"wild", "=", "true", "whale"}, FilterCase{"parent", "=", "whale", "orca"},
                      FilterCase{"child", "exists", "true", "bird mammal pet whale"},
                      FilterCase{"display", "in", "Whale,Dog", "dog whale"},
                      FilterCase{"code", "regex", "[a-d].*", "bird dog"},
                      FilterCase{"display", "regex", "[DW]..?.*g|W[a-z]+", "dog whale"},
                      FilterCase{"legs", "regex", "[0-3]", "hen whale"},
                      FilterCase{"code", "regex", "o", ""},            // the whole code, not a part of it
                      FilterCase{"code", "regex", "(a", "?"},          // no regular expression
                      FilterCase{"code", "regex", "(a)\\\\1", "?"},    // RE2 has no back-references
                      FilterCase{"colour", "=", "red", "?"},           // no such property
                      FilterCase{"concept", "child-of", "bird", "?"},  // R5's
                      FilterCase{"legs", "exists", "perhaps", "?"}));

TEST_F(ValueSetsTest, IncludesAndExcludes) {
  compose(R"("include":[{"system":"urn:animals"}],"exclude":[{"system":"urn:animals","concept":[{"code":"dog"}]},
    {"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"bird"}]}])");
  EXPECT_EQ(members(), "mammal orca pet whale");
  EXPECT_EQ(in("cat"), Membership::NotIn);
  EXPECT_EQ(in("whale", "urn:other"), Membership::NotIn);
  EXPECT_EQ(in("whale", ""), Membership::In);
}

TEST_F(ValueSetsTest, ImportsMeetTheSystemAndEachOther) {
  compose(R"("include":[{"system":"urn:animals","concept":[{"code":"dog"},{"code":"hen"}]}])", "urn:farm");
  compose(R"("include":[{"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"mammal"}]}])",
          "urn:mammals");
  compose(R"("include":[{"system":"urn:animals","valueSet":["urn:farm","urn:mammals"]}])");
  EXPECT_EQ(members(), "dog");
}

TEST_F(ValueSetsTest, ImportsOfR4AreKnown) {
  compose(R"("include":[{"valueSet":["http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1"]}])");
  EXPECT_EQ(in("female", "http://hl7.org/fhir/administrative-gender"), Membership::In);
  EXPECT_EQ(in("kvinna", "http://hl7.org/fhir/administrative-gender"), Membership::NotIn);
}

TEST_F(ValueSetsTest, WhatIsNotAtHandStaysOpenBySystem) {
  compose(R"("include":[{"system":"urn:animals","concept":[{"code":"dog"}]},
    {"system":"http://snomed.info/sct","filter":[{"property":"concept","op":"is-a","value":"387976008"}]}])");
  EXPECT_EQ(in("dog"), Membership::In);
  EXPECT_EQ(in("hen"), Membership::NotIn);
  EXPECT_EQ(in("132950006", "http://snomed.info/sct"), Membership::Unknown);
  EXPECT_EQ(in("132950006", "http://loinc.org"), Membership::NotIn);
  EXPECT_EQ(in("132950006", ""), Membership::Unknown);
  EXPECT_EQ(in("dog", ""), Membership::In);
}

TEST_F(ValueSetsTest, AnUnknownExclusionLeavesItsSystemOpen) {
  compose(R"("include":[{"system":"urn:animals"},{"system":"urn:listed","concept":[{"code":"a"}]}],
    "exclude":[{"system":"urn:animals","valueSet":["urn:nowhere"]}])");
  EXPECT_EQ(in("dog"), Membership::Unknown);
  EXPECT_EQ(in("a", "urn:listed"), Membership::In);
}

TEST_F(ValueSetsTest, FragmentsAndCirclesStayOpen) {
  add(R"({"resourceType":"CodeSystem","url":"urn:part","status":"active","content":"fragment","concept":[{"code":"a"}]})");
  compose(R"("include":[{"system":"urn:part"}])");
  compose(R"("include":[{"valueSet":["urn:two"]}])", "urn:one");
  compose(R"("include":[{"valueSet":["urn:one"]}])", "urn:two");
  EXPECT_EQ(in("a", "urn:part"), Membership::Unknown);
  EXPECT_EQ(in("a", "urn:part", "urn:one"), Membership::Unknown);
}

TEST_F(ValueSetsTest, VersionsAreTheirOwn) {
  compose(R"("include":[{"system":"urn:animals","concept":[{"code":"dog"}]}])", "urn:vs", "1.9.0");
  compose(R"("include":[{"system":"urn:animals","concept":[{"code":"hen"}]}])", "urn:vs", "1.10.0");
  compose(R"("include":[{"valueSet":["urn:vs|1.9.x"]}])", "urn:old");
  EXPECT_EQ(in("hen"), Membership::In);
  EXPECT_EQ(in("dog"), Membership::NotIn);
  EXPECT_EQ(in("dog", "urn:animals", "urn:vs|1.9.0"), Membership::In);
  EXPECT_EQ(in("dog", "urn:animals", "urn:vs|3.0.0"), Membership::Unknown);
  EXPECT_EQ(in("dog", "urn:animals", "urn:old"), Membership::In);
}

TEST_F(ValueSetsTest, TheVersionOfACodeSystemMustBeThere) {
  compose(R"("include":[{"system":"urn:animals","version":"1.2"}])");
  compose(R"("include":[{"system":"urn:animals","version":"9"}])", "urn:later");
  EXPECT_EQ(in("dog"), Membership::In);
  EXPECT_EQ(in("dog", "urn:animals", "urn:later"), Membership::Unknown);
}

TEST_F(ValueSetsTest, AnExpansionCountsIfItIsWholeAndNothingElseIsThere) {
  const std::string head = R"({"resourceType":"ValueSet","status":"active","url":")";
  add(head +
      R"(urn:vs","expansion":{"timestamp":"2026-01-01","total":3,"contains":[{"system":"urn:animals","abstract":true,
    "code":"mammal","contains":[{"system":"urn:animals","code":"dog"},{"system":"urn:animals","code":"orca"}]}]}})");
  add(head +
      R"(urn:cut","expansion":{"timestamp":"2026-01-01","total":900,"contains":[{"system":"urn:animals","code":"dog"}]}})");
  EXPECT_EQ(members(), "dog orca");
  EXPECT_EQ(in("dog", "urn:animals", "urn:cut"), Membership::Unknown);
}

}  // namespace
}  // namespace lotsen::definitions
