// Delivers into a folder: folder/endpoint/delivery.ext, one file a letter or message, which another program picks up.
// Private to this folder; see outbound.h.
//
// A file appears under its name complete and on disk, or not at all: it is written under a hidden name, synced, linked
// to its name, and the folder is synced before the answer. Linking instead of renaming, because a rename would replace.
// The same delivery again: the same bytes are a success (we may have died before the answer was stored), other bytes
// are a 409 and the first file stays. The name is the delivery id, so a repeat after a crash finds its file.
#pragma once

#include "gateway/outbound/answers.h"
#include "gateway/outbound/endpoint.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace lotsen::outbound {

class Spool {
 public:
  explicit Spool(Answers& answers);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Makes the endpoint's folder (only its owner may read it) and removes what an earlier process left half written.
  static Status prepare(const Endpoint& endpoint);

  /// REQUIRES: prepare(endpoint) was done; `endpoint` outlives this object.
  void start(const Endpoint& endpoint, queue::Sending sending);

 private:
  void run();

  Answers& answers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                                           // guarded by mutex_
  std::deque<std::pair<const Endpoint*, queue::Sending>> waiting_;  // guarded by mutex_
  std::thread thread_;
};

/// One delivery, done in the calling thread. For Spool and its tests.
queue::Answer spoolOne(const Endpoint& endpoint, const queue::Sending& sending);

}  // namespace lotsen::outbound
