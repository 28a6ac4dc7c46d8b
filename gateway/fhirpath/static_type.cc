#include "gateway/fhirpath/static_type.h"

#include <algorithm>

namespace lotsen::fhirpath {
namespace {

using Alternative = StaticType::Alternative;

void add(StaticType& into, const Alternative& alternative) {
  if (std::find(into.types.begin(), into.types.end(), alternative) == into.types.end())
    into.types.push_back(alternative);
}

ItemKind systemKind(fhir::Primitive primitive) {
  switch (primitive) {
    case fhir::Primitive::Boolean: return ItemKind::Boolean;
    case fhir::Primitive::Integer: return ItemKind::Integer;
    case fhir::Primitive::Decimal: return ItemKind::Decimal;
    case fhir::Primitive::Date: return ItemKind::Date;
    case fhir::Primitive::DateTime: return ItemKind::DateTime;
    case fhir::Primitive::Time: return ItemKind::Time;
    default: return ItemKind::String;
  }
}

/// Elements of System types: type().name, (4 'mg').value.
bool systemChild(const Alternative& focus, std::string_view name, StaticType& out) {
  if (focus.kind == ItemKind::Type && (name == "name" || name == "namespace")) {
    add(out, {ItemKind::String, fhir::kNone, fhir::kNone});
    return true;
  }
  if (focus.kind == ItemKind::Quantity && (name == "value" || name == "unit" || name == "code")) {
    add(out, {name == "value" ? ItemKind::Decimal : ItemKind::String, fhir::kNone, fhir::kNone});
    return true;
  }
  return false;
}

bool isOpen(const fhir::Schema& schema, const Alternative& alternative) {
  if (alternative.type == fhir::kNone) return true;
  const bool ownShape = alternative.def != fhir::kNone && schema.def(alternative.def).shape != fhir::kNone;
  return !ownShape && schema.type(alternative.type).abstract;
}

bool nodeChild(const fhir::Schema& schema, const Alternative& focus, std::string_view name, StaticChild& out) {
  const fhir::NameId id = schema.findName(name);
  const fhir::ShapeId shape = schema.shapeOf(focus.def, focus.type);
  bool found = false;
  if (id != fhir::kNone && shape != fhir::kNone) {
    for (const fhir::Property& property : schema.properties(shape)) {
      const fhir::ElementDef& def = schema.def(property.def);
      if (def.name == id && property.type != fhir::kNone) {
        add(out.type, {ItemKind::Node, property.type, property.def});
        found = true;
      } else if (property.name == id && def.choice && property.type != fhir::kNone) {
        out.choiceName = def.name;
        out.choiceType = property.type;
        add(out.type, {ItemKind::Node, property.type, property.def});
        found = true;
      }
    }
  }
  const fhir::Type& type = schema.type(focus.type);
  if (!found && name == "value" && type.primitive != fhir::Primitive::None) {
    add(out.type, {systemKind(type.primitive), fhir::kNone, fhir::kNone});
    found = true;
  }
  return found;
}

}  // namespace

void StaticType::merge(const StaticType& other) {
  if (!other.known) known = false;
  ordered = ordered && other.ordered;
  for (const Alternative& alternative : other.types) add(*this, alternative);
}

std::optional<TypeTarget> findTarget(const fhir::Schema& schema, std::string_view text, StaticType& type) {
  constexpr std::pair<std::string_view, ItemKind> kSystem[] = {
      {"Boolean", ItemKind::Boolean}, {"Integer", ItemKind::Integer},  {"Decimal", ItemKind::Decimal},
      {"String", ItemKind::String},   {"Date", ItemKind::Date},        {"DateTime", ItemKind::DateTime},
      {"Time", ItemKind::Time},       {"Quantity", ItemKind::Quantity}};
  TypeTarget found;
  std::string_view space;
  std::string_view local = text;
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos) {
    space = text.substr(0, dot);
    local = text.substr(dot + 1);
  }
  if (space.empty() || space == "System") {
    found.any = local == "Any";
    for (const auto& [name, kind] : kSystem) {
      if (name != local) continue;
      found.system = true;
      found.kind = kind;
    }
  }
  if (space != "System") found.type = schema.findType(local);
  if (!found.any && !found.system && found.type == fhir::kNone && space != "System") return std::nullopt;
  type = StaticType::of(found.type);
  if (found.system && found.type == fhir::kNone) type = StaticType::of(found.kind);
  if (found.system && found.type != fhir::kNone) type.merge(StaticType::of(found.kind));
  return found;
}

