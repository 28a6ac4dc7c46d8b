// The HTTP/1.1 listener: sockets, deadlines, limits, overload, stop. What is asked for is the application's business
// (router.h).
//
// One thread a connection, at most maxConnections of them:
//   accept thread --- has room ---> queue --> worker: read head, admit, read body, handle, write, again ... linger,
//   close
//          \--------- is full ----> 503 + Retry-After at once, closed a little later
// Threads are made when they are needed and wait for the next connection afterwards.
//
// Why not Poco's HTTPServer: it takes truncated bodies for whole ones, loses the answer when a handler throws, and has
// no bound on slow clients. Why not its TCPServer: it drops connections silently when its queue is full and polls to
// stop. An event loop that carries more than a few hundred connections can take this file's place: reader, channel,
// deadlines and Application stay as they are.
//
// With TLS the handshake runs on the worker, under a deadline of its own; a peer for whom there is no thread is hung up
// on, because telling it 503 would take a handshake.
//
// What a peer may count on: a request is handled only when it has arrived whole; whatever the handler does there is one
// answer, of known length; a refusal is readable (no reset) even if the peer is still sending.
//
// Thread rule: start() and stop() from any thread; the callbacks of Application run on many threads at once.
// Failure rule: start() returns a Status; afterwards nothing fails, it is answered, counted and logged.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/result.h"
#include "gateway/crypto/tls.h"
#include "gateway/http/message.h"
#include "gateway/http/reader.h"
#include "gateway/observe/log.h"
#include "gateway/observe/metrics.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::inbound {

struct ConnectionInfo {
  std::string peer;                                  // "127.0.0.1:51234"
  std::optional<crypto::Certificate> certificate{};  // the client's, found good in the handshake
};

/// What happens to a request whose head is there and whose body is not.
struct Admission {
  std::size_t bodyLimit = 4 * 1024 * 1024;  // bytes; an announced length over it is answered 413 without reading
  std::optional<http::Response> refusal;    // sent instead of reading the body; the connection is closed after it
};

using Handler = std::function<http::Response(const http::Request&, const ConnectionInfo&)>;

/// What the server runs. A callback may throw: that is answered 500 and counted. handle must come back in bounded time,
/// because stop() waits for it.
struct Application {
  Handler handle;
  std::function<Admission(const http::Request& head, const ConnectionInfo&)> admit = [](const auto&, const auto&) {
    return Admission{};
  };
  /// Fields of a request that go back with its answer as they came, whatever the answer is: ids by which the peer knows
  /// that it was us who answered. Values of more than kLongestEcho bytes do not.
  std::vector<std::string> echoed = {};
  static constexpr std::size_t kLongestEcho = 200;
  /// Dresses what the server itself answers: a status from 400 on and a fixed English text that may be shown to
  /// anybody.
  std::function<http::Response(int status, std::string_view why)> refuse = [](int status, std::string_view why) {
    return http::Response::text(status, std::string(why) + "\n");
  };
};

struct ServerConfig {
  std::string address = "127.0.0.1";             // an IP address; without TLS only a loopback one is accepted
  std::shared_ptr<const crypto::TlsServer> tls;  // null: plain
  std::uint16_t port = 8080;                     // 0: any free port, see Server::port()
  std::size_t maxConnections = 256;              // and threads
  http::Limits limits;
  std::size_t bodyBudget =
      256 * 1024 * 1024;  // bytes of half-received bodies on all connections together; over it: 503

  milliseconds handshakeTime{10'000};  // for all of a TLS handshake
  milliseconds headTime{10'000};  // from its first byte (on a new connection: from connecting) to the end of a head
  milliseconds idleTime{
      30'000};  // between two requests; shortened to busyIdleTime when three quarters of the threads are taken
  milliseconds busyIdleTime{1'000};
  milliseconds bodyGrace{10'000};       // for a body, plus its size at the floor rate
  milliseconds writeGrace{10'000};      // for an answer, plus its size at the floor rate
  std::uint64_t floorRate = 16 * 1024;  // bytes a second that a peer must sustain, either way
  milliseconds exchangeTime{120'000};   // the longest that a body or an answer may take, whatever the rate
  milliseconds lingerTime{2'000};       // for the peer to read a refusal before the connection is closed
  milliseconds stopGrace{5'000};        // for requests that are running when stop() is called
};

/// Invalid: no IP address, or one that other machines can reach although `tls` is not there.
Status checkAddress(const std::string& address, bool tls);

class Server {
 public:
  /// `clock`, `metrics` and `log` must outlive the server.
  Server(ServerConfig config, Application application, Clock& clock, observe::Metrics& metrics, observe::Log& log);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens and returns. Invalid: the address is no IP address or not loopback, or a limit is 0. Unavailable: the port
  /// cannot be had. Does nothing when it is running; after stop() it starts again.
  Status start();

  /// Refuses new peers, closes waiting connections, lets running requests end within stopGrace (their answer says
  /// Connection: close), cuts the rest, and returns when all threads have ended. Takes at most stopGrace plus what a
  /// running handler takes. Idempotent.
  void stop();

  /// From now on connections begin with this one. Those that are open get their answer, which says Connection: close if
  /// it is another than theirs. REQUIRES: TLS was configured. Any thread.
  void setTls(std::shared_ptr<const crypto::TlsServer> tls);

  /// The port it listens on, 0 when it does not.
  std::uint16_t port() const;

 private:
  class Running;

  ServerConfig config_;
  const Application application_;
  Clock& clock_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  mutable std::mutex mutex_;
  std::unique_ptr<Running> running_;
};

}  // namespace lotsen::inbound
