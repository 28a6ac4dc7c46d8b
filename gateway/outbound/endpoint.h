// What outbound must know of one endpoint, as configuration gives it. Used by: app (fills it), outbound.
// Thread rule: plain values. Failure rule: checkEndpoint() says what is wrong with one; nothing else looks again.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/result.h"
#include "gateway/crypto/certificate.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lotsen::outbound {

/// What is shown and whom we believe on connections to one endpoint, as the files were when they were read: connections
/// that began with other contents are not used again (libcurl compares the contents, of files only their names).
struct Tls {
  crypto::Trusted trusted;  // these and nobody else: not the system's roots
  crypto::KeyPair own;      // empty: none is shown
  bool onlyTls13 = false;
};

struct TlsFiles {
  std::string caFile;
  std::string certificateFile, keyFile;  // both or neither
  bool onlyTls13 = false;
};
/// Invalid: names the file and what is wrong with it.
Result<std::shared_ptr<const Tls>> readTls(const TlsFiles& files);

struct Endpoint {
  enum class Kind : std::uint8_t { Http, Spool };

  std::string id;  // letters, digits, '-', '_', '.': it names a folder in the spool
  Kind kind = Kind::Http;

  // Http: one POST a message.
  std::string url;  // https; http only to a loopback host
  /// Where to ask whether a message is there, with `{message}` in place of its id; empty: it cannot be asked.
  std::string readBackUrl;
  std::string tokenFile;  // its first line is sent as a bearer token; read anew at each sending, so it can be rotated
  std::shared_ptr<const Tls> tls;                           // https needs it
  std::vector<std::pair<std::string, std::string>> fields;  // sent with each message, beside our own
  milliseconds connectTimeout{5'000};
  milliseconds totalTimeout{30'000};  // hard end; must be shorter than the delivery's lease
  /// The receiver drops repeats by X-Request-Id. False: each message goes on a connection of its own, because libcurl
  /// silently repeats a POST whose kept-alive connection died (engineering note 2.5; shown in tests/outbound).
  bool idempotent = true;

  // Spool: one file a message.
  std::string folder;  // the files go to folder/id/
};

/// Invalid: names the endpoint and what is wrong with it.
Status checkEndpoint(const Endpoint& endpoint);

/// "partner.example", "127.0.0.1", "::1"; empty if the URL is none.
std::string hostOf(const std::string& url);

/// The address of the question about one message. REQUIRES: readBackUrl is not empty, messageId is a UUID.
std::string readBackUrl(const Endpoint& endpoint, std::string_view messageId);

}  // namespace lotsen::outbound
