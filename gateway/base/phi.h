// Phi<T>: a value about a patient. It has no stream operator and no conversion, so a log line cannot print it by
// accident; whoever needs the value writes .reveal(), which is easy to find.
#pragma once

#include <utility>

namespace lotsen {

template <typename T>
class Phi {
 public:
  Phi() = default;
  explicit Phi(T value) : value_(std::move(value)) {}
  const T& reveal() const { return value_; }
  bool operator==(const Phi&) const = default;

 private:
  T value_{};
};

}  // namespace lotsen
