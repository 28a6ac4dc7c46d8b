#include "gateway/mapping/compiler.h"

#include "gateway/mapping/group_compiler.h"
#include "gateway/mapping/token_cursor.h"

#include <algorithm>

namespace lotsen::mapping {

namespace {

using fhir::kNone;
using fhir::TypeId;

/// Types of System values, in the order of fhirpath::Kind.
constexpr std::array<std::string_view, 9> kKindTypes = {"",     "boolean",  "integer", "decimal", "string",
                                                        "date", "dateTime", "time",    "Quantity"};

std::string_view lastSegment(std::string_view url) {
  return url.substr(url.rfind('/') + 1);
}

bool matchesWildcard(std::string_view mask, std::string_view url) {
  const std::size_t star = mask.find('*');
  if (star == std::string_view::npos) return mask == url;
  return url.size() + 1 >= mask.size() && url.starts_with(mask.substr(0, star)) && url.ends_with(mask.substr(star + 1));
}

}  // namespace

Compiler::Compiler(const std::vector<MapNode>& maps, std::shared_ptr<const definitions::Definitions> definitions,
                   Faults& faults)
    : maps_(maps),
      definitions_(std::move(definitions)),
      schema_(definitions_->schema),
      faults_(faults),
      lookup_(*schema_),
      plan_(std::make_shared<CompiledMaps>()),
      structures_(maps.size()),
      imports_(maps.size()),
      missing_(maps.size()),
      visible_(maps.size()),
      typed_(maps.size()),
      groups_(maps.size()),
      globals_(maps.size()) {
  plan_->definitions = definitions_;
  plan_->schema = schema_;
  for (std::size_t i = 1; i < kKindTypes.size(); ++i) plan_->kindTypes[i] = schema_->findType(kKindTypes[i]);
  const auto known = [this](std::string_view text) { return schema_->findName(text); };
  plan_->known = {known("coding"),    known("system"), known("code"),    known("display"),
                  known("text"),      known("value"),  known("unit"),    known("type"),
                  known("reference"), known("id"),     known("fullUrl"), known("resource")};
}

void Compiler::error(std::size_t map, fhir::Position at, std::string_view rule, const std::string& text) {
  faults_.error(maps_[map].file, at, rule, text);
}

void Compiler::warning(std::size_t map, fhir::Position at, std::string_view rule, const std::string& text) {
  faults_.warning(maps_[map].file, at, rule, text);
}

std::shared_ptr<CompiledMaps> Compiler::run() {
  for (std::size_t map = 0; map < maps_.size(); ++map) {
    resolveStructures(map);
    resolveImports(map);
    checkNames(map);
    compileConceptMaps(map);
  }
  for (std::size_t map = 0; map < maps_.size(); ++map) {
    resolveVisible(map);
    compileConstants(map);
  }
  entry();
  drain();
  for (std::size_t map = 0; map < maps_.size(); ++map) {
    for (std::size_t group = 0; group < maps_[map].groups.size(); ++group) compileUnreached({map, group});
  }
  return plan_;
}

/// For the faults of groups that the entry group does not reach.
void Compiler::compileUnreached(GroupRef ref) {
  const std::string prefix = std::to_string(ref.map) + "." + std::to_string(ref.group) + ":";
  const auto reached = instances_.lower_bound(prefix);
  if (reached != instances_.end() && reached->first.starts_with(prefix)) return;
  const GroupNode& node = group(ref);
  if (node.inputs.empty()) {  // its variables are those of the groups that extend it
    warning(ref.map, node.name.at, "fml-unused-group",
            "nothing extends group " + quoted(node.name.text) + ", which has no parameters: it never runs");
    return;
  }
  instance(ref, std::vector<StaticType>(node.inputs.size()));
  drain();
}

void Compiler::drain() {
  while (!pending_.empty() && !full()) {
    const Pending next = std::move(pending_.front());
    pending_.pop_front();
    plan_->groups[next.instance] = GroupCompiler(*this, next.ref, next.inputs, next.arguments).run();
  }
}

// --- structures, imports, names
// -------------------------------------------------------------------------------------------

/// A profile is the type it constrains: what a map fills is that type's elements.
TypeId Compiler::typeByUrl(std::string_view url) const {
  constexpr std::string_view kVersioned = "http://hl7.org/fhir/4.0/";
  constexpr std::string_view kFolder = "StructureDefinition/";
  if (url.starts_with(kVersioned)) {  // with the folder or, as some maps between versions have it, without
    url.remove_prefix(kVersioned.size());
    if (url.starts_with(kFolder)) url.remove_prefix(kFolder.size());
    return schema_->findType("http://hl7.org/fhir/" + std::string(kFolder) + std::string(url));
  }
  if (const TypeId type = schema_->findType(url); type != kNone) return type;
  const definitions::Profile* profile = definitions_->profiles->find(url);
  return profile == nullptr ? kNone : profile->type();
}

/// What to do about an unknown structure: most of FHIR's own are misspelt, the others come in packages.
std::string Compiler::nearStructure(std::string_view url) const {
  constexpr std::string_view kCore = "http://hl7.org/fhir/StructureDefinition/";
  std::vector<std::string_view> known;
  if (url.starts_with(kCore)) {
    for (TypeId type = 1; type < schema_->typeCount(); ++type)
      known.push_back(schema_->nameText(schema_->type(type).name));
  }
  const std::string near = known.empty() ? std::string() : suggestion(lastSegment(url), known);
  return near.empty() ? "; give its package if there is one" : near;
}

void Compiler::resolveStructures(std::size_t map) {
  for (const UsesNode& uses : maps_[map].uses) {
    const std::string alias = uses.alias.empty() ? std::string(lastSegment(uses.url.text)) : uses.alias.text;
    const TypeId type = typeByUrl(uses.url.text);
    if (type == kNone) {
      warning(map, uses.url.at, "fml-unknown-structure",
              "the structure " + quoted(uses.url.text) + " is not known: nothing about '" + alias + "' is checked" +
                  nearStructure(uses.url.text));
    }
    for (const Structure& other : structures_[map]) {
      if (other.alias == alias && other.type != type) {
        warning(map, uses.url.at, "fml-duplicate",
                "the alias " + quoted(alias) + " already means another structure and goes on meaning that one");
        break;
      }
    }
    structures_[map].push_back({alias, type});
  }
}

void Compiler::resolveImports(std::size_t map) {
  for (const Name& url : maps_[map].imports) {
    bool found = false;
    for (std::size_t other = 0; other < maps_.size(); ++other) {
      if (!matchesWildcard(url.text, maps_[other].url.text)) continue;
      found = true;
      if (other != map && std::find(imports_[map].begin(), imports_[map].end(), other) == imports_[map].end()) {
        imports_[map].push_back(other);
      }
    }
    if (!found) {
      missing_[map].push_back(url.text);
      warning(map, url.at, "fml-unknown-import",
              "no map with the canonical " + quoted(url.text) + " was given; add its file");
    }
  }
}

/// A map sees its own groups first, then those of its imports, then those of theirs.
void Compiler::resolveVisible(std::size_t map) {
  std::vector<bool> seen(maps_.size());
  seen[map] = true;
  std::vector<std::size_t> level{map};
  while (!level.empty()) {
    visible_[map].push_back(level);
    std::vector<std::size_t> next;
    for (const std::size_t from : level) {
      for (const std::size_t to : imports_[from]) {
        if (!seen[to]) next.push_back(to);
        seen[to] = true;
      }
    }
    level = std::move(next);
  }
}

void Compiler::checkNames(std::size_t map) {
  const auto& groups = maps_[map].groups;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!groups_[map].emplace(groups[i].name.text, i).second) {
      error(map, groups[i].name.at, "fml-duplicate",
            "there is already a group " + quoted(groups[i].name.text) + " in this map");
    }
  }
  for (std::size_t other = 0; other < map; ++other) {
    if (!maps_[map].url.empty() && maps_[other].url.text == maps_[map].url.text) {
      error(map, maps_[map].url.at, "fml-duplicate", maps_[other].file + " has the same canonical");
    }
  }
}

