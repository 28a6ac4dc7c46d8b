#include "gateway/app/shipped.h"

#include "gateway/app/files.h"
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/definitions/definitions.h"
#include "gateway/definitions/package.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

namespace lotsen::app {

namespace {

namespace fs = std::filesystem;

class Shipped {
 public:
  Shipped(const ShippedFolders& folders, service::Configuration& configuration, std::string& text, Faults& faults)
      : folders_(folders), configuration_(configuration), text_(text), faults_(faults) {}

  void run() {
    const auto channels = filesBelow(folders_.mappings, "channels.conf");
    const auto legs = filesBelow(folders_.mappings, "legs.conf");
    const auto drops = filesBelow(folders_.mappings, ".drop");
    if (faults_.any()) return;
    readDefinitions();
    if (!configuration_.validator) return;
    readTemplates();
    for (const auto& file : channels) {
      for (auto& section : sectionsOf(file)) readChannel(section);
    }
    for (const auto& file : legs) {
      for (auto& section : sectionsOf(file)) readLeg(section);
    }
    refuseStrayDrops(drops);
    if (configuration_.channels.empty())
      faults_.add(folders_.mappings, 0, "no channels.conf with a [channel …] below this folder");
    if (configuration_.legs.empty()) faults_.add(folders_.mappings, 0, "no legs.conf with a [leg …] below this folder");
  }

 private:
  std::vector<std::string> filesBelow(const std::string& folder, std::string_view ending) {
    std::vector<std::string> files;
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(folder, failed)) {
      const auto path = entry.path().string();
      if (!entry.is_regular_file(failed)) continue;
      if (path.size() >= ending.size() && path.compare(path.size() - ending.size(), ending.size(), ending) == 0)
        files.push_back(path);
    }
    if (failed) faults_.add(folder, 0, "the folder cannot be read: " + failed.message());
    std::sort(files.begin(), files.end());
    return files;
  }

  std::string textOf(const std::string& file) {
    std::string text;
    if (!readFile(file, text)) faults_.add(file, 0, "cannot be read");
    text_ += text;
    return text;
  }

  std::vector<Section> sectionsOf(const std::string& file) {
    auto sections = parseSections(file, textOf(file), faults_);
    return sections;
  }

  void addIssues(const std::string& file, const fhir::Issues& issues) {
    for (const auto& issue : issues.list()) {
      if (issue.severity != fhir::Severity::Error && issue.severity != fhir::Severity::Fatal) continue;
      faults_.add(issue.source.empty() ? file : issue.source, static_cast<int>(issue.at.line),
                  std::string(placeAndText(issue).second), static_cast<int>(issue.at.column));
    }
  }

  /// The definitions below the folder of mappings and those of the packages.
  void readDefinitions() {
    std::vector<std::string> paths = {folders_.mappings};
    paths.insert(paths.end(), folders_.packages.begin(), folders_.packages.end());
    fhir::Issues issues;
    const auto loaded = loadDefinitions(paths, issues);
    addIssues(folders_.mappings, issues);
    if (!loaded.ok()) {
      if (!issues.hasErrors()) faults_.add(folders_.mappings, 0, loaded.error().message);
      return;
    }
    for (const auto& path : paths) addToRevision(path);
    configuration_.legModel = configuration_.schema()->findType("http://lotsen.se/fhir/StructureDefinition/Leg");
    if (configuration_.legModel == fhir::kNone) {
      faults_.add(folders_.mappings, 0, "the logical model http://lotsen.se/fhir/StructureDefinition/Leg is missing");
    } else {
      checkTexts();
    }
  }

  Status loadDefinitions(const std::vector<std::string>& paths, fhir::Issues& issues) {
    LOTSEN_TRY(configuration_.definitions, definitions::load(paths, issues));
    LOTSEN_TRY(configuration_.messages,
               validation::MessageKinds::load(paths, configuration_.definitions->schema, issues));
    if (issues.hasErrors()) return fail(Code::Invalid, "the definitions have faults");
    LOTSEN_TRY(configuration_.validator,
               validation::Validator::create(configuration_.definitions, configuration_.messages));
    return done();
  }

  void addToRevision(const std::string& path) {
    (void)definitions::forEachFile(
        path, [&](const std::string&, const std::string& bytes) { text_ += crypto::sha256Hex(bytes); });
  }

