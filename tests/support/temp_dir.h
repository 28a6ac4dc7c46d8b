// A directory that lives as long as the object. Used by tests that need files. Thread rule: none. Failure rule: aborts.
#pragma once

#include "gateway/base/result.h"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lotsen::test {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lotsen-XXXXXX").string();
    LOTSEN_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace lotsen::test
