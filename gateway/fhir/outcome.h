// OperationOutcome, Bundle and reference helpers, canonical digest.
#pragma once

#include "gateway/fhir/forms.h"

#include <string>

namespace lotsen::fhir {

/// What a partner's specification calls the faults of an answer.
struct ErrorCode {
  std::string_view system, code;  // an empty code: nothing
};

/// An OperationOutcome in JSON; with no issues one "informational" issue that says all is well. `errors`: the coding of
/// each error.
std::string operationOutcome(const Issues& issues, const ErrorCode& errors = {});

/// What operationOutcome() wrote, as issues again: severity, code, rule, text, source and expression, without
/// positions. One that somebody else wrote is read as far as its fields go. Invalid: not an OperationOutcome.
Result<Issues> readOutcome(std::string_view json);

/// The entry resource of a Bundle that `reference` names: fullUrl, then relative "Type/id" against fullUrl ends; "#id"
/// looks in the `contained` of the resource that holds the reference. nullptr if there is none.
const Element* resolve(const Document& document, const Element* holder, std::string_view reference);
/// First entry resource of this type, or nullptr. `bundle` is a Bundle.
const Element* firstResource(const Document& document, const Element* bundle, std::string_view type);

/// SHA-256 (hex) over the canonical form: compact JSON with object members sorted by name, so that the same content in
/// another order or layout has the same digest. Decimals as text, so 1.0 and 1.00 differ (FHIR precision).
std::string canonicalDigest(const Document& document);

}  // namespace lotsen::fhir
