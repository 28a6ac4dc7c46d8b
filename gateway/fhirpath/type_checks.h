// What cannot be right by the types alone: operands, arguments and foci that no value of their types would suit.
// Used by: the compiler. Thread rule: pure. Failure rule: a fault in words, or nothing; types that are not known suit.
#pragma once

#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/static_type.h"

#include <optional>
#include <string>
#include <string_view>

namespace lotsen::fhirpath {

/// Of a binary operator: "'*' cannot be done with String and Integer".
std::optional<std::string> operatorFault(const fhir::Schema& schema, std::string_view text, const StaticType& left,
                                         const StaticType& right);
/// Of a sign before a value.
std::optional<std::string> signFault(const fhir::Schema& schema, const StaticType& operand);
/// Of the focus of a function: text and number functions need such.
std::optional<std::string> focusFault(const fhir::Schema& schema, const FunctionRow& row, const StaticType& focus);
/// Of an argument with that mode (functions.h): w needs an Integer, x text.
std::optional<std::string> argumentFault(const fhir::Schema& schema, char mode, const StaticType& argument);
/// Of a value that decides: iif() wants a Boolean.
std::optional<std::string> criterionFault(const fhir::Schema& schema, const StaticType& criterion);

}  // namespace lotsen::fhirpath
