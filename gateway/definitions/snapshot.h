// Makes the snapshot of a StructureDefinition: the base's snapshot with its differential applied, by the rules of
// profiling (R4, 5.1). Private to definitions. Pure: what it needs of other definitions it asks `Lookup` for.
//
// How a differential element finds its place: by its id where the differential's ids agree with its paths and slice
// names; otherwise by its path below the nearest element before it that its path begins with, so that
// "Patient.identifier.use" after the slice "Patient.identifier:a" is that slice's. Every step that the snapshot does
// not list yet is unfolded. A choice that is named with its type ("valueQuantity") is its type slice
// ("value[x]:valueQuantity").
//
// Slicing need not be written out for extensions (by url) and choices (by type): it is implied. A type slice that must
// be there leaves its type as the only one; the rules of type slicing are closed once every type has its slice.
//
// Faults: an unknown path, a widened cardinality, a type that the base does not allow, a slice without slicing, a slice
// under a wrong name, must-support taken back. Elements in another order than the snapshot's are applied all the same
// and told as a warning.
#pragma once

#include "gateway/definitions/snapshot_tree.h"

#include <functional>

namespace lotsen::definitions {

/// The profile with this canonical, made if need be; nullptr if it is not known or has faults.
using Lookup = std::function<const Profile*(std::string_view canonical)>;

struct SnapshotContext {
  const Origin& origin;
  std::string_view url;  // of the definition
  const fhir::Schema& schema;
  const Lookup& lookup;
  TextPool& texts;
  fhir::Issues& issues;
};

struct Snapshot {
  std::unique_ptr<Node> root;
  fhir::TypeId type = fhir::kNone;  // that it constrains; of a definition of a type its base
};

/// From the differential. No root if the base is not known, which is told. Other faults leave out what they concern.
Snapshot makeSnapshot(const SnapshotContext& context);
/// As the definition lists it. No root if it lists none.
Snapshot readSnapshot(const SnapshotContext& context);

}  // namespace lotsen::definitions
