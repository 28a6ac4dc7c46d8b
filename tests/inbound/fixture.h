// A server on a free port with an application that misbehaves on demand.
#pragma once

#include "gateway/inbound/server.h"
#include "tests/inbound/client.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace lotsen::inbound::testing {

/// Handlers of "/wait" stand here until it opens.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool waitForInside(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs), [&] { return inside_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool open_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { config_.port = 0; }
  ~ServerTest() override {
    gate_.open();
    server_.reset();
    ::close(silence_);
  }

  void start() {
    Application application;
    application.handle = [this](const http::Request& request, const ConnectionInfo&) { return handle(request); };
    if (admit_) application.admit = admit_;
    if (refuse_) application.refuse = refuse_;
    application.echoed = echoed_;
    server_ = std::make_unique<Server>(config_, application, clock_, metrics_, log_);
    const Status started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  std::uint16_t port() const { return server_->port(); }

  http::Response handle(const http::Request& request) {
    ++handled_;
    const auto path = request.path();
    if (path == "/canary") return http::Response::text(200, "canary");
    if (path == "/throw") throw 42;
    if (path == "/throw-std") throw std::runtime_error("secret detail");
    if (path == "/deny") return http::Response::text(401, "denied");
    if (path == "/empty") return {204, {}, "", false};
    if (path == "/echo") return http::Response::text(200, request.body);
    if (path == "/big") return http::Response::text(200, std::string(50'000'000, 'x'));
    if (path == "/close") return {200, {}, "last", true};
    if (path == "/bad-field") {
      auto response = http::Response::text(200, "x");
      response.fields.push_back({"X-Note", "a\r\nInjected: 1"});
      return response;
    }
    if (path == "/wait") {
      gate_.wait();
      return http::Response::text(200, "waited");
    }
    if (path == "/field") {
      const auto* value = request.find("X-Test");
      return http::Response::text(200, value != nullptr ? *value : "absent");
    }
    return request.target == "/" ? http::Response::text(200, "ok") : http::Response::text(404, "nothing here");
  }

  ServerConfig config_;
  std::function<Admission(const http::Request&, const ConnectionInfo&)> admit_;
  std::function<http::Response(int, std::string_view)> refuse_;
  std::vector<std::string> echoed_;
  std::atomic<int> handled_{0};
  Gate gate_;
  SystemClock clock_;
  observe::Metrics metrics_;
  int silence_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  observe::Log log_{clock_, silence_};
  std::unique_ptr<Server> server_;
};

}  // namespace lotsen::inbound::testing
