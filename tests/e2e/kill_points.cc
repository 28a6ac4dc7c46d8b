// Ends the process it is loaded into (LD_PRELOAD) as a power cut does, at a point that is named and counted: the binary
// under test stays the one that is shipped, without a word about tests in it. Used by test_crash.py.
//
//   LOTSEN_KILL_AT=after-commit:3     SIGKILL as soon as the third sync of the log of the database has returned
//
//   before-commit  after-commit   the sync of the write-ahead log: not durable yet; durable, and nobody knows
//   before-send    after-send     a piece of a request to a partner: nothing has left; it is in the kernel's hands
//   answer-read                   a piece of a partner's answer has been read and nothing of it is stored
//   before-answer  after-answer   a piece of our answer to who called us
//   before-name    after-name     a letter gets its name in the spool
//
// Thread rule: any thread; the count is of the process. Failure rule: a point that is never reached never kills.
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr int kDescriptors = 65'536;
std::array<std::atomic<bool>, kDescriptors> outbound;  // descriptors that we have connected ourselves

struct Plan {
  std::string point;
  std::atomic<long> left{0};

  Plan() {
    const char* text = std::getenv("LOTSEN_KILL_AT");
    const std::string_view said = text == nullptr ? "" : text;
    const auto colon = said.find(':');
    if (colon == std::string_view::npos) return;
    point = said.substr(0, colon);
    left = std::strtol(said.data() + colon + 1, nullptr, 10);
  }
};

void reach(std::string_view point) {
  static Plan plan;
  if (plan.point != point || plan.left.fetch_sub(1) != 1) return;
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();  // no other thread's work may look like ours after it
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool isOutbound(int fd) {
  return fd >= 0 && fd < kDescriptors && outbound[static_cast<std::size_t>(fd)];
}

void mark(int fd, bool ours) {
  if (fd >= 0 && fd < kDescriptors) outbound[static_cast<std::size_t>(fd)] = ours;
}

bool isLog(int fd) {
  std::array<char, 4096> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), name.data(), name.size());
  return size > 0 && std::string_view(name.data(), static_cast<std::size_t>(size)).ends_with("-wal");
}

}  // namespace

extern "C" {

int fdatasync(int fd) {
  static auto* const call = real<int(int)>("fdatasync");
  const bool log = isLog(fd);
  if (log) reach("before-commit");
  const int result = call(fd);
  if (log) reach("after-commit");
  return result;
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  static auto* const call = real<int(int, const sockaddr*, socklen_t)>("connect");
  mark(fd, true);
  return call(fd, address, size);
}

int close(int fd) {
  static auto* const call = real<int(int)>("close");
  mark(fd, false);
  return call(fd);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  static auto* const call = real<ssize_t(int, const void*, size_t, int)>("send");
  const bool ours = isOutbound(fd);
  reach(ours ? "before-send" : "before-answer");
  const ssize_t sent = call(fd, bytes, size, flags);
  if (sent > 0) reach(ours ? "after-send" : "after-answer");
  return sent;
}

ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  static auto* const call = real<ssize_t(int, void*, size_t, int)>("recv");
  const ssize_t got = call(fd, bytes, size, flags);
  if (got > 0 && isOutbound(fd)) reach("answer-read");
  return got;
}

int link(const char* from, const char* to) {
  static auto* const call = real<int(const char*, const char*)>("link");
  reach("before-name");
  const int result = call(from, to);
  reach("after-name");
  return result;
}

}  // extern "C"
