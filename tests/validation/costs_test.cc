// What a validation costs grows with the document, not faster: counted in elements walked and steps of FHIRPath.
#include "tests/validation/known.h"

namespace lotsen::validation {
namespace {

/// `part` once for each number below `count`, '%' being the number, with commas between.
std::string many(std::size_t count, std::string_view part) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    for (const char c : part) c == '%' ? text += std::to_string(i) : text += c;
  }
  return text;
}

/// The rules of the errors if only `steps` may be taken.
std::string within(const Known& known, const std::string& json, std::uint64_t steps) {
  Options options;
  options.mostSteps = steps;
  options.profiles.emplace_back(kUrl);
  return known.faults(json, options);
}

constexpr std::size_t kCount = 20'000;

TEST(Costs, OfContainedResourcesAndReferencesToThem) {
  const Known known({profile(kUrl, "List", R"({"path":"List.status","min":1})")});
  const std::string organizations = many(kCount, R"({"resourceType":"Organization","id":"o%","name":"x"})");
  const std::string head =
      R"({"resourceType":"List","status":"current","mode":"working","contained":[)" + organizations + "],";
  const std::string references = R"("entry":[)" + many(kCount, R"({"item":{"reference":"#o%"}})") + "]}";
  EXPECT_EQ(within(known, head + references, kCount * 100), "");
  std::string links;
  for (std::size_t i = 0; i < kCount; ++i) links += R"(<a href=\"#o)" + std::to_string(i) + R"(\">x</a>)";
  const std::string narrative =
      R"("text":{"status":"additional","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">)" + links + R"(</div>"}})";
  EXPECT_EQ(within(known, head + narrative, kCount * 100).find("too-costly"), std::string::npos);
}

TEST(Costs, OfExtensionsWithAContextInFhirpath) {
  const auto extension = [](std::string_view url) {
    return profile(url, "Extension", R"({"path":"Extension.url","fixedUri":")" + std::string(url) + "\"}",
                   R"("context":[{"type":"fhirpath","expression":"Patient.telecom"}],)");
  };
  const Known known({profile(kUrl, "Patient", R"({"path":"Patient.telecom","min":1})"), extension("http://t.se/e"),
                     extension("http://t.se/f")});
  const std::string phone = R"({"system":"phone","value":"%","extension":[{"url":"http://t.se/e","valueBoolean":true},
      {"url":"http://t.se/f","valueBoolean":true}]})";
  EXPECT_EQ(within(known, R"({"resourceType":"Patient","telecom":[)" + many(kCount, phone) + "]}", kCount * 200), "");
}

TEST(Costs, OfEntriesThatReferToEachOtherByProfile) {
  const Known known(
      {profile(kUrl, "Bundle", R"({"path":"Bundle.entry","min":1})"),
       profile("http://t.se/o", "Observation",
               R"({"path":"Observation.subject","type":[{"code":"Reference","targetProfile":["http://t.se/q"]}]})"),
       profile("http://t.se/q", "Patient", R"({"path":"Patient.name","min":1})")});
  const std::string entry = R"({"fullUrl":"http://t.se/Patient/p%","resource":{"resourceType":"Patient","id":"p%"}},
      {"fullUrl":"http://t.se/Observation/o%","resource":{"resourceType":"Observation","id":"o%","status":"final",
       "meta":{"profile":["http://t.se/o"]},"code":{"text":"x"},"subject":{"reference":"Patient/p%"}}})";
  const std::string bundle =
      R"({"resourceType":"Bundle","type":"collection","entry":[)" + many(kCount / 4, entry) + "]}";
  const std::string faults = within(known, bundle, kCount * 200);
  EXPECT_EQ(faults.find("too-costly"), std::string::npos);
  EXPECT_NE(faults.find("reference-profile"), std::string::npos);
}

TEST(Costs, OfItemsThatDependOnEachOther) {
  const std::string items = many(kCount / 4, R"({"linkId":"q%","type":"boolean"},{"linkId":"h%","type":"boolean",
      "enableWhen":[{"question":"q%","operator":"=","answerBoolean":true}]})");
  const Known known(
      {R"({"resourceType":"Questionnaire","url":"http://t.se/q","status":"active","item":[)" + items + "]}",
       profile(kUrl, "QuestionnaireResponse", R"({"path":"QuestionnaireResponse.item","min":1})")});
  const std::string answers = many(kCount / 4, R"({"linkId":"q%","answer":[{"valueBoolean":true}]},
      {"linkId":"h%","answer":[{"valueBoolean":true}]})");
  EXPECT_EQ(
      within(
          known,
          R"({"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"http://t.se/q","item":[)" +
              answers + "]}",
          kCount * 200),
      "");
}

TEST(Costs, AreBounded) {
  const Known known({profile(kUrl, "Patient", R"({"path":"Patient.telecom","min":1})")});
  const std::string patient =
      R"({"resourceType":"Patient","telecom":[)" + many(100, R"({"system":"phone","value":"%"})") + "]}";
  EXPECT_EQ(within(known, patient, 100'000), "");
  EXPECT_EQ(within(known, patient, 100), "too-costly \n");
}

}  // namespace
}  // namespace lotsen::validation
