#include "gateway/definitions/definitions.h"

#include "gateway/definitions/model.h"
#include "gateway/definitions/package.h"
#include "gateway/definitions/value_sets.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/r4/types.h"

#include <algorithm>
#include <deque>

namespace lotsen::definitions {

namespace {

using fhir::valueAt;

class Loader {
 public:
  Loader(std::shared_ptr<const fhir::Schema> base, fhir::Issues& issues)
      : base_(std::move(base)), builder_(*base_), issues_(issues) {}

  /// One JSON file. What is no definition is passed over, but for a file that was named itself.
  void take(const std::string& name, const std::string& bytes, bool named) {
    const std::string_view resource = fhir::peekResourceType(bytes);  // packages hold thousands of examples
    if (resource == "ConceptMap") return takeConceptMap(name, bytes);
    const bool wanted = resource == "StructureDefinition" || resource == "ValueSet" || resource == "CodeSystem";
    if (!wanted && !named) return;
    fhir::Issues found;
    auto document = fhir::readJson(bytes, base_, {.maxBytes = kLargestFile}, found);
    for (fhir::Issue issue : found.list()) {
      issue.source = name;
      issues_.add(std::move(issue));
    }
    if (!document) return;
    const fhir::TypeId type = document->root()->type;
    const bool definition =
        type == fhir::r4::kStructureDefinition || type == fhir::r4::kValueSet || type == fhir::r4::kCodeSystem;
    if (!definition) {
      if (named) tell(fhir::Severity::Error, "not a StructureDefinition, ValueSet, CodeSystem or ConceptMap", name);
      return;
    }
    const fhir::Document& kept = documents_.emplace_back(std::move(document).value());
    if (type != fhir::r4::kStructureDefinition) {
      valueSets_.add(kept);
    } else {
      takeStructure(name, kept);
    }
  }

  ConceptMaps conceptMaps() && { return std::move(conceptMaps_); }
  std::shared_ptr<const fhir::Schema> finish() {
    for (const Entry& entry : models_) derive(entry.model);
    for (Entry& entry : models_) define(entry);
    valueSets_.addTo(builder_);
    return std::move(builder_).build();
  }

 private:
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

  void takeConceptMap(const std::string& name, const std::string& bytes) {
    std::optional<ConceptMap> map = readConceptMap(bytes);
    if (!map) return tell(fhir::Severity::Error, "is no ConceptMap that can be read", name);
    conceptMaps_.add(std::move(*map));
  }

  void takeStructure(const std::string& name, const fhir::Document& document) {
    const std::string_view url = valueAt(document, document.root(), "url");
    if (!definesType(document)) {
      return tell(fhir::Severity::Information,
                  "the profile " + std::string(url) + " was not read: profiles are not checked yet", name);
    }
    if (const fhir::TypeId known = builder_.schema().findType(url); known != fhir::kNone) {
      if (known > fhir::r4::kLastType)
        tell(fhir::Severity::Error, "defines " + std::string(url) + " a second time", name);
      return;  // R4 itself
    }
    Entry& entry = models_.emplace_back();
    entry.model = {name, &document, fhir::kNone};
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
  std::deque<fhir::Document> documents_;
  std::deque<Entry> models_;
  ValueSets valueSets_;
  ConceptMaps conceptMaps_;
};

}  // namespace

std::shared_ptr<const Definitions> Definitions::r4() {
  static const auto definitions =
      std::make_shared<const Definitions>(Definitions{fhir::Schema::r4(), Profiles::r4(), {}});
  return definitions;
}

Result<std::shared_ptr<const Definitions>> load(const std::vector<std::string>& paths, fhir::Issues& issues) {
  fhir::Issues found;
  Loader loader(fhir::Schema::r4(), found);
  for (const std::string& path : paths) {
    LOTSEN_TRY_DO(forEachJson(
        path, [&](const std::string& name, const std::string& bytes) { loader.take(name, bytes, name == path); }));
  }
  auto schema = loader.finish();
  auto loaded = std::make_shared<const Definitions>(
      Definitions{std::move(schema), Profiles::r4(), std::move(loader).conceptMaps()});
  issues.append(found);
  if (!found.hasErrors()) return loaded;
  const auto& list = found.list();
  const auto first = std::find_if(list.begin(), list.end(),
                                  [](const fhir::Issue& issue) { return issue.severity <= fhir::Severity::Error; });
  return fail(Code::Invalid, "the definitions have faults; the first, in " + first->source + ": " + first->text);
}

}  // namespace lotsen::definitions
