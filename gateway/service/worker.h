// Worker: the thread that takes due transfers from the store, thinks, and saves what follows; wakes the delivery loop
// when legs became ready. Used by: app (one or two of them). Thread rule: start() and stop() from one thread, wake()
// from any; stop() is idempotent and waits for the pass at hand. Failure rule: a transfer that cannot be thought about
// is returned to the store with a delay and told in the log and a metric; a dead store ends the thread and calls
// `fatal`.
#pragma once

#include "gateway/service/current.h"
#include "gateway/service/thinking.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace lotsen::service {

struct WorkerHooks {
  std::function<void()> legsChanged;           // after a save: the delivery loop should look
  std::function<void(const Error&)> troubled;  // a pass failed and will be tried again
  std::function<void(const Error&)> fatal;     // the store is gone
};

class Worker {
 public:
  Worker(store::Store& store, Current& configuration, Clock& clock, Thinker thinker, store::Owner owner,
         WorkerHooks hooks);
  ~Worker();

  void start();
  void stop();
  void wake();

  /// One round on the calling thread (tests): how many transfers were thought about.
  Result<std::size_t> round();

 private:
  void loop();
  Status save(std::vector<store::TransferChange> thought);

  store::Store& store_;
  Current& configuration_;
  Clock& clock_;
  const store::Owner owner_;
  const WorkerHooks hooks_;
  Thinker thinker_;
  std::mutex mutex_;
  std::condition_variable wakeUp_;
  bool woken_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace lotsen::service
