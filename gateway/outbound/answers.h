// Where the sending threads leave their answers and the delivery thread picks them up. Private to this folder.
// Thread rule: any thread may call anything. Failure rule: nothing fails; the number of answers is bounded by the
// number of sendings that the delivery core has started.
#pragma once

#include "gateway/queue/transport.h"

#include <condition_variable>
#include <mutex>
#include <vector>

namespace lotsen::outbound {

class Answers {
 public:
  void push(queue::Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    }
    changed_.notify_one();
  }

  std::vector<queue::Answer> take(milliseconds wait) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait, [this] { return woken_ || !answers_.empty(); });
    woken_ = false;
    return std::exchange(answers_, {});
  }

  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<queue::Answer> answers_;
  bool woken_ = false;
};

/// The answer to a sending of which no byte has left.
inline queue::Answer unsent(const queue::Sending& sending, std::string error) {
  queue::Answer answer;
  answer.delivery = sending.delivery;
  answer.token = sending.token;
  answer.error = std::move(error);
  return answer;
}

}  // namespace lotsen::outbound
