// A partner that misbehaves on command: an HTTP server on loopback, port 0, on raw sockets, plain or under TLS, which
// answers the n-th request as the n-th step says and keeps every request's bytes. Used by the tests of outbound. Thread
// rule: a thread for accepting and one a connection; requests() may be called at any time. Failure rule: aborts the
// test process when it cannot listen.
#pragma once

#include "gateway/crypto/tls.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lotsen::support {

struct Step {
  enum class What : std::uint8_t {
    Answer,     // status and body, connection kept
    Swallow,    // reads the whole request, then closes without a byte: "the response got lost"
    Hang,       // reads the request and says nothing until the server is destroyed
    Drip,       // one byte of the answer each 20 ms
    HalfHead,   // sends the status and a part of the first field, and closes
    HalfBody,   // promises the whole body, sends half and closes
    ResetEarly  // reads the first bytes and resets the connection
  };
  What what = What::Answer;
  int status = 200;
  std::string body = "{}";
  std::string fields = {};  // more response fields, each ending in CRLF
};

struct SeenRequest {
  int connection = 0;  // the first is 1
  std::string head;    // request line and fields, with the empty line
  std::string body;
  std::vector<std::string> certificate{};  // names of the client's

  /// Value of a field, blanks trimmed; "(absent)" if it is not there.
  std::string field(const std::string& name) const;
};

class ScriptedServer {
 public:
  /// After the last step, its behaviour repeats.
  explicit ScriptedServer(std::vector<Step> steps, std::shared_ptr<const crypto::TlsServer> tls = nullptr);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url(const std::string& host = "127.0.0.1") const;
  /// New connections begin with this one.
  void setTls(std::shared_ptr<const crypto::TlsServer> tls);
  std::vector<SeenRequest> requests() const;
  /// Waits until that many requests have been read; false after five seconds.
  bool waitFor(std::size_t count) const;

 private:
  void accept();
  struct Stream;
  void serve(int fd, int connection);
  bool read(Stream& stream, SeenRequest& request, std::string& buffer) const;
  bool play(Stream& stream, const Step& step);

  std::vector<Step> steps_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::shared_ptr<const crypto::TlsServer> tls_;  // guarded by mutex_
  bool stopping_ = false;                         // guarded by mutex_
  std::vector<int> open_;                         // guarded by mutex_
  std::vector<SeenRequest> requests_;             // guarded by mutex_
  std::vector<std::thread> serving_;              // touched by accepting_ and, after it ended, by the destructor
  std::thread accepting_;
};

/// A port of loopback on which nobody listens.
int closedPort();

}  // namespace lotsen::support
