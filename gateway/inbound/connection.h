// One connection of the HTTP listener, from its first byte to its close. Internal to this folder; server.cc runs each
// on a thread.
#pragma once

#include "gateway/http/reader.h"
#include "gateway/inbound/channel.h"
#include "gateway/inbound/server.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace lotsen::inbound {

/// Bytes of half-received bodies, on all connections together.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t limit) : limit_(limit) {}
  /// False, and nothing taken, when it would go over the limit.
  bool take(std::size_t bytes);
  void give(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

/// What all connections of a running server have in common.
struct Shared {
  const ServerConfig& config;
  const Application& application;
  Clock& clock;
  observe::Metrics& metrics;
  observe::Log& log;
  BodyBudget budget;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> open{0};  // connections that have a thread or wait for one
  observe::Counter& handlerFailures;
  observe::Counter& handshakes;
  observe::Counter& handshakeFailures;

  /// What new connections begin with; null: plain.
  std::shared_ptr<const crypto::TlsServer> tls() const {
    const std::lock_guard lock(tlsMutex);
    return currentTls;
  }
  mutable std::mutex tlsMutex;
  std::shared_ptr<const crypto::TlsServer> currentTls;  // guarded by tlsMutex
};

/// An answer of the server itself, dressed by the application; plain text if the application fails at that.
http::Response refusal(const Shared& shared, int status, std::string_view why);

class Connection {
 public:
  Connection(std::unique_ptr<Poco::Net::StreamSocket> socket, Shared& shared);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Returns when there is nothing more to do but to destroy the connection, which closes it.
  void run();

  // For stop(), from another thread: true while the connection waits for a request, so that its reading side may be
  // shut down.
  bool idle() const { return idle_; }
  int descriptor() const { return channel_.descriptor(); }

 private:
  // What the peer is waited for.
  enum class Phase { None, Idle, Head, Body };
  enum class After { Continue, Linger, Close };

  bool shakeHands();
  After exchange();
  std::optional<After> admit();
  After refuse(const http::Failure& failure);
  After answer(http::Request request);
  http::Event readHead();
  void keepEchoes(const http::Request& head);
  http::Event readBody();
  http::Event await();
  http::Event late();
  void enter(Phase phase);
  bool holdBody();
  void releaseBody();
  http::Response handle(const http::Request& request);
  bool send(const http::Response& response, bool keepAlive, std::string_view method);
  bool sendBytes(std::string_view bytes, std::size_t sentBefore);
  void linger();
  void countTimeout(std::string_view phase);

  Shared& shared_;
  std::atomic<bool> idle_{true};
  Channel channel_;
  ConnectionInfo info_;
  http::RequestReader reader_;
  Deadline deadline_;
  Phase phase_ = Phase::None;
  bool first_ = true;                // no request was answered yet
  std::size_t held_ = 0;             // bytes taken from the budget
  std::vector<http::Field> echoes_;  // of the request that is being answered
};

}  // namespace lotsen::inbound
