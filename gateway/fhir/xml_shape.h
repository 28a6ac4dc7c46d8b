// How the elements of a Schema are named in XML. FHIR's own stand in FHIR's namespace under the names that they have in
// JSON; a logical model says it itself (XmlForm). Used by: the XML reader and writer. Thread rule: pure. Failure rule:
// what is not there is nullptr or kNone. Private to gateway/fhir.
#pragma once

#include "gateway/fhir/schema.h"

#include <string>
#include <string_view>

namespace lotsen::fhir {

constexpr std::string_view kFhirSpace = "http://hl7.org/fhir";
constexpr std::string_view kXhtmlSpace = "http://www.w3.org/1999/xhtml";
constexpr std::string_view kSchemaInstance = "http://www.w3.org/2001/XMLSchema-instance";

/// The namespace of an element with this definition and type; empty for none.
std::string_view elementSpace(const Schema& schema, DefId def, TypeId type);
/// The same for an attribute: nearly always empty.
std::string_view attributeSpace(const Schema& schema, DefId def);
/// The name of a type's root element or, for other definitions, of an element or attribute of this type.
std::string elementName(const Schema& schema, DefId def, TypeId type);

struct XmlMatch {
  const Property* property = nullptr;  // a choice by its bare name (type kNone) where xsi:type tells the type
  const Property* group = nullptr;     // what stands around it in the tree, but not in XML
  bool otherSpace = false;             // none, but the name is known in another namespace
};
XmlMatch findElement(const Schema& schema, ShapeId shape, std::string_view space, std::string_view name);
/// What the characters between the tags are; a choice by its bare name.
XmlMatch findText(const Schema& schema, ShapeId shape);
const Property* findAttribute(const Schema& schema, ShapeId shape, std::string_view space, std::string_view name);

/// The logical model whose documents have this root element; kNone if no model has.
TypeId findRootType(const Schema& schema, std::string_view space, std::string_view name);
/// The type that xsi:type names, where `declared` or one that derives from it may stand; kNone if it names none such.
TypeId findSubtype(const Schema& schema, TypeId declared, std::string_view name);

/// True if an element of this type under this property must say its type.
bool saysType(const Schema& schema, DefId def, TypeId type);

}  // namespace lotsen::fhir
