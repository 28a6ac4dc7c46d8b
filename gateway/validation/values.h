// Values of definitions held against values of instances: fixed, pattern, minValue, maxValue. Private to
// gateway/validation. The two may belong to different documents of Schemas that share R4.
#pragma once

#include "gateway/fhir/element.h"

#include <optional>

namespace lotsen::validation {

/// The same in every part (ElementDefinition.fixed): the same children in the same order, the same text.
bool isFixed(const fhir::Element* fixed, const fhir::Element* node);

/// All that the pattern says is there too (ElementDefinition.pattern); lists may have more, in any order.
bool hasPattern(const fhir::Element* pattern, const fhir::Element* node);

/// -1, 0, 1 as `node` is less than, equal to or greater than `bound`; nullopt if the two cannot be compared (other
/// units, dates of other precision). Numbers, dates, times and quantities.
std::optional<int> compare(const fhir::Document& document, const fhir::Element* node, const fhir::Document& definition,
                           const fhir::Element* bound);

/// An address in a domain that is reserved for examples (RFC 2606).
bool isExample(std::string_view url);

/// Characters, not bytes.
std::size_t characters(std::string_view text);

}  // namespace lotsen::validation
