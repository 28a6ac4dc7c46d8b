// The files of a package: a .tgz in the npm form of FHIR packages, a folder (walked), or one file. Private to
// definitions.
#pragma once

#include "gateway/base/result.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::definitions {

/// Bounds on what a package may unpack to: a small archive can hide a large one.
constexpr std::size_t kLargestFile = 64u << 20;
constexpr std::size_t kLargestPackage = 1u << 30;

/// Calls `visit(name, bytes)` for every JSON and XML file, in the order of names for folders and of the archive for
/// packages. Of a package (a folder with a package.json, or an archive) only the files beside its package.json: folders
/// below that hold examples and the like.
Status forEachFile(const std::string& path,
                   const std::function<void(const std::string& name, const std::string& bytes)>& visit);

/// What a package.json says.
struct Manifest {
  std::string file, name, version;
  std::vector<std::pair<std::string, std::string>> dependencies;  // name, version ("1.2.3", "1.2.x")
};
/// nullopt if it is no JSON object.
std::optional<Manifest> readManifest(const std::string& file, const std::string& bytes);

/// The resource type of a JSON or XML text, as far as a look at its beginning tells; empty if none.
std::string_view peekType(std::string_view name, std::string_view bytes);

}  // namespace lotsen::definitions
