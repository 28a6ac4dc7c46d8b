#include "gateway/app/golden.h"

#include "gateway/app/files.h"
#include "gateway/app/golden_case.h"
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/definitions/definitions.h"
#include "gateway/mapping/loss.h"
#include "gateway/transfer/facts.h"
#include "gateway/validation/validation.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace lotsen::app {

namespace {

namespace fs = std::filesystem;
using SchemaPointer = std::shared_ptr<const fhir::Schema>;
using FactsReader = std::function<Status(const fhir::Document&, fhir::Issues&)>;

template <typename Facts>
FactsReader reading(Result<Facts> (*read)(const fhir::Document&, fhir::Issues&)) {
  return [read](const fhir::Document& bundle, fhir::Issues& issues) -> Status {
    LOTSEN_TRY_DO(read(bundle, issues));
    return done();
  };
}

/// The definitions that some flows share.
struct Structures {
  std::shared_ptr<const definitions::Definitions> definitions;
  SchemaPointer schema;
  std::shared_ptr<const validation::Validator> validator;
};

struct Flow {
  fs::path folder;
  std::string name;
  std::vector<mapping::MapText> maps;
  std::set<std::string> shared;  // files of maps that others answer for
  Structures structures;
  std::shared_ptr<const mapping::Library> library;
  mapping::DropList drops;
  bool lossless = true;        // every source leaf is mapped or dropped
  bool selfContained = false;  // the result is a Bundle whose references all lead into it
  FactsReader facts;           // what the gates read from the result
  validation::Options judged = validation::Options::quiet();  // with the profiles that the result must conform to
  bool splices = false;  // some input holds what another case is expected to become
  std::vector<fs::path> cases;
};

std::vector<fs::path> sorted(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string contentOf(const fs::path& path) {
  std::string text;
  (void)readFile(path.string(), text);
  return text;
}

class FlowReader {
 public:
  explicit FlowReader(Faults& faults) : faults_(faults) {}

  std::optional<Flow> read(const fs::path& file) {
    const std::size_t before = faults_.list.size();
    auto sections = parseSections(file.string(), contentOf(file), faults_);
    if (sections.size() != 1 || sections[0].kind != "flow" || !sections[0].name.empty()) {
      faults_.add(file.string(), 1, "expected one section [flow]");
      return {};
    }
    Section& section = sections[0];
    Flow flow;
    flow.folder = file.parent_path();
    flow.name = flow.folder.filename().string();
    flow.lossless = section.flag("lossless", true, faults_);
    flow.selfContained = section.flag("self_contained", false, faults_);
    const auto facts = section.choice("facts", "", {"referral", "consent", "btf"}, faults_);
    if (facts == "referral") flow.facts = reading(&transfer::referralFacts);
    if (facts == "consent") flow.facts = reading(&transfer::consentFacts);
    if (facts == "btf") flow.facts = reading(&transfer::btfFacts);
    flow.judged.profiles = section.all("profile");
    flow.structures = structures(section, flow.folder);
    if (flow.structures.schema != nullptr) readMaps(section, flow);
    section.refuseUnread(faults_);
    for (const auto& path : sorted(flow.folder)) {
      if (path == file) continue;
      if (fs::is_directory(path)) {
        flow.cases.push_back(path);
        flow.splices = flow.splices || contentOf(path / "input.json").find("\"@") != std::string::npos;
      } else {
        faults_.add(path.string(), 0, "belongs to no case: a case is a folder");
      }
    }
    if (faults_.list.size() != before) return {};
    return flow;
  }

 private:
  static std::string beside(const fs::path& folder, const std::string& path) {
    return (folder / path).lexically_normal().string();
  }

  void addIssues(const std::string& file, const fhir::Issues& issues) {
    for (const auto& issue : issues.list()) {
      if (issue.severity == fhir::Severity::Information || issue.severity == fhir::Severity::Warning) continue;
      const auto [place, text] = placeAndText(issue);
      faults_.add(place.empty() ? file : std::string(place), 0, std::string(text));
    }
  }

  Structures structures(Section& section, const fs::path& folder) {
    std::vector<std::string> packages;
    for (const auto& package : section.all("package")) packages.push_back(beside(folder, package));
    auto [known, fresh] = structures_.try_emplace(packages);
    if (!fresh) return known->second;
    fhir::Issues issues;
    auto definitions = definitions::load(packages, issues);
    addIssues(section.file, issues);
    if (!definitions.ok()) {
      if (!issues.hasErrors()) faults_.add(section.file, section.line, definitions.error().message);
      return {};
    }
    auto validator = validation::Validator::create(*definitions);
    if (!validator.ok()) {
      faults_.add(section.file, section.line, validator.error().message);
      return {};
    }
    known->second = {*definitions, (*definitions)->schema, std::move(*validator)};
    return known->second;
  }

  void readMaps(Section& section, Flow& flow) {
    const auto add = [&](const std::string& name) {
      auto file = beside(flow.folder, name);
      flow.maps.push_back({file, {}});
      if (!readFile(file, flow.maps.back().text)) faults_.add(section.file, section.line, "cannot read " + file);
      return file;
    };
    for (const auto& name : section.all("map")) add(name);
    for (const auto& name : section.all("shared")) flow.shared.insert(add(name));
    fhir::Issues issues;
    auto library = mapping::Library::compile(flow.maps, flow.structures.definitions, issues);
    addIssues(section.file, issues);
    if (!library.ok()) {
      if (!issues.hasErrors()) faults_.add(section.file, section.line, library.error().message);
      return;
    }
    flow.library = std::make_shared<const mapping::Library>(std::move(*library));
    const auto dropFile = mapping::dropFileOf(flow.maps.front().file);
    if (!fs::exists(dropFile)) return;
    fhir::Issues dropIssues;
    auto drops = mapping::DropList::parse(dropFile, contentOf(dropFile), *flow.structures.schema,
                                          flow.library->sourceType(), dropIssues);
    addIssues(dropFile, dropIssues);
    if (drops.ok()) flow.drops = std::move(*drops);
  }

  Faults& faults_;
  std::map<std::vector<std::string>, Structures> structures_;  // by packages
};

class Golden {
 public:
  Golden(fs::path root, bool accept, Faults& faults) : root_(std::move(root)), accept_(accept), faults_(faults) {}

  GoldenReport run() {
    auto flows = readFlows();
    // Cases whose input is made of another's expectation come after it.
    std::stable_partition(flows.begin(), flows.end(), [](const Flow& flow) { return !flow.splices; });
    for (const Flow& flow : flows) runFlow(flow);
    tellReach();
    return std::move(report_);
  }

 private:
  std::vector<Flow> readFlows() {
    std::vector<fs::path> files;
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(root_, failed)) {
      if (entry.path().filename() == "flow" && entry.is_regular_file()) files.push_back(entry.path());
    }
    if (failed) faults_.add(root_.string(), 0, "the folder cannot be read: " + failed.message());
    std::sort(files.begin(), files.end());
    if (files.empty() && !failed)
      faults_.add(root_.string(), 0, "no flow below this folder: see docs/mapping-guide.md");
    FlowReader reader(faults_);
    std::vector<Flow> flows;
    for (const auto& file : files) {
      if (auto flow = reader.read(file)) flows.push_back(std::move(*flow));
    }
    return flows;
  }

  /// What one case gave.
  struct Made {
    fhir::Document source;
    fhir::Document target;
    mapping::LossAccount account;
  };

  void runFlow(const Flow& flow) {
    fhir::Issues ignored;  // the maps compiled, so they parse
    for (const auto& map : flow.maps) {
      if (flow.shared.contains(map.file)) continue;
      if (seenMaps_.insert(map.file).second) (void)report_.grammar.add(map, flow.structures.schema, ignored);
    }
    const fhir::TypeId model = flow.library->sourceType();
    const std::string source =
        model == fhir::kNone ? std::string()
                             : std::string(flow.structures.schema->nameText(flow.structures.schema->type(model).name));
    auto [fields, fresh] = fields_.try_emplace(source, *flow.structures.schema, model);
    mapping::Trace trace = mapping::blankTrace(*flow.library);
    for (const auto& folder : flow.cases) {
      GoldenCase result;
      result.name = flow.name + "/" + folder.filename().string();
      refuseOrphans(folder, result);
      runCase(flow, folder, fields->second, trace, result);
      report_.cases.push_back(std::move(result));
    }
    for (const auto& rule : trace.rules) {
      if (flow.shared.contains(rule.file)) continue;
      auto& fired = rules_[{rule.file, rule.at.line, rule.at.column}];
      fired.first = "'" + rule.name + "' of group " + rule.group;
      fired.second += rule.fired;
    }
    for (const auto& drop : flow.drops.entries()) (void)drops_[dropName(flow, drop)];
  }

  static bool mustFail(const fs::path& folder) { return folder.filename().string().starts_with("invalid-"); }

  static void refuseOrphans(const fs::path& folder, GoldenCase& result) {
    std::set<std::string> known = {"input.json", "input.xml", "notes.md", "expected.issues.json"};
    if (!mustFail(folder)) known.insert("expected.json");
    for (const auto& path : sorted(folder)) {
      if (!known.contains(path.filename().string())) result.faults.push_back(path.string() + " belongs to nothing");
    }
  }

  void runCase(const Flow& flow, const fs::path& folder, mapping::FieldCoverage& fields, mapping::Trace& trace,
               GoldenCase& result) {
    std::string input;
    if (!readFile((folder / "input.json").string(), input) && !readFile((folder / "input.xml").string(), input)) {
      result.faults.push_back("neither input.json nor input.xml can be read");
      return;
    }
    if (!splice(input, result)) return;
    fhir::Issues issues;
    mapping::Trace own = trace;  // what a refused case does counts for nothing
    const auto made = make(flow, input, own, issues);
    const bool told = std::any_of(issues.list().begin(), issues.list().end(), [](const fhir::Issue& issue) {
      return issue.severity != fhir::Severity::Information;
    });
    const fs::path expectedIssues = folder / "expected.issues.json";
    if (mustFail(folder)) {
      if (!issues.hasErrors()) result.faults.push_back("a case named invalid-… must be refused, and it was not");
      compare(expectedIssues, issuesJson(issues), result);
      return;
    }
    if (fs::exists(expectedIssues)) {
      compare(expectedIssues, issuesJson(issues), result);
    } else if (told) {
      for (const auto& issue : issues.list())
        result.faults.push_back(issue.rule + " " + (issue.expression.empty() ? issue.source : issue.expression) + ": " +
                                issue.text);
    }
    if (!made.has_value()) return;
    if (flow.selfContained) {
      for (auto& breach : notSelfContained(made->target)) result.faults.push_back(std::move(breach));
    }
    const std::string json = fhir::writeJson(made->target, fhir::Layout::Indented) + "\n";
    compare(folder / "expected.json", countedIds(json, input, result.name), result);
    if (!result.faults.empty()) return;
    trace = std::move(own);
    count(flow, *made, fields);
  }

  /// "@pas-referral/full@" stands for what that case is expected to become.
  bool splice(std::string& text, GoldenCase& result) const {
    for (std::size_t at; (at = text.find("\"@")) != std::string::npos;) {
      const auto end = text.find("@\"", at + 2);
      const std::string name = end == std::string::npos ? "" : text.substr(at + 2, end - at - 2);
      std::string whole;
      if (name.empty() || !readFile((root_ / name / "expected.json").string(), whole)) {
        result.faults.push_back("\"@" + name + "@\" names no case with an expected.json");
        return false;
      }
      text.replace(at, end + 2 - at, whole);
    }
    return true;
  }

  std::optional<Made> make(const Flow& flow, const std::string& input, mapping::Trace& trace, fhir::Issues& issues) {
    fhir::ReadOptions read;
    read.type = flow.library->sourceType();
    auto source = readResource(input, flow.structures.schema, read, issues);
    if (!source.ok()) return {};
    if (read.type != fhir::kNone) flow.structures.validator->validate(*source, issues, validation::Options::quiet());
    if (issues.hasErrors()) return {};
    mapping::RunOptions options;
    options.seed = crypto::sha256Hex(input);
    options.trace = &trace;
    auto target = mapping::transform(*flow.library, *source, options, issues);
    if (!target.ok()) return {};
    if (flow.library->targetType() != fhir::kNone) flow.structures.validator->validate(*target, issues, flow.judged);
    if (flow.facts && !issues.hasErrors()) (void)flow.facts(*target, issues);
    if (issues.hasErrors()) return {};
    auto account = mapping::lossAccount(*source, flow.drops, trace);
    if (flow.lossless) {
      for (const auto& leaf : account.unaccounted)
        issues.error("incomplete", "source-unaccounted", "no rule maps it, and no .drop file names it", leaf.path,
                     leaf.at);
    }
    return Made{std::move(*source), std::move(*target), std::move(account)};
  }

  void count(const Flow& flow, const Made& made, mapping::FieldCoverage& fields) {
    fields.add(made.source);
    for (const auto& leaf : made.account.dropped) ++drops_[dropName(flow, flow.drops.entries()[leaf.drop])];
    if (!flow.lossless) return;
    report_.mapped += made.account.mapped.size();
    report_.dropped += made.account.dropped.size();
    report_.unaccounted += made.account.unaccounted.size();
  }

  static std::string dropName(const Flow& flow, const mapping::DropList::Entry& drop) {
    return flow.drops.file() + ":" + std::to_string(drop.line) + " " + drop.path;
  }

  void compare(const fs::path& path, const std::string& actual, GoldenCase& result) {
    std::string expected;
    const bool there = readFile(path.string(), expected);
    if (there && expected == actual) return;
    if (accept_) {
      std::ofstream(path, std::ios::binary) << actual;
      result.accepted = true;
      return;
    }
    result.faults.push_back(path.filename().string() +
                            (there ? " " + firstDifference(expected, actual) : " is missing; --accept writes it"));
  }

  void tellReach() {
    report_.rules.all = rules_.size();
    for (const auto& [place, rule] : rules_) {
      const auto& [file, line, column] = place;
      if (rule.second == 0)
        report_.rules.missed.push_back(file + ":" + std::to_string(line) + ":" + std::to_string(column) + " " +
                                       rule.first);
    }
    for (const auto& [model, fields] : fields_) {
      report_.fields.all += fields.count();
      for (auto& path : fields.unused()) report_.fields.missed.push_back(std::move(path));
    }
    report_.drops.all = drops_.size();
    for (const auto& [drop, needed] : drops_) {
      if (needed == 0) report_.drops.missed.push_back(drop);
    }
  }

  const fs::path root_;
  const bool accept_;
  Faults& faults_;
  GoldenReport report_;
  std::set<std::string> seenMaps_;
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, std::pair<std::string, std::uint64_t>> rules_;
  std::map<std::string, mapping::FieldCoverage> fields_;  // by model
  std::map<std::string, std::uint64_t> drops_;            // leaves that each has dropped
};

}  // namespace

std::size_t GoldenReport::failed() const {
  return static_cast<std::size_t>(
      std::count_if(cases.begin(), cases.end(), [](const GoldenCase& one) { return !one.faults.empty(); }));
}

GoldenReport runGolden(const std::string& folder, bool accept, Faults& faults) {
  return Golden(folder, accept, faults).run();
}

}  // namespace lotsen::app
