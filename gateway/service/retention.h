// The thread that removes what has been kept for long enough, in small steps with pauses between, so that nobody who
// waits for the store notices; and forgets the keys of repeats. Used by: app. Thread rule: start() and stop() from one
// thread; stop() is idempotent and waits for the step at hand. Failure rule: a store that is busy is asked again later;
// any other error ends the thread after `troubled` was told: the store's own alarm ends the process.
#pragma once

#include "gateway/store/store.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace lotsen::service {

/// For how long things are kept after their transfer is over. None: for ever.
struct KeepFor {
  std::optional<milliseconds> records;
  std::optional<milliseconds> deliveries = std::chrono::hours(24 * 3650);
  std::optional<milliseconds> attempts = std::chrono::hours(24 * 3650);
  std::optional<milliseconds> audit = std::chrono::hours(24 * 3650);
};

class RetentionRunner {
 public:
  /// Keys of repeats, from their arrival on: longer than any sender resends.
  static constexpr milliseconds kKeys = std::chrono::hours(24 * 400);

  struct Hooks {
    std::function<void(const store::Purged&)> removed;  // a step that removed something
    std::function<void(const Error&)> troubled;
  };

  RetentionRunner(store::Store& store, Clock& clock, KeepFor keepFor, Hooks hooks);
  ~RetentionRunner();

  void start();
  void stop();

  /// One step on the calling thread (tests): true if the walk is not at its end.
  Result<bool> step();

 private:
  void loop();

  store::Store& store_;
  Clock& clock_;
  const KeepFor keepFor_;
  const Hooks hooks_;
  store::Id after_;  // where the walk stands
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace lotsen::service
