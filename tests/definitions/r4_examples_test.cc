// HL7's own examples of R4 (npm hl7.fhir.r4.examples@4.0.1, which ops/dev/r4-package keeps in build/cache) through the
// XML form and back: nothing may be lost. What counts as an example: every file that is named after its resource, but
// for the seven kinds of definition and Bundles of nothing but definitions. 725 are left. LOTSEN_TEST_LONG=1 takes the
// whole package.
#include "gateway/crypto/digest.h"
#include "gateway/definitions/package.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/json/reader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

namespace lotsen::definitions {
namespace {

/// JSON that means the same becomes the same text: members sorted by name, no blanks, numbers as they are written. Made
/// from the JSON events alone, so that it does not share what it judges.
class Sorter final : public json::Handler {
 public:
  bool null(std::size_t) override { return add("null"); }
  bool boolean(bool yes, std::size_t) override { return add(yes ? "true" : "false"); }
  bool number(std::string_view digits, std::size_t) override { return add(std::string(digits)); }
  bool string(std::string_view value, std::size_t) override { return add("\"" + std::string(value) + "\""); }
  bool key(std::string_view name, std::size_t) override {
    open_.back().key = name;
    return true;
  }
  bool startObject(std::size_t) override { return start(false); }
  bool endObject(std::size_t) override { return end(); }
  bool startArray(std::size_t) override { return start(true); }
  bool endArray(std::size_t) override { return end(); }
  std::string text;

 private:
  struct Open {
    bool array = false;
    std::string key;
    std::string items;
    std::map<std::string, std::string> members;
  };
  bool start(bool array) {
    open_.push_back({});
    open_.back().array = array;
    return true;
  }
  bool add(std::string one) {
    if (open_.empty()) {
      text = std::move(one);
    } else if (open_.back().array) {
      open_.back().items += one + ",";
    } else {
      open_.back().members[open_.back().key] = std::move(one);
    }
    return true;
  }
  bool end() {
    const Open done = std::move(open_.back());
    open_.pop_back();
    std::string all = done.items;
    for (const auto& [name, member] : done.members) all += "\"" + name + "\":" + member + ",";
    return add((done.array ? "[" : "{") + all + (done.array ? "]" : "}"));
  }
  std::vector<Open> open_;
};

std::string sorted(const std::string& text) {
  Sorter sorter;
  std::string scratch(json::scratchSize(text.size()), '\0');
  EXPECT_FALSE(json::parse(text, scratch.data(), {64, kLargestFile}, sorter));
  return std::move(sorter.text);
}

bool isLong() {
  return std::getenv("LOTSEN_TEST_LONG") != nullptr;
}

/// "package/Patient-example.json"
bool isExample(const std::string& path) {
  static const std::set<std::string_view> kDefinitions = {"CodeSystem",          "CompartmentDefinition", "ConceptMap",
                                                          "OperationDefinition", "SearchParameter",       "ValueSet",
                                                          "StructureDefinition"};
  static const std::set<std::string_view> kBundlesOfDefinitions = {"Bundle-conceptmaps.json",
                                                                   "Bundle-dataelements.json",
                                                                   "Bundle-extensions.json",
                                                                   "Bundle-externals.json",
                                                                   "Bundle-profiles-others.json",
                                                                   "Bundle-resources.json",
                                                                   "Bundle-searchParams.json",
                                                                   "Bundle-terminologies.json",
                                                                   "Bundle-types.json",
                                                                   "Bundle-ussg-fht.json",
                                                                   "Bundle-v2-valuesets.json",
                                                                   "Bundle-v3-valuesets.json",
                                                                   "Bundle-valueset-expansions.json",
                                                                   "Bundle-valuesets.json"};
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (isLong()) {  // its id has 67 characters where 64 are allowed
    constexpr std::string_view kInvalid =
        "SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json";
    return name != "package.json" && name != ".index.json" && name != kInvalid;
  }
  return name.find('-') != std::string_view::npos && name != "ig-r4.json" &&  // the guide, under a second name
         !kDefinitions.contains(name.substr(0, name.find('-'))) && !kBundlesOfDefinitions.contains(name);
}

/// Empty if nothing got lost on the way from JSON to XML and back.
std::string whatGotLost(const std::string& text) {
  const auto schema = fhir::Schema::r4();
  const fhir::ReadOptions options{.maxBytes = 4 * kLargestFile, .maxElements = 10'000'000};
  fhir::Issues issues;
  const auto json = fhir::readJson(text, schema, options, issues);
  if (!json) return "not read: " + fhir::operationOutcome(issues);
  const auto xml = fhir::writeXml(*json);
  if (!xml) return "not written as XML: " + xml.error().message;
  const auto again = fhir::readXml(*xml, schema, options, issues);
  if (!again) return "its XML is not read: " + fhir::operationOutcome(issues);
  if (sorted(fhir::writeJson(*again)) != sorted(text)) return "the JSON differs";
  if (fhir::canonicalDigest(*again) != fhir::canonicalDigest(*json)) return "the digest differs";
  const auto twice = fhir::writeXml(*again);
  return twice && *twice == *xml ? "" : "the XML differs the second time";
}

TEST(R4Examples, SurviveTheWayThroughXmlAndBack) {
  const std::string package = LOTSEN_SOURCE_DIR "/build/cache/hl7.fhir.r4.examples-4.0.1.tgz";
  if (!std::filesystem::exists(package)) GTEST_SKIP() << "no " << package << "; fetch it with ops/dev/r4-package";
  std::size_t count = 0;
  const auto status = forEachFile(package, [&](const std::string& name, const std::string& bytes) {
    if (!isExample(name)) return;
    ++count;
    EXPECT_EQ(whatGotLost(bytes), "") << name;
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(count, isLong() ? 5305U : 725U);
}

}  // namespace
}  // namespace lotsen::definitions
