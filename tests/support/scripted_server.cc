#include "tests/support/scripted_server.h"

#include "gateway/base/result.h"
#include "gateway/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace lotsen::support {
namespace {

constexpr std::chrono::milliseconds kDripPause{20};

int listenOnLoopback(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  LOTSEN_CHECK(fd >= 0 && ::bind(fd, raw, size) == 0 && ::getsockname(fd, raw, &size) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

std::string response(const Step& step) {
  return "HTTP/1.1 " + std::to_string(step.status) + " Scripted\r\nContent-Type: application/fhir+json\r\n" +
         step.fields + "Content-Length: " + std::to_string(step.body.size()) + "\r\n\r\n" + step.body;
}

}  // namespace

/// A connection whose calls wait.
struct ScriptedServer::Stream {
  int fd;
  std::optional<crypto::TlsChannel> tls{};

  bool sendAll(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t sent = 0;
      if (tls) {
        const IoResult result = tls->write(bytes);
        if (result.io == Io::WantRead) continue;
        sent = result.io == Io::Done ? result.bytes : 0;
      } else {
        const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        sent = count > 0 ? static_cast<std::size_t>(count) : 0;
      }
      if (sent == 0) return false;
      bytes.remove_prefix(sent);
    }
    return true;
  }

  bool receiveMore(std::string& buffer) {
    char chunk[65536];
    if (tls) {
      IoResult result;
      do result = tls->read(chunk);
      while (result.io == Io::WantRead);
      if (result.io == Io::Done) buffer.append(chunk, result.bytes);
      return result.io == Io::Done;
    }
    const ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
    if (got > 0) buffer.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }
};

std::string SeenRequest::field(const std::string& name) const {
  for (const std::string_view line : split(head, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equalsIgnoreCase(line.substr(0, colon), name))
      return std::string(trim(line.substr(colon + 1)));
  }
  return "(absent)";
}

ScriptedServer::ScriptedServer(std::vector<Step> steps, std::shared_ptr<const crypto::TlsServer> tls)
    : steps_(std::move(steps)), tls_(std::move(tls)) {
  ::signal(SIGPIPE, SIG_IGN);
  LOTSEN_CHECK(!steps_.empty());
  listener_ = listenOnLoopback(port_);
  LOTSEN_CHECK(::listen(listener_, 64) == 0);
  accepting_ = std::thread([this] { accept(); });
}

ScriptedServer::~ScriptedServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  changed_.notify_all();
  accepting_.join();
  for (std::thread& thread : serving_) thread.join();
  ::close(listener_);
}

void ScriptedServer::setTls(std::shared_ptr<const crypto::TlsServer> tls) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
}

std::string ScriptedServer::url(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + "/fhir/$process-message";
}

std::vector<SeenRequest> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool ScriptedServer::waitFor(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(5), [&] { return requests_.size() >= count; });
}

void ScriptedServer::accept() {
  for (int connection = 1;; ++connection) {
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      ::close(fd);
      return;
    }
    open_.push_back(fd);
    serving_.emplace_back([this, fd, connection] { serve(fd, connection); });
  }
}

void ScriptedServer::serve(int fd, int connection) {
  Stream stream{fd};
  {
    const std::lock_guard lock(mutex_);
    if (tls_) stream.tls.emplace(tls_, fd);
  }
  bool alive = true;
  if (stream.tls) {
    IoResult result;
    do result = stream.tls->handshake();
    while (result.io == Io::WantRead);
    alive = result.io == Io::Done;
    // The client may have sent its request already; a reset would destroy the alert on its way.
    char scrap[4096];
    if (!alive) ::shutdown(fd, SHUT_WR);
    while (!alive && ::recv(fd, scrap, sizeof scrap, 0) > 0) {}
  }
  std::string buffer;
  while (alive) {
    SeenRequest request;
    request.connection = connection;
    if (const auto peer = stream.tls ? stream.tls->peer() : std::nullopt) request.certificate = peer->names;
    if (!read(stream, request, buffer)) break;
    Step step;
    {
      const std::lock_guard lock(mutex_);
      step = steps_[std::min(requests_.size(), steps_.size() - 1)];
      requests_.push_back(std::move(request));
    }
    changed_.notify_all();
    alive = play(stream, step);
  }
  if (stream.tls) stream.tls->finish();
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

bool ScriptedServer::read(Stream& stream, SeenRequest& request, std::string& buffer) const {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
    if (!stream.receiveMore(buffer)) return false;
  request.head = buffer.substr(0, end + 4);
  buffer.erase(0, end + 4);
  {
    const std::lock_guard lock(mutex_);
    if (steps_[std::min(requests_.size(), steps_.size() - 1)].what == Step::What::ResetEarly) return true;
  }
  const std::string field = request.field("Content-Length");  // a GET has none
  const std::size_t length = field == "(absent)" ? 0 : std::stoul(field);
  while (buffer.size() < length)
    if (!stream.receiveMore(buffer)) return false;
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return true;
}

/// False: the connection is over.
bool ScriptedServer::play(Stream& stream, const Step& step) {
  const std::string whole = response(step);
  switch (step.what) {
    case Step::What::Answer: return stream.sendAll(whole);
    case Step::What::Swallow: return false;
    case Step::What::HalfHead: stream.sendAll(std::string_view(whole).substr(0, 30)); return false;
    case Step::What::HalfBody:
      stream.sendAll(std::string_view(whole).substr(0, whole.size() - step.body.size() / 2));
      return false;
    case Step::What::ResetEarly: {
      const linger reset{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(stream.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      return false;
    }
    case Step::What::Hang:
    case Step::What::Drip: break;
  }
  std::size_t at = 0;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kDripPause, [this] { return stopping_; })) {
    if (step.what == Step::What::Hang) continue;
    if (at == whole.size() || !stream.sendAll(std::string_view(whole).substr(at++, 1))) return at == whole.size();
  }
  return false;
}

int closedPort() {
  int port = 0;
  ::close(listenOnLoopback(port));
  return port;
}

}  // namespace lotsen::support
