// What packages bring beside profiles: profiles for every resource of a type, code systems.
#include "tests/validation/known.h"

namespace lotsen::validation {
namespace {

std::string guide(std::string_view type, std::string_view canonical) {
  return R"({"resourceType":"ImplementationGuide","url":"http://t.se/ig","name":"Ig","status":"draft","packageId":"t",
    "fhirVersion":["4.0.1"],"global":[{"type":")" +
         std::string(type) + R"(","profile":")" + std::string(canonical) + "\"}]}";
}

TEST(Guides, PutProfilesOnEveryResourceOfAType) {
  const Known known({profile(kUrl, "Patient", R"({"path":"Patient.name","min":1})"), guide("Patient", kUrl)});
  EXPECT_EQ(known.faults(R"({"resourceType":"Patient","name":[{"text":"x"}]})"), "");
  EXPECT_EQ(known.faults(R"({"resourceType":"Patient"})"), "cardinality-min Patient\n");
  EXPECT_EQ(known.faults(R"({"resourceType":"Person"})"), "");
  EXPECT_EQ(known.faults(R"({"resourceType":"Bundle","type":"collection","entry":[
      {"fullUrl":"urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff","resource":{"resourceType":"Patient"}}]})"),
            "cardinality-min Bundle.entry[0].resource.ofType(Patient)\n");
}

TEST(Guides, SayThatAGlobalProfileIsNotKnown) {
  const Known known({guide("Patient", "http://t.se/nobody")});
  EXPECT_EQ(known.faults(R"({"resourceType":"Patient"})"), "");
  EXPECT_EQ(known.faults(R"({"resourceType":"Patient"})", {}, fhir::Severity::Warning), "profile-unknown Patient\n");
}

TEST(Guides, ThatAreNotUnderstoodAreLeftOut) {
  const Known known({R"({"resourceType":"ImplementationGuide","definition":{"of":"another release"}})",
                     R"({"resourceType":"Questionnaire","status":"perhaps","item":3})"});
  EXPECT_EQ(known.faults(R"({"resourceType":"Patient"})"), "");
}

std::string codeSystem(std::string_view url, std::string_view more) {
  return R"({"resourceType":"CodeSystem","url":")" + std::string(url) +
         R"(","version":"1.0","status":"active","concept":[{"code":"Cat","concept":[{"code":"Lion"}]}],)" +
         std::string(more) + "}";
}

std::string observation(std::string_view coding) {
  return R"({"resourceType":"Observation","status":"final","code":{"coding":[)" + std::string(coding) + "]}}";
}

TEST(KnownCodes, ACodeOfACompleteSystemIsOneOfIts) {
  const Known known({codeSystem("urn:c", R"("content":"complete","caseSensitive":true)")});
  EXPECT_EQ(known.faults(observation(R"({"system":"urn:c","code":"Lion"})")), "");
  EXPECT_EQ(known.faults(observation(R"({"system":"urn:c","version":"1.0","code":"Lion"})")), "");
  EXPECT_EQ(known.faults(observation(R"({"system":"urn:c","code":"Dog"},{"system":"urn:c","code":"lion"})")),
            "code-unknown Observation.code.coding[0]\ncode-unknown Observation.code.coding[1]\n");
  EXPECT_EQ(known.faults(observation(R"({"system":"urn:c","version":"2.0","code":"Dog"})")), "");
  EXPECT_EQ(known.faults(observation(R"({"system":"urn:d","code":"Dog"},{"display":"Dog"},{"system":"urn:c"})")), "");
}

TEST(KnownCodes, WhatIsNotKnownInFullIsNotJudged) {
  const Known known({codeSystem("urn:fragment", R"("content":"fragment")"),
                     codeSystem("urn:grammar", R"("content":"complete","compositional":true)"),
                     codeSystem("urn:any-case", R"("content":"complete")")});
  EXPECT_EQ(known.faults(observation(R"({"system":"urn:fragment","code":"Dog"},{"system":"urn:grammar","code":"a+b"},
                                        {"system":"urn:any-case","code":"LION"})")),
            "");
}

}  // namespace
}  // namespace lotsen::validation
