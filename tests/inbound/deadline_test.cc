// Slow peers: each is cut within its deadline and holds up nobody else (row 10 and 11 of the trap list). Paces itself
// by waiting for the server's answer, never by sleeping blindly.
#include "tests/inbound/fixture.h"

#include <gtest/gtest.h>

#include <thread>

namespace lotsen::inbound::testing {
namespace {

class DeadlineTest : public ServerTest {
 protected:
  DeadlineTest() {
    config_.headTime = config_.bodyGrace = config_.writeGrace = milliseconds(300);
    config_.idleTime = milliseconds(200);
    config_.floorRate = 1'000'000;
  }

  // Sends one byte every 20 ms until there is an answer.
  static int drip(Client& client, const std::string& first) {
    client.send(first);
    const Stopwatch watch;
    while (watch.ms() < kPatienceMs && !client.readable(20)) {
      if (!client.send("y")) break;
    }
    return client.read().status;
  }
};

TEST_F(DeadlineTest, DrippedHead) {
  start();
  Client client(port());
  const Stopwatch watch;
  EXPECT_EQ(drip(client, "GET / HTTP/1.1\r\nHost: h\r\nX: "), 408);
  EXPECT_GE(watch.ms(), 290);
  EXPECT_LT(watch.ms(), 1500);
}

TEST_F(DeadlineTest, DrippedBody) {
  start();
  Client client(port());
  const Stopwatch watch;
  EXPECT_EQ(drip(client, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"), 408);
  EXPECT_GE(watch.ms(), 290);
  EXPECT_LT(watch.ms(), 1500);
  EXPECT_EQ(handled_, 0);
}

TEST_F(DeadlineTest, DrippedHeadOnAKeptConnection) {
  start();
  Client client(port());
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(drip(client, "GET "), 408);
}

TEST_F(DeadlineTest, BodyAboveTheFloorRateMayTakeLonger) {
  config_.floorRate = 1000;
  start();
  Client client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n\r\n");
  const std::string piece(100, 'x');
  const Stopwatch watch;
  for (int i = 0; i < 30; ++i) {
    ASSERT_FALSE(client.readable(20)) << "cut after " << watch.ms() << " ms";
    client.send(piece);
  }
  EXPECT_GT(watch.ms(), 400);
  EXPECT_EQ(client.read().status, 200);
}

TEST_F(DeadlineTest, CapHoldsWhateverTheRate) {
  config_.floorRate = 1;
  config_.exchangeTime = milliseconds(400);
  start();
  Client client(port());
  const Stopwatch watch;
  EXPECT_EQ(drip(client, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"), 408);
  EXPECT_LT(watch.ms(), 1500);
}

TEST_F(DeadlineTest, SlowReaderIsCut) {
  start();
  Client client(port(), 4096);
  client.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto& timeouts = metrics_.counter("lotsen_http_timeouts_total", "", {{"phase", "write"}});
  const Stopwatch watch;
  while (timeouts.value() == 0 && watch.ms() < kPatienceMs) {
    client.skip(1000);
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(timeouts.value(), 1U);
}

TEST_F(DeadlineTest, SilentConnectionIsClosedWithoutAnAnswer) {
  start();
  Client client(port());
  const Stopwatch watch;
  EXPECT_TRUE(client.closedQuietly());
  EXPECT_GE(watch.ms(), 290);
  EXPECT_LT(watch.ms(), 1500);
}

TEST_F(DeadlineTest, IdleConnectionIsClosedWithoutAnAnswer) {
  start();
  Client client(port());
  EXPECT_EQ(client.get("/").status, 200);
  const Stopwatch watch;
  EXPECT_TRUE(client.closedQuietly());
  EXPECT_GE(watch.ms(), 190);
  EXPECT_LT(watch.ms(), 1500);
}

TEST_F(DeadlineTest, IdleTimeIsShortWhenThreadsAreScarce) {
  config_.maxConnections = 2;
  config_.idleTime = milliseconds(60'000);
  config_.busyIdleTime = milliseconds(100);
  start();
  Client first(port()), second(port());
  EXPECT_EQ(first.get("/").status, 200);
  EXPECT_EQ(second.get("/").status, 200);
  EXPECT_TRUE(second.closedQuietly());
}

TEST_F(DeadlineTest, OthersAreServedMeanwhile) {
  start();
  std::vector<std::thread> slow;
  for (int i = 0; i < 5; ++i) {
    slow.emplace_back([this] {
      Client client(port());
      EXPECT_EQ(drip(client, "GET / HTTP/1.1\r\nHost: h\r\nX: "), 408);
    });
  }
  const Stopwatch whole;
  int worst = 0;
  while (whole.ms() < 300) {
    const Stopwatch watch;
    EXPECT_EQ(Client(port()).get("/").status, 200);
    worst = std::max(worst, watch.ms());
  }
  for (auto& thread : slow) thread.join();
  EXPECT_LT(worst, 250);
}

}  // namespace
}  // namespace lotsen::inbound::testing
