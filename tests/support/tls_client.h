// A TLS client that does exactly what a test says, over a real socket on loopback, with OpenSSL. Nothing waits longer
// than ten seconds. Used by the tests of crypto and inbound. Thread rule: one thread. Failure rule: tells, by bool and
// text.
#pragma once

#include "tests/support/certificates.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace lotsen::support {

struct TlsClientOptions {
  const TestCertificate* trusted = nullptr;   // verifies the server if given
  const TestCertificate* own = nullptr;       // shown if asked for
  int leastVersion = 0, mostVersion = 0;      // TLS1_2_VERSION …; 0: any
  std::string protocols{};                    // for ALPN, in wire form
  std::string ciphers{};                      // of TLS 1.2 and older
  std::shared_ptr<ssl_session_st> session{};  // to resume
};

class TlsClient {
 public:
  TlsClient(std::uint16_t port, const TlsClientOptions& options = {});
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// The handshake was done on our side. (With TLS 1.3 the server may refuse our certificate afterwards.)
  bool connected() const { return connected_; }
  const std::string& fault() const { return fault_; }  // of the handshake, or of what came after it

  bool send(std::string_view bytes);
  /// The status of the next answer, its body in `body`; 0: the connection ended before. Bodies have a Content-Length.
  int read(std::string* body = nullptr);
  int get(const std::string& target, std::string* body = nullptr);
  /// The head of the last answer.
  const std::string& head() const { return head_; }
  /// The server says goodbye (close_notify) and nothing else.
  bool closedPolitely();

  void sayGoodbye();  // close_notify, and the socket stays
  void endSending();  // the socket's sending side, without close_notify
  bool renegotiate();

  std::string version() const;
  std::string cipher() const;
  std::string protocol() const;  // by ALPN
  bool resumed() const;
  std::shared_ptr<ssl_session_st> session() const;
  /// Common name of the certificate that the server has shown.
  std::string serverName() const;
  int descriptor() const { return descriptor_; }

 private:
  bool more();

  int descriptor_ = -1;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  bool connected_ = false, goodbye_ = false;
  std::string fault_, head_, rest_;
};

}  // namespace lotsen::support
