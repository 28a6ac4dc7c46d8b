// What `lotsen check` says about the folder of mappings: faults of the lists of drops.
#include "gateway/app/shipped.h"

#include "world.h"

namespace lotsen::app {
namespace {

namespace fs = std::filesystem;

/// The faults of a copy of the mappings that `change` has been at.
template <typename Change>
std::string faultsAfter(Change change) {
  const test::TempDir folder;
  fs::copy(LOTSEN_SOURCE_DIR "/mappings", folder.file("mappings"), fs::copy_options::recursive);
  change(fs::path(folder.file("mappings")));
  service::Configuration configuration;
  std::string text;
  Faults faults;
  readShipped({folder.file("mappings"), LOTSEN_SOURCE_DIR "/templates", "c5-h2"}, configuration, text, faults);
  std::string told;
  for (const auto& fault : faults.list)
    told += fs::path(fault.file).filename().string() + ":" + std::to_string(fault.line) + ": " + fault.text + "\n";
  return told;
}

TEST(Shipped, TheMappingsOfTheHouseAreFine) {
  EXPECT_EQ(faultsAfter([](const fs::path&) {}), "");
}

TEST(Shipped, AFaultOfAMapIsToldWithItsColumn) {
  const test::TempDir folder;
  fs::copy(LOTSEN_SOURCE_DIR "/mappings", folder.file("mappings"), fs::copy_options::recursive);
  const std::string map = folder.file("mappings/pas/consent.map");
  std::string text = test::fileText(map);
  test::replaceAll(text, "consent.patient as ref", "consent.patent as ref");
  std::ofstream(map) << text;
  service::Configuration configuration;
  Faults faults;
  readShipped({folder.file("mappings"), LOTSEN_SOURCE_DIR "/templates", "c5-h2"}, configuration, text, faults);
  ASSERT_EQ(faults.list.size(), 1U);
  EXPECT_EQ(told(faults.list[0]),
            "mappings/pas/consent.map:45:22: Consent has no element 'patent'; did you mean 'patient'?");
}

TEST(Shipped, AStaleDropIsAFault) {
  EXPECT_EQ(faultsAfter([](const fs::path& mappings) {
              std::ofstream(mappings / "pas/referral.drop", std::ios::app) << "PasReferral.patient.phon | moved\n";
            }),
            "referral.drop:8: 'PasReferral.patient' has no element 'phon'; did you mean 'phone'?\n");
}

TEST(Shipped, ADropListThatNoChannelReadsIsAFault) {
  EXPECT_EQ(faultsAfter([](const fs::path& mappings) {
              fs::rename(mappings / "pas/referral.drop", mappings / "pas/remiss.drop");
            }),
            "remiss.drop:0: no channel's entry map has this name, so nobody reads it; name it after the first map\n");
}

TEST(Shipped, PathsOfAChannelMustBeInItsRecord) {
  EXPECT_EQ(faultsAfter([](const fs::path& mappings) {
              std::string text = test::fileText((mappings / "pas/channels.conf").string());
              test::replaceAll(text, "person = patient.personId/patient.", "person = patient.personId/");
              test::replaceAll(text, "id = consentId", "id = consentID");
              std::ofstream(mappings / "pas/channels.conf") << text;
            }),
            "channels.conf:25: person: the record has no element personIdSystem\n"
            "channels.conf:38: id: the record has no element consentID\n"
            "channels.conf:42: person: the record has no element personIdSystem\n"
            "channels.conf:58: person: the record has no element personIdSystem\n");
}

TEST(Shipped, ConceptMapsMayStandBesideTheMaps) {
  const auto translateByUrl = [](const fs::path& mappings) {
    std::string text = test::fileText((mappings / "pas/consent.map").string());
    test::replaceAll(text, "translate(v, '#policy', 'code')", "translate(v, 'http://example.org/policies', 'code')");
    std::ofstream(mappings / "pas/consent.map") << text;
  };
  EXPECT_NE(faultsAfter(translateByUrl).find("http://example.org/policies"), std::string::npos);
  EXPECT_EQ(faultsAfter([&](const fs::path& mappings) {
              translateByUrl(mappings);
              std::ofstream(mappings / "pas/policies.conceptmap.json") << R"({
                "resourceType": "ConceptMap", "url": "http://example.org/policies", "status": "active",
                "group": [{"source": "http://lotsen.se/fhir/CodeSystem/consent-state",
                           "target": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                           "element": [{"code": "granted_explicit",
                                        "target": [{"code": "OPTIN", "equivalence": "equivalent"}]}]}]})";
            }),
            "");
}

TEST(Shipped, ProfilesOfChannelsAndLegsMustBeKnownAndOfBundle) {
  EXPECT_EQ(faultsAfter([](const fs::path& mappings) {
              std::string text = test::fileText((mappings / "out/legs.conf").string());
              test::replaceAll(text, "[leg recall]\n",
                               "[leg recall]\nprofile = http://example.org/no-such\n"
                               "profile = http://hl7.org/fhir/StructureDefinition/vitalsigns\n");
              std::ofstream(mappings / "out/legs.conf") << text;
            }),
            "legs.conf:16: no definition of the profile http://example.org/no-such below the mappings or in a package\n"
            "legs.conf:17: the profile must be one of Bundle: this one is of Observation\n");
}

// In a definition below the mappings, in a package, and of the package itself.
TEST(Shipped, FaultsOfDefinitionsAreToldWithTheirFile) {
  const std::string broken = R"({"resourceType": "StructureDefinition", "url": "http://example.org/b", "name": "B",
      "status": "draft", "kind": "resource", "abstract": false, "type": "Bundle",
      "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Bundle", "derivation": "constraint",
      "differential": {"element": [{"id": "Bundle.colour", "path": "Bundle.colour", "min": 1}]}})";
  EXPECT_NE(faultsAfter([&](const fs::path& mappings) {
              std::ofstream(mappings / "broken.json") << broken;
            }).find("broken.json:"),
            std::string::npos);
}

TEST(Shipped, OnlyAReferralsRecordIsCarriedAlong) {
  const std::string fault =
      ": unaccounted = carry is for referrals: no receiver gets a consent or BTF record as it came\n";
  EXPECT_EQ(faultsAfter([](const fs::path& mappings) {
              std::string text = test::fileText((mappings / "pas/channels.conf").string());
              test::replaceAll(text, "unaccounted = refuse", "unaccounted = carry");
              std::ofstream(mappings / "pas/channels.conf") << text;
            }),
            "channels.conf:33" + fault + "channels.conf:49" + fault);
}

}  // namespace
}  // namespace lotsen::app
