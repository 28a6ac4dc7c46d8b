#include "gateway/observe/log.h"

#include "gateway/base/text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <type_traits>
#include <vector>

namespace lotsen::observe {
namespace {

// Phi cannot become a field, whatever it holds.
static_assert(!std::is_constructible_v<LogField, std::string_view, Phi<std::string>>);
static_assert(!std::is_constructible_v<LogField, std::string_view, Phi<int>>);
static_assert(std::is_constructible_v<LogField, std::string_view, std::string>);

class StoppedClock final : public Clock {
 public:
  Instant now() override { return at; }
  Instant at = *parseInstant("2026-03-02T08:14:07.120Z");
};

class LogTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe2(ends_, O_NONBLOCK), 0); }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  std::string written() {
    std::string out;
    char buffer[65536];
    for (ssize_t n = 0; (n = ::read(ends_[0], buffer, sizeof buffer)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }

  StoppedClock clock_;
  int ends_[2] = {-1, -1};
};

TEST_F(LogTest, OneLineWithTypedFields) {
  Log log(clock_, ends_[1]);
  const std::string endpoint = "kungsholmen";
  log.warning("delivery.retry", {{"endpoint", endpoint},
                                 {"attempt", 2},
                                 {"wait_ms", milliseconds(1500)},
                                 {"last", false},
                                 {"share", 0.25},
                                 {"bytes", std::size_t{7}},
                                 {"why", "a \"b\"\n\x01\xff"}});
  EXPECT_EQ(
      written(),
      R"({"time":"2026-03-02T08:14:07.120Z","level":"warning","event":"delivery.retry","endpoint":"kungsholmen","attempt":2,"wait_ms":1500,)"
      "\"last\":false,\"share\":0.25,\"bytes\":7,\"why\":\"a \\\"b\\\"\\n\\u0001\xef\xbf\xbd\"}\n");
}

TEST_F(LogTest, LevelBelowTheLeastIsSilent) {
  Log log(clock_, ends_[1]);
  log.debug("x");
  EXPECT_EQ(written(), "");
}

TEST_F(LogTest, ValuesAndLinesAreBounded) {
  Log log(clock_, ends_[1]);
  std::string text(Log::kMaxValue - 1, 'x');
  text += "åäö";
  log.info("long.value", {{"text", text}});
  const std::string line = written();
  EXPECT_TRUE(isUtf8(line));
  EXPECT_NE(line.find("x…\"}"), std::string::npos);

  log.info("long.line", {{"a", text}, {"b", text}, {"c", text}, {"d", text}, {"e", text}});
  const std::string longLine = written();
  EXPECT_LE(longLine.size(), Log::kMaxLine);
  EXPECT_TRUE(longLine.ends_with(",\"cut\":true}\n"));
}

TEST_F(LogTest, RepeatsAreSuppressedAndCounted) {
  Log log(clock_, ends_[1]);
  for (std::uint32_t i = 0; i < Log::kBurst + 5; ++i) log.error("same.event");
  log.error("other.event");
  const std::string first = written();
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), std::ptrdiff_t{Log::kBurst} + 1);
  clock_.at += Log::kWindow;
  log.error("same.event");
  log.error("same.event");
  const std::string second = written();
  EXPECT_NE(second.find("\"event\":\"same.event\",\"suppressed\":5}"), std::string::npos);
  EXPECT_TRUE(second.ends_with("\"event\":\"same.event\"}\n"));
}

TEST_F(LogTest, FullPipeDropsAndSaysSoLater) {
  Log log(clock_, ends_[1]);
  const std::string filling(4096, 'x');
  while (::write(ends_[1], filling.data(), filling.size()) > 0) {}
  log.info("lost");
  EXPECT_EQ(log.dropped(), 1U);
  written();
  log.info("arrived");
  EXPECT_NE(written().find("\"event\":\"arrived\",\"dropped\":1}"), std::string::npos);
}

TEST_F(LogTest, LinesOfManyThreadsDoNotMix) {
  Log log(clock_, ends_[1]);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      const std::string event = "thread." + std::to_string(t);
      for (std::uint32_t i = 0; i < Log::kBurst; ++i) log.info(event, {{"i", i}});
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string all = written();
  const auto lines = split(all, '\n');
  EXPECT_EQ(lines.size(), 4 * std::size_t{Log::kBurst} + 1);
  for (const auto line : lines)
    EXPECT_TRUE(line.empty() || (line.starts_with("{\"time\"") && line.ends_with("}"))) << line;
}

}  // namespace
}  // namespace lotsen::observe
