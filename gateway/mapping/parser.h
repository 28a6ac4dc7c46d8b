// Map text to syntax tree. Used by: Library::compile. Thread rule: pure.
// Failure rule: every fault is reported with file:line:column, what was expected and what stands there; after a fault
// the parser goes on at the next rule, so that one pass finds them all. The tree then holds what could be understood.
#pragma once

#include "gateway/mapping/ast.h"
#include "gateway/mapping/faults.h"

#include <span>
#include <string>
#include <string_view>

namespace lotsen::mapping {

MapNode parseMap(const std::string& file, std::string_view text, Faults& faults);

/// The transforms of the StructureMap value set, "create" … "evaluate", for messages.
std::span<const std::string_view> transformNames();

}  // namespace lotsen::mapping
