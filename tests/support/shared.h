// The material that tests may use when it is there: the folder `shared` beside the checkout, or LOTSEN_SHARED.
// A test that does not find it is skipped by name. Thread rule: none. Failure rule: nothing is touched.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace lotsen::test {

/// The place of `below` ("corpora/source-xml"), whether it is there or not. Holds no `..`, so that names under it are
/// short.
inline std::filesystem::path sharedPath(const std::string& below) {
  const char* folder = std::getenv("LOTSEN_SHARED");
  const std::filesystem::path root = folder != nullptr
                                         ? std::filesystem::path(folder)
                                         : std::filesystem::path(LOTSEN_SOURCE_DIR).parent_path() / "shared";
  return root / below;
}

/// The same, or nullopt where it is not: the test is then skipped.
inline std::optional<std::filesystem::path> sharedFolder(const std::string& below) {
  auto path = sharedPath(below);
  if (!std::filesystem::exists(path)) return {};
  return path;
}

}  // namespace lotsen::test
