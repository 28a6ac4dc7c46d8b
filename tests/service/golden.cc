// Walks fixtures/*/*/: runs the maps of each flow on each case's input and compares with what is expected there.
// fixtures/README.md describes the files. LOTSEN_ACCEPT=1 rewrites what is expected and fails, so that an accepting run
// is never taken for a green one.
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/definitions/definitions.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/outcome.h"
#include "gateway/json/writer.h"
#include "gateway/mapping/loss.h"
#include "gateway/mapping/mapping.h"
#include "gateway/transfer/facts.h"
#include "gateway/validation/validation.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>

namespace lotsen {
namespace {

namespace fs = std::filesystem;
using SchemaPointer = std::shared_ptr<const fhir::Schema>;

const fs::path kRoot = LOTSEN_SOURCE_DIR;
const fs::path kFixtures = kRoot / "fixtures";

bool accepting() {
  return std::getenv("LOTSEN_ACCEPT") != nullptr;
}

std::string contentOf(const fs::path& path) {
  std::string text;
  EXPECT_TRUE(readFile(path.string(), text)) << path;
  return text;
}

std::string listed(const fhir::Issues& issues) {
  std::string text;
  for (const auto& issue : issues.list())
    text += issue.rule + " " + issue.expression + issue.source + ": " + issue.text + "\n";
  return text;
}

SchemaPointer schema() {
  static const SchemaPointer loaded = [] {
    std::vector<std::string> models;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / "mappings")) {
      if (entry.path().string().ends_with(".model.json")) models.push_back(entry.path().string());
    }
    fhir::Issues issues;
    auto result = definitions::load(models, issues);
    EXPECT_TRUE(result.ok() && !issues.hasErrors()) << listed(issues);
    return result.ok() ? (*result)->schema : fhir::Schema::r4();
  }();
  return loaded;
}

const validation::Validator& validator() {
  static const auto made = validation::Validator::create(schema());
  LOTSEN_CHECK(made.ok());
  return **made;
}

/// What the file `flow` of a flow's folder says.
struct Flow {
  std::string name;
  std::shared_ptr<const mapping::Library> maps;
  mapping::DropList drops;
  bool lossless = false;  // every source leaf is read or dropped
  std::function<Status(const fhir::Document&, fhir::Issues&)> facts;
};

template <typename Facts>
std::function<Status(const fhir::Document&, fhir::Issues&)> reading(Result<Facts> (*read)(const fhir::Document&,
                                                                                          fhir::Issues&)) {
  return [read](const fhir::Document& bundle, fhir::Issues& issues) -> Status {
    LOTSEN_TRY_DO(read(bundle, issues));
    return done();
  };
}

Flow readFlow(const fs::path& folder) {
  Flow flow;
  flow.name = folder.filename();
  std::vector<mapping::MapText> maps;
  const std::string text = contentOf(folder / "flow");
  for (const auto line : split(text, '\n')) {
    const auto at = line.find('=');
    if (at == std::string_view::npos) continue;
    const auto key = trim(line.substr(0, at));
    const std::string value(trim(line.substr(at + 1)));
    if (key == "map") maps.push_back({value, contentOf(kRoot / value)});
    if (key == "lossless") flow.lossless = value == "yes";
    if (key == "facts" && value == "referral") flow.facts = reading(&transfer::referralFacts);
    if (key == "facts" && value == "consent") flow.facts = reading(&transfer::consentFacts);
    if (key == "facts" && value == "btf") flow.facts = reading(&transfer::btfFacts);
  }
  fhir::Issues issues;
  auto library = mapping::Library::compile(maps, schema(), issues);
  EXPECT_TRUE(library.ok()) << flow.name << "\n" << listed(issues);
  if (!library.ok()) return flow;
  flow.maps = std::make_shared<const mapping::Library>(std::move(*library));
  const std::string drops = mapping::dropFileOf((kRoot / maps.front().file).string());
  if (!fs::exists(drops)) return flow;
  auto list = mapping::DropList::parse(drops, contentOf(drops), *schema(), flow.maps->sourceType(), issues);
  EXPECT_TRUE(list.ok()) << listed(issues);
  if (list.ok()) flow.drops = std::move(*list);
  return flow;
}

