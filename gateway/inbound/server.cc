#include "gateway/inbound/server.h"

#include "gateway/http/writer.h"
#include "gateway/inbound/connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/ServerSocket.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <list>
#include <system_error>
#include <thread>
#include <vector>

namespace lotsen::inbound {

namespace {

using Socket = std::unique_ptr<Poco::Net::StreamSocket>;

constexpr int kBacklog = 1024;
constexpr milliseconds kPause{50};  // after a failed accept, and between looks at refused peers

Result<Poco::Net::ServerSocket> listenOn(const ServerConfig& config) {
  if (config.maxConnections == 0 || config.floorRate == 0) {
    return fail(Code::Invalid, "http listener: the number of connections and the floor rate must be at least 1");
  }
  LOTSEN_TRY_DO(checkAddress(config.address, config.tls != nullptr));
  try {
    Poco::Net::ServerSocket listener;
    listener.bind(Poco::Net::SocketAddress(Poco::Net::IPAddress(config.address), config.port), true, false);
    listener.listen(kBacklog);
    listener.setBlocking(false);
    return listener;
  } catch (const Poco::Exception& exception) {
    return fail(Code::Unavailable, "http listener: cannot listen on " + config.address + ":" +
                                       std::to_string(config.port) + ": " + exception.displayText() +
                                       "; is another process using the port?");
  }
}

// A descriptor that wakes poll(2).
class Wake {
 public:
  Wake() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { LOTSEN_CHECK(descriptor_ >= 0); }
  ~Wake() { ::close(descriptor_); }
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void ring() const { LOTSEN_CHECK(::eventfd_write(descriptor_, 1) == 0); }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Every connection that has a thread, so that stop() can reach it. A descriptor is shut down from outside only under
// the mutex under which its place is given up before it is closed: it cannot have become another connection's
// meanwhile.
class Registry {
 public:
  // A connection's place in the registry for as long as it runs.
  class Place {
   public:
    Place(Registry& registry, const Connection& connection) : registry_(registry) {
      const std::lock_guard lock(registry_.mutex_);
      place_ = registry_.running_.insert(registry_.running_.end(), &connection);
    }
    ~Place() {
      const std::lock_guard lock(registry_.mutex_);
      registry_.running_.erase(place_);
      if (registry_.running_.empty()) registry_.empty_.notify_all();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Registry& registry_;
    std::list<const Connection*>::iterator place_;
  };

  void shutDown(int how, bool idleOnly) {
    const std::lock_guard lock(mutex_);
    for (const Connection* connection : running_) {
      if (connection->idle() || !idleOnly) ::shutdown(connection->descriptor(), how);
    }
  }

