#include "gateway/definitions/definitions.h"

#include "gateway/definitions/model.h"
#include "gateway/definitions/package.h"
#include "gateway/definitions/profile_loader.h"
#include "gateway/definitions/value_sets.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/xml_form.h"

#include <algorithm>
#include <deque>

namespace lotsen::definitions {

namespace {

using fhir::valueAt;

class Loader {
 public:
  Loader(std::shared_ptr<const fhir::Schema> base, fhir::Issues& issues)
      : base_(std::move(base)), builder_(*base_), issues_(issues) {}

  /// One file. What is no definition is passed over, but for a file that was named itself.
  void take(const std::string& name, const std::string& bytes, bool named) {
    if (name.ends_with("/package.json")) return takeManifest(name, bytes);
    const std::string_view resource = peekType(name, bytes);  // packages hold thousands of examples
    if (resource == "ConceptMap") return takeConceptMap(name, bytes);
    if (resource == "ImplementationGuide" || resource == "Questionnaire") return takeGuide(name, bytes, resource);
    const bool wanted = resource == "StructureDefinition" || resource == "ValueSet" || resource == "CodeSystem";
    if (!wanted && !named) return;
    fhir::Issues found;
    const fhir::ReadOptions options{.maxBytes = kLargestFile};
    auto document = name.ends_with(".xml") ? fhir::readXml(bytes, base_, options, found)
                                           : fhir::readJson(bytes, base_, options, found);
    for (fhir::Issue issue : found.list()) {
      issue.source = name;
      issues_.add(std::move(issue));
    }
    if (!document) return;
    const fhir::TypeId type = document->root()->type;
    const bool definition =
        type == fhir::r4::kStructureDefinition || type == fhir::r4::kValueSet || type == fhir::r4::kCodeSystem;
    if (!definition) {
      if (named)
        tell(fhir::Severity::Error,
             "not a definition (StructureDefinition, ValueSet, CodeSystem, ConceptMap, ImplementationGuide or "
             "Questionnaire)",
             name);
      return;
    }
    auto kept = std::make_shared<const fhir::Document>(std::move(*document));
    if (type == fhir::r4::kStructureDefinition) return takeStructure(name, std::move(kept));
    valueSets_.add(*documents_.emplace_back(std::move(kept)));
  }

  std::shared_ptr<const Definitions> finish() && {
    for (const Manifest& manifest : manifests_) checkDependencies(manifest);
    for (const Entry& entry : models_) derive(entry.model);
    for (Entry& entry : models_) define(entry);
    valueSets_.addTo(builder_);
    auto schema = std::move(builder_).build();
    ProfileLoader loader(schema, issues_);
    for (auto& [name, document] : profiles_) loader.add(std::move(name), std::move(document));
    auto profiles = std::move(loader).finish();
    return std::make_shared<const Definitions>(Definitions{
        std::move(schema), std::move(profiles), std::move(conceptMaps_), valueSets_.knownCodes(), std::move(guides_)});
  }

 private:
  void takeManifest(const std::string& name, const std::string& bytes) {
    auto manifest = readManifest(name, bytes);
    if (!manifest) return tell(fhir::Severity::Error, "is no package.json: not a JSON object", name);
    manifests_.push_back(std::move(*manifest));
  }

  /// What a package builds on must be among the given ones. R4 itself always is.
  void checkDependencies(const Manifest& manifest) {
    for (const auto& [name, version] : manifest.dependencies) {
      if (name == "hl7.fhir.r4.core" || name == "hl7.fhir.r4.expansions" || name == "hl7.fhir.r4.examples") continue;
      const Manifest* given = nullptr;
      bool right = false;
      for (const Manifest& other : manifests_) {
        if (other.name != name) continue;
        given = &other;
        right = right || version == "current" || version == "latest" || isVersion(version, other.version);
      }
      if (right) continue;
      const std::string what = given == nullptr ? "is not among the packages given: add it with --package"
                                                : "is given as " + given->version + " only";
      tell(fhir::Severity::Warning, "the package builds on " + name + " " + version + ", which " + what, manifest.file);
    }
  }

  struct Entry {
    Model model;
    bool begun = false;
  };

  void tell(fhir::Severity severity, std::string text, const std::string& file) {
    issues_.add({severity,
                 severity == fhir::Severity::Error ? "structure" : "informational",
                 "definition",
                 std::move(text),
                 {},
                 file,
                 {}});
  }

