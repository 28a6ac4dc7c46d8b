// A disk below SQLite that remembers everything and can be told to fail. It passes all calls on to the system's VFS,
// and for the files of one folder it
//   - keeps a trace: each write, truncation and sync in order, with marks that the test sets in between ("now this is
//     acknowledged"). From the trace, PowerCut makes what a disk may hold if the power had gone at any point: what was
//     synced is there, of what was written after the last sync of its file anything may be missing, torn or done in
//     another order;
//   - fails the n-th of those calls, once or from then on, as a full or a broken disk does.
// The index of the log (-shm) is memory, not disk, and is left out. That a file is gone is taken as durable at once.
// Used by sqlite_disk_test.cc. Thread rule: any thread; one FaultyDisk at a time. Failure rule: aborts when SQLite
// refuses the VFS.
#pragma once

#include "gateway/base/random.h"
#include "gateway/base/result.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace lotsen::test {

struct DiskOperation {
  enum class Kind : std::uint8_t { Write, Truncate, Sync, Delete, Mark };
  Kind kind = Kind::Mark;
  std::string file;  // its name without the folder
  std::int64_t at = 0;
  std::string bytes;
  std::uint64_t mark = 0;
};

class FaultyDisk {
 public:
  explicit FaultyDisk(std::string folder) : folder_(std::move(folder)) {
    LOTSEN_CHECK(current() == nullptr);
    current() = this;
    system_ = sqlite3_vfs_find(nullptr);
    vfs_ = *system_;
    vfs_.zName = "faulty";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + system_->szOsFile;
    vfs_.xOpen = &open;
    vfs_.xDelete = &remove;
    LOTSEN_CHECK(sqlite3_vfs_register(&vfs_, 1) == SQLITE_OK);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(system_, 1);
    current() = nullptr;
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// From here on: the n-th call (1 is the next) gets this code, and all after it if `forEver`.
  void failCall(std::uint64_t n, int code, bool forEver) {
    const std::lock_guard lock(mutex_);
    failAt_ = n;
    code_ = code;
    forEver_ = forEver;
    calls_ = 0;
    failed_ = false;
  }
  bool failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

  void mark(std::uint64_t value) {
    const std::lock_guard lock(mutex_);
    trace_.push_back({DiskOperation::Kind::Mark, {}, 0, {}, value});
  }
  std::vector<DiskOperation> trace() const {
    const std::lock_guard lock(mutex_);
    return trace_;
  }

 private:
  struct File {
    sqlite3_file base;  // SQLite sees this
    bool kept;          // of our folder, and on the disk
    char name[64];
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static FaultyDisk*& current() {
    static FaultyDisk* disk = nullptr;
    return disk;
  }
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return of(file)->real(); }

  /// SQLITE_OK: the call may go on.
  static int before(sqlite3_file* file, DiskOperation::Kind kind, std::int64_t at, std::string bytes) {
    FaultyDisk& disk = *current();
    const std::lock_guard lock(disk.mutex_);
    if (!of(file)->kept) return SQLITE_OK;
    ++disk.calls_;
    if (disk.failAt_ != 0 && (disk.calls_ == disk.failAt_ || (disk.forEver_ && disk.calls_ > disk.failAt_))) {
      disk.failed_ = true;
      return disk.code_;
    }
    disk.trace_.push_back({kind, of(file)->name, at, std::move(bytes), 0});
    return SQLITE_OK;
  }

  static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* outFlags) {
    FaultyDisk& disk = *current();
    File* self = of(file);
    const std::string_view whole = path == nullptr ? "" : path;
    const std::string_view name = whole.substr(std::min(whole.size(), whole.rfind('/') + 1));
    self->kept = whole.starts_with(disk.folder_) && name.size() < sizeof(self->name);
    std::memset(self->name, 0, sizeof(self->name));
    if (self->kept) std::copy(name.begin(), name.end(), self->name);
    self->base.pMethods = nullptr;
    const int code = disk.system_->xOpen(disk.system_, path, self->real(), flags, outFlags);
    if (code == SQLITE_OK) self->base.pMethods = &methods();
    return code;
  }