  void waitUntilEmpty(milliseconds atMost) {
    std::unique_lock lock(mutex_);
    empty_.wait_for(lock, atMost, [this] { return running_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  std::list<const Connection*> running_;
};

// Peers that were told 503 by the accept thread. They are closed a little later, when they had time to read it.
class Refused {
 public:
  void add(Socket socket) {
    if (sockets_.size() < kMost) sockets_.emplace_back(Deadline::Steady::now() + milliseconds(500), std::move(socket));
  }
  void closeLate() {
    char scrap[4096];
    while (!sockets_.empty() && sockets_.front().first <= Deadline::Steady::now()) {
      while (::recv(sockets_.front().second->impl()->sockfd(), scrap, sizeof scrap, MSG_DONTWAIT) > 0) {}
      sockets_.pop_front();
    }
  }
  bool empty() const { return sockets_.empty(); }

 private:
  static constexpr std::size_t kMost = 256;
  std::deque<std::pair<Deadline::Steady::time_point, Socket>> sockets_;
};

}  // namespace

// From a start() to the next stop().
class Server::Running {
 public:
  Running(const Server& server, const Poco::Net::ServerSocket& listener)
      : listener_(listener),
        port_(listener_.address().port()),
        shared_{server.config_,
                server.application_,
                server.clock_,
                server.metrics_,
                server.log_,
                BodyBudget(server.config_.bodyBudget),
                {},
                {},
                server.metrics_.counter("lotsen_http_handler_failures_total",
                                        "Requests that a fault of the gateway itself answered with 500"),
                handshakes(server.metrics_, "done"),
                handshakes(server.metrics_, "failed"),
                {},
                server.config_.tls},
        accepted_(server.metrics_.counter("lotsen_http_connections_total", "Connections that were accepted")),
        overloaded_(server.metrics_.counter("lotsen_http_overload_total",
                                            "Connections that were told 503 because all threads were taken")),
        open_(server.metrics_.gauge("lotsen_http_connections", "Connections that are open")),
        acceptor_([this] { acceptLoop(); }) {}

  void stop();
  void setTls(std::shared_ptr<const crypto::TlsServer> tls);
  std::uint16_t port() const { return port_; }

 private:
  static observe::Counter& handshakes(observe::Metrics& metrics, std::string_view result) {
    return metrics.counter("lotsen_tls_handshakes_total", "TLS handshakes of the listener, by their result",
                           {{"result", std::string(result)}});
  }
  void acceptLoop();
  bool acceptOne();
  bool enqueue(Socket& socket);
  void refuse(Socket socket);
  void pause() const;
  void work();
  void serve(Socket socket);

  Poco::Net::ServerSocket listener_;
  const std::uint16_t port_;
  Shared shared_;
  observe::Counter& accepted_;
  observe::Counter& overloaded_;
  observe::Gauge& open_;
  Wake wake_;
  Registry registry_;
  Refused refused_;  // the accept thread's own

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Socket> waiting_;
  std::size_t freeWorkers_ = 0;
  bool ended_ = false;
  std::vector<std::thread> workers_;
  std::thread acceptor_;  // last: it uses everything above
};

void Server::Running::acceptLoop() {
  while (!shared_.draining) {
    pollfd ready[] = {{listener_.impl()->sockfd(), POLLIN, 0}, {wake_.descriptor(), POLLIN, 0}};
    ::poll(ready, 2, refused_.empty() ? -1 : static_cast<int>(kPause.count()));
    refused_.closeLate();
    if (ready[0].revents != 0 && !acceptOne()) pause();
  }
  listener_.close();
}

// False when it failed for lack of descriptors or memory: the listener stays ready, so the caller must not try again at
// once.
bool Server::Running::acceptOne() {
  try {
    auto socket = std::make_unique<Poco::Net::StreamSocket>(listener_.acceptConnection());
    accepted_.add();
    if (!enqueue(socket)) refuse(std::move(socket));
    return true;
  } catch (const Poco::Exception& exception) {
    shared_.log.warning("http.accept_failed", {{"why", exception.what()}, {"code", exception.code()}});
  } catch (const std::exception& exception) { shared_.log.warning("http.accept_failed", {{"why", exception.what()}}); }
  return false;
}

void Server::Running::pause() const {
  pollfd ready{wake_.descriptor(), POLLIN, 0};
  ::poll(&ready, 1, static_cast<int>(kPause.count()));
}

// Takes the socket only if there is a thread for it.
bool Server::Running::enqueue(Socket& socket) {
  if (shared_.open >= shared_.config.maxConnections) return false;
  const std::lock_guard lock(mutex_);
  if (freeWorkers_ <= waiting_.size()) {
    try {
      workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      shared_.log.error("http.thread_failed", {{"threads", workers_.size()}});
      return false;
    }
  }
  waiting_.push_back(std::move(socket));
  ++shared_.open;
  arrived_.notify_one();
  return true;
}

void Server::Running::refuse(Socket socket) {
  overloaded_.add();
  if (shared_.tls()) return;
  const http::Response answer = refusal(shared_, 503, "all connections are taken; try again in a moment");
  const auto head = http::writeHead(answer, {.keepAlive = false, .now = shared_.clock.now()});
  if (!head.ok()) return;
  const std::string bytes = *head + answer.body;
  const int descriptor = socket->impl()->sockfd();
  if (::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
  ::shutdown(descriptor, SHUT_WR);
  refused_.add(std::move(socket));
}

void Server::Running::work() {
  // OpenSSL writes without MSG_NOSIGNAL, and a peer may be gone.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (;;) {
    Socket socket;
    {
      std::unique_lock lock(mutex_);
      ++freeWorkers_;
      arrived_.wait(lock, [this] { return !waiting_.empty() || ended_; });
      --freeWorkers_;
      if (waiting_.empty()) return;
      socket = std::move(waiting_.front());
      waiting_.pop_front();
    }
    serve(std::move(socket));
    --shared_.open;
  }
}

void Server::Running::serve(Socket socket) {
  open_.add(1);
  try {
    Connection connection(std::move(socket), shared_);
    const Registry::Place place(registry_, connection);
    connection.run();
  } catch (const std::exception& exception) {
    shared_.log.error("http.connection_failed", {{"exception", typeid(exception).name()}});
  }
  open_.add(-1);
}

void Server::Running::setTls(std::shared_ptr<const crypto::TlsServer> tls) {
  const std::lock_guard lock(shared_.tlsMutex);
  shared_.currentTls.swap(tls);
}

void Server::Running::stop() {
  shared_.draining = true;
  wake_.ring();
  acceptor_.join();
  registry_.shutDown(SHUT_RD, true);
  registry_.waitUntilEmpty(shared_.config.stopGrace);
  registry_.shutDown(SHUT_RDWR, false);
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  arrived_.notify_all();
  for (auto& worker : workers_) worker.join();
}

Status checkAddress(const std::string& address, bool tls) {
  Poco::Net::IPAddress parsed;
  if (!Poco::Net::IPAddress::tryParse(address, parsed))
    return fail(Code::Invalid, "http listener: '" + address + "' is no IP address; use 127.0.0.1");
  if (!parsed.isLoopback() && !tls) {
    return fail(Code::Invalid, "http listener: " + address +
                                   " is reachable from other machines and TLS is not configured; give "
                                   "certificate_file and key_file, or listen on 127.0.0.1 or ::1");
  }
  return done();
}

Server::Server(ServerConfig config, Application application, Clock& clock, observe::Metrics& metrics, observe::Log& log)
    : config_(std::move(config)), application_(std::move(application)), clock_(clock), metrics_(metrics), log_(log) {}

Server::~Server() {
  stop();
}

Status Server::start() {
  const std::lock_guard lock(mutex_);
  if (running_) return done();
  LOTSEN_TRY(auto listener, listenOn(config_));
  running_ = std::make_unique<Running>(*this, std::move(listener));
  log_.info("http.listening", {{"address", config_.address}, {"port", running_->port()}});
  return done();
}

void Server::stop() {
  const std::lock_guard lock(mutex_);
  if (!running_) return;
  running_->stop();
  running_.reset();
  log_.info("http.stopped");
}

void Server::setTls(std::shared_ptr<const crypto::TlsServer> tls) {
  const std::lock_guard lock(mutex_);
  LOTSEN_CHECK(tls && config_.tls);
  config_.tls = tls;
  if (running_) running_->setTls(std::move(tls));
}

std::uint16_t Server::port() const {
  const std::lock_guard lock(mutex_);
  return running_ ? running_->port() : std::uint16_t{0};
}

}  // namespace lotsen::inbound
