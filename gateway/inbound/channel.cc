#include "gateway/inbound/channel.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace lotsen::inbound {

namespace {

IoResult fromSystem(ssize_t count, Io wanted) {
  if (count > 0) return {Io::Done, static_cast<std::size_t>(count)};
  if (count == 0) return {Io::End};
  return {errno == EAGAIN || errno == EINTR ? wanted : Io::Error};
}

}  // namespace

Channel::Channel(std::unique_ptr<Poco::Net::StreamSocket> socket, std::shared_ptr<const crypto::TlsServer> tls)
    : socket_(std::move(socket)), descriptor_(socket_->impl()->sockfd()) {
  socket_->setBlocking(false);
  socket_->setNoDelay(true);
  if (tls) tls_.emplace(std::move(tls), descriptor_);
}

Channel::~Channel() {
  if (tls_) tls_->finish();  // many clients of TLS take an end without goodbye for an attack
}

Io Channel::handshake(std::string& why) {
  if (!tls_) return Io::Done;
  const Io io = tls_->handshake().io;
  if (io == Io::Error) {
    why = tls_->fault();
    tls_.reset();
  }
  // With TLS 1.3 the client has the last word, and we have none to acknowledge it with: a client that sends small
  // pieces one after the other (Nagle) would hold its request back for the 40 ms of a delayed acknowledgement.
  const int on = 1;
  if (io == Io::Done) ::setsockopt(descriptor_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  return io;
}

std::string Channel::peer() const {
  try {
    return socket_->peerAddress().toString();
  } catch (const Poco::Exception&) {
    return "unknown";  // gone already
  }
}

IoResult Channel::read(std::span<char> into) {
  if (tls_) return tls_->read(into);
  return fromSystem(::recv(descriptor_, into.data(), into.size(), 0), Io::WantRead);
}

IoResult Channel::write(std::string_view bytes) {
  if (tls_) return tls_->write(bytes);
  return fromSystem(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL), Io::WantWrite);
}

void Channel::finish() {
  if (tls_) tls_->finish();
  ::shutdown(descriptor_, SHUT_WR);
}

bool Channel::wait(Io io, const Deadline& deadline) const {
  for (;;) {
    const auto left = deadline.left();
    if (left.count() <= 0) return false;
    pollfd ready{descriptor_, static_cast<short>(io == Io::WantWrite ? POLLOUT : POLLIN), 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min<milliseconds::rep>(left.count(), 60'000)));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

}  // namespace lotsen::inbound
