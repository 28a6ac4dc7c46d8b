// A connected byte stream that never blocks, plain or TLS. The connection loop knows only the answers of Io; waiting is
// its business, with poll(2) and the time that is left. A read of TLS may have to wait until the socket can be written,
// so the loop obeys WantRead and WantWrite after either. Poco's StreamSocket is used as the owner of the descriptor
// only: in 1.11 its sendBytes throws on a full buffer, and its poll opens and closes an epoll descriptor on every call.
// Thread rule: belongs to one thread; Server may shut the descriptor down from another. Failure rule: Io::Error, the
// connection is lost.
#pragma once

#include "gateway/base/io.h"
#include "gateway/crypto/tls.h"
#include "gateway/inbound/deadline.h"

#include <Poco/Net/StreamSocket.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lotsen::inbound {

class Channel {
 public:
  /// `tls`: null for a plain connection.
  Channel(std::unique_ptr<Poco::Net::StreamSocket> socket, std::shared_ptr<const crypto::TlsServer> tls);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// To be called until it is Done (at once when the channel is plain) or Error; then `why` says what was wrong, and
  /// the channel is the bare socket, so that the peer can be given time to read the alert.
  Io handshake(std::string& why);
  IoResult read(std::span<char> into);
  IoResult write(std::string_view bytes);
  /// Tells the peer that nothing more will come. Best effort.
  void finish();
  /// Waits until the socket is ready for `io` (WantRead or WantWrite). False: the deadline has passed.
  bool wait(Io io, const Deadline& deadline) const;
  /// read() has something, whatever the descriptor looks like.
  bool holds() const { return tls_ && tls_->holds(); }

  /// Null when it is plain.
  const crypto::TlsChannel* tls() const { return tls_ ? &*tls_ : nullptr; }
  int descriptor() const { return descriptor_; }
  /// "127.0.0.1:51234"
  std::string peer() const;

 private:
  // Poco shares sockets by counting; held here alone, the descriptor is closed when the channel goes and not a moment
  // later.
  std::unique_ptr<Poco::Net::StreamSocket> socket_;
  int descriptor_;
  std::optional<crypto::TlsChannel> tls_;
};

}  // namespace lotsen::inbound
