// Published examples and real message forms, judged whole: HL7's 725 examples of R4, those of HL7 Sweden's base
// profiles, and the referral Bundles of other countries. Files in tests/conformance say which are invalid and why.
#include "gateway/definitions/package.h"
#include "gateway/fhir/outcome.h"
#include "gateway/validation/validation.h"
#include "tests/validation/corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

namespace lotsen::validation {
namespace {

/// The rules of the errors, in order, each once; empty: valid.
std::set<std::string> rulesOf(const Validator& validator, std::string_view bytes, const Options& options = {}) {
  fhir::Issues issues;
  const auto document = readAny(bytes, validator.sharedSchema(), issues);
  if (document.ok()) validator.validate(*document, issues, options);
  std::set<std::string> rules;
  for (const fhir::Issue& issue : issues.list()) {
    if (issue.severity > fhir::Severity::Error) continue;
    rules.insert(issue.rule);
  }
  return rules;
}

std::string joined(const std::set<std::string>& rules) {
  std::string text;
  for (const std::string& rule : rules) text += (text.empty() ? "" : ",") + rule;
  return text;
}

/// What is no definition: every file that is named after its resource (as in tests/definitions/r4_examples_test.cc).
bool isExample(std::string_view name) {
  static const std::set<std::string_view> kDefinitions = {"CodeSystem",          "CompartmentDefinition", "ConceptMap",
                                                          "OperationDefinition", "SearchParameter",       "ValueSet",
                                                          "StructureDefinition"};
  static const std::set<std::string_view> kBundles = {
      "conceptmaps",  "dataelements", "extensions",          "externals", "profiles-others",
      "resources",    "searchParams", "terminologies",       "types",     "ussg-fht",
      "v2-valuesets", "v3-valuesets", "valueset-expansions", "valuesets"};
  const std::string_view stem = name.substr(0, name.size() - std::min<std::size_t>(name.size(), 5));
  const auto dash = stem.find('-');
  if (dash == std::string_view::npos || name == "ig-r4.json") return false;
  return !kDefinitions.contains(stem.substr(0, dash)) &&
         !(stem.starts_with("Bundle-") && kBundles.contains(stem.substr(dash + 1)));
}

TEST(R4Examples, AreValidButForWhatIsListed) {
  const std::string package = LOTSEN_SOURCE_DIR "/build/cache/hl7.fhir.r4.examples-4.0.1.tgz";
  if (!std::filesystem::exists(package)) GTEST_SKIP() << "no " << package << "; fetch it with ops/dev/r4-package";
  const auto known = listed("validator_r4_examples.txt");
  const auto validator = *Validator::create(definitions::Definitions::r4());
  std::size_t count = 0;
  const auto status = definitions::forEachFile(package, [&](const std::string& path, const std::string& bytes) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (!isExample(name)) return;
    ++count;
    const std::string rules = joined(rulesOf(*validator, bytes));
    const auto expected = known.find(name);
    const std::string wanted = expected == known.end() ? "" : expected->second.substr(0, expected->second.find(' '));
    EXPECT_EQ(rules, wanted) << name;
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(count, 725U);
  EXPECT_LE(known.size(), 35U);
}

TEST(SwedishBase, ExamplesAreValid) {
  const auto folder = sharedFolder("corpora/profiles/hl7se-base-1.1.0");
  if (!folder) GTEST_SKIP() << "no corpus";
  fhir::Issues issues;
  const auto definitions = definitions::load({folder->string()}, issues);
  ASSERT_TRUE(definitions.ok()) << fhir::operationOutcome(issues);
  const auto validator = *Validator::create(*definitions);
  Options options;
  options.unknownProfiles = Policy::Error;
  options.unknownExtensions = Policy::Error;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    const std::string name = entry.path().filename().string();
    const bool person =
        name.starts_with("Patient-") || name.starts_with("Practitioner") || name.starts_with("Organization-");
    if (!person || !name.ends_with(".json")) continue;
    ++count;
    EXPECT_EQ(joined(rulesOf(*validator, fileText(entry.path()), options)), "") << name;
  }
  EXPECT_GE(count, 12U);
}

/// Lines "rules<TAB>file" (rules: "valid", or names joined by commas); '#' begins a comment.
TEST(ReferralBundles, HaveTheVerdictsThatAreListed) {
  const auto folder = sharedFolder("corpora/referral-bundles");
  if (!folder) GTEST_SKIP() << "no corpus";
  const auto validator = *Validator::create(definitions::Definitions::r4());
  std::istringstream lines(fileText(LOTSEN_SOURCE_DIR "/tests/conformance/validator_referral_bundles.txt"));
  std::map<std::string, std::string> wanted;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '#') wanted[line.substr(line.find('\t') + 1)] = line.substr(0, line.find('\t'));
  }
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder)) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = std::filesystem::relative(entry.path(), *folder).string();
    const std::string bytes = fileText(entry.path());
    if (fhir::peekResourceType(bytes) != "Bundle") continue;
    ++count;
    const std::string rules = joined(rulesOf(*validator, bytes));
    EXPECT_EQ(rules.empty() ? "valid" : rules, wanted[name]) << name;
  }
  EXPECT_EQ(count, wanted.size());
}

}  // namespace
}  // namespace lotsen::validation
