// Swedish identifiers of a source record, checked before the commit at the places that the channel names.
// Thread rule: pure. Failure rule: issues with the source path; the value itself never stands in them.
#pragma once

#include "gateway/service/configuration.h"
#include "gateway/sweden/civil_time.h"

namespace lotsen::service {

/// Wrong check digits, impossible dates and unknown forms of personal ids and organisation numbers are errors. An
/// HSA-id of wrong form is an error, one whose organisation number fails Luhn a warning (reference: domain.md 2.1).
void checkIdentifiers(const fhir::Document& record, const Channel& channel, sweden::CivilDate today,
                      fhir::Issues& issues);

}  // namespace lotsen::service
