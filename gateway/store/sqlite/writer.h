// The one thread that writes: group commit. Callers hand it an operation and wait; it takes everything that waits (at
// most 128 operations or 4 MiB), runs each inside its own savepoint in one BEGIN IMMEDIATE … COMMIT with a full sync,
// and only then tells all of them. No timer: while one sync runs, the next group collects (LevelDB's idea). An
// operation that fails is rolled back to its savepoint and harms nobody else.
//
// A group in which everything is Durable::WithNext (leases) is written without a sync: the sync of the next group
// covers it, because the log is one file in order. That spares one of the three syncs of a delivery.
//
// If the commit itself fails, nobody knows what is on the disk: every operation of the group gets Ambiguous, everything
// after it Unavailable, and `onFatal` is called so that the process can end; the restart recovers. A failure of disk or
// memory before the commit is Unavailable for the group (nothing happened) and ends the writer all the same.
//
// Used by sqlite_store.cc. Thread rule: submit() from any thread; it blocks until the group is on the disk. onFatal
// runs on the writer's thread, once.
#pragma once

#include "gateway/store/audit_chain.h"
#include "gateway/store/sqlite/connection.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lotsen::store::sqlite {

/// What an operation may use while it runs.
struct Write {
  Connection& db;
  crypto::Digest256 chain{};  // hash of the newest audit row
};

/// When the effect of an operation must survive the power going.
enum class Durable : std::uint8_t {
  Now,       // before submit() returns
  WithNext,  // no later than what is written next
};

class Writer {
 public:
  struct Options {
    std::size_t maxGroup = 128;
    std::size_t maxGroupBytes = 4 << 20;
    std::size_t maxWaiting = 4096;  // more than this gets Busy
    int checkpointPages = 1000;     // of 4 KiB in the log
    std::function<void(const Error&)> onFatal;
  };

  Writer(std::unique_ptr<Connection> connection, crypto::Digest256 chain, Options options);
  /// Finishes what waits, then closes the connection.
  ~Writer();

  /// Runs `operation` in the next group; its effect is on the disk when this returns success. `bytes`: about how much
  /// it writes.
  template <typename T>
  Result<T> submit(Durable durable, std::size_t bytes, const std::function<Result<T>(Write&)>& operation) {
    std::optional<Result<T>> outcome;
    const Status status = enqueue(durable, bytes, [&](Write& write) -> Status {
      outcome.emplace(operation(write));
      if (!outcome->ok()) return outcome->error();
      return done();
    });
    if (!status.ok()) return status.error();
    return std::move(*outcome);
  }

 private:
  struct Job {
    const std::function<Status(Write&)>* work = nullptr;
    Durable durable = Durable::Now;
    std::size_t bytes = 0;
    Status result = done();
    bool finished = false;
    std::condition_variable wake;
  };

  Status enqueue(Durable durable, std::size_t bytes, const std::function<Status(Write&)>& work);
  void loop();
  std::vector<Job*> takeGroup();  // REQUIRES: mutex_ held
  void runGroup(const std::vector<Job*>& group);
  void runOne(Job& job);
  void setSync(const std::vector<Job*>& group);
  void refuse(const std::vector<Job*>& group, const Error& error);
  void checkpointIfDue();
  void die(const Error& error);

  Options options_;
  std::unique_ptr<Connection> connection_;
  Write write_;
  bool syncing_ = true;  // what the connection is set to

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job*> waiting_;   // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_
  std::optional<Error> dead_;  // guarded by mutex_; set once
  std::thread thread_;
};

}  // namespace lotsen::store::sqlite
