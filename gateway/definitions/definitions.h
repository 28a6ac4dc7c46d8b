// Fills a Schema from definitions that are not part of the gateway: FHIR packages (.tgz), folders, single JSON files.
// Used by: app (--package, configuration), mapping tests. Thread rule: pure but for reading the files.
// Failure rule: what cannot be opened is the Error; what is wrong inside a definition goes to `issues` with file and
// element.
//
// Taken in: logical models and other types of their own (snapshot, else differential), value sets that can be
// enumerated from what the packages hold. Examples, search parameters and the like are passed over. Profiles on R4
// types are not read here yet: each is named in an Information issue, so that nobody believes it is being checked.
#pragma once

#include "gateway/fhir/issues.h"
#include "gateway/fhir/schema.h"

#include <memory>
#include <string>
#include <vector>

namespace lotsen::definitions {

/// A copy of `base` with the definitions of all `paths` in it; they may refer to each other in any order. Invalid if a
/// definition has errors, NotFound if a path is not there.
Result<std::shared_ptr<const fhir::Schema>> load(std::shared_ptr<const fhir::Schema> base,
                                                 const std::vector<std::string>& paths, fhir::Issues& issues);

}  // namespace lotsen::definitions