StaticChild childOf(const fhir::Schema& schema, const StaticType& focus, std::string_view name) {
  StaticChild result;
  result.type.ordered = focus.ordered;
  if (!focus.known) return result;
  bool open = false;
  bool found = false;
  for (const Alternative& alternative : focus.types) {
    if (alternative.kind != ItemKind::Node) {
      found = systemChild(alternative, name, result.type) || found;
    } else if (isOpen(schema, alternative)) {
      open = true;
    } else {
      found = nodeChild(schema, alternative, name, result) || found;
    }
  }
  if (open) return result;
  result.type.known = true;
  result.found = found ? StaticChild::Found::Yes : StaticChild::Found::No;
  if (found) return result;
  for (const Alternative& alternative : focus.types) {
    if (alternative.kind != ItemKind::Node) continue;
    for (const fhir::Property& property : schema.properties(schema.shapeOf(alternative.def, alternative.type))) {
      result.siblings.push_back(schema.nameText(schema.def(property.def).name));
    }
  }
  return result;
}

std::string typeNames(const fhir::Schema& schema, const StaticType& type) {
  std::string names;
  std::size_t count = 0;
  for (const auto& alternative : type.types) {
    if (++count > 3) return names + ", …";
    if (!names.empty()) names += ", ";
    if (alternative.kind != ItemKind::Node) {
      names += systemName(alternative.kind);
      continue;
    }
    const bool backbone = alternative.def != fhir::kNone && schema.def(alternative.def).shape != fhir::kNone;
    names +=
        backbone ? schema.text(schema.def(alternative.def).path) : schema.nameText(schema.type(alternative.type).name);
  }
  return names.empty() ? "nothing" : names;
}

bool splitChoice(const fhir::Schema& schema, std::string_view text, ChoiceStep& out) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] < 'A' || text[i] > 'Z') continue;
    const fhir::NameId base = schema.findName(text.substr(0, i));
    std::string typeName(text.substr(i));
    fhir::TypeId found = schema.findType(typeName);
    if (found == fhir::kNone) {
      typeName[0] = static_cast<char>(typeName[0] + 32);
      found = schema.findType(typeName);
    }
    if (base == fhir::kNone || found == fhir::kNone || schema.type(found).kind == fhir::TypeKind::Resource) continue;
    out.choice = base;
    out.type = found;
    return true;
  }
  return false;
}

StaticType resultOf(const fhir::Schema& schema, Gives gives, const StaticType& focus,
                    const std::vector<StaticType>& arguments) {
  StaticType type;
  switch (gives) {
    case Gives::Focus: return focus;
    case Gives::Argument:
      type = arguments[0];
      type.ordered = type.ordered && focus.ordered;
      return type;
    case Gives::Both:
      type = focus;
      type.merge(arguments[0]);
      return type;
    case Gives::Branches:
      type = arguments[1];
      if (arguments.size() > 2) type.merge(arguments[2]);
      return type;
    case Gives::Boolean: return StaticType::of(ItemKind::Boolean);
    case Gives::Integer: return StaticType::of(ItemKind::Integer);
    case Gives::Decimal: return StaticType::of(ItemKind::Decimal);
    case Gives::String: return StaticType::of(ItemKind::String);
    case Gives::Date: return StaticType::of(ItemKind::Date);
    case Gives::DateTime: return StaticType::of(ItemKind::DateTime);
    case Gives::Time: return StaticType::of(ItemKind::Time);
    case Gives::Quantity: return StaticType::of(ItemKind::Quantity);
    case Gives::Type: return StaticType::of(ItemKind::Type);
    case Gives::Extension: return StaticType::of(schema.findType("Extension"));
    case Gives::Unordered: type.ordered = false; return type;
    case Gives::Unknown: return type;
  }
  return type;
}

}  // namespace lotsen::fhirpath