  /// The reader of concept maps takes JSON: it reads R5's too, which the Schema does not know.
  void takeConceptMap(const std::string& name, const std::string& bytes) {
    fhir::Issues found;
    std::string json = bytes;
    if (name.ends_with(".xml")) {
      const auto document = fhir::readXml(bytes, base_, {.maxBytes = kLargestFile}, found);
      json = document ? fhir::writeJson(*document) : std::string();
    }
    std::optional<ConceptMap> map = readConceptMap(json);
    if (!map) return tell(fhir::Severity::Error, "is no ConceptMap that can be read", name);
    conceptMaps_.add(std::move(*map));
  }

  /// Guides are often written for tools of other releases. One that is not understood hides no definition, so it is
  /// left out.
  void takeGuide(const std::string& name, const std::string& bytes, std::string_view resource) {
    fhir::Issues found;
    const fhir::ReadOptions options{.maxBytes = kLargestFile};
    auto document = name.ends_with(".xml") ? fhir::readXml(bytes, base_, options, found)
                                           : fhir::readJson(bytes, base_, options, found);
    if (document) return guides_.add(std::make_shared<const fhir::Document>(std::move(*document)));
    const std::string why = found.list().empty() ? std::string() : ": " + found.list().front().text;
    tell(fhir::Severity::Warning, "is no " + std::string(resource) + " of R4, so it is left out" + why, name);
  }

  void takeStructure(const std::string& name, std::shared_ptr<const fhir::Document> document) {
    const std::string_view url = valueAt(*document, document->root(), "url");
    if (!definesType(*document)) {
      if (Profiles::r4()->find(url) == nullptr) profiles_.push_back({name, std::move(document)});
      return;
    }
    if (const fhir::TypeId known = builder_.schema().findType(url); known != fhir::kNone) {
      if (known > fhir::r4::kLastType)
        tell(fhir::Severity::Error, "defines " + std::string(url) + " a second time", name);
      return;  // R4 itself
    }
    Entry& entry = models_.emplace_back();
    entry.model = {name, document.get(), fhir::kNone};
    documents_.push_back(std::move(document));
    declareModel(entry.model, builder_);
  }

  void derive(const Model& model) {
    const fhir::TypeId base = baseOf(model, builder_.schema());
    if (!builder_.schema().isA(base, model.type)) return builder_.derive(model.type, base);
    tell(fhir::Severity::Error, "derives from itself through its baseDefinition", model.file);
  }

  /// What it needs before it. A circle ends where it began.
  void define(Entry& entry) {
    if (entry.begun) return;
    entry.begun = true;
    for (const fhir::TypeId needed : neededBy(entry.model, builder_.schema())) {
      const auto other = std::find_if(models_.begin(), models_.end(),
                                      [&](const Entry& candidate) { return candidate.model.type == needed; });
      if (needed != fhir::kNone && other != models_.end()) define(*other);
    }
    defineModel(entry.model, builder_, issues_);
  }

  std::shared_ptr<const fhir::Schema> base_;
  fhir::SchemaBuilder builder_;
  fhir::Issues& issues_;
  std::vector<std::shared_ptr<const fhir::Document>> documents_;
  std::deque<Entry> models_;
  std::vector<std::pair<std::string, std::shared_ptr<const fhir::Document>>> profiles_;
  ValueSets valueSets_;
  ConceptMaps conceptMaps_;
  Guides guides_;
  std::vector<Manifest> manifests_;
};

}  // namespace

std::shared_ptr<const Definitions> Definitions::r4() {
  static const auto definitions =
      std::make_shared<const Definitions>(Definitions{fhir::Schema::r4(), Profiles::r4(), {}, {}, {}});
  return definitions;
}

Result<std::shared_ptr<const Definitions>> load(const std::vector<std::string>& paths, fhir::Issues& issues) {
  fhir::Issues found;
  Loader loader(fhir::Schema::r4(), found);
  for (const std::string& path : paths) {
    LOTSEN_TRY_DO(forEachFile(
        path, [&](const std::string& name, const std::string& bytes) { loader.take(name, bytes, name == path); }));
  }
  auto loaded = std::move(loader).finish();
  issues.append(found);
  if (!found.hasErrors()) return loaded;
  const auto& list = found.list();
  const auto first = std::find_if(list.begin(), list.end(),
                                  [](const fhir::Issue& issue) { return issue.severity <= fhir::Severity::Error; });
  return fail(Code::Invalid, "the definitions have faults; the first, in " + first->source + ": " + first->text);
}

}  // namespace lotsen::definitions
