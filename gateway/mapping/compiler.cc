#include "gateway/mapping/compiler.h"

#include "gateway/mapping/group_compiler.h"
#include "gateway/mapping/token_cursor.h"

#include <algorithm>
#include <charconv>

namespace lotsen::mapping {

namespace {

using fhir::kNone;
using fhir::TypeId;

/// Types of System values, in the order of fhirpath::Kind.
constexpr std::array<std::string_view, 9> kKindTypes = {"",     "boolean",  "integer", "decimal", "string",
                                                        "date", "dateTime", "time",    "Quantity"};

constexpr std::size_t kMaxInstances = 20'000;

std::string_view lastSegment(std::string_view url) {
  return url.substr(url.rfind('/') + 1);
}

/// FHIRPath tells the place in front of its message: "5:17: there is no …".
std::pair<fhir::Position, std::string> placed(const std::string& message, fhir::Position otherwise) {
  fhir::Position at;
  const char* const end = message.data() + message.size();
  const auto line = std::from_chars(message.data(), end, at.line);
  if (line.ec != std::errc() || line.ptr == end || *line.ptr != ':') return {otherwise, message};
  const auto column = std::from_chars(line.ptr + 1, end, at.column);
  const std::string_view rest(column.ptr, static_cast<std::size_t>(end - column.ptr));
  if (column.ec != std::errc() || !rest.starts_with(": ")) return {otherwise, message};
  return {at, std::string(rest.substr(2))};
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
  if (url.starts_with(kVersioned))
    return schema_->findType("http://hl7.org/fhir/" + std::string(url.substr(kVersioned.size())));
  if (const TypeId type = schema_->findType(url); type != kNone) return type;
  const definitions::Profile* profile = definitions_->profiles->find(url);
  return profile == nullptr ? kNone : profile->type();
}

void Compiler::resolveStructures(std::size_t map) {
  for (const UsesNode& uses : maps_[map].uses) {
    const std::string alias = uses.alias.empty() ? std::string(lastSegment(uses.url.text)) : uses.alias.text;
    const TypeId type = typeByUrl(uses.url.text);
    if (type == kNone) {
      warning(map, uses.url.at, "fml-unknown-structure",
              "the structure " + quoted(uses.url.text) + " is not known: nothing about '" + alias +
                  "' is checked; give its package if there is one");
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

TypeId Compiler::resolveType(std::size_t map, const Name& name) {
  if (name.empty()) return kNone;
  const auto key =
      std::make_pair(map, name.text + "@" + std::to_string(name.at.line) + ":" + std::to_string(name.at.column));
  const auto known = resolved_.find(key);
  if (known != resolved_.end()) return known->second;
  return resolved_[key] = findType(map, name);
}

TypeId Compiler::findType(std::size_t map, const Name& name) {
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
  } else {
    error(map, name.at, "fml-unknown-type", "unknown type " + quoted(name.text) + hint);
  }
  return kNone;
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
  return input.type.empty() ? kNone : resolveType(ref.map, input.type);
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
  for (const std::vector<std::size_t>& level : visible_[map]) {
    for (const std::size_t at : level) {
      for (std::size_t index = 0; index < maps_[at].groups.size(); ++index) {
        const TypeMode mode = maps_[at].groups[index].typeMode;
        if (mode == TypeMode::None) continue;
        const auto [source, target] = typesOf({at, index});
        if (source == kNone) continue;
        list.push_back({{at, index}, source, target, mode == TypeMode::TypeAndTypes});
      }
    }
  }
  return list;
}

std::optional<GroupRef> Compiler::findGroup(std::size_t map, TypeId source, TypeId target) {
  for (const TypedGroup& one : typedGroups(map)) {
    if (one.source == source && one.target == target) return one.ref;
  }
  return {};
}

std::vector<GroupRef> Compiler::findGroups(std::size_t map, TypeId source, bool derived) {
  std::vector<GroupRef> found;
  for (const TypedGroup& one : typedGroups(map)) {
    if (!one.bySourceAlone) continue;
    if (one.source == source || (derived && schema_->isA(one.source, source))) found.push_back(one.ref);
  }
  return found;
}

// --- rows
// -----------------------------------------------------------------------------------------------------------------

Index Compiler::instance(GroupRef ref, const std::vector<StaticType>& arguments) {
  return instance(ref, group(ref).inputs, arguments);
}

Index Compiler::instance(GroupRef ref, const std::vector<InputNode>& inputs, const std::vector<StaticType>& arguments) {
  const bool own = !group(ref).inputs.empty();
  std::vector<StaticType> types;
  std::string key = std::to_string(ref.map) + "." + std::to_string(ref.group) + ":";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    StaticType type = i < arguments.size() ? arguments[i] : StaticType();
    const TypeId declared = own ? inputType(ref, inputs[i]) : kNone;
    const bool among = std::find(type.types.begin(), type.types.end(), declared) != type.types.end();
    if (declared != kNone && !among && (!type.known() || lookup_.open(type))) type = lookup_.of(declared);
    if (declared != kNone && among && type.types.size() > 1) type = lookup_.of(declared);
    key += (own ? "" : inputs[i].name.text + "=") + lookup_.key(type) + ";";
    types.push_back(std::move(type));
  }
  const auto found = instances_.find(key);
  if (found != instances_.end()) return found->second;
  if (instances_.size() >= kMaxInstances) {
    error(ref.map, group(ref).name.at, "fml-too-large",
          "this group is called with too many combinations of types; declare its parameters' types");
    return 0;
  }
  const Index index = static_cast<Index>(plan_->groups.size());
  plan_->groups.emplace_back();
  instances_.emplace(std::move(key), index);
  pending_.push_back({index, ref, inputs, std::move(types)});
  return index;
}

Index Compiler::constant(LiteralKind kind, std::string_view text) {
  const auto key = std::make_pair(static_cast<int>(kind), std::string(text));
  if (const auto found = constants_.find(key); found != constants_.end()) return found->second;
  static constexpr std::pair<fhirpath::Kind, std::string_view> kKinds[] = {
      {fhirpath::Kind::String, "string"},   {fhirpath::Kind::Integer, "integer"},
      {fhirpath::Kind::Decimal, "decimal"}, {fhirpath::Kind::Boolean, "boolean"},
      {fhirpath::Kind::Date, "date"},       {fhirpath::Kind::DateTime, "dateTime"},
      {fhirpath::Kind::Time, "time"}};
  const auto& [valueKind, type] = kKinds[static_cast<std::size_t>(kind)];
  const std::string& stored = plan_->texts.emplace_back(text);
  const Index index = static_cast<Index>(plan_->constants.size());
  plan_->constants.push_back({valueKind, nullptr, stored, {}});
  plan_->constantTypes.push_back(schema_->findType(type));
  constants_.emplace(key, index);
  return index;
}

Index Compiler::name(std::string_view text) {
  if (const auto found = names_.find(text); found != names_.end()) return found->second;
  const Index index = static_cast<Index>(plan_->names.size());
  plan_->names.emplace_back(text);
  names_.emplace(text, index);
  return index;
}

Index Compiler::ruleInfo(std::size_t map, const GroupNode& group, const RuleNode& rule) {
  const auto key = std::make_pair(map, std::make_pair(rule.at.line, rule.at.column));
  if (const auto found = ruleInfos_.find(key); found != ruleInfos_.end()) return found->second;
  std::string name = rule.name.text;
  if (name.empty() && !rule.sources.empty() && !rule.sources[0].path.empty()) name = rule.sources[0].path.back().text;
  const Index index = static_cast<Index>(plan_->ruleInfos.size());
  plan_->ruleInfos.push_back({maps_[map].file, group.name.text, std::move(name), rule.at});
  ruleInfos_.emplace(key, index);
  return index;
}

Index Compiler::program(std::size_t map, const Name& expression, const fhirpath::CompileOptions& options,
                        std::vector<VariablePlan> variables) {
  auto compiled = fhirpath::Program::compile(expression.text, schema_, options, expression.at);
  if (!compiled) {
    const auto [at, text] = placed(compiled.error().message, expression.at);
    error(map, at, "fml-fhirpath", text);
    return kNoIndex;
  }
  for (const std::string& message : compiled->warnings()) {
    const auto [at, text] = placed(message, expression.at);
    warning(map, at, "fml-fhirpath", text);
  }
  const Index index = static_cast<Index>(plan_->programs.size());
  plan_->programs.push_back({std::move(*compiled), std::move(variables), false});
  return index;
}

// --- constants and concept maps
// -------------------------------------------------------------------------------------------

void Compiler::compileConstants(std::size_t map) {
  for (const ConstantNode& node : maps_[map].constants) {
    fhirpath::CompileOptions options;
    std::vector<VariablePlan> variables;
    for (const auto& [name, index] : globals_[map]) {  // those above it
      options.slots.push_back({name, kNone, kNone, true});
      variables.push_back({index, true});
    }
    const Index code = program(map, node.expression, options, std::move(variables));
    const bool fresh = globals_[map].emplace(node.name.text, static_cast<Index>(plan_->globals.size())).second;
    if (!fresh) error(map, node.name.at, "fml-duplicate", "there is already a constant " + quoted(node.name.text));
    plan_->globals.push_back(code);
  }
}

Index Compiler::global(std::size_t map, std::string_view name) const {
  const auto found = globals_[map].find(name);
  return found == globals_[map].end() ? kNoIndex : found->second;
}

std::vector<std::string_view> Compiler::globalNames(std::size_t map) const {
  std::vector<std::string_view> list;
  for (const auto& [name, index] : globals_[map]) list.push_back(name);
  return list;
}

void Compiler::compileConceptMaps(std::size_t map) {
  for (const ConceptMapNode& node : maps_[map].conceptMaps) {
    std::vector<definitions::ConceptMap::Entry> entries;
    for (const ConceptMapNode::Entry& entry : node.entries) {
      entries.push_back({entry.sourceSystem, entry.source, entry.equivalence, entry.targetSystem, entry.target,
                         entry.display, entry.conditional});
    }
    std::vector<definitions::ConceptMap::Unmapped> unmapped = node.unmapped;
    for (const std::string& system : node.unmappedProvided) unmapped.emplace_back().sourceSystem = system;
    const std::string key = std::to_string(map) + "#" + node.id.text;
    if (!conceptMaps_.emplace(key, static_cast<Index>(plan_->conceptMaps.size())).second) {
      error(map, node.id.at, "fml-duplicate", "there is already a concept map " + quoted("#" + node.id.text));
    }
    plan_->conceptMaps.push_back(
        {"#" + node.id.text, definitions::ConceptMap({}, {}, std::move(entries), std::move(unmapped)), nullptr, false});
  }
}

/// "#id" of this map, "canonical#id" of another one, the canonical of a package's, or the id of this map's without '#'
/// as in HL7's tutorial.
Index Compiler::conceptMap(std::size_t map, const Name& uri) {
  if (const auto found = conceptMaps_.find(uri.text); found != conceptMaps_.end()) return found->second;
  const std::size_t hash = uri.text.find('#');
  const bool special = uri.text == "http://hl7.org/fhir/ConceptMap/special-oid2uri";
  const definitions::ConceptMap* shared = definitions_->conceptMaps.find(uri.text);
  if (special || shared != nullptr) {
    plan_->conceptMaps.push_back({uri.text, {}, shared, special});
    return conceptMaps_[uri.text] = static_cast<Index>(plan_->conceptMaps.size() - 1);
  }
  const std::string url = hash == std::string::npos ? std::string() : uri.text.substr(0, hash);
  const std::string id = hash == std::string::npos ? uri.text : uri.text.substr(hash + 1);
  std::vector<std::string_view> known;
  for (std::size_t other = 0; other < maps_.size(); ++other) {
    if (url.empty() ? other != map : maps_[other].url.text != url) continue;
    const auto found = conceptMaps_.find(std::to_string(other) + "#" + id);
    if (found != conceptMaps_.end()) return found->second;
    for (const ConceptMapNode& node : maps_[other].conceptMaps) known.push_back(node.id.text);
  }
  const std::string near = suggestion(id, known);
  const std::string remedy = hash == std::string::npos ? "; give the package that has it"
                                                       : "; write it into the map: conceptmap \"#name\" { … }";
  error(map, uri.at, "fml-unknown-concept-map",
        "there is no concept map " + quoted(uri.text) + (near.empty() ? remedy : near));
  return kNoIndex;
}

// --- entry
// ----------------------------------------------------------------------------------------------------------------

/// The type of an entry parameter that does not say it: the structure that the map uses in this mode, if there is only
/// one.
TypeId Compiler::onlyStructure(InputMode mode) const {
  TypeId type = kNone;
  int count = 0;
  for (std::size_t i = 0; i < maps_[0].uses.size(); ++i) {
    if (maps_[0].uses[i].mode != (mode == InputMode::Source ? ModelMode::Source : ModelMode::Target)) continue;
    type = structures_[0][i].type;
    ++count;
  }
  return count == 1 ? type : kNone;
}

void Compiler::entry() {
  if (maps_.empty() || maps_[0].groups.empty()) return;
  const GroupNode& first = maps_[0].groups[0];
  const bool usable = first.inputs.size() == 2 && first.inputs[0].mode != first.inputs[1].mode;
  if (!usable) {
    error(0, first.name.at, "fml-entry",
          "the first group is where a run begins: it needs exactly one source and one target parameter");
    return;
  }
  plan_->sourceFirst = first.inputs[0].mode == InputMode::Source;
  std::vector<StaticType> types;
  for (const InputNode& input : first.inputs) {
    TypeId type = inputType({0, 0}, input);
    if (input.type.empty()) type = onlyStructure(input.mode);
    (input.mode == InputMode::Source ? plan_->sourceType : plan_->targetType) = type;
    types.push_back(lookup_.of(type));
  }
  plan_->entry = instance({0, 0}, types);
}

}  // namespace lotsen::mapping
