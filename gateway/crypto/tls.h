// TLS of a listener: what it shows and demands (TlsServer), and one connection of it (TlsChannel), which is OpenSSL
// directly on a descriptor that somebody else owns. TLS 1.2 and 1.3 and nothing older, ECDHE with AEAD ciphers, no
// compression, no renegotiation, HTTP/1.1 if the client asks by ALPN.
//
// There is no resumption: neither tickets nor a session cache. A resumed session would carry on with a client
// certificate that has expired or whose issuer is no longer trusted, and a stolen ticket key would open what was
// recorded. It costs a full handshake for each connection (docs/performance.md), which peers that keep connections
// do not feel.
//
// A certificate is replaced by making a new TlsServer; a live one is never changed. Connections hold the one under
// which they began. Used by: inbound (connections), app (makes it), tests. Thread rule: a TlsServer is immutable and
// shared; a TlsChannel belongs to one thread, and whoever wants to end it from another shuts the descriptor down.
// OpenSSL writes without MSG_NOSIGNAL: the thread must block or ignore SIGPIPE. Failure rule: Result, Io::Error with
// fault(), which is a fixed text of ours or of OpenSSL and never one of the peer.
#pragma once

#include "gateway/base/io.h"
#include "gateway/crypto/certificate.h"
#include "gateway/crypto/digest.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lotsen::crypto {

/// For a client that another library drives: its SSL_CTX takes no keys and signatures that our listener would not take,
/// and verifies that a server's alternative names have `host` (a name or an IP address). OpenSSL's own check takes,
/// like libcurl's, the common name of a certificate that has none. False: refused.
bool restrictClient(void* sslContext, const std::string& host);

enum class ClientCertificates : std::uint8_t {
  None,      // not asked for
  Optional,  // asked for; one that is not trusted, or expired, is refused all the same
  Required,
};

struct TlsSettings {
  KeyPair own;
  ClientCertificates clients = ClientCertificates::None;
  Trusted clientIssuers;  // REQUIRES: not empty unless clients is None
  bool onlyTls13 = false;
};

class TlsServer {
 public:
  /// Invalid: OpenSSL takes a key or certificate for too weak.
  static Result<std::shared_ptr<const TlsServer>> create(const TlsSettings& settings);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  /// Made of the same files and settings.
  bool sameAs(const TlsServer& other) const;

 private:
  friend class TlsChannel;
  struct State;
  explicit TlsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class TlsChannel {
 public:
  /// `descriptor` is a connected socket, usually non-blocking, and outlives the channel.
  TlsChannel(std::shared_ptr<const TlsServer> server, int descriptor);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  /// To be called until it is Done or Error. A refused peer has been told by an alert.
  IoResult handshake();
  /// Each call takes at most one TLS record, so a loop with a deadline is never held up by what a peer sends. End: the
  /// peer has said that it sends no more, or its side of the connection is closed; whoever needs to know that all has
  /// arrived counts bytes.
  IoResult read(std::span<char> into);
  IoResult write(std::string_view bytes);
  /// Says close_notify, once and as far as it can be said without waiting.
  void finish();

  /// Bytes are here already: read() will not wait, though the descriptor may look idle.
  bool holds() const;
  /// The client's certificate; none unless the handshake is done and the certificate was found good.
  std::optional<Certificate> peer() const;
  /// Why the last call gave Io::Error.
  const std::string& fault() const { return fault_; }

  const std::shared_ptr<const TlsServer>& server() const { return server_; }

 private:
  template <typename Operation>
  IoResult call(Operation operation);

  std::shared_ptr<const TlsServer> server_;
  struct State;
  std::unique_ptr<State> state_;
  std::string fault_;
};

}  // namespace lotsen::crypto