  // [texts] may say what Leg.policy has a place for, and nothing else.
  void checkTexts() {
    const auto& schema = *configuration_.schema();
    const auto* policy = schema.property(schema.type(configuration_.legModel).shape, schema.findName("policy"));
    std::vector<std::string_view> known;
    if (policy != nullptr) {
      for (const auto& property : schema.properties(schema.shapeOf(policy->def, policy->type)))
        known.push_back(schema.nameText(property.name));
    }
    for (const auto& [name, text] : configuration_.texts) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const auto near = nearest(name, known);
      faults_.add(folders_.mappings, 0,
                  "[texts] " + name + " has no place in the Leg model (policy)" +
                      (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
    }
  }

  // Faults of maps reach partners in a record's issues: "mappings/pas/referral.map", not where it lies on this machine.
  std::string shownName(const std::string& file) const {
    return fs::path(file).lexically_relative(fs::path(folders_.mappings).parent_path()).string();
  }

  // Maps that several legs share are compiled once per entry map: a Library's first map is its entry.
  std::shared_ptr<const mapping::Library> compile(Section& section, std::vector<mapping::MapText>& maps) {
    const auto folder = fs::path(section.file).parent_path();
    for (const auto& name : section.all("map")) {
      const auto file = (folder / name).string();
      maps.push_back({shownName(file), textOf(file)});
    }
    if (maps.empty()) {
      faults_.add(section.file, section.line, "[" + section.kind + " " + section.name + "] needs map = FILE");
      return nullptr;
    }
    fhir::Issues issues;
    auto library = mapping::Library::compile(maps, configuration_.definitions, issues);
    addIssues(maps.front().file, issues);
    if (!library.ok()) {
      if (!issues.hasErrors()) faults_.add(maps.front().file, 0, library.error().message);
      return nullptr;
    }
    return std::make_shared<const mapping::Library>(std::move(*library));
  }

  void readChannel(Section& section) {
    if (section.kind != "channel" || section.name.empty()) {
      faults_.add(section.file, section.line, "expected [channel NAME]");
      return;
    }
    service::Channel channel;
    channel.id = section.name;
    const auto kind = section.choice("record", "", {"referral", "consent", "btf"}, faults_);
    channel.kind = kind == "consent" ? store::RecordKind::Consent
                   : kind == "btf"   ? store::RecordKind::Btf
                                     : store::RecordKind::Referral;
    if (kind.empty()) faults_.add(section.file, section.line, "[channel] needs record = referral | consent | btf");
    channel.idPath = section.required("id", faults_);
    channel.versionPath = section.required("version", faults_);
    channel.casePath = section.required("case", faults_);
    channel.senderPath = section.optional("sender", "", faults_);
    for (const auto& path : section.all("person")) {
      const auto slash = path.find('/');
      channel.persons.push_back({path.substr(0, slash), slash == std::string::npos ? "" : path.substr(slash + 1)});
    }
    channel.units = section.all("unit");
    channel.numbers = section.all("number");
    const auto unaccounted = section.choice("unaccounted", "refuse", {"refuse", "warn", "carry"}, faults_);
    channel.unaccounted = unaccounted == "warn"    ? service::Channel::Unaccounted::Warn
                          : unaccounted == "carry" ? service::Channel::Unaccounted::Carry
                                                   : service::Channel::Unaccounted::Refuse;
    if (unaccounted == "carry" && channel.kind != store::RecordKind::Referral)
      faults_.add(section.file, section.line,
                  "unaccounted = carry is for referrals: no receiver gets a consent or BTF record as it came");
    channel.voidsReleases = section.flag("voids_releases", channel.kind != store::RecordKind::Referral, faults_);
    channel.map = compile(section, channel.maps);
    if (!channel.maps.empty()) usedDrops_.insert(dropFileOf(section));
    if (channel.map != nullptr) {
      channel.model = channel.map->sourceType();  // the entry map says what the record is
      readDrops(section, channel);
      checkPaths(section, channel.model);
    }
    channel.profiles = profilesOf(section);
    section.refuseUnread(faults_);
    configuration_.channels[channel.id] = std::move(channel);
  }

  /// What the Bundle that a channel or leg makes must conform to.
  std::vector<std::string> profilesOf(Section& section) {
    auto profiles = section.all("profile");
    for (const auto& entry : section.entries) {
      if (entry.key != "profile") continue;
      const auto* profile = configuration_.definitions->profiles->find(entry.value);
      if (profile == nullptr) {
        faults_.add(section.file, entry.line,
                    "no definition of the profile " + entry.value + " below the mappings or in a package");
      } else if (profile->type() != configuration_.schema()->findType("Bundle")) {
        faults_.add(
            section.file, entry.line,
            "the profile must be one of Bundle: this one is of " +
                std::string(configuration_.schema()->nameText(configuration_.schema()->type(profile->type()).name)));
      }
    }
    return profiles;
  }

  static std::string dropFileOf(Section& section) {
    return mapping::dropFileOf((fs::path(section.file).parent_path() / section.all("map").front()).string());
  }

  // A path that the record does not have would find nothing, and so check nothing.
  void checkPaths(const Section& section, fhir::TypeId model) {
    static constexpr std::array<std::string_view, 7> kPaths = {"id",     "version", "case",  "sender",
                                                               "person", "unit",    "number"};
    for (const auto& entry : section.entries) {
      if (model == fhir::kNone || std::find(kPaths.begin(), kPaths.end(), entry.key) == kPaths.end()) continue;
      for (const auto path : split(entry.value, '/')) {
        if (!hasElement(model, path))
          faults_.add(section.file, entry.line, entry.key + ": the record has no element " + std::string(path));
      }
    }
  }

  bool hasElement(fhir::TypeId model, std::string_view path) const {
    const auto& schema = *configuration_.schema();
    fhir::ShapeId shape = schema.type(model).shape;
    for (const auto name : split(path, '.')) {
      const auto* property = schema.property(shape, schema.findName(name));
      if (property == nullptr) return false;
      shape = property->type == fhir::kNone ? fhir::kNone : schema.shapeOf(property->def, property->type);
    }
    return true;
  }

  // The .drop file beside the entry map, if there is one.
  void readDrops(Section& section, service::Channel& channel) {
    const auto file = dropFileOf(section);
    if (!fs::exists(file)) return;
    fhir::Issues issues;
    auto drops =
        mapping::DropList::parse(shownName(file), textOf(file), *configuration_.schema(), channel.model, issues);
    addIssues(file, issues);
    if (drops.ok()) channel.drops = std::move(*drops);
  }

  // A list that no channel reads would let its author believe that something is dropped.
  void refuseStrayDrops(const std::vector<std::string>& drops) {
    for (const auto& file : drops) {
      if (usedDrops_.find(file) == usedDrops_.end())
        faults_.add(file, 0, "no channel's entry map has this name, so nobody reads it; name it after the first map");
    }
  }

  void readLeg(Section& section) {
    static const std::map<std::string, store::Role> kRoles = {{"provider", store::Role::Provider},
                                                              {"mediator", store::Role::Mediator},
                                                              {"recall", store::Role::Recall},
                                                              {"pas", store::Role::Pas},
                                                              {"receipt", store::Role::Receipt},
                                                              {"patient-letter", store::Role::PatientLetter},
                                                              {"clinician-letter", store::Role::ClinicianLetter}};
    const auto role = kRoles.find(section.name);
    if (section.kind != "leg" || role == kRoles.end()) {
      faults_.add(
          section.file, section.line,
          "expected [leg ROLE] with provider, mediator, recall, pas, receipt, patient-letter or clinician-letter");
      return;
    }
    service::LegMaker maker;
    std::vector<mapping::MapText> maps;
    maker.map = compile(section, maps);
    const auto name = section.optional("template", "", faults_);
    if (!name.empty() && configuration_.templates) {
      maker.letter = configuration_.templates->find(name, "sv-SE");
      if (maker.letter == nullptr)
        faults_.add(section.file, section.line, "no template " + name + " in Swedish in " + folders_.templates);
    }
    maker.profiles = profilesOf(section);
    section.refuseUnread(faults_);
    configuration_.legs[role->second] = std::move(maker);
  }

  void readTemplates() {
    fhir::Issues issues;
    auto library = letter::loadLibrary(folders_.templates, configuration_.schema(), issues);
    addIssues(folders_.templates, issues);
    if (!library.ok()) {
      if (!issues.hasErrors()) faults_.add(folders_.templates, 0, library.error().message);
      return;
    }
    configuration_.templates = std::make_shared<const letter::Library>(std::move(*library));
    configuration_.printProfile = configuration_.templates->profile(folders_.printProfile);
    if (configuration_.printProfile == nullptr)
      faults_.add(folders_.templates, 0, "no print profile " + folders_.printProfile);
    for (const auto& file : filesBelow(folders_.templates, "")) textOf(file);
  }

  const ShippedFolders& folders_;
  service::Configuration& configuration_;
  std::string& text_;
  Faults& faults_;
  std::set<std::string> usedDrops_;  // where a channel has looked for its drops
};

}  // namespace

void readShipped(const ShippedFolders& folders, service::Configuration& configuration, std::string& text,
                 Faults& faults) {
  Shipped(folders, configuration, text, faults).run();
}

}  // namespace lotsen::app
