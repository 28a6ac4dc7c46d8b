// The FHIR XML form: bytes to tree and back, as complete and strict as the JSON form (forms.h); converting between the
// two loses nothing but comments and blanks outside of the narrative. Narrative is kept as it stands in the source;
// where it uses prefixes that are declared around it, it is written anew from its elements.
// Used by: fhirpath suite, convert, validate, inbound. Thread rule: pure. Failure rule: as in forms.h.
#pragma once

#include "gateway/fhir/forms.h"

namespace lotsen::fhir {

/// Reads a resource. `options.type` may name the resource type that must come; logical models have no XML form here
/// (see wire).
Result<Document> readXml(std::string_view bytes, std::shared_ptr<const Schema> schema, const ReadOptions& options,
                         Issues& issues);

/// Elements stand in the order of their definition, whatever their order in the tree. Invalid if `node` is not a
/// resource, or if its narrative is not well-formed XML.
Result<std::string> writeXml(const Document& document, const Element* node, Layout layout = Layout::Compact);
inline Result<std::string> writeXml(const Document& document, Layout layout = Layout::Compact) {
  return writeXml(document, document.root(), layout);
}

}  // namespace lotsen::fhir
