#include "gateway/store/sqlite/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace lotsen::store::sqlite {

Result<LockFile> LockFile::take(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return fail(Code::Unavailable, "cannot open " + path + ": " + std::strerror(errno) +
                                       "; the directory must exist and be writable for the gateway");
  }
  LockFile file(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    char owner[24] = {};
    const ssize_t size = ::pread(descriptor, owner, sizeof owner - 1, 0);
    return fail(Code::Busy, "another gateway has this database open (" + path + " is held by process " +
                                (size > 0 ? std::string(owner, static_cast<std::size_t>(size)) : "unknown") +
                                "); stop it first");
  }
  const std::string self = std::to_string(::getpid());
  // The number is a help for people; the lock counts.
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, self.data(), self.size(), 0) < 0) {
    return fail(Code::Unavailable, "cannot write " + path + ": " + std::strerror(errno));
  }
  return file;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace lotsen::store::sqlite
