// A peer that does exactly what a test says, byte by byte, over a real socket on loopback. Nothing here waits longer
// than kPatience.
#pragma once

#include "gateway/base/text.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace lotsen::inbound::testing {

constexpr int kPatienceMs = 10'000;

struct Answer {
  int status = 0;  // 0: the connection ended before an answer
  std::string head;
  std::string body;

  bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class Client {
 public:
  explicit Client(std::uint16_t port, int receiveBuffer = 0)
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receiveBuffer > 0) ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer);
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }

  /// False when the server has closed or reset the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!ready(POLLOUT, kPatienceMs)) return false;
      const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno == EAGAIN) continue;
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void endSending() { ::shutdown(descriptor_, SHUT_WR); }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  /// True when bytes or the end are there within that time.
  bool readable(int withinMs) { return !rest_.empty() || ready(POLLIN, withinMs); }

  /// The next answer; 1xx answers count. `headOnly`: the answer to HEAD.
  Answer read(bool headOnly = false) {
    Answer answer;
    std::size_t end = 0;
    while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return answer;
    }
    answer.head = rest_.substr(0, end + 4);
    rest_.erase(0, end + 4);
    answer.status = std::atoi(answer.head.c_str() + 9);
    const auto length = answer.head.find("Content-Length: ");
    const std::size_t size =
        length == std::string::npos || headOnly ? 0 : std::strtoul(answer.head.c_str() + length + 16, nullptr, 10);
    while (rest_.size() < size && more()) {}
    complete_ = rest_.size() >= size;
    answer.body = rest_.substr(0, size);
    rest_.erase(0, size);
    return answer;
  }

  Answer ask(std::string_view request, bool headOnly = false) {
    send(request);
    return read(headOnly);
  }
  Answer get(const std::string& target) { return ask("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"); }
  Answer post(const std::string& target, const std::string& body) {
    return ask("POST " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body);
  }

  /// True when the server closes in order (no reset) and sends nothing more before.
  bool closedQuietly() {
    while (more()) {}
    return ended_ && rest_.empty();
  }
  /// The last answer was as long as its head said.
  bool complete() const { return complete_; }

  /// Reads at most that many bytes and forgets them; 0: nothing there now; -1: the connection is over.
  long skip(std::size_t atMost) {
    std::string scrap(atMost, '\0');
    const auto count = ::recv(descriptor_, scrap.data(), scrap.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return 0;
    return count <= 0 ? -1 : count;
  }

 private:
  bool ready(short events, int withinMs) {
    pollfd poll{descriptor_, events, 0};
    return ::poll(&poll, 1, withinMs) == 1;
  }

  bool more() {
    if (ended_ || !ready(POLLIN, kPatienceMs)) return false;
    char buffer[65536];
    const auto count = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (count > 0) rest_.append(buffer, static_cast<std::size_t>(count));
    ended_ = count == 0;
    return count > 0;
  }

  int descriptor_;
  bool connected_ = false;
  bool ended_ = false;
  bool complete_ = false;
  std::string rest_;
};

class Stopwatch {
 public:
  int ms() const {
    return static_cast<int>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin_).count());
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace lotsen::inbound::testing
