// The rules by which an element of a differential changes an element of the snapshot. Private to definitions.
#pragma once

#include "gateway/definitions/snapshot.h"

namespace lotsen::definitions {

/// Applies what `stated` says to `node`, remembering what was inherited. What the rules forbid is told and left out.
void merge(const SnapshotContext& context, const Stated& stated, Node& node);

/// Whether one of the types has codes; a choice without types has.
bool canBeBound(const fhir::Schema& schema, const std::vector<TypeFacts>& types);

}  // namespace lotsen::definitions
