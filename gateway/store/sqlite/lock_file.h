// One process a database: an advisory lock on a file beside it, held as long as the store is open and freed by the
// kernel however the process ends. SQLite's own locks would let a second gateway in. Local disks only, as WAL itself.
#pragma once

#include "gateway/base/result.h"

#include <string>

namespace lotsen::store::sqlite {

class LockFile {
 public:
  /// Busy: another process holds it; the message says which. Unavailable: the file cannot be made.
  static Result<LockFile> take(const std::string& path);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace lotsen::store::sqlite
