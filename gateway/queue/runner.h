// The delivery thread: steps the core, waits in the transport for answers, tells others what happened. Used by: app.
// Thread rule: start() and stop() from one thread; the hooks run on the delivery thread and must not call stop(). To
// make it look at new legs, call Transport::wake(). Failure rule: when the store is dead the thread ends after calling
// `fatal`.
#pragma once

#include "gateway/queue/core.h"

#include <thread>

namespace lotsen::queue {

class Runner {
 public:
  struct Hooks {
    std::function<void()> finished;           // deliveries became Done or Parked: their transfers are due
    std::function<void(const Error&)> fatal;  // the store is gone: end the process
  };

  Runner(Core& core, Transport& transport, Clock& clock, Hooks hooks);
  ~Runner();

  void start();
  /// Claims nothing more, waits at most `grace` for what is under way (an answer that is not waited for is ambiguous at
  /// the next start), and ends the thread. Idempotent.
  void stop(milliseconds grace = milliseconds(5'000));

 private:
  void loop();

  Core& core_;
  Transport& transport_;
  Clock& clock_;
  const Hooks hooks_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> graceMs_{0};
  std::thread thread_;
};

}  // namespace lotsen::queue
