// Something immutable that is replaced as a whole, such as the configuration at a reload: who reads it keeps what it
// got. Thread rule: any thread. Failure rule: none.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace lotsen {

template <typename T>
class InForce {
 public:
  explicit InForce(std::shared_ptr<const T> value) : value_(std::move(value)) {}
  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void set(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace lotsen
