// HL7's snapshot cases (corpora/snapshot-generation: manifest, inputs, expected snapshots; FHIR/fhir-test-cases). A
// case passes if our snapshot has the same elements in the same order with the same facts as the expected one, or if we
// find a fault where one is expected. tests/conformance/snapshot_known_failures.txt lists the others, a reason each;
// the list may only shrink.
//
// The expected snapshots were made on R4B. Where the two releases differ, and the case is about something else, the
// words are made the same: versions of R4's value sets, the invariant dom-r4b, the types of Extension.value[x].
#include "gateway/base/text.h"
#include "snapshot_facts.h"
#include "tests/support/shared.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace lotsen::definitions {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string id;
  bool fails = false, sorted = false;
  std::vector<std::string> beside;  // names of files that it needs, without their ending
};

std::string attribute(std::string_view tag, std::string_view name) {
  const std::string begin = " " + std::string(name) + "=\"";
  const auto at = tag.find(begin);
  if (at == std::string_view::npos) return {};
  const auto from = at + begin.size();
  return std::string(tag.substr(from, tag.find('"', from) - from));
}

std::vector<Case> casesOf(const std::string& manifest) {
  std::vector<Case> cases;
  for (auto at = manifest.find("<test "); at != std::string::npos; at = manifest.find("<test ", at + 1)) {
    const auto comment = manifest.rfind("<!--", at);
    if (comment != std::string::npos && manifest.find("-->", comment) > at) continue;
    const std::string_view tag = std::string_view(manifest).substr(at, manifest.find('>', at) - at);
    if (attribute(tag, "gen") != "true") continue;
    Case one{attribute(tag, "id"), attribute(tag, "fail") == "true", attribute(tag, "sort") == "true", {}};
    for (const auto name : {"register", "include"}) {
      const std::string listed = attribute(tag, name);
      for (const auto file : split(listed, ',')) {
        if (!trim(file).empty()) one.beside.emplace_back(trim(file));
      }
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

std::string asR4(std::string word) {
  if (word == "dom-r4b" || word == "CodeableReference" || word == "RatioRange" || word == "Meta") return {};
  if (word.ends_with("|4.3.0")) word.replace(word.size() - 6, 6, "|4.0.1");
  return word;
}

/// R4B has other targets, bindings or invariants here; what the cases are about stands elsewhere.
bool otherInR4B(std::string_view path) {
  static const std::set<std::string_view> paths = {"Observation.subject",
                                                   "Contract.term.action.performerType",
                                                   "Contract.term.action.performerRole",
                                                   "Questionnaire.item",
                                                   "ExplanationOfBenefit.priority",
                                                   "Composition.category",
                                                   "Composition.confidentiality",
                                                   "PlanDefinition",
                                                   "PlanDefinition.subject[x]",
                                                   "PlanDefinition.action",
                                                   "PlanDefinition.action.code",
                                                   "PlanDefinition.action.reason",
                                                   "PlanDefinition.action.subject[x]",
                                                   "PlanDefinition.action.participant.role"};
  return paths.contains(path);
}

/// Takes away all from `begin` to the next `end`, both included.
void cut(std::string& text, std::string_view begin, std::string_view end) {
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    const auto last = text.find(end, at + begin.size());
    if (last == std::string::npos) return;
    text.erase(at, last + end.size() - at);
  }
}

/// Some files have words of STU3, or a slip of the pen, which the reader behind the expected snapshots passes over.
std::string inWordsOfR4(std::string bytes) {
  for (auto at = bytes.find("\"valueSetReference\""); at != std::string::npos;
       at = bytes.find("\"valueSetReference\"", at)) {
    const auto comma = bytes.rfind(',', at);
    bytes.erase(comma, bytes.find('}', at) + 1 - comma);
    at = comma;
  }
  cut(bytes, "\"baseType\"", ",");
  const std::string_view slip = "<sliceName name=";
  if (const auto at = bytes.find(slip); at != std::string::npos) bytes.replace(at, slip.size(), "<sliceName value=");
  return bytes;
}

class Corpus {
 public:
  explicit Corpus(const fs::path& folder) : folder_(folder) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.find("-expected.") != std::string::npos || name == "manifest.xml") continue;
      if (!name.ends_with(".xml") && !name.ends_with(".json")) continue;
      fhir::Issues issues;
      if (DocumentPointer document = read(entry.path(), issues)) inputs_[urlOf(*document)].push_back({name, document});
    }
  }

  /// What is wrong with our answer; empty if nothing is.
  std::string judge(const Case& one) {
    fhir::Issues issues;
    const DocumentPointer input = read(file(one.id + "-input"), issues);
    if (input == nullptr) return one.fails ? "" : "the input cannot be read: " + fhir::operationOutcome(issues);
    ProfileLoader loader(fhir::Schema::r4(), issues);
    std::map<std::string, DocumentPointer> known;
    fhir::Issues others;
    for (const std::string& name : one.beside) {
      if (DocumentPointer document = read(file(name), others)) { known[urlOf(*document)] = document; }
    }
    known[urlOf(*input)] = input;
    for (const auto& [url, document] : std::map(known)) addMentioned(known, *document);
    for (const auto& [url, document] : known) loader.add(url, document);
    const auto profiles = std::move(loader).finish();
    const bool faulty = std::any_of(issues.list().begin(), issues.list().end(), [&](const fhir::Issue& issue) {
      return issue.severity <= (one.sorted ? fhir::Severity::Error : fhir::Severity::Warning);
    });
    if (one.fails) return faulty ? "" : "  no fault was found\n";
    if (faulty) return "  a fault was found: " + fhir::operationOutcome(issues) + "\n";
    const Profile* ours = profiles->find(urlOf(*input));
    if (ours == nullptr) return "  no snapshot\n";
    const DocumentPointer expected = read(file(one.id + "-expected"), others);
    if (expected == nullptr) return "the expected snapshot cannot be read: " + fhir::operationOutcome(others);
    const auto theirs = rowsOf(
        *expected, true, [](std::string_view) { return nullptr; }, others);
    if (theirs == nullptr) return "  nothing is expected: " + fhir::operationOutcome(others) + "\n";
    return difference(factLines(*ours, asR4, otherInR4B), factLines(*theirs, asR4, otherInR4B));
  }

 private:
  static std::string urlOf(const fhir::Document& document) {
    return std::string(fhir::valueAt(document, document.root(), "url"));
  }

  static DocumentPointer read(const fs::path& path, fhir::Issues& issues) {
    std::string bytes;
    if (!readFile(path.string(), bytes)) return nullptr;
    return readDefinition(inWordsOfR4(std::move(bytes)), issues);
  }

  fs::path file(const std::string& name) const {
    const fs::path xml = folder_ / (name + ".xml");
    return fs::exists(xml) ? xml : folder_ / (name + ".json");
  }

  /// Definitions of other cases that this one derives from or names as profiles.
  void addMentioned(std::map<std::string, DocumentPointer>& known, const fhir::Document& from) {
    add(known, std::string(fhir::valueAt(from, from.root(), "baseDefinition")));
    const fhir::Element* differential = fhir::child(from, from.root(), "differential");
    if (differential == nullptr) return;
    fhir::Issues issues;
    TextPool texts;
    const Origin origin{"", &from};
    for (const fhir::Element* one = differential->first; one != nullptr; one = one->next) {
      for (const TypeFacts& type : readElement(origin, one, *fhir::Schema::r4(), texts, issues).types) {
        for (const auto profile : type.profiles) add(known, std::string(profile));
      }
    }
  }

  void add(std::map<std::string, DocumentPointer>& known, const std::string& url) {
    const auto found = inputs_.find(url);
    if (found == inputs_.end() || known.contains(url)) return;
    known[url] = found->second.front().second;
    addMentioned(known, *known[url]);
  }

  fs::path folder_;
  std::map<std::string, std::vector<std::pair<std::string, DocumentPointer>>> inputs_;  // by URL; copies share one
};

