// POSTs messages with libcurl: one thread, one multi handle. Private to this folder; see outbound.h.
//
// libcurl's defaults are those of a browser, not of a courier. What is set, and why (all of 7.88, engineering
// note 2.5):
//   - no proxy, netrc, redirects or decompression: nothing of the machine's environment changes where a message goes
//   - connect and total timeouts: its own are 300 s and none
//   - connections are reused for 30 s at most: a peer that closes idle ones must not see a half-sent message often
//   - an endpoint that is not idempotent gets a fresh connection each time: libcurl repeats a POST by itself when a
//     reused connection dies before the first response byte
//   - only the endpoint's own certificates are trusted: the system's files, folder and libcurl's cache of parsed files
//     are off. What is shown and trusted is handed over as bytes, so that a connection which began with other bytes is
//     not used again
//   - the receiver's certificate must have the host among its alternative names; a common name is not enough
//   - no TLS session is resumed: each connection proves its certificates
//   - HTTP/1.1: one exchange a connection, so "how many bytes left" has an answer
// How far an attempt came is told by what libcurl counted as written, never by its error code: the same code
// (CURLE_OPERATION_TIMEDOUT) stands for "never connected" and for "sent, no answer".
#pragma once

#include "gateway/outbound/answers.h"
#include "gateway/outbound/endpoint.h"

#include <memory>

namespace lotsen::outbound {

class HttpSender {
 public:
  explicit HttpSender(Answers& answers);
  ~HttpSender();
  HttpSender(const HttpSender&) = delete;
  HttpSender& operator=(const HttpSender&) = delete;

  /// With `tls` in place of the endpoint's own. REQUIRES: `endpoint` outlives this object.
  void start(const Endpoint& endpoint, std::shared_ptr<const Tls> tls, queue::Sending sending);

  /// Longer responses are cut off: the attempt counts as not answered.
  static constexpr std::size_t kMaxResponse = std::size_t{4} << 20;
  static constexpr std::size_t kMaxHead = std::size_t{64} << 10;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace lotsen::outbound
