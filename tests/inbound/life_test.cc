// Start, overload and stop of the listener (rows 12 to 15 of the trap list).
#include "tests/inbound/fixture.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>
#include <vector>

namespace lotsen::inbound::testing {
namespace {

class LifeTest : public ServerTest {};

const std::string kWait = "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(LifeTest, OnlyLoopbackWithoutTls) {
  for (const char* address : {"0.0.0.0", "192.0.2.1", "::", "localhost", ""}) {
    config_.address = address;
    Server server(config_, {}, clock_, metrics_, log_);
    const Status status = server.start();
    ASSERT_FALSE(status.ok()) << address;
    EXPECT_EQ(status.error().code, Code::Invalid);
    EXPECT_NE(status.error().message.find("127.0.0.1"), std::string::npos) << status.error().message;
    EXPECT_EQ(server.port(), 0);
  }
}

TEST_F(LifeTest, LimitsOfZeroAreRefused) {
  config_.maxConnections = 0;
  EXPECT_EQ(Server(config_, {}, clock_, metrics_, log_).start().error().code, Code::Invalid);
  config_.maxConnections = 1;
  config_.floorRate = 0;
  EXPECT_EQ(Server(config_, {}, clock_, metrics_, log_).start().error().code, Code::Invalid);
}

TEST_F(LifeTest, TakenPortIsSaid) {
  start();
  ServerConfig same = config_;
  same.port = port();
  Server second(same, {}, clock_, metrics_, log_);
  const Status status = second.start();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::Unavailable);
  EXPECT_NE(status.error().message.find(std::to_string(port())), std::string::npos);
}

TEST_F(LifeTest, StartAndStopAreIdempotentAndRepeatable) {
  start();
  const auto before = port();
  EXPECT_TRUE(server_->start().ok());
  EXPECT_EQ(port(), before);
  EXPECT_EQ(Client(port()).get("/").status, 200);
  server_->stop();
  server_->stop();
  EXPECT_EQ(port(), 0);
  EXPECT_FALSE(Client(before).connected());
  ASSERT_TRUE(server_->start().ok());
  EXPECT_EQ(Client(port()).get("/").status, 200);
}

TEST_F(LifeTest, Row12OverloadIsAnsweredAtOnce) {
  config_.maxConnections = 2;
  start();
  Client first(port()), second(port());
  first.send(kWait);
  second.send(kWait);
  ASSERT_TRUE(gate_.waitForInside(2));
  const Stopwatch watch;
  for (int i = 0; i < 5; ++i) {
    Client third(port());
    const Answer answer = third.get("/");
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
    EXPECT_TRUE(third.closedQuietly()) << "no reset";
  }
  EXPECT_LT(watch.ms(), 1000);
  gate_.open();
  EXPECT_EQ(first.read().body, "waited");
  EXPECT_EQ(second.read().body, "waited");
  EXPECT_EQ(metrics_.counter("lotsen_http_overload_total", "").value(), 5U);
}

TEST_F(LifeTest, Row13StopEndsEveryKindOfConnection) {
  start();
  const auto before = port();
  Client idle(before), half(before), silent(before), working(before);
  EXPECT_EQ(idle.get("/").status, 200);
  half.send("GET / HTTP/1.1\r\nHost");
  working.send(kWait);
  ASSERT_TRUE(gate_.waitForInside(1));

  const Stopwatch watch;
  std::thread stopper([this] { server_->stop(); });
  EXPECT_TRUE(idle.closedQuietly());
  EXPECT_TRUE(silent.closedQuietly());
  const int status = half.read().status;
  EXPECT_TRUE(status == 400 || status == 0) << status;  // 0: its bytes had not been read yet
  EXPECT_FALSE(Client(before).connected()) << "new peers are refused";
  gate_.open();
  const Answer answer = working.read();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_TRUE(answer.has("Connection: close\r\n"));
  stopper.join();
  EXPECT_LT(watch.ms(), 2000);
}

TEST_F(LifeTest, Row14StopCutsWhatDoesNotEnd) {
  config_.stopGrace = milliseconds(200);
  start();
  Client slow(port()), stuck(port(), 4096);
  slow.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc");
  stuck.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(stuck.readable(kPatienceMs));
  const Stopwatch watch;
  server_->stop();
  EXPECT_GE(watch.ms(), 190);
  EXPECT_LT(watch.ms(), 1500);
}

// Whatever a client got before the end was whole, and said so.
TEST_F(LifeTest, StopUnderLoadCutsNoAnswer) {
  start();
  const auto before = port();
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 16; ++t) {
    clients.emplace_back([&] {
      const std::string body(10'000, 'x');
      for (;;) {
        Client client(before);
        if (!client.connected()) return;
        for (;;) {
          const Answer answer = client.post("/echo", body);
          if (answer.status == 0) break;
          EXPECT_EQ(answer.status, 200);
          EXPECT_EQ(answer.body, body);
          ++answered;
          if (answer.has("Connection: close")) break;
        }
      }
    });
  }
  const Stopwatch warm;
  while (answered < 500 && warm.ms() < kPatienceMs) std::this_thread::yield();
  const Stopwatch watch;
  server_->stop();
  EXPECT_LT(watch.ms(), 3000);
  for (auto& client : clients) client.join();
  EXPECT_GE(answered, 500);
}

// A listener that cannot accept stays readable: looping on it would take a whole core.
TEST_F(LifeTest, LackOfDescriptorsIsSurvived) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan opens a pipe to look at an object, and there is no descriptor left for it";
#endif
  start();
  Client client(port());  // is connected before the shortage and stays
  EXPECT_EQ(client.get("/").status, 200);

  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  rlimit tight = old;
  tight.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  std::vector<int> filling;
  for (int copy = 0; (copy = ::dup(0)) >= 0;) filling.push_back(copy);
  ::close(filling.back());
  filling.pop_back();
  Client late(port());  // takes the last descriptor; the server has none for its side
  rusage begin{}, end{};
  ::getrusage(RUSAGE_SELF, &begin);
  late.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_FALSE(late.readable(400));
  ::getrusage(RUSAGE_SELF, &end);
  const auto cpu = [](const rusage& u) {
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
  };
  EXPECT_LT(cpu(end) - cpu(begin), 200);
  for (const int descriptor : filling) ::close(descriptor);
  ::setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_EQ(late.read().status, 200);
  EXPECT_EQ(client.get("/").status, 200);
}

}  // namespace
}  // namespace lotsen::inbound::testing
