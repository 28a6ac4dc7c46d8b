#include "gateway/fhir/schema_builder.h"

#include "gateway/fhir/added.h"

#include <algorithm>

namespace lotsen::fhir {

SchemaBuilder::SchemaBuilder(const Schema& base) : schema_(base), added_(std::make_shared<Schema::Added>()) {
  schema_.added_ = added_;
  const auto first = static_cast<StringId>(r4Tables().offsets.size() - 1);
  for (const std::string& text : base.added_->strings) {  // the index points into its own strings: make it anew
    added_->strings.push_back(text);
    added_->index.emplace(added_->strings.back(), first + static_cast<StringId>(added_->strings.size()) - 1);
  }
  added_->types = base.added_->types;
  added_->valueSets = base.added_->valueSets;
}

SchemaBuilder::~SchemaBuilder() = default;

StringId SchemaBuilder::string(std::string_view text) {
  if (text.empty()) return kNone;
  if (const StringId id = schema_.findName(text); id != kNone) return id;
  const auto id = static_cast<StringId>(r4Tables().offsets.size() - 1 + added_->strings.size());
  added_->index.emplace(added_->strings.emplace_back(text), id);
  return id;
}

TypeId SchemaBuilder::declare(std::string_view name, std::string_view url, TypeKind kind, TypeId base, bool abstract) {
  const Type row{.name = string(name), .url = string(url), .base = base, .kind = kind, .abstract = abstract};
  const TypeId id = schema_.types_.add(row);
  if (schema_.findType(name) == kNone) added_->types.emplace(row.name, id);
  added_->types.insert_or_assign(row.url, id);
  return id;
}

void SchemaBuilder::alias(TypeId type, std::string_view url) {
  added_->types.emplace(string(url), type);
}

void SchemaBuilder::complete(TypeId type, ShapeId shape, DefId root) {
  Type& row = schema_.types_.added(type);
  row.shape = shape;
  row.root = root;
}

void SchemaBuilder::derive(TypeId type, TypeId base) {
  schema_.types_.added(type).base = base;
}

ShapeId SchemaBuilder::reserveShape() {
  return schema_.shapes_.add({});
}

void SchemaBuilder::fill(ShapeId shape, std::span<const Property> properties) {
  Shape& row = schema_.shapes_.added(shape);
  row = {schema_.properties_.size(), static_cast<std::uint32_t>(properties.size())};
  for (const Property& property : properties) schema_.properties_.add(property);
}

DefId SchemaBuilder::add(ElementDef def, std::span<const NewTypeRef> types, std::span<const Constraint> constraints,
                         const XmlForm& form) {
  std::vector<TypeRef> rows;
  for (const NewTypeRef& type : types) {
    rows.push_back({type.type, schema_.targets_.size(), static_cast<std::uint32_t>(type.targets.size()), type.profile});
    for (const StringId target : type.targets) schema_.targets_.add(target);
  }
  def.firstType = schema_.typeRefs_.size();
  def.typeCount = static_cast<std::uint32_t>(rows.size());
  for (const TypeRef& row : rows) schema_.typeRefs_.add(row);
  def.firstConstraint = schema_.constraints_.size();
  def.constraintCount = static_cast<std::uint32_t>(constraints.size());
  for (const Constraint& constraint : constraints) schema_.constraints_.add(constraint);
  schema_.xmlForms_.push_back(form);
  return schema_.defs_.add(def);
}

void SchemaBuilder::addValueSet(std::string_view canonical,
                                std::span<const std::pair<std::string_view, std::string_view>> codes,
                                std::span<const std::string_view> open) {
  std::vector<CodeRow> rows;
  rows.reserve(codes.size());
  for (const auto& [system, code] : codes) rows.push_back({string(code), string(system)});
  std::sort(rows.begin(), rows.end(), [](const CodeRow& a, const CodeRow& b) { return a.code < b.code; });
  std::vector<StringId> systems;
  for (const std::string_view system : open) systems.push_back(string(system));
  added_->valueSets.insert_or_assign(string(canonical), ValueSetContent{std::move(rows), std::move(systems)});
  const auto bar = canonical.find('|');
  if (bar != std::string_view::npos) added_->valueSets[string(canonical.substr(0, bar))].versioned = true;
}

bool SchemaBuilder::codesOf(std::string_view canonical,
                            std::set<std::pair<std::string_view, std::string_view>>& codes) const {
  const auto rows = r4ValueSet(schema_.findName(canonical.substr(0, canonical.find('|'))));
  if (!rows) return false;
  for (const CodeRow& row : *rows) codes.emplace(schema_.text(row.system), schema_.text(row.code));
  return true;
}

std::shared_ptr<const Schema> SchemaBuilder::build() && {
  return std::make_shared<const Schema>(std::move(schema_));
}

}  // namespace lotsen::fhir
