// A snapshot as it is published: ElementDefinitions in the StructureDefinition. Used by: app (snapshot).
// Thread rule: pure. Failure rule: what is wrong in the definition goes to `issues` with file and element.
#pragma once

#include "gateway/definitions/definitions.h"

#include <string>

namespace lotsen::definitions {

/// `definition` with the snapshot that its differential makes, in place of any that it has. What the definition and its
/// bases in packages say in words stands in it too; R4's own words are not kept, so its elements have facts only.
/// Invalid if the definition has faults or its base is not known.
Result<fhir::Document> withSnapshot(const Definitions& definitions, const std::string& file,
                                    const fhir::Document& definition, fhir::Issues& issues);

}  // namespace lotsen::definitions
