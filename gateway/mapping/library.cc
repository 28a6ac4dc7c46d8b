#include "gateway/crypto/digest.h"
#include "gateway/mapping/compiler.h"
#include "gateway/mapping/coverage.h"
#include "gateway/mapping/mapping.h"
#include "gateway/mapping/parser.h"
#include "gateway/mapping/runner.h"
#include "gateway/mapping/structure_map.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::Element;

/// Elements that were made and got nothing: FHIR has no empty elements. Keeps the run links of fhir::Element.
void prune(Element* node) {
  Element* last = nullptr;
  Element* run = nullptr;
  for (Element* member = node->first; member != nullptr;) {
    Element* next = member->next;
    if (member->first != nullptr) prune(member);
    if (!member->empty() || member->isResource) {
      (last == nullptr ? node->first : last->next) = member;
      if (run == nullptr || run->name != member->name) run = member;
      run->runLast = member;
      last = member;
    }
    member = next;
  }
  node->last = last;
  (last == nullptr ? node->first : last->next) = nullptr;
}

bool hasEmpty(const Element* node) {
  for (const Element* member = node->first; member != nullptr; member = member->next) {
    if (member->first != nullptr ? hasEmpty(member) : !member->hasValue() && !member->isResource) return true;
  }
  return false;
}

void untouch(const Element* node) {
  node->touched = false;
  for (const Element* member = node->first; member != nullptr; member = member->next) untouch(member);
}

MapNode parse(const MapText& map, const std::shared_ptr<const fhir::Schema>& schema, Faults& faults) {
  return looksLikeResource(map.text) ? readStructureMap(map.file, map.text, schema, faults)
                                     : parseMap(map.file, map.text, faults);
}

}  // namespace

Result<fhir::Document> toStructureMap(const MapText& map, const std::shared_ptr<const fhir::Schema>& schema,
                                      fhir::Issues& issues) {
  Faults faults(issues);
  const MapNode node = parse(map, schema, faults);
  if (faults.hasErrors()) return fail(Code::Invalid, map.file + ": the map has faults");
  std::optional<fhir::Document> document = writeStructureMap(node, schema, faults);
  if (!document)
    return fail(Code::Invalid, map.file + ": the map cannot be written as an R4 StructureMap; the issues say why");
  return std::move(*document);
}

Status GrammarCoverage::add(const MapText& map, const std::shared_ptr<const fhir::Schema>& schema,
                            fhir::Issues& issues) {
  Faults faults(issues);
  const MapNode node = parse(map, schema, faults);
  if (faults.hasErrors()) return fail(Code::Invalid, map.file + ": the map has faults");
  add(node);
  return done();
}

Result<Library> Library::compile(const std::vector<MapText>& maps, std::shared_ptr<const fhir::Schema> schema,
                                 fhir::Issues& issues) {
  return compile(maps,
                 std::make_shared<const definitions::Definitions>(
                     definitions::Definitions{std::move(schema), definitions::Profiles::r4(), {}}),
                 issues);
}

Result<Library> Library::compile(const std::vector<MapText>& maps,
                                 std::shared_ptr<const definitions::Definitions> definitions, fhir::Issues& issues) {
  if (maps.empty()) return fail(Code::Invalid, "no map was given");
  Faults faults(issues);
  std::vector<MapNode> nodes;
  crypto::Sha256 hash;
  for (const MapText& map : maps) {
    nodes.push_back(parse(map, definitions->schema, faults));
    hash.update(map.text);
  }
  std::shared_ptr<CompiledMaps> plan = Compiler(nodes, std::move(definitions), faults).run();
  if (faults.hasErrors()) {
    const auto isError = [](const fhir::Issue& issue) { return issue.severity == fhir::Severity::Error; };
    const auto count = std::count_if(issues.list().begin(), issues.list().end(), isError);
    return fail(Code::Invalid,
                maps[0].file + ": the map has " + std::to_string(count) + (count == 1 ? " fault" : " faults"));
  }
  plan->hash = hash.finishHex();
  Library library;
  library.maps_ = std::move(plan);
  return library;
}

const std::string& Library::hash() const {
  return maps_->hash;
}
fhir::TypeId Library::sourceType() const {
  return maps_->sourceType;
}
fhir::TypeId Library::targetType() const {
  return maps_->targetType;
}
const std::shared_ptr<const fhir::Schema>& Library::schema() const {
  return maps_->schema;
}

Trace blankTrace(const Library& library) {
  Trace trace;
  addRules(library.maps(), trace);
  return trace;
}

Result<fhir::Document> transform(const Library& library, const fhir::Document& source, const RunOptions& options,
                                 fhir::Issues& issues) {
  const CompiledMaps& plan = library.maps();
  const Element* root = source.root();
  if (root == nullptr) return fail(Code::Invalid, "the record is empty");
  if (plan.sourceType != fhir::kNone && !plan.schema->isA(root->type, plan.sourceType)) {
    const std::string wanted(plan.schema->nameText(plan.schema->type(plan.sourceType).name));
    const std::string given(root->type == fhir::kNone ? "record of unknown structure"
                                                      : plan.schema->nameText(plan.schema->type(root->type).name));
    issues.error("structure", "map-source-type", "the map takes a " + wanted + " and the record is a " + given);
    return fail(Code::Invalid, "the map takes a " + wanted + " and the record is a " + given);
  }
  untouch(root);
  fhir::Document target(plan.schema);
  if (plan.targetType == fhir::kNone) {
    target.createUntypedRoot();
  } else {
    target.createRoot(plan.targetType);
  }
  if (!Runner(plan, source, target, options, issues).run())
    return fail(Code::Invalid, "the transform failed; the issues say why");
  if (hasEmpty(target.root())) prune(target.root());
  return target;
}

}  // namespace lotsen::mapping
