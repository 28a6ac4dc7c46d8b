// What a leg is made from: the parties, records and earlier messages of its transfer, gathered for legs.h; and the leg
// that hands a partner's message on to a local system. Used by: thinking.h. Thread rule: pure; a Leg borrows from its
// arguments. Failure rule: none.
#pragma once

#include "gateway/service/case_file.h"
#include "gateway/service/legs.h"

namespace lotsen::service {

/// All but `createdAt` and `replaces`, which belong to the pass that makes it.
Leg legOf(const Configuration& configuration, const store::TransferWork& work, const CaseFile& file,
          const store::Delivery& delivery, const transfer::LegPlan& plan, std::string_view legalBasis);

/// The delivery of a message as it came, to the local system that it names; none: no such system is configured. Ids and
/// times are the caller's.
std::optional<store::Delivery> localDelivery(const Configuration& configuration, const store::Record& message,
                                             const fhir::Document& bundle);

}  // namespace lotsen::service
