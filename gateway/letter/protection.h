// Protected identity (sekretessmarkering, skyddad folkbokföring): what a letter about such a person must not tell.
// Used by: values.cc, render.cc. Thread rule: pure.
// Source: HL7 Sweden base profiles, SecurityLabel; the address is known to Skatteverket only, letters go through its
// förmedlingsuppdrag.
#pragma once

#include "gateway/fhir/element.h"

#include <string>
#include <vector>

namespace lotsen::letter {

/// Whether a Patient in the Bundle carries one of the labels in meta.security.
bool hasProtectedPatient(const fhir::Document& source);

/// Streets and ways to reach the protected patients of the Bundle, as literal text (language.h): none of them may stand
/// in a letter.
std::vector<std::string> protectedTexts(const fhir::Document& source);

}  // namespace lotsen::letter
