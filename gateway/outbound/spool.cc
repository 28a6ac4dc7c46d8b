#include "gateway/outbound/spool.h"

#include "gateway/base/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace lotsen::outbound {
namespace {

constexpr std::string_view kPartSuffix = ".part";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string reason(int error) {
  return std::generic_category().message(error);
}

std::string_view extensionOf(std::string_view mediaType) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kKnown{{{"application/pdf", "pdf"},
                                                                                 {"text/plain", "txt"},
                                                                                 {"text/html", "html"},
                                                                                 {"application/json", "json"},
                                                                                 {"application/fhir+json", "json"},
                                                                                 {"application/xml", "xml"},
                                                                                 {"application/fhir+xml", "xml"}}};
  const std::string_view type = trim(mediaType.substr(0, mediaType.find(';')));
  for (const auto& [known, extension] : kKnown)
    if (equalsIgnoreCase(known, type)) return extension;
  return "bin";
}

std::string folderOf(const Endpoint& endpoint) {
  return endpoint.folder + "/" + endpoint.id;
}

bool isPlainName(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

/// 0 or errno.
int writeDurably(const std::string& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.valid()) return errno;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

int syncFolder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return errno;
  return ::fsync(folder.get()) == 0 ? 0 : errno;
}

}  // namespace

queue::Answer spoolOne(const Endpoint& endpoint, const queue::Sending& sending) {
  const auto failed = [&](std::string_view what, int error) {
    return unsent(sending, "spool \"" + endpoint.id + "\": " + std::string(what) + ": " + reason(error));
  };
  if (!isPlainName(sending.delivery)) return failed("the delivery's id is no file name", EINVAL);

  const std::string folder = folderOf(endpoint);
  const std::string path = folder + "/" + sending.delivery + "." + std::string(extensionOf(sending.mediaType));
  const std::string part = folder + "/." + sending.delivery + std::string(kPartSuffix);
  // An earlier attempt may have left it, as a second name of the file that stands: it must not be written through.
  ::unlink(part.c_str());
  if (const int error = writeDurably(part, sending.body); error != 0) {
    ::unlink(part.c_str());
    return failed("the file cannot be written", error);
  }
  const int linked = ::link(part.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(part.c_str());
  if (linked != 0 && linked != EEXIST) return failed("the file cannot be given its name", linked);

  queue::Answer answer = unsent(sending, {});
  if (linked == EEXIST) {
    std::string standing;
    if (!readFile(path, standing)) return failed("the file that stands there cannot be read", errno);
    if (standing != sending.body) {
      answer.phase = queue::Phase::Answered;
      answer.status = 409;
      answer.error = "spool \"" + endpoint.id + "\": a file with this delivery's id and other content stands there";
      return answer;
    }
  }
  // Also when the file stood there: the process that linked it may have died before this sync.
  if (const int error = syncFolder(folder); error != 0) {
    answer = failed("the folder cannot be synced", error);
    answer.phase = queue::Phase::Sent;
    return answer;
  }
  answer.phase = queue::Phase::Answered;
  answer.status = 200;
  return answer;
}

Status Spool::prepare(const Endpoint& endpoint) {
  namespace fs = std::filesystem;
  const fs::path folder = folderOf(endpoint);
  const auto failed = [&](const std::error_code& error) {
    return fail(Code::Unavailable, "spool \"" + endpoint.id + "\": the folder " + folder.string() +
                                       " cannot be made ready: " + error.message());
  };
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) return failed(error);
  if (made) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return failed(error);
  if (const int code = syncFolder(endpoint.folder); code != 0) return failed({code, std::generic_category()});
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.front() == '.' && name.ends_with(kPartSuffix)) ::unlink(at->path().c_str());
  }
  if (error) return failed(error);
  return done();
}

Spool::Spool(Answers& answers) : answers_(answers), thread_([this] { run(); }) {}

Spool::~Spool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Spool::start(const Endpoint& endpoint, queue::Sending sending) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(&endpoint, std::move(sending));
  }
  changed_.notify_one();
}

void Spool::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto [endpoint, sending] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    answers_.push(spoolOne(*endpoint, sending));
  }
}

}  // namespace lotsen::outbound
