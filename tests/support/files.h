// Files that tests read as they are. Thread rule: none. Failure rule: a file that cannot be read fails the test.
#pragma once

#include "gateway/base/text.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace lotsen::test {

inline std::string fileText(const std::filesystem::path& path) {
  std::string text;
  EXPECT_TRUE(readFile(path.string(), text)) << path;
  return text;
}

}  // namespace lotsen::test
