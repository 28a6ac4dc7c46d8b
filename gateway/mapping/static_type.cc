#include "gateway/mapping/static_type.h"

#include "gateway/fhir/forms.h"

#include <algorithm>
#include <array>

namespace lotsen::mapping {

namespace {

using fhir::DefId;
using fhir::kNone;
using fhir::Property;
using fhir::Schema;
using fhir::TypeId;

void addOnce(std::vector<const Property*>& list, const Property* property) {
  if (std::find(list.begin(), list.end(), property) == list.end()) list.push_back(property);
}

/// How well a value of one type stands in an element of another; 0: not at all.
int fit(const Schema& schema, TypeId from, TypeId to) {
  if (from == to) return 4;
  if (schema.isA(from, to)) return 3;
  const fhir::Primitive source = schema.type(from).primitive;
  const fhir::Primitive target = schema.type(to).primitive;
  if (source == fhir::Primitive::None || target == fhir::Primitive::None) return 0;
  if (source == target) return 2;
  const bool widens = (source == fhir::Primitive::Integer && target == fhir::Primitive::Decimal) ||
                      (source == fhir::Primitive::Date && target == fhir::Primitive::DateTime);
  return widens ? 1 : 0;
}

}  // namespace

TypeLookup::TypeLookup(const Schema& schema) : schema_(schema), string_(schema.findType("string")) {}

bool TypeLookup::open(const StaticType& type) const {
  return type.types.empty() || std::any_of(type.types.begin(), type.types.end(), [&](TypeId id) {
           return isAbstract(id) && (type.def == kNone || schema_.def(type.def).shape == kNone);
         });
}

bool TypeLookup::isAbstract(TypeId type) const {
  return schema_.type(type).abstract && schema_.type(type).kind != fhir::TypeKind::Logical;
}

std::vector<const Property*> TypeLookup::find(const StaticType& type, std::string_view name) const {
  std::vector<const Property*> found;
  const fhir::NameId id = schema_.findName(name);
  if (id == kNone) return found;
  for (const TypeId member : type.types) {
    const fhir::ShapeId shape = schema_.shapeOf(type.def, member);
    const Property* property = schema_.property(shape, id);
    if (property == nullptr) continue;
    if (property->type != kNone) {
      addOnce(found, property);
      continue;
    }
    for (const Property& variant : schema_.properties(shape)) {
      if (variant.def == property->def && variant.type != kNone) addOnce(found, &variant);
    }
  }
  return found;
}

std::vector<std::string_view> TypeLookup::names(const StaticType& type) const {
  std::vector<std::string_view> list;
  for (const TypeId member : type.types) {
    for (const Property& property : schema_.properties(schema_.shapeOf(type.def, member))) {
      list.push_back(schema_.nameText(property.name));
    }
  }
  return list;
}

StaticType TypeLookup::of(const std::vector<const Property*>& properties) const {
  StaticType type;
  for (const Property* property : properties) {
    if (std::find(type.types.begin(), type.types.end(), property->type) == type.types.end())
      type.types.push_back(property->type);
  }
  if (properties.size() == 1) type.def = properties[0]->def;
  return type;
}

bool TypeLookup::allPrimitive(const StaticType& type) const {
  return type.known() &&
         std::all_of(type.types.begin(), type.types.end(), [this](TypeId id) { return isPrimitive(id); });
}

bool TypeLookup::repeats(const Property& property) const {
  return property.def == kNone || schema_.def(property.def).max != 1;
}

std::string TypeLookup::describe(const StaticType& type) const {
  std::string text;
  for (std::size_t i = 0; i < type.types.size(); ++i) {
    if (i > 0) text += i + 1 == type.types.size() ? " or " : ", ";
    text += schema_.nameText(schema_.type(type.types[i]).name);
  }
  if (type.types.size() == 1 && type.def != kNone && schema_.def(type.def).shape != kNone) {
    text = schema_.text(schema_.def(type.def).path);
  }
  return text;
}

std::string TypeLookup::key(const StaticType& type) const {
  std::string text;
  for (const TypeId member : type.types) {
    text += std::to_string(member) + "/" + std::to_string(schema_.shapeOf(type.def, member)) + ",";
  }
  return text;
}

const Property* chooseProperty(const Schema& schema, std::span<const Property* const> candidates, TypeId type,
                               const std::string_view* text) {
  const Property* best = nullptr;
  int bestFit = 0;
  for (const Property* candidate : candidates) {
    const int quality = type == kNone ? 0 : fit(schema, type, candidate->type);
    if (quality > bestFit) {
      best = candidate;
      bestFit = quality;
    }
  }
  if (best != nullptr) return best;
  const bool primitive = type == kNone || schema.type(type).primitive != fhir::Primitive::None;
  for (const Property* candidate : candidates) {
    const bool toPrimitive = schema.type(candidate->type).primitive != fhir::Primitive::None;
    if (primitive && toPrimitive && text != nullptr && fhir::isValidPrimitive(schema, candidate->type, *text))
      return candidate;
    if ((!primitive || !toPrimitive) && type != kNone && convertible(schema, type, candidate->type)) return candidate;
  }
  return nullptr;
}

bool convertible(const Schema& schema, TypeId from, TypeId to) {
  if (from == to || schema.isA(from, to) || schema.isA(to, from)) return true;
  const bool fromPrimitive = schema.type(from).primitive != fhir::Primitive::None;
  const bool toPrimitive = schema.type(to).primitive != fhir::Primitive::None;
  if (fromPrimitive && toPrimitive) return true;  // judged by the text when it runs
  const std::string_view target = schema.nameText(schema.type(to).name);
  const std::string_view source = schema.nameText(schema.type(from).name);
  if (fromPrimitive) {
    static constexpr std::array<std::string_view, 4> kTexts = {"CodeableConcept", "Coding", "Annotation", "Quantity"};
    static constexpr std::array<std::string_view, 4> kReferences = {"string", "uri", "url", "canonical"};
    if (target == "Reference") return std::find(kReferences.begin(), kReferences.end(), source) != kReferences.end();
    return std::find(kTexts.begin(), kTexts.end(), target) != kTexts.end();
  }
  return (source == "Coding" && target == "CodeableConcept") || (source == "CodeableConcept" && target == "Coding");
}

}  // namespace lotsen::mapping
