// The profiles and extensions of R4 that the binary carries, against HL7's published snapshots where the package is at
// hand (ops/dev/r4-package keeps it in build/cache), and in themselves where it is not.
#include "gateway/definitions/r4_profiles.h"

#include "gateway/definitions/package.h"
#include "gateway/fhir/r4/types.h"
#include "snapshot_facts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <thread>

namespace lotsen::definitions {
namespace {

std::string same(std::string word) {
  return word;
}

bool nothingIsOther(std::string_view) {
  return false;
}

/// Where our rows differ from what is published, and why that is meant.
std::string_view reasonToDiffer(std::string_view url) {
  static const std::map<std::string_view, std::string_view> reasons = {
      {"bmi", "a type slice that must be there makes the choice itself mandatory"},
      {"devicemetricobservation", "as bmi"},
      {"bp", "the choice of a component is written as the slice of its only type"},
      {"catalog", "publishes a slice name on an element that is not sliced"},
      {"familymemberhistory-genetic", "as catalog"},
      {"cholesterol",
       "repeats the invariants of SimpleQuantity's root at the element, which the type's profile has anyway"},
      {"hdlcholesterol", "as cholesterol"},
      {"ldlcholesterol", "as cholesterol"},
      {"clinicaldocument", "the extension is 0..1 itself, published is 0..*"},
      {"elementdefinition-de", "publishes the rows below extensions that nothing walks into"},
      {"provenance-relevant-history", "publishes a contentReference to a slice"},
      {"positiveInt", "R4 publishes its value as System.String; it is an Integer"},
      {"unsignedInt", "as positiveInt"}};
  const auto found = reasons.find(url.substr(url.rfind('/') + 1));
  return found == reasons.end() ? std::string_view() : found->second;
}

TEST(R4Profiles, AllAreMadeWithoutAFault) {
  EXPECT_EQ(R4Profiles::count(), 441U);
  const Lookup lookup = [](std::string_view canonical) { return Profiles::r4()->find(canonical); };
  for (std::size_t at = 0; at < R4Profiles::count(); ++at) {
    fhir::Issues issues;
    const DocumentPointer document = readDefinition(std::string(R4Profiles::text(at)), issues);
    ASSERT_NE(document, nullptr) << R4Profiles::url(at) << fhir::operationOutcome(issues);
    EXPECT_NE(rowsOf(*document, false, lookup, issues), nullptr) << R4Profiles::url(at);
    EXPECT_FALSE(issues.hasErrors()) << R4Profiles::url(at) << '\n' << fhir::operationOutcome(issues);
    EXPECT_NE(Profiles::r4()->find(R4Profiles::url(at)), nullptr);
  }
}

TEST(R4Profiles, AreFoundByCanonical) {
  const auto profiles = Profiles::r4();
  const Profile* profile = profiles->find("http://hl7.org/fhir/StructureDefinition/bmi|4.0.1");
  ASSERT_NE(profile, nullptr);
  EXPECT_EQ(profile->url(), "http://hl7.org/fhir/StructureDefinition/bmi");
  EXPECT_EQ(profile->type(), fhir::r4::kObservation);
  EXPECT_EQ(profile->baseUrl(), "http://hl7.org/fhir/StructureDefinition/vitalsigns");
  EXPECT_EQ(profiles->find("http://hl7.org/fhir/StructureDefinition/bmi"), profile);
  EXPECT_EQ(profiles->find("http://hl7.org/fhir/StructureDefinition/Patient"), nullptr);
  EXPECT_EQ(profiles->find("http://example.org/none"), nullptr);
  EXPECT_EQ(profiles->find(""), nullptr);
}

TEST(R4Profiles, AnExtensionSaysWhereItMayStand) {
  const Profile* profile = Profiles::r4()->find("http://hl7.org/fhir/StructureDefinition/patient-birthTime");
  ASSERT_NE(profile, nullptr);
  ASSERT_EQ(profile->contexts().size(), 1U);
  EXPECT_EQ(profile->contexts()[0].kind, ExtensionContext::Kind::Element);
  EXPECT_EQ(profile->contexts()[0].expression, "Patient.birthDate");
  const RowId value = profile->child(0, fhir::Schema::r4()->findName("value"));
  ASSERT_NE(value, kNoRow);
  EXPECT_EQ((*profile)[value].min, 1U);
  ASSERT_EQ((*profile)[value].types.size(), 1U);
  EXPECT_EQ((*profile)[value].types[0].type, fhir::r4::kDateTime);
  EXPECT_TRUE((*profile)[value].tightened);
}

TEST(R4Profiles, ManyThreadsMayAskForTheSame) {
  const R4Profiles profiles;  // a set of its own: nothing is made yet
  std::vector<const Profile*> found(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t at = 0; at < 40; ++at) profiles.find(R4Profiles::url(at * 11));
      found[i] = profiles.find("http://hl7.org/fhir/StructureDefinition/bodyheight");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(found[0], nullptr);
  EXPECT_EQ(std::set<const Profile*>(found.begin(), found.end()).size(), 1U);
}

struct Comparison {
  std::size_t count = 0, equal = 0;
};

/// Compares the rows that `ours` makes of each published StructureDefinition (nullptr: not one of these) with those
/// that it lists; what differs must have a reason.
template <typename Make>
void compareWithPublished(const std::string& package, const Make& ours, Comparison& comparison) {
  const auto status = forEachFile(package, [&](const std::string& name, const std::string& bytes) {
    if (name.find("/StructureDefinition-") == std::string::npos) return;
    fhir::Issues issues;
    const DocumentPointer document = readDefinition(bytes, issues);
    ASSERT_NE(document, nullptr) << name << fhir::operationOutcome(issues);
    const auto mine = ours(*document);
    const auto theirs = rowsOf(
        *document, true, [](std::string_view) { return nullptr; }, issues);
    if (mine == nullptr || theirs == nullptr) return;
    ++comparison.count;
    const std::string wrong =
        difference(factLines(*mine, same, nothingIsOther), factLines(*theirs, same, nothingIsOther));
    if (wrong.empty()) ++comparison.equal;
    EXPECT_EQ(wrong.empty(), reasonToDiffer(mine->url()).empty()) << name << '\n' << wrong;
  });
  EXPECT_TRUE(status.ok());
}

constexpr const char* kPackage = LOTSEN_SOURCE_DIR "/build/cache/hl7.fhir.r4.examples-4.0.1.tgz";

TEST(R4Examples, HaveProfilesThatAreMadeAsTheyArePublished) {
  if (!std::filesystem::exists(kPackage)) GTEST_SKIP() << "no " << kPackage << "; fetch it with ops/dev/r4-package";
  Comparison comparison;
  compareWithPublished(
      kPackage,
      [](const fhir::Document& document) {
        return Profiles::r4()->find(fhir::valueAt(document, document.root(), "url"));
      },
      comparison);
  EXPECT_EQ(comparison.count, 439U);
  EXPECT_GE(comparison.equal, 428U);
}

TEST(R4Examples, HaveTypesWhoseRowsAreAsTheyArePublished) {
  if (!std::filesystem::exists(kPackage)) GTEST_SKIP() << "no " << kPackage << "; fetch it with ops/dev/r4-package";
  const fhir::Schema& schema = *fhir::Schema::r4();
  Comparison comparison;
  compareWithPublished(
      kPackage,
      [&](const fhir::Document& document) -> std::unique_ptr<const Profile> {
        const fhir::TypeId type = schema.findType(fhir::valueAt(document, document.root(), "url"));
        if (type == fhir::kNone) return nullptr;
        ProfileWriter writer(schema);
        const auto root = TreeMaker(schema, writer.texts()).ofType(type);
        return writer.write({&document, type}, *root);
      },
      comparison);
  EXPECT_EQ(comparison.count, 209U);
  EXPECT_EQ(comparison.equal, 207U);
}

}  // namespace
}  // namespace lotsen::definitions
