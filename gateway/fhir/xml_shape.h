// How the elements of a Schema are named in XML, and where they say their type. FHIR's own stand in FHIR's namespace
// under the names that they have in JSON; a logical model says it itself (XmlForm). Used by: the readers and writers.
// Thread rule: pure. Failure rule: what is not there is nullptr or kNone. Private to gateway/fhir.
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
/// The type of an element of a model where the record says `said` (xsi:type in XML, resourceType in JSON) or, with an
/// empty `said`, nothing: then it is the only type, or that from which all others derive. kNone if what is said may not
/// stand there, or if something would have to be said.
TypeId saidType(const Schema& schema, const Property& property, std::string_view said);

/// True if an element of this type with this definition must say its type.
bool saysType(const Schema& schema, DefId def, TypeId type);

}  // namespace lotsen::fhir
