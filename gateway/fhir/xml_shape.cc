#include "gateway/fhir/xml_shape.h"

#include "gateway/fhir/r4/types.h"

#include <algorithm>

namespace lotsen::fhir {

namespace {

std::string_view spaceText(const Schema& schema, StringId space) {
  const std::string_view text = schema.text(space);
  return text == "noNamespace" ? std::string_view{} : text;
}

bool isElement(const Schema& schema, const Property& property) {
  return !schema.def(property.def).xmlAttribute && schema.xmlForm(property.def).kind != XmlForm::Kind::Text;
}

/// Whether the row stands in XML under this name. A choice has its row with the bare name where the type stands in
/// xsi:type, else those with the types' names.
bool isNamed(const Schema& schema, const Property& property, std::string_view name) {
  const ElementDef& def = schema.def(property.def);
  const XmlForm& form = schema.xmlForm(property.def);
  if (def.choice && (property.type == kNone) != form.typed) return false;
  if (form.name == kNone) return schema.nameText(property.name) == name;
  return elementName(schema, property.def, property.type) == name;
}

/// `declared` or a type that derives from it, by its short name.
TypeId findSubtype(const Schema& schema, TypeId declared, std::string_view name) {
  const auto fits = [&](TypeId id) {
    return !schema.type(id).abstract && schema.nameText(schema.type(id).name) == name && schema.isA(id, declared);
  };
  if (fits(declared)) return declared;
  for (TypeId id = r4::kLastType + 1; id < schema.typeCount(); ++id) {
    if (fits(id)) return id;
  }
  return kNone;
}

}  // namespace

std::string_view elementSpace(const Schema& schema, DefId def, TypeId type) {
  const XmlForm& form = schema.xmlForm(def);
  if (type == r4::kXhtml && form.kind != XmlForm::Kind::Markup) return kXhtmlSpace;
  return form.space == kNone ? kFhirSpace : spaceText(schema, form.space);
}

std::string_view attributeSpace(const Schema& schema, DefId def) {
  return spaceText(schema, schema.xmlForm(def).space);
}

std::string elementName(const Schema& schema, DefId def, TypeId type) {
  const XmlForm& form = schema.xmlForm(def);
  std::string name(schema.nameText(form.name == kNone ? schema.def(def).name : form.name));
  if (!schema.def(def).choice || form.typed) return name;
  const std::size_t start = name.size();
  name += schema.nameText(schema.type(type).name);
  if (name.size() > start && name[start] >= 'a' && name[start] <= 'z')
    name[start] = static_cast<char>(name[start] - 'a' + 'A');
  return name;
}

XmlMatch findElement(const Schema& schema, ShapeId shape, std::string_view space, std::string_view name) {
  XmlMatch match;
  if (schema.isR4(shape)) {
    const Property* property = schema.property(shape, schema.findName(name));
    if (property == nullptr || property->type == kNone || schema.def(property->def).xmlAttribute) return match;
    match.otherSpace = space != (property->type == r4::kXhtml ? kXhtmlSpace : kFhirSpace);
    if (!match.otherSpace) match.property = property;
    return match;
  }
  const auto properties = schema.properties(shape);
  for (const Property& property : properties) {
    if (!isElement(schema, property) || !isNamed(schema, property, name)) continue;
    if (schema.xmlForm(property.def).kind == XmlForm::Kind::Group) continue;
    if (elementSpace(schema, property.def, property.type) == space) return {&property};
    match.otherSpace = true;
  }
  for (const Property& property : properties) {
    if (schema.xmlForm(property.def).kind != XmlForm::Kind::Group) continue;
    const XmlMatch inside = findElement(schema, schema.shapeOf(property.def, property.type), space, name);
    if (inside.property != nullptr && inside.group == nullptr) return {inside.property, &property};
    match.otherSpace |= inside.otherSpace;
  }
  return match;
}

XmlMatch findText(const Schema& schema, ShapeId shape) {
  if (schema.isR4(shape)) return {};
  for (const Property& property : schema.properties(shape)) {
    if (schema.xmlForm(property.def).kind == XmlForm::Kind::Text) return {&property};
  }
  for (const Property& property : schema.properties(shape)) {
    if (schema.xmlForm(property.def).kind != XmlForm::Kind::Group) continue;
    const XmlMatch inside = findText(schema, schema.shapeOf(property.def, property.type));
    if (inside.property != nullptr && inside.group == nullptr) return {inside.property, &property};
  }
  return {};
}

const Property* findAttribute(const Schema& schema, ShapeId shape, std::string_view space, std::string_view name) {
  if (schema.isR4(shape)) {
    const Property* property = space.empty() ? schema.property(shape, schema.findName(name)) : nullptr;
    return property != nullptr && schema.def(property->def).xmlAttribute ? property : nullptr;
  }
  for (const Property& property : schema.properties(shape)) {
    if (schema.def(property.def).xmlAttribute && isNamed(schema, property, name) &&
        attributeSpace(schema, property.def) == space)
      return &property;
  }
  return nullptr;
}

TypeId findRootType(const Schema& schema, std::string_view space, std::string_view name) {
  for (TypeId id = r4::kLastType + 1; id < schema.typeCount(); ++id) {
    const Type& type = schema.type(id);
    if (type.kind != TypeKind::Logical || type.abstract || elementSpace(schema, type.root, id) != space) continue;
    if (elementName(schema, type.root, id) == name) return id;
  }
  return kNone;
}

TypeId saidType(const Schema& schema, const Property& property, std::string_view said) {
  const auto types = schema.types(schema.def(property.def));
  if (said.empty()) {
    if (property.type != kNone) return property.type;
    const bool derive = std::all_of(types.begin(), types.end(),
                                    [&](const TypeRef& ref) { return schema.isA(ref.type, types[0].type); });
    return derive ? types[0].type : kNone;
  }
  for (const TypeRef& ref : types) {
    if (const TypeId found = findSubtype(schema, ref.type, said); found != kNone) return found;
  }
  return kNone;
}

bool saysType(const Schema& schema, DefId def, TypeId type) {
  if (schema.xmlForm(def).typed) return true;
  if (schema.type(type).kind != TypeKind::Logical || schema.def(def).choice) return false;
  const auto types = schema.types(schema.def(def));
  return types.size() == 1 && types[0].type != type;
}

}  // namespace lotsen::fhir
