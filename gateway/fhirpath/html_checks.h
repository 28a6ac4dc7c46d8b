// htmlChecks(): whether a narrative is the XHTML that FHIR allows: well-formed, one div, only the permitted elements
// and attributes, no scripts, some content. Used by: the function htmlChecks (invariants txt-1 and txt-2). Thread rule:
// pure. Failure rule: false. Spec: http://hl7.org/fhir/R4/narrative.html#rules.
#pragma once

#include <string_view>

namespace lotsen::fhirpath {

bool isAllowedNarrative(std::string_view xhtml);

}  // namespace lotsen::fhirpath
