// What an error tells its reader: what is wanted, by what it is known, and one sentence a fault.
#include "tests/validation/known.h"

namespace lotsen::validation {
namespace {

std::string patient(std::string_view content) {
  return R"({"resourceType":"Patient",)" + std::string(content) + "}";
}

std::string observation(std::string_view content) {
  return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)" + std::string(content) + "}";
}

Known sliced(std::string_view rules, std::string_view condition) {
  return Known({profile(
      kUrl, "Patient",
      R"({"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":")" +
          std::string(rules) +
          R"("}},{"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","min":1,"max":"1"},
         {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,)" +
          std::string(condition) + "}")});
}

TEST(Sentences, ASliceIsNamedByWhatMakesIt) {
  const Known known = sliced("closed", R"("fixedUri":"urn:a")");
  EXPECT_EQ(known.sentences(patient(R"("active":true)")),
            "\"identifier\" of the kind \"a\" (system \"urn:a\") is missing\n");
  EXPECT_EQ(known.sentences(patient(R"("identifier":[{"system":"urn:a"},{"system":"urn:a"}])")),
            "\"identifier\" of the kind \"a\" (system \"urn:a\") may be there only once\n");
  EXPECT_EQ(known.sentences(patient(R"("identifier":[{"system":"urn:a"},{"system":"urn:b"}])")),
            "is of none of the kinds that may stand here: \"a\" (system \"urn:a\")\n");
}

TEST(Sentences, WhatIsFixedIsToldWithItsPlace) {
  const Known known({profile(kUrl, "Observation",
                             R"({"path":"Observation.method","min":1,
                  "patternCodeableConcept":{"coding":[{"system":"urn:s","code":"c"}]}},
                  {"path":"Observation.device","fixedReference":{"display":"d"}})")});
  EXPECT_EQ(known.sentences(observation(R"("method":{"text":"t"})")),
            "must contain coding.system \"urn:s\", coding.code \"c\"\n");
  EXPECT_EQ(known.sentences(observation(R"("device":{"display":"e"})")),
            "\"method\" is missing; it must be coding.system \"urn:s\", coding.code \"c\"\nmust be display \"d\"\n");
}

TEST(Sentences, ShortValueSetsAreListed) {
  const Known known({profile(kUrl, "Patient", R"({"path":"Patient.active"})")});
  EXPECT_EQ(known.sentences(patient(R"("gender":"man")")),
            "the code is not in the required value set http://hl7.org/fhir/ValueSet/administrative-gender: "
            "\"female\", \"male\", \"other\", \"unknown\"\n");
  const std::string many = known.sentences(R"({"resourceType":"Task","intent":"order","status":"gone"})");
  EXPECT_TRUE(many.ends_with("ValueSet/task-status\n")) << many;
}

// What is told of the type is enough: the binding and the bounds are of the type that was wanted.
TEST(Sentences, AWrongTypeIsToldOnce) {
  const Known known(
      {profile(kUrl, "Observation",
               R"({"id":"Observation.value[x]","path":"Observation.value[x]","type":[{"code":"CodeableConcept"}],
        "binding":{"strength":"required","valueSet":"http://hl7.org/fhir/ValueSet/administrative-gender"}})")});
  EXPECT_EQ(known.sentences(observation(R"("valueString":"x")")),
            "\"value\" must be of type CodeableConcept, not string\n");
}

TEST(Sentences, AForbiddenTargetIsToldOnce) {
  const Known known({profile(kUrl, "Patient",
                             R"({"path":"Patient.managingOrganization","type":[{"code":"Reference",
        "targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]},
        {"path":"Patient.generalPractitioner","type":[{"code":"Reference",
        "targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]})")});
  EXPECT_EQ(known.sentences(patient(R"("managingOrganization":{"reference":"Patient/1"})")),
            "may refer to Organization, not to Patient\n");
  EXPECT_EQ(known.sentences(patient(R"("generalPractitioner":[{"reference":"Practitioner/1"}])")),
            "may refer to Organization, not to Practitioner\n");
}

TEST(Sentences, AMessageSaysWhatStandsInPlaceOfItsHeader) {
  const Known known({profile(kUrl, "Patient", R"({"path":"Patient.active"})")});
  const std::string told = known.sentences(
      R"({"resourceType":"Bundle","type":"message","entry":[{"fullUrl":"urn:uuid:52d9ea53-4f8c-44f5-93cb-ee9d33eb5ebb","resource":{"resourceType":"Patient"}}]})");
  EXPECT_NE(told.find("the first entry of a message must be its MessageHeader; here it is a Patient\n"),
            std::string::npos)
      << told;
}

}  // namespace
}  // namespace lotsen::validation
