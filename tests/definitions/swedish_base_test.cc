// HL7 Sweden's base profiles, which SUSHI made snapshots of: ours, from their differentials, must have the same facts.
#include "gateway/base/text.h"
#include "gateway/definitions/definitions.h"
#include "snapshot_facts.h"
#include "tests/support/shared.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

namespace lotsen::definitions {
namespace {

namespace fs = std::filesystem;

fs::path package() {
  return test::sharedPath("corpora/profiles/hl7se-base-1.1.0");
}

TEST(SwedishBase, IsLoadedWhole) {
  if (!fs::exists(package())) GTEST_SKIP() << "no " << package();
  fhir::Issues issues;
  const auto loaded = load({package().string()}, issues);
  ASSERT_TRUE(loaded.ok()) << fhir::operationOutcome(issues);
  EXPECT_TRUE(issues.empty()) << fhir::operationOutcome(issues);
  const Profile* patient = (*loaded)->profiles->find("http://hl7.se/fhir/ig/base/StructureDefinition/SEBasePatient");
  ASSERT_NE(patient, nullptr);
  EXPECT_EQ((*loaded)->profiles->added().size(), 9U);
  EXPECT_EQ((*loaded)->profiles->find("http://hl7.org/fhir/StructureDefinition/bmi"),
            Profiles::r4()->find("http://hl7.org/fhir/StructureDefinition/bmi"));
}

TEST(SwedishBase, HasTheSnapshotsThatWeMake) {
  if (!fs::exists(package())) GTEST_SKIP() << "no " << package();
  fhir::Issues issues;
  std::map<std::string, DocumentPointer> documents;
  for (const auto& entry : fs::directory_iterator(package())) {
    if (!entry.path().filename().string().starts_with("StructureDefinition-")) continue;
    std::string bytes;
    ASSERT_TRUE(readFile(entry.path().string(), bytes));
    const DocumentPointer document = readDefinition(bytes, issues);
    ASSERT_NE(document, nullptr) << fhir::operationOutcome(issues);
    documents.emplace(fhir::valueAt(*document, document->root(), "url"), document);
  }
  ASSERT_EQ(documents.size(), 9U);
  std::map<std::string, std::unique_ptr<const Profile>> made;
  Lookup lookup;
  lookup = [&](std::string_view canonical) -> const Profile* {
    const std::string url(canonical.substr(0, canonical.find('|')));
    const auto document = documents.find(url);
    if (document == documents.end()) return Profiles::r4()->find(canonical);
    auto& profile = made[url];
    if (profile == nullptr) profile = rowsOf(*document->second, false, lookup, issues);
    return profile.get();
  };
  const auto same = [](std::string word) { return word; };
  const auto nothingIsOther = [](std::string_view) { return false; };
  for (const auto& [url, document] : documents) {
    const Profile* ours = lookup(url);
    ASSERT_NE(ours, nullptr) << url;
    const auto theirs = rowsOf(*document, true, lookup, issues);
    EXPECT_EQ(difference(factLines(*ours, same, nothingIsOther), factLines(*theirs, same, nothingIsOther)), "") << url;
  }
  EXPECT_TRUE(issues.empty()) << fhir::operationOutcome(issues);
}

}  // namespace
}  // namespace lotsen::definitions
