// The rows that all groups share: instances, constants, names, expressions, concept maps, and where a run begins. Part
// of Compiler.
#include "gateway/mapping/compiler.h"
#include "gateway/mapping/token_cursor.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::kNone;
using fhir::TypeId;

constexpr std::size_t kMaxInstances = 20'000;

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

}  // namespace

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
    entries.reserve(node.entries.size());
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
  const std::string remedy = uri.text.empty()            ? "; name one: no terminology server is asked"
                             : hash == std::string::npos ? "; give the package that has it"
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
