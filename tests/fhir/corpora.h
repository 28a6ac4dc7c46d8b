// The shared test corpora: outside the repository, so a test that wants them skips when they are not there.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lotsen::fhir {

inline std::filesystem::path sharedFolder() {
  if (const char* folder = std::getenv("LOTSEN_SHARED")) return folder;
  return std::filesystem::path(LOTSEN_SOURCE_DIR).parent_path() / "shared";
}

}  // namespace lotsen::fhir

#define LOTSEN_NEEDS_CORPORA() \
  if (!std::filesystem::exists(sharedFolder() / "corpora")) GTEST_SKIP() << "no corpora at " << sharedFolder()