  static int remove(sqlite3_vfs*, const char* path, int syncFolder) {
    FaultyDisk& disk = *current();
    const std::string_view whole = path;
    if (whole.starts_with(disk.folder_)) {
      const std::lock_guard lock(disk.mutex_);
      disk.trace_.push_back({DiskOperation::Kind::Delete, std::string(whole.substr(whole.rfind('/') + 1)), 0, {}, 0});
    }
    return disk.system_->xDelete(disk.system_, path, syncFolder);
  }

  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods table = [] {
      sqlite3_io_methods m{};
      m.iVersion = 2;  // with the log's index, without mapped reads
      m.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
      m.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
        return real(f)->pMethods->xRead(real(f), to, n, at);
      };
      m.xWrite = [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
        const std::string bytes(static_cast<const char*>(from), static_cast<std::size_t>(n));
        const int code = before(f, DiskOperation::Kind::Write, at, bytes);
        return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), from, n, at);
      };
      m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        const int code = before(f, DiskOperation::Kind::Truncate, size, {});
        return code != SQLITE_OK ? code : real(f)->pMethods->xTruncate(real(f), size);
      };
      // Not passed on: what survives is made from the trace, and the machine's disk need not wait.
      m.xSync = [](sqlite3_file* f, int) { return before(f, DiskOperation::Kind::Sync, 0, {}); };
      m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); };
      m.xLock = [](sqlite3_file* f, int how) { return real(f)->pMethods->xLock(real(f), how); };
      m.xUnlock = [](sqlite3_file* f, int how) { return real(f)->pMethods->xUnlock(real(f), how); };
      m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return real(f)->pMethods->xCheckReservedLock(real(f), out);
      };
      m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
        return real(f)->pMethods->xFileControl(real(f), op, arg);
      };
      m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
      // None of the favours that a real disk may promise (atomic or ordered writes).
      m.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };
      m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
        return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
      };
      m.xShmLock = [](sqlite3_file* f, int at, int n, int flags) {
        return real(f)->pMethods->xShmLock(real(f), at, n, flags);
      };
      m.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
      m.xShmUnmap = [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); };
      return m;
    }();
    return table;
  }

  const std::string folder_;
  sqlite3_vfs* system_ = nullptr;
  sqlite3_vfs vfs_{};
  mutable std::mutex mutex_;
  std::vector<DiskOperation> trace_;  // guarded by mutex_, as all below
  std::uint64_t calls_ = 0, failAt_ = 0;
  int code_ = SQLITE_OK;
  bool forEver_ = false, failed_ = false;
};

/// The files as they may be found after the power went at some point of a trace.
class PowerCut {
 public:
  /// Replays one operation.
  void apply(const DiskOperation& operation) {
    switch (operation.kind) {
      case DiskOperation::Kind::Mark: marked_ = operation.mark; return;
      case DiskOperation::Kind::Sync:
        for (const DiskOperation& each : waiting_[operation.file]) change(synced_[operation.file], each);
        waiting_[operation.file].clear();
        return;
      case DiskOperation::Kind::Delete:
        synced_.erase(operation.file);
        waiting_.erase(operation.file);
        return;
      case DiskOperation::Kind::Write:
      case DiskOperation::Kind::Truncate: waiting_[operation.file].push_back(operation); return;
    }
  }

  std::uint64_t marked() const { return marked_; }

  /// Writes one of the states that the disk may be in. `random` decides what of the unsynced is missing or torn, and
  /// the order of the rest.
  void leave(const std::string& folder, Random& random) const {
    std::map<std::string, std::string> files = synced_;
    for (const auto& [file, operations] : waiting_) {
      std::vector<DiskOperation> some;
      const std::uint64_t kept = random.below(4);  // of four: none … all but some
      for (const DiskOperation& each : operations) {
        if (random.below(4) >= kept && kept != 3) continue;
        if (kept == 3 && random.below(8) == 0) continue;
        some.push_back(each);
        if (random.below(4) == 0) tear(some.back(), random);
      }
      for (std::size_t i = some.size(); i > 1; --i) {
        if (random.below(2) == 0) std::swap(some[i - 1], some[random.below(i)]);
      }
      for (const DiskOperation& each : some) change(files[file], each);
    }
    for (const auto& [file, bytes] : files) std::ofstream(folder + "/" + file, std::ios::binary) << bytes;
  }

 private:
  static constexpr std::size_t kSector = 512;

  static void change(std::string& file, const DiskOperation& operation) {
    const auto at = static_cast<std::size_t>(operation.at);
    if (operation.kind == DiskOperation::Kind::Truncate) return file.resize(at);
    if (file.size() < at + operation.bytes.size()) file.resize(at + operation.bytes.size());
    std::copy(operation.bytes.begin(), operation.bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
  }

  /// Only some of its sectors are there: the first ones, or the last.
  static void tear(DiskOperation& write, Random& random) {
    const std::size_t sectors = write.bytes.size() / kSector;
    if (write.kind != DiskOperation::Kind::Write || sectors < 2) return;
    const std::size_t cut = kSector * (1 + random.below(sectors - 1));
    if (random.below(2) == 0) {
      write.bytes.resize(cut);
    } else {
      write.bytes.erase(0, cut);
      write.at += static_cast<std::int64_t>(cut);
    }
  }

  std::map<std::string, std::string> synced_;
  std::map<std::string, std::vector<DiskOperation>> waiting_;
  std::uint64_t marked_ = 0;
};

}  // namespace lotsen::test
