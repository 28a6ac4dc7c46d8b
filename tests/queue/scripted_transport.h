// A transport that does what the test says: keeps what is sent, gives back the answers that the test made. Thread rule:
// any.
#pragma once

#include "gateway/queue/transport.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace lotsen::test {

class ScriptedTransport final : public queue::Transport {
 public:
  void start(queue::Sending sending) override {
    const std::lock_guard lock(mutex_);
    sent_.push_back(std::move(sending));
    changed_.notify_all();
  }

  std::vector<queue::Answer> take(milliseconds wait) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait, [this] { return woken_ || !answers_.empty(); });
    woken_ = false;
    return std::exchange(answers_, {});
  }

  void wake() override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }

  void answer(queue::Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    changed_.notify_all();
  }

  /// What was sent since the last call.
  std::vector<queue::Sending> sent() {
    const std::lock_guard lock(mutex_);
    return std::exchange(sent_, {});
  }

  /// Waits until something was sent. False: nothing came in five seconds.
  bool waitForSending() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5), [this] { return !sent_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<queue::Sending> sent_;
  std::vector<queue::Answer> answers_;
  bool woken_ = false;
};

inline queue::Answer answered(const queue::Sending& sending, int status, std::string body = {}) {
  return {sending.delivery, sending.token, queue::Phase::Answered, status, {}, std::move(body), {}, milliseconds(5)};
}
inline queue::Answer unsent(const queue::Sending& sending) {
  return {sending.delivery, sending.token, queue::Phase::Unsent, 0, {}, {}, "connection refused", milliseconds(5)};
}
inline queue::Answer lost(const queue::Sending& sending) {
  return {sending.delivery, sending.token, queue::Phase::Sent, 0, {}, {}, "connection reset", milliseconds(5)};
}

}  // namespace lotsen::test
