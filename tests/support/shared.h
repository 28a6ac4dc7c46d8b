// The material that tests may use when it is there: the folder `shared` beside the checkout, or LOTSEN_SHARED.
// A test that does not find it is skipped by name. Thread rule: none. Failure rule: nothing is touched.
#pragma once

#include <cstdlib>
#include <filesystem>
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

}  // namespace lotsen::test
