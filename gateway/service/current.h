// The configuration in force: read by every request and pass, swapped as a whole on reload. Thread rule: any thread.
#pragma once

#include "gateway/service/configuration.h"

#include <memory>
#include <mutex>

namespace lotsen::service {

class Current {
 public:
  explicit Current(std::shared_ptr<const Configuration> configuration) : configuration_(std::move(configuration)) {}
  std::shared_ptr<const Configuration> get() const {
    const std::lock_guard lock(mutex_);
    return configuration_;
  }
  void set(std::shared_ptr<const Configuration> configuration) {
    const std::lock_guard lock(mutex_);
    configuration_ = std::move(configuration);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Configuration> configuration_;
};

}  // namespace lotsen::service
