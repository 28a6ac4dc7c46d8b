// The Transport door: how bytes leave. outbound implements it (HTTPS by libcurl, spool folder); tests and the simulator
// script it. Thread rule: start() and take() are called by the delivery thread only; the implementation may use threads
// behind them. Failure rule: start() cannot fail: whatever goes wrong becomes an Answer. Every start() yields exactly
// one Answer, in bounded time.
#pragma once

#include "gateway/base/clock.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace lotsen::queue {

enum class Purpose : std::uint8_t {
  Deliver,   // the message itself
  ReadBack,  // asks the receiver whether it has it: no byte of the message leaves, `body` is empty
};

struct Sending {
  std::string delivery;  // delivery id
  std::uint64_t token = 0;
  std::string endpoint;   // which configured endpoint
  std::string messageId;  // X-Request-Id: stable over retries
  std::string transfer;   // X-Correlation-Id
  std::string mediaType;
  std::string body;  // the same bytes on every attempt
  Purpose purpose = Purpose::Deliver;
};

/// How far the attempt came: the difference between "certainly unsent" and "ambiguous".
enum class Phase : std::uint8_t {
  Unsent,    // no byte of the request has left (resolve, connect, TLS failed)
  Sent,      // bytes may have left, no complete answer came
  Answered,  // a complete response is here
};

struct Answer {
  std::string delivery;
  std::uint64_t token = 0;
  Phase phase = Phase::Unsent;
  int status = 0;  // HTTP status when Answered; a spool reports 200
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::string error;  // for people: what failed, no patient data
  milliseconds took{0};
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual void start(Sending sending) = 0;
  /// Waits at most `wait` for at least one answer (or wake()) and returns all that are here.
  virtual std::vector<Answer> take(milliseconds wait) = 0;
  /// Ends a take() early; any thread.
  virtual void wake() = 0;
};

}  // namespace lotsen::queue