TypeId Compiler::resolveType(std::size_t map, const Name& name, bool parameter) {
  if (name.empty()) return kNone;
  const auto key =
      std::make_pair(map, name.text + "@" + std::to_string(name.at.line) + ":" + std::to_string(name.at.column));
  const auto known = resolved_.find(key);
  if (known != resolved_.end()) return known->second;
  return resolved_[key] = findType(map, name, parameter);
}

TypeId Compiler::findType(std::size_t map, const Name& name, bool parameter) {
  std::vector<std::string_view> known;
  for (const Structure& structure : structures_[map]) {
    if (structure.alias == name.text) return structure.type;
    known.push_back(structure.alias);
  }
  std::string_view text = name.text;
  if (text.starts_with("FHIR.")) text.remove_prefix(5);
  if (const TypeId type = typeByUrl(text); type != kNone) return type;
  for (TypeId type = 1; type < schema_->typeCount(); ++type)
    known.push_back(schema_->nameText(schema_->type(type).name));
  const std::string hint = suggestion(name.text, known);
  const auto& structures = structures_[map];
  if (std::any_of(structures.begin(), structures.end(), [](const Structure& one) { return one.type == kNone; })) {
    warning(map, name.at, "fml-unknown-type",
            "unknown type " + quoted(name.text) + ", perhaps of a structure that is not known" + hint);
  } else if (parameter && (hint.empty() || hasGroup(map, name.text))) {
    warning(map, name.at, "fml-unknown-type",
            "unknown type " + quoted(name.text) + (hasGroup(map, name.text) ? ", which is a group" : "") +
                ": the parameter takes what the group is called with");
  } else {
    error(map, name.at, "fml-unknown-type", "unknown type " + quoted(name.text) + hint);
  }
  return kNone;
}

