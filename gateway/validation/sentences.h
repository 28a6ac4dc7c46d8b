// What a fault's sentence says of what is wanted: a value, the mark of a slice, the codes of a value set. Private to
// gateway/validation. Made only when a fault is told.
#pragma once

#include "gateway/validation/plan.h"

#include <string>

namespace lotsen::validation {

/// A value of a definition: "\"final\"" of a primitive, "coding.system \"http://…\", coding.code \"a\"" of others.
std::string told(const fhir::Document& definition, const fhir::Element* value);

/// By what an element is known to be of this slice, in brackets and after a space: " (system \"urn:oid:1.2\")". Empty
/// if the profile does not say it in a way that can be told.
std::string markOf(const PlanSlice& slice, const Plan& plan);

/// ": \"a\", \"b\"" of a value set that is short enough to be told, else empty.
std::string codesOf(const fhir::Schema& schema, std::string_view valueSet);

/// "must be there at least 2 times", "is missing"; "may be there at most once", "may not be there".
std::string atLeast(std::uint32_t min);
std::string atMost(std::uint32_t max);

}  // namespace lotsen::validation
