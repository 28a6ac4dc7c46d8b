// The StructureMap resource, R4 form: the same tree in other clothes. Used by: Library::compile (a map may be given as
// a resource, JSON or XML), toStructureMap(). Thread rule: pure. Failure rule: faults of the resource are told with
// file:line:column; what the R4 form cannot hold (constants, several elements in one path, literal arguments of groups,
// expressions as arguments) is refused when writing, by name and place.
#pragma once

#include "gateway/mapping/ast.h"
#include "gateway/mapping/faults.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lotsen::mapping {

/// Elements of the resource that `/// name = value` may set, in their order.
std::span<const std::string_view> structureMapMetadata();

/// True if the text is JSON or XML rather than FML.
bool looksLikeResource(std::string_view text);

MapNode readStructureMap(const std::string& file, std::string_view text,
                         const std::shared_ptr<const fhir::Schema>& schema, Faults& faults);

/// The resource; nothing if the map holds what R4 has no place for (the faults say what).
std::optional<fhir::Document> writeStructureMap(const MapNode& map, const std::shared_ptr<const fhir::Schema>& schema,
                                                Faults& faults);

}  // namespace lotsen::mapping