bool Compiler::hasGroup(std::size_t map, const std::string& name) const {
  return std::any_of(visible_[map].begin(), visible_[map].end(), [&](const std::vector<std::size_t>& level) {
    return std::any_of(level.begin(), level.end(), [&](std::size_t at) { return groups_[at].contains(name); });
  });
}

std::optional<GroupRef> Compiler::findGroup(std::size_t map, const Name& name) {
  for (const std::vector<std::size_t>& level : visible_[map]) {
    std::optional<GroupRef> found;
    for (const std::size_t at : level) {
      const auto group = groups_[at].find(name.text);
      if (group == groups_[at].end()) continue;
      if (found) {
        error(map, name.at, "fml-ambiguous-group",
              "two imported maps have a group " + quoted(name.text) + ": " + maps_[found->map].file + " and " +
                  maps_[at].file);
      } else {
        found = GroupRef{at, group->second};
      }
    }
    if (found) return found;
  }
  unknownGroup(map, name);
  return {};
}

void Compiler::unknownGroup(std::size_t map, const Name& name) {
  if (full()) return;
  std::vector<std::string_view> known;
  for (const std::vector<std::size_t>& level : visible_[map]) {
    for (const std::size_t at : level) {
      for (const GroupNode& group : maps_[at].groups) known.push_back(group.name.text);
    }
  }
  std::string hint = suggestion(name.text, known);
  if (!missing_[map].empty())
    hint += "; perhaps it is in the imported map " + quoted(missing_[map].front()) + ", which was not given";
  for (std::size_t other = 0; other < maps_.size(); ++other) {
    if (groups_[other].contains(name.text))
      hint = "; " + maps_[other].file + " has one: import " + quoted(maps_[other].url.text);
  }
  error(map, name.at, "fml-unknown-group", "there is no group " + quoted(name.text) + hint);
}

TypeId Compiler::inputType(GroupRef ref, const InputNode& input) {
  const bool called = group(ref).typeMode == TypeMode::None && (ref.map != 0 || ref.group != 0);
  return input.type.empty() ? kNone : resolveType(ref.map, input.type, called);
}

std::pair<TypeId, TypeId> Compiler::typesOf(GroupRef ref) {
  const auto key = std::make_pair(ref.map, ref.group);
  if (const auto found = groupTypes_.find(key); found != groupTypes_.end()) return found->second;
  const GroupNode& node = group(ref);
  std::pair<TypeId, TypeId> types{kNone, kNone};
  if (node.inputs.size() == 2 && node.inputs[0].mode == InputMode::Source && node.inputs[1].mode == InputMode::Target) {
    types = {inputType(ref, node.inputs[0]), inputType(ref, node.inputs[1])};
  }
  groupTypes_.emplace(key, types);
  return types;
}

const std::vector<Compiler::TypedGroup>& Compiler::typedGroups(std::size_t map) {
  if (typed_[map]) return *typed_[map];
  std::vector<TypedGroup>& list = typed_[map].emplace();
  for (std::size_t distance = 0; distance < visible_[map].size(); ++distance) {
    for (const std::size_t at : visible_[map][distance]) {
      for (std::size_t index = 0; index < maps_[at].groups.size(); ++index) {
        const TypeMode mode = maps_[at].groups[index].typeMode;
        if (mode == TypeMode::None) continue;
        const auto [source, target] = typesOf({at, index});
        if (source == kNone) continue;
        list.push_back({{at, index}, source, target, mode == TypeMode::TypeAndTypes, distance});
      }
    }
  }
  return list;
}

std::optional<GroupRef> Compiler::findGroup(std::size_t map, fhir::Position at, TypeId source, TypeId target) {
  const TypedGroup* found = nullptr;
  for (const TypedGroup& one : typedGroups(map)) {
    if (one.source != source || one.target != target) continue;
    if (found == nullptr) {
      found = &one;
    } else if (found->distance == one.distance) {
      const auto told = [this](GroupRef ref) {
        return quoted(group(ref).name.text) + " (" + maps_[ref.map].file + ":" +
               std::to_string(group(ref).name.at.line) + ")";
      };
      error(map, at, "fml-ambiguous-group",
            "two groups say that they map these types by default: " + told(found->ref) + " and " + told(one.ref));
      break;
    }
  }
  return found == nullptr ? std::optional<GroupRef>() : found->ref;
}

std::vector<GroupRef> Compiler::findGroups(std::size_t map, TypeId source, bool derived) {
  std::vector<GroupRef> found;
  for (const TypedGroup& one : typedGroups(map)) {
    if (!one.bySourceAlone) continue;
    if (one.source == source || (derived && schema_->isA(one.source, source))) found.push_back(one.ref);
  }
  return found;
}

}  // namespace lotsen::mapping