/// "@pas-referral/full@" in a leg stands for what that case is expected to become.
std::string spliced(std::string text) {
  for (std::size_t at; (at = text.find("\"@")) != std::string::npos;) {
    const auto end = text.find("@\"", at + 2);
    LOTSEN_CHECK(end != std::string::npos);
    const std::string name = text.substr(at + 2, end - at - 2);
    text.replace(at, end + 2 - at, contentOf(kFixtures / name / "expected.json"));
  }
  return text;
}

bool isUuidAt(std::string_view text, std::size_t at) {
  if (at + 36 > text.size()) return false;
  for (std::size_t i = 0; i < 36; ++i) {
    const char c = text[at + i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

/// Ids that the map made depend on its text; here they are counted instead, so that a changed comment changes no
/// expectation.
std::string stable(std::string text, const std::string& input, const std::string& name) {
  std::map<std::string, std::string> numbered;
  const std::string space = crypto::sha256Hex(name).substr(0, 8);
  for (std::size_t at = 0; at + 36 <= text.size(); ++at) {
    if (!isUuidAt(text, at)) continue;
    const std::string id = text.substr(at, 36);
    if (input.find(id) == std::string::npos) {
      auto [known, fresh] = numbered.try_emplace(id);
      if (fresh) {
        char number[16];
        std::snprintf(number, sizeof number, "%012zu", numbered.size());
        known->second = space + "-0000-5000-8000-" + number;
      }
      text.replace(at, 36, known->second);
    }
    at += 35;
  }
  return text;
}

void addReferences(const fhir::Document& document, const fhir::Element* node,
                   std::vector<const fhir::Element*>& found) {
  for (const auto* child = node->first; child != nullptr; child = child->next) {
    if (document.nameText(child->name) == "reference" && child->hasValue()) found.push_back(child);
    addReferences(document, child, found);
  }
}

/// Every entry has its own fullUrl, which is its resource's id; every reference leads to an entry.
void expectSelfContained(const fhir::Document& bundle) {
  std::set<std::string> urls;
  const auto* entry = fhir::child(bundle, bundle.root(), "entry");
  for (const auto name = entry == nullptr ? fhir::kNone : entry->name; entry != nullptr && entry->name == name;
       entry = entry->next) {
    const std::string url(fhir::valueAt(bundle, entry, "fullUrl"));
    EXPECT_TRUE(urls.insert(url).second) << url << " stands twice";
    EXPECT_EQ(url, "urn:uuid:" + std::string(fhir::valueAt(bundle, entry, "resource.id")))
        << fhir::pathOf(bundle, entry);
  }
  std::vector<const fhir::Element*> references;
  addReferences(bundle, bundle.root(), references);
  for (const auto* reference : references) {
    EXPECT_TRUE(urls.contains(std::string(reference->value()))) << fhir::pathOf(bundle, reference);
  }
}

std::string issuesJson(const fhir::Issues& issues) {
  std::string text;
  json::Writer writer(text, 1);
  writer.startArray();
  for (const auto& issue : issues.list()) {
    writer.startObject().member("severity", fhir::severityCode(issue.severity)).member("code", issue.code);
    writer.member("rule", issue.rule).member("expression", issue.expression).member("source", issue.source);
    writer.member("line", static_cast<std::int64_t>(issue.at.line)).endObject();
  }
  writer.endArray();
  return text + "\n";
}

std::string firstDifference(const std::string& expected, const std::string& actual) {
  const auto was = split(expected, '\n'), is = split(actual, '\n');
  std::size_t line = 0;
  while (line < was.size() && line < is.size() && was[line] == is[line]) ++line;
  const auto at = [line](const auto& lines) { return line < lines.size() ? std::string(lines[line]) : "(the end)"; };
  return "line " + std::to_string(line + 1) + "\n  expected " + at(was) + "\n  actual   " + at(is);
}

void compare(const fs::path& path, const std::string& actual) {
  std::string expected;
  const bool there = readFile(path.string(), expected);
  if (there && expected == actual) return;
  if (!accepting()) {
    ADD_FAILURE() << path << ": " << firstDifference(expected, actual) << "\nLOTSEN_ACCEPT=1 accepts it";
    return;
  }
  std::ofstream(path, std::ios::binary) << actual;
  ADD_FAILURE() << "accepted " << path;
}

void addLosses(const Flow& flow, const fhir::Document& source, fhir::Issues& issues) {
  for (const auto& loss : mapping::unaccounted(source, flow.drops)) {
    issues.error("incomplete", "source-unaccounted", "no rule maps it, and no .drop file names it", loss.path, loss.at);
  }
}

std::optional<fhir::Document> run(const Flow& flow, const std::string& input, fhir::Issues& issues) {
  fhir::ReadOptions options;
  options.type = flow.maps->sourceType();
  const auto source = fhir::readJson(input, schema(), options, issues);
  if (!source.ok()) return {};
  validator().validate(*source, issues);
  if (issues.hasErrors()) return {};
  auto target = mapping::transform(*flow.maps, *source, {Instant{}, crypto::sha256Hex(input)}, issues);
  if (!target.ok()) return {};
  validator().validate(*target, issues);
  if (flow.facts && !issues.hasErrors()) (void)flow.facts(*target, issues);
  if (!issues.hasErrors() && flow.lossless) addLosses(flow, *source, issues);
  return std::move(*target);
}

void runCase(const Flow& flow, const fs::path& folder) {
  const std::string name = flow.name + "/" + folder.filename().string();
  SCOPED_TRACE(name);
  const std::string input = spliced(contentOf(folder / "input.json"));
  fhir::Issues issues;
  const auto target = run(flow, input, issues);
  if (folder.filename().string().starts_with("invalid-")) {
    EXPECT_TRUE(issues.hasErrors()) << "an invalid case must be refused";
    compare(folder / "expected.issues.json", issuesJson(issues));
    return;
  }
  EXPECT_TRUE(issues.list().empty()) << listed(issues);
  if (!target.has_value()) return;
  expectSelfContained(*target);
  compare(folder / "expected.json", stable(fhir::writeJson(*target, fhir::Layout::Indented) + "\n", input, name));
}

void expectNoOrphans(const fs::path& folder) {
  const bool invalid = folder.filename().string().starts_with("invalid-");
  const std::set<std::string> known = {"input.json", "notes.md", invalid ? "expected.issues.json" : "expected.json"};
  for (const auto& entry : fs::directory_iterator(folder)) {
    EXPECT_TRUE(known.contains(entry.path().filename().string())) << entry.path() << " belongs to nothing";
  }
  EXPECT_TRUE(fs::exists(folder / "input.json")) << folder;
}

std::vector<fs::path> sorted(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The flows of the records run before those of the legs, which are made of what the records become.
TEST(Golden, EveryCaseBecomesWhatIsExpected) {
  std::vector<fs::path> flows;
  for (const auto& path : sorted(kFixtures)) {
    if (fs::exists(path / "flow")) flows.push_back(path);
  }
  std::stable_partition(flows.begin(), flows.end(),
                        [](const fs::path& path) { return path.filename().string().starts_with("pas-"); });
  ASSERT_FALSE(flows.empty());
  for (const auto& folder : flows) {
    const Flow flow = readFlow(folder);
    if (flow.maps == nullptr) continue;
    for (const auto& path : sorted(folder)) {
      if (path.filename() == "flow") continue;
      ASSERT_TRUE(fs::is_directory(path)) << path << " belongs to nothing";
      expectNoOrphans(path);
      runCase(flow, path);
    }
  }
}

// Needles from the inputs that must not come out: words are looked for, so no map can hide them in another element.
TEST(Golden, NobodySeesWhatIsNotForThem) {
  for (const auto& flow : sorted(kFixtures)) {
    const fs::path secret = flow / "protected-identity" / "expected.json";
    if (!fs::exists(secret)) continue;
    EXPECT_EQ(contentOf(secret).find("Hemliga gatan"), std::string::npos) << secret;
  }
  const std::string referral = contentOf(kFixtures / "pas-referral/other-region/expected.json");
  const std::string placed = contentOf(kFixtures / "leg-mediator/other-region/expected.json");
  const std::string recalled = contentOf(kFixtures / "leg-recall/withdrawn/expected.json");
  const std::string deregistered = contentOf(kFixtures / "leg-deregistration/own-region/expected.json");
  for (const char* clinical : {"höftledsartros", "bröstsmärta", "penicillin", "Arbets-EKG", "I20.9", "Karin"}) {
    EXPECT_NE(referral.find(clinical), std::string::npos) << clinical << " is not in the record at all";
    for (const std::string* message : {&placed, &recalled, &deregistered}) {
      EXPECT_EQ(message->find(clinical), std::string::npos) << clinical;
    }
  }
  for (const char* personal : {"Tolvansson", "Exempelgatan 12", "Kranskärlsutredning"}) {
    EXPECT_EQ(recalled.find(personal), std::string::npos) << personal;
    EXPECT_EQ(deregistered.find(personal), std::string::npos) << personal;
  }
}

void addCodings(const fhir::Document& document, const fhir::Element* node, std::set<std::string>& found) {
  const auto system = fhir::valueAt(document, node, "system");
  constexpr std::string_view kOurs = "http://lotsen.se/fhir/CodeSystem/";
  if (system.starts_with(kOurs))
    found.insert(std::string(system.substr(kOurs.size())) + "|" + std::string(fhir::valueAt(document, node, "code")));
  for (const auto* child = node->first; child != nullptr; child = child->next) addCodings(document, child, found);
}

// Every code of ours that a map writes stands in mappings/codes, and every code there is written by some map.
TEST(Golden, OurCodesAreDefinedAndUsed) {
  std::set<std::string> used, defined;
  fhir::Issues issues;
  for (const auto& entry : fs::recursive_directory_iterator(kFixtures)) {
    if (entry.path().filename() != "expected.json") continue;
    const auto document = fhir::readJson(contentOf(entry.path()), schema(), {}, issues);
    ASSERT_TRUE(document.ok()) << entry.path();
    addCodings(*document, document->root(), used);
  }
  for (const auto& path : sorted(kRoot / "mappings/codes")) {
    const auto document = fhir::readJson(contentOf(path), schema(), {}, issues);
    ASSERT_TRUE(document.ok()) << path;
    const auto* concept_ = fhir::child(*document, document->root(), "concept");
    for (const auto name = concept_->name; concept_ != nullptr && concept_->name == name; concept_ = concept_->next) {
      defined.insert(path.stem().string() + "|" + std::string(fhir::valueAt(*document, concept_, "code")));
    }
  }
  std::erase_if(used, [](const std::string& code) { return code.starts_with("mvo|"); });  // the region's own list
  EXPECT_EQ(used, defined);
}

// Every map of the house is the entry or an import of some flow, so no map is without a case.
TEST(Golden, EveryMapHasCases) {
  std::set<std::string> used;
  for (const auto& path : sorted(kFixtures)) {
    if (!fs::exists(path / "flow")) continue;
    const std::string text = contentOf(path / "flow");
    for (const auto line : split(text, '\n')) {
      if (line.starts_with("map")) used.emplace(trim(line.substr(line.find('=') + 1)));
    }
  }
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "mappings")) {
    if (entry.path().extension() != ".map") continue;
    EXPECT_TRUE(used.contains(fs::relative(entry.path(), kRoot).string())) << entry.path() << " has no golden case";
  }
}

}  // namespace
}  // namespace lotsen
