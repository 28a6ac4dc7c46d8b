// A connected byte stream that never blocks. The connection loop knows only these answers; waiting is its business,
// with poll(2) and the time that is left. Today the bytes go over the socket as they are; TLS becomes a second way to
// do read and write in this class (there a read may have to wait until the socket can be written, so the loop obeys
// WantRead and WantWrite after either). Poco's StreamSocket is used as the owner of the descriptor only: in 1.11 its
// sendBytes throws on a full buffer, and its poll opens and closes an epoll descriptor on every call. Thread rule:
// belongs to one thread; Server may shut the descriptor down from another. Failure rule: Io::Error, the connection is
// lost.
#pragma once

#include "gateway/inbound/deadline.h"

#include <Poco/Net/StreamSocket.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lotsen::inbound {

enum class Io {
  Done,       // `bytes` were moved, at least one
  WantRead,   // nothing to do before the socket can be read
  WantWrite,  // … written
  End,        // the peer sends no more
  Error,
};

struct IoResult {
  Io io = Io::Error;
  std::size_t bytes = 0;
};

class Channel {
 public:
  explicit Channel(std::unique_ptr<Poco::Net::StreamSocket> socket);

  IoResult read(std::span<char> into);
  IoResult write(std::string_view bytes);
  /// Tells the peer that nothing more will come. Best effort.
  void finish();
  /// Waits until the socket is ready for `io` (WantRead or WantWrite). False: the deadline has passed.
  bool wait(Io io, const Deadline& deadline) const;

  int descriptor() const { return descriptor_; }
  /// "127.0.0.1:51234"
  std::string peer() const;

 private:
  // Poco shares sockets by counting; held here alone, the descriptor is closed when the channel goes and not a moment
  // later.
  std::unique_ptr<Poco::Net::StreamSocket> socket_;
  int descriptor_;
};

}  // namespace lotsen::inbound
