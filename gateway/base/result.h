// Result<T>: a value or an Error. Every function of the gateway that can fail for a reason outside itself returns one.
// Used by everyone. Thread rule: plain values. Failure rule: no exception crosses a folder; third-party exceptions are
// turned into an Error in the folder that owns the library. A broken invariant is not an Error: LOTSEN_CHECK ends the
// process.
//
// Faults in *data* are not Errors either: they go to a fhir::Issues sink with the path of the element
// (gateway/fhir/issues.h).
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace lotsen {

/// Named after what the caller can do about it.
enum class Code {
  Invalid,          // the input is wrong: tell whoever sent it, never retry
  Unauthenticated,  // we do not know who asks
  Forbidden,        // we know, and the answer is no
  NotFound,
  Conflict,     // same identity, other content; or somebody changed the row first
  TooLarge,     // over a declared limit
  Busy,         // full or locked for the moment: try again later
  Unavailable,  // the thing we need is down: try again later
  Timeout,
  Ambiguous,  // we do not know whether it happened: resolve, never repeat blindly
  Corrupt,    // stored or generated data is not what it must be: stop and call a person
  Internal,   // our own fault
};

std::string_view codeName(Code code);

/// `message` says what happened, where, and what to do; it never holds patient data.
struct Error {
  Code code = Code::Internal;
  std::string message;
};

[[noreturn]] void checkFailed(const char* condition, const char* file, int line);

/// Always on. For invariants of our own code only, never for the environment or for data.
#define LOTSEN_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::lotsen::checkFailed(#condition, __FILE__, __LINE__))

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok() for the first group, !ok() for error().
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& value() & {
    LOTSEN_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    LOTSEN_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }
  const Error& error() const {
    LOTSEN_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value: `return done();`
struct Done {};
using Status = Result<Done>;
inline Status done() {
  return Done{};
}

inline Error fail(Code code, std::string message) {
  return Error{code, std::move(message)};
}

#define LOTSEN_CONCAT_(a, b) a##b
#define LOTSEN_CONCAT(a, b) LOTSEN_CONCAT_(a, b)

/// LOTSEN_TRY(auto x, f());  x = the value of f(), or return its error.
#define LOTSEN_TRY(declaration, ...)                                                     \
  auto LOTSEN_CONCAT(try_, __LINE__) = (__VA_ARGS__);                                    \
  if (!LOTSEN_CONCAT(try_, __LINE__).ok()) return LOTSEN_CONCAT(try_, __LINE__).error(); \
  declaration = std::move(LOTSEN_CONCAT(try_, __LINE__)).value()

/// LOTSEN_TRY_DO(f());  return the error of f() if it has one.
#define LOTSEN_TRY_DO(...)                                                            \
  do {                                                                                \
    if (auto try_result = (__VA_ARGS__); !try_result.ok()) return try_result.error(); \
  } while (false)

}  // namespace lotsen
