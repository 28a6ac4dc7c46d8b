// The XML form: bytes to tree and back, as complete and strict as the JSON form (forms.h); converting between the two
// loses nothing but comments and blanks outside of the narrative. Narrative is kept as it stands in the source; where
// it uses names or prefixes that are declared around it, it is written anew from its elements. The records of logical
// models stand in XML as their definitions say (XmlForm); blanks around their text go, dates of HL7 v3 become FHIR's.
// Used by: fhirpath suite, convert, validate, inbound. Thread rule: pure. Failure rule: as in forms.h.
#pragma once

#include "gateway/fhir/forms.h"

namespace lotsen::fhir {

/// Reads a resource, or the record of a logical model. `options.type` may name the type that must come; without it the
/// model is known by the name and namespace of the root element.
Result<Document> readXml(std::string_view bytes, std::shared_ptr<const Schema> schema, const ReadOptions& options,
                         Issues& issues);

/// Elements stand in the order of their definition, whatever their order in the tree. Invalid if `node` is neither
/// a resource nor the record of a logical model, or if its narrative is not well-formed XML.
Result<std::string> writeXml(const Document& document, const Element* node, Layout layout = Layout::Compact);
inline Result<std::string> writeXml(const Document& document, Layout layout = Layout::Compact) {
  return writeXml(document, document.root(), layout);
}

}  // namespace lotsen::fhir
