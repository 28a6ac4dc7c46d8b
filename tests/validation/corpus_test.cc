// Agreement with HL7's Java validator on its own test cases. tests/conformance/validator_known_differences.txt has a
// line for each case ("base/name" or "profile/name") where we differ, with the reason; the list may only shrink.
#include "tests/validation/corpus.h"

#include "gateway/definitions/definitions.h"
#include "gateway/fhir/outcome.h"
#include "gateway/validation/validation.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>

namespace lotsen::validation {
namespace {

struct Score {
  std::size_t cases = 0;
  std::size_t agree = 0;
  std::size_t falseAccepts = 0;
  std::size_t falseRejects = 0;
  std::size_t trueRejects = 0;
  std::size_t localised = 0;
  std::size_t terminology = 0;  // of the differences: content that is not at hand

  void print(std::string_view name) const {
    std::cout << name << ": " << agree << " of " << cases << " agree, " << falseAccepts << " false accepts ("
              << terminology << " for want of terminology), " << falseRejects << " false rejects; " << localised
              << " of " << trueRejects << " true rejects localised\n";
  }
};

class Corpus {
 public:
  explicit Corpus(std::filesystem::path root)
      : root_(std::move(root)), known_(listed("validator_known_differences.txt")) {}

  void run(const Case& test) {
    judge("base/" + test.name, test.base, issuesOf(test, false), base);
    if (!test.profile.empty()) judge("profile/" + test.name, test.profiled, issuesOf(test, true), profile);
  }

  Score base;
  Score profile;

 private:
  /// `profiled`: the pass with the profile.
  fhir::Issues issuesOf(const Case& test, bool profiled) {
    fhir::Issues issues;
    Options options;
    options.unknownExtensions = Policy::Error;  // as the reference was run
    options.exampleUrls = test.noExamples ? Policy::Error : Policy::Ignore;
    std::vector<std::string> files = test.known;
    if (profiled) {
      files.insert(files.end(), test.supporting.begin(), test.supporting.end());
      if (!test.profile.starts_with("http")) files.push_back(test.profile);
      options.profiles.push_back(profileUrl(test));
    }
    const auto definitions = definitionsOf(files);
    const auto validator = *Validator::create(definitions);
    const auto document = readAny(fileText(root_ / test.file), definitions->schema, issues);
    if (document.ok()) validator->validate(*document, issues, options);
    return issues;
  }

  /// A folder of the files, since the corpus has some in XML. A definition with faults is left out, as the reference
  /// does.
  std::shared_ptr<const definitions::Definitions> definitionsOf(const std::vector<std::string>& files) {
    const lotsen::test::TempDir folder;
    for (const std::string& file : files) {
      fhir::Issues issues;
      const auto document = readAny(fileText(root_ / file), fhir::Schema::r4(), issues);
      if (!document.ok()) continue;
      std::ofstream(folder.file(std::to_string(std::hash<std::string>()(file)) + ".json"))
          << fhir::writeJson(*document);
    }
    while (true) {
      fhir::Issues issues;
      const auto loaded = definitions::load({folder.path()}, issues);
      if (loaded.ok()) return *loaded;
      bool removed = false;
      for (const fhir::Issue& issue : issues.list()) {
        if (issue.severity > fhir::Severity::Error || issue.source.empty()) continue;
        removed = std::filesystem::remove(issue.source) || removed;
      }
      EXPECT_TRUE(removed) << loaded.error().message;
      if (!removed) return definitions::Definitions::r4();
    }
  }

  std::string profileUrl(const Case& test) const {
    if (test.profile.starts_with("http")) return test.profile;
    fhir::Issues issues;
    const auto document = readAny(fileText(root_ / test.profile), fhir::Schema::r4(), issues);
    return document.ok() ? std::string(fhir::valueAt(*document, document->root(), "url")) : std::string();
  }

  void judge(const std::string& name, const Verdict& reference, const fhir::Issues& issues, Score& score) {
    ++score.cases;
    const bool valid = !issues.hasErrors();
    const auto difference = known_.find(name);
    const bool judged = std::none_of(issues.list().begin(), issues.list().end(), [](const fhir::Issue& issue) {
      return issue.severity == fhir::Severity::Error && issue.rule == "profile-unknown";
    });
    const bool agrees = judged && valid == reference.valid;
    score.agree += agrees ? 1 : 0;
    if (agrees && !valid) {
      ++score.trueRejects;
      if (localised(reference, issues)) ++score.localised;
    }
    if (!agrees) {
      ++(valid ? score.falseAccepts : score.falseRejects);
      if (difference != known_.end() && difference->second.starts_with("terminology")) ++score.terminology;
    }
    EXPECT_EQ(agrees, difference == known_.end())
        << name << (agrees ? ": agrees now, take it off the list" : ": differs:\n" + told(reference, issues));
  }

  static std::string told(const Verdict& reference, const fhir::Issues& issues) {
    std::string text;
    for (std::size_t i = 0; i < reference.places.size(); ++i) {
      text += "  theirs: " + reference.places[i] + ": " + reference.texts[i] + "\n";
    }
    for (const fhir::Issue& issue : issues.list()) {
      if (issue.severity > fhir::Severity::Error) continue;
      text += "  ours:   " + issue.rule + " " + issue.expression + ": " + issue.text + "\n";
    }
    return text;
  }

  static bool localised(const Verdict& reference, const fhir::Issues& issues) {
    for (const fhir::Issue& issue : issues.list()) {
      if (issue.severity > fhir::Severity::Error) continue;
      for (const std::string& place : reference.places) {
        if (near(plainPlace(issue.expression), plainPlace(place))) return true;
      }
    }
    return false;
  }

  std::filesystem::path root_;
  std::map<std::string, std::string> known_;
};

TEST(Corpus, agreesWithTheReferenceButForWhatIsListed) {
  const auto root = sharedFolder("corpora/validator-r4");
  if (!root) GTEST_SKIP() << "no corpus";
  Corpus corpus(*root / "files");
  for (const Case& test : corpusCases(*root)) corpus.run(test);
  corpus.base.print("base");
  corpus.profile.print("profile");
  EXPECT_LE(corpus.base.falseRejects + corpus.profile.falseRejects, 12U);
  EXPECT_GE((corpus.base.localised + corpus.profile.localised) * 100,
            (corpus.base.trueRejects + corpus.profile.trueRejects) * 70);
}

}  // namespace
}  // namespace lotsen::validation
