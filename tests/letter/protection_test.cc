#include "gateway/letter/protection.h"

#include "gateway/fhir/forms.h"

#include <gtest/gtest.h>

namespace lotsen::letter {
namespace {

fhir::Document bundle(const std::string& security) {
  const std::string json = R"({"resourceType":"Bundle","type":"collection","entry":[
    {"resource":{"resourceType":"Organization","address":[{"line":["Box 1"]}]}},
    {"resource":{"resourceType":"Patient",)" +
                           security + R"("telecom":[{"value":"070-174 06 05"},{"value":"x"}],
      "address":[{"text":"hos mormor","line":["Långgatan  12","lgh 1203"],"city":"Exempelstad"}],
      "contact":[{"telecom":[{"value":"08-465 004 00"}],"address":{"line":["Kortgatan 3"]}}]}}]})";
  fhir::Issues issues;
  auto document = fhir::readJson(json, fhir::Schema::r4(), {}, issues);
  EXPECT_TRUE(document.ok());
  return std::move(document).value();
}

std::string label(const std::string& system, const std::string& code) {
  return R"("meta":{"security":[{"system":"http://x.example","code":"R"},{"system":")" + system + R"(","code":")" +
         code + R"("}]},)";
}

const std::string kLabels = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel";

TEST(Protection, LabelsOfThePatientDecide) {
  EXPECT_FALSE(hasProtectedPatient(bundle("")));
  EXPECT_FALSE(hasProtectedPatient(bundle(label("http://other.example", "sekretessmarkering"))));
  EXPECT_FALSE(hasProtectedPatient(bundle(label(kLabels, "annat"))));
  EXPECT_TRUE(hasProtectedPatient(bundle(label(kLabels, "sekretessmarkering"))));
  EXPECT_TRUE(hasProtectedPatient(bundle(label(kLabels, "skyddadFolkbokforing"))));
}

TEST(Protection, WaysToReachThePatientAreSecret) {
  EXPECT_TRUE(protectedTexts(bundle("")).empty());
  EXPECT_EQ(protectedTexts(bundle(label(kLabels, "sekretessmarkering"))),
            (std::vector<std::string>{"Långgatan 12", "lgh 1203", "hos mormor", "070-174 06 05", "Kortgatan 3",
                                      "08-465 004 00"}));
}

}  // namespace
}  // namespace lotsen::letter
