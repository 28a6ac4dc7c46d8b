// From syntax to plan: names become ids, types are followed along the path, and what cannot be right is refused.
// Used by: Program::compile. Thread rule: one thread. Failure rule: Invalid with line, column and a suggestion.
#pragma once

#include "gateway/fhirpath/fhirpath.h"
#include "gateway/fhirpath/plan.h"

#include <memory>

namespace lotsen::fhirpath {

Result<std::shared_ptr<const Plan>> compilePlan(std::string_view text, std::shared_ptr<const fhir::Schema> schema,
                                                const CompileOptions& options, fhir::Position at);

}  // namespace lotsen::fhirpath
