// The FHIR JSON form: bytes to tree and back, complete and strict. Order of properties, `_element` siblings, nulls in
// arrays, contained resources and the digits of decimals survive a round trip. (The XML form has the same two functions
// in xml_form.h.) Thread rule: pure. Failure rule: every fault goes to `issues` with path, line and column; the result
// is then Invalid or TooLarge.
#pragma once

#include "gateway/fhir/issues.h"

#include <memory>
#include <string>
#include <string_view>

namespace lotsen::fhir {

struct ReadOptions {
  /// What the record is when it has no resourceType (a logical model). kNone: read resourceType; an object without one
  /// is untyped.
  TypeId type = kNone;
  std::uint32_t maxDepth = 64;
  std::size_t maxBytes = 20u << 20;
  std::uint32_t maxElements = 1'000'000;
};

/// Unknown properties, wrong JSON types, duplicate keys, malformed UTF-8 and values that break the primitive's grammar
/// ("2026-06-31" as a date) are errors; the reader goes on to find all of them (at most 100). Faults of the JSON text
/// itself end it. In logical models and untyped records a null, an empty array or an empty object is no fault: PAS
/// exports are full of them.
Result<Document> readJson(std::string_view bytes, std::shared_ptr<const Schema> schema, const ReadOptions& options,
                          Issues& issues);

/// The value of the outermost object's member "resourceType"; empty if it has none. A look without parsing: the text
/// may be wrong elsewhere, which readJson tells.
std::string_view peekResourceType(std::string_view bytes);

enum class Layout : std::uint8_t { Compact, Indented };
/// The resource or record at `node` (a root or any element) as JSON.
std::string writeJson(const Document& document, const Element* node, Layout layout = Layout::Compact);
inline std::string writeJson(const Document& document, Layout layout = Layout::Compact) {
  return writeJson(document, document.root(), layout);
}

/// Grammar check of one primitive value (FHIR R4 datatypes regexes plus calendar). True if `text` is a valid `type`.
bool isValidPrimitive(const Schema& schema, TypeId type, std::string_view text);

}  // namespace lotsen::fhir
