#include "gateway/fhir/schema.h"

#include "gateway/fhir/added.h"
#include "gateway/fhir/r4/types.h"

#include <algorithm>

namespace lotsen::fhir {

namespace {

StringId r4StringCount() {
  return static_cast<StringId>(r4Tables().offsets.size() - 1);
}

StringId findR4String(std::string_view text) {
  const R4Tables& tables = r4Tables();
  const std::size_t mask = tables.stringIndex.size() - 1;
  for (std::size_t slot = hashText(text) & mask; tables.stringIndex[slot] != 0; slot = (slot + 1) & mask) {
    const StringId id = tables.stringIndex[slot];
    const std::uint32_t start = tables.offsets[id];
    if (std::string_view(tables.pool + start, tables.offsets[id + 1] - start) == text) return id;
  }
  return kNone;
}

Schema::Membership search(std::span<const CodeRow> codes, StringId system, bool anySystem, StringId code) {
  const auto byCode = [](const CodeRow& row, StringId id) { return row.code < id; };
  for (auto row = std::lower_bound(codes.begin(), codes.end(), code, byCode); row != codes.end() && row->code == code;
       ++row) {
    if (anySystem || row->system == system) return Schema::Membership::In;
  }
  return Schema::Membership::NotIn;
}

}  // namespace

Schema::Schema() : added_(std::make_shared<const Added>()) {
  const R4Tables& tables = r4Tables();
  types_ = Table<Type>(tables.types);
  shapes_ = Table<Shape>(tables.shapes);
  properties_ = Table<Property>(tables.properties);
  defs_ = Table<ElementDef>(tables.defs);
  firstAddedDef_ = defs_.size();
  firstAddedShape_ = shapes_.size();
  typeRefs_ = Table<TypeRef>(tables.typeRefs);
  constraints_ = Table<Constraint>(tables.constraints);
  targets_ = Table<StringId>(tables.targets);
}

std::shared_ptr<const Schema> Schema::r4() {
  static const std::shared_ptr<const Schema> schema(new Schema);
  return schema;
}

std::string_view Schema::text(StringId id) const {
  const R4Tables& tables = r4Tables();
  if (id < r4StringCount()) {
    const std::uint32_t start = tables.offsets[id];
    return {tables.pool + start, tables.offsets[id + 1] - start};
  }
  return added_->strings[id - r4StringCount()];
}

NameId Schema::findName(std::string_view text) const {
  if (const StringId id = findR4String(text); id != kNone) return id;
  if (added_->index.empty()) return kNone;
  const auto found = added_->index.find(text);
  return found == added_->index.end() ? kNone : found->second;
}

TypeId Schema::findType(std::string_view nameOrUrl) const {
  const StringId id = findName(nameOrUrl.substr(0, nameOrUrl.find('|')));
  // The generator gives type i the string i as its name and the string i + number of types as its canonical.
  if (id != kNone && id <= 2 * r4::kLastType) return id <= r4::kLastType ? id : id - r4::kLastType;
  const auto found = added_->types.find(id);
  return found == added_->types.end() ? kNone : found->second;
}

const Property* Schema::property(ShapeId shape, NameId name) const {
  const R4Tables& tables = r4Tables();
  if (shape < tables.shapes.size()) {
    const std::size_t mask = tables.propertyIndex.size() - 1;
    const Shape& row = tables.shapes[shape];
    for (std::size_t slot = hashPair(shape, name) & mask; tables.propertyIndex[slot] != 0; slot = (slot + 1) & mask) {
      const std::uint32_t at = tables.propertyIndex[slot];
      if (tables.properties[at].name == name && at - row.firstProperty < row.propertyCount)
        return &tables.properties[at];
    }
    return nullptr;
  }
  for (const Property& candidate : properties(shape)) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

bool Schema::isA(TypeId type, TypeId ancestor) const {
  for (; type != kNone; type = types_[type].base) {
    if (type == ancestor) return true;
  }
  return false;
}

std::optional<Schema::Content> Schema::contentOf(std::string_view valueSet) const {
  const auto bar = valueSet.find('|');
  const StringId url = findName(valueSet.substr(0, bar));
  if (url == kNone) return std::nullopt;
  if (const auto added = added_->valueSets.find(url); added != added_->valueSets.end()) {
    const bool any = bar == std::string_view::npos || !added->second.versioned;
    const auto named = any ? added : added_->valueSets.find(findName(valueSet));
    if (named == added_->valueSets.end()) return std::nullopt;  // another version
    return Content{named->second.codes, named->second.open};
  }
  const auto codes = r4ValueSet(url);
  if (!codes) return std::nullopt;
  return Content{*codes, {}};
}

Schema::Membership Schema::inValueSet(std::string_view valueSet, std::string_view system, std::string_view code) const {
  const std::optional<Content> content = contentOf(valueSet);
  if (!content) return Membership::Unknown;
  const StringId codeId = findName(code);
  const StringId systemId = findName(system);
  const bool strange = codeId == kNone || (!system.empty() && systemId == kNone);
  if (!strange && search(content->codes, systemId, system.empty(), codeId) == Membership::In) return Membership::In;
  const auto& open = content->open;
  const bool maybe = std::any_of(open.begin(), open.end(),
                                 [&](StringId one) { return system.empty() || one == kNone || one == systemId; });
  return maybe ? Membership::Unknown : Membership::NotIn;
}

std::vector<std::string_view> Schema::codesOf(std::string_view valueSet, std::size_t most) const {
  const std::optional<Content> content = contentOf(valueSet);
  if (!content || !content->open.empty() || content->codes.size() > most) return {};
  std::vector<std::string_view> codes;
  for (const CodeRow& row : content->codes) codes.push_back(text(row.code));
  std::sort(codes.begin(), codes.end());
  return codes;
}

}  // namespace lotsen::fhir
