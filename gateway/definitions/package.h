// The files of a package: a .tgz in the npm form of FHIR packages, a folder (walked), or one JSON file. Private to
// definitions.
#pragma once

#include "gateway/base/result.h"

#include <functional>
#include <string>

namespace lotsen::definitions {

/// Bounds on what a package may unpack to: a small archive can hide a large one.
constexpr std::size_t kLargestFile = 64u << 20;
constexpr std::size_t kLargestPackage = 1u << 30;

/// Calls `visit(name, bytes)` for every JSON file, in the order of names for folders and of the archive for packages.
Status forEachJson(const std::string& path,
                   const std::function<void(const std::string& name, const std::string& bytes)>& visit);

}  // namespace lotsen::definitions
