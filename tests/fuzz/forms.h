// What the fuzz targets of the forms share: a document that was read is written and read again as the same, from JSON
// to JSON, through XML and back. A breach ends the process.
#pragma once

#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"

#include <cstdlib>
#include <memory>
#include <utility>

namespace lotsen::fuzz {

inline void must(bool condition) {
  if (!condition) std::abort();
}

inline fhir::Document again(Result<fhir::Document> document) {
  must(document.ok());
  return std::move(*document);
}

/// Whether there is a document; if there is none, the issues must say why.
inline bool wasRead(const Result<fhir::Document>& read, const fhir::Issues& issues) {
  must(read.ok() == !issues.hasErrors());
  if (!read) must(!fhir::operationOutcome(issues).empty());
  return read.ok();
}

/// Bounds for what is read again: the forms are of different length and depth.
inline fhir::ReadOptions deep(fhir::TypeId type) {
  return {.type = type, .maxDepth = 256, .maxBytes = 1 << 24, .maxElements = 1 << 20};
}

inline void rewrite(const fhir::Document& document, const std::shared_ptr<const fhir::Schema>& schema,
                    const fhir::ReadOptions& options) {
  fhir::Issues none;
  const std::string json = writeJson(document);
  const fhir::Document second = again(readJson(json, schema, options, none));
  must(writeJson(second) == json);
  must(canonicalDigest(second) == canonicalDigest(document));
  const auto xml = writeXml(document);
  if (!xml) return;
  // The first round takes away what XML cannot keep: comments and blanks around a narrative's <div> or around text, the
  // order of elements that a model prescribes.
  const auto twice = writeXml(again(readXml(*xml, schema, options, none)));
  must(twice.ok());
  const auto thrice = writeXml(again(readXml(*twice, schema, options, none)));
  must(thrice.ok() && *thrice == *twice);
}

}  // namespace lotsen::fuzz