std::set<std::string> knownFailures() {
  std::set<std::string> known;
  std::ifstream file(LOTSEN_SOURCE_DIR "/tests/conformance/snapshot_known_failures.txt");
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') known.insert(line.substr(0, line.find(' ')));
  }
  return known;
}

TEST(SnapshotCorpus, TheCasesComeOutAsExpected) {
  const fs::path archive = test::sharedPath("corpora/snapshot-generation/r4b-snapshot-generation.tar.xz");
  if (!fs::exists(archive)) GTEST_SKIP() << "no corpus at " << archive;
  const fs::path unpacked = fs::path(LOTSEN_BINARY_DIR) / "snapshot-generation";
  fs::create_directories(unpacked);
  const std::string command = "tar -xf '" + archive.string() + "' -C '" + unpacked.string() + "' --exclude='*.png'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const fs::path folder = unpacked / "snapshot-generation";
  std::string manifest;
  ASSERT_TRUE(readFile((folder / "manifest.xml").string(), manifest));
  const std::vector<Case> cases = casesOf(manifest);
  ASSERT_GT(cases.size(), 100U);
  const std::set<std::string> known = knownFailures();
  Corpus corpus(folder);
  std::size_t passed = 0;
  for (const Case& one : cases) {
    const std::string wrong = corpus.judge(one);
    if (wrong.empty()) ++passed;
    EXPECT_EQ(wrong.empty(), !known.contains(one.id)) << one.id << '\n' << wrong;
  }
  RecordProperty("passed", static_cast<int>(passed));
  std::printf("snapshot cases: %zu of %zu as expected\n", passed, cases.size());
}

}  // namespace
}  // namespace lotsen::definitions
