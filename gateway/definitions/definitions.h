// What FHIR definitions say, loaded once: R4 and what packages (.tgz), folders and single files add to it.
// Used by: app (--package, configuration), service, validation, tests of mappings. Thread rule: loading is pure but for
// reading the files; the result is immutable and swapped as a whole on reload. Failure rule: what cannot be opened is
// the Error; what is wrong inside a definition goes to `issues` with file and element.
//
// Taken in: logical models and other types of their own, profiles and extensions (snapshots are made where a definition
// brings none), value sets that can be enumerated from what the packages hold, code systems, concept maps,
// Questionnaires, and the global profiles of ImplementationGuides. Examples, search parameters and the like are passed
// over.
#pragma once

#include "gateway/definitions/concept_maps.h"
#include "gateway/definitions/guides.h"
#include "gateway/definitions/known_codes.h"
#include "gateway/definitions/profiles.h"
#include "gateway/fhir/issues.h"
#include "gateway/fhir/schema.h"

#include <memory>
#include <string>
#include <vector>

namespace lotsen::definitions {

struct Definitions {
  std::shared_ptr<const fhir::Schema> schema;  // types and value sets
  std::shared_ptr<const Profiles> profiles;    // of these types
  ConceptMaps conceptMaps;                     // of the packages only, as is what follows
  KnownCodes knownCodes = {};
  Guides guides = {};

  /// R4 and nothing else.
  static std::shared_ptr<const Definitions> r4();
};

/// R4 with the definitions of all `paths` added; they may refer to each other in any order. Invalid if a definition has
/// errors, NotFound if a path is not there.
Result<std::shared_ptr<const Definitions>> load(const std::vector<std::string>& paths, fhir::Issues& issues);

}  // namespace lotsen::definitions
