#include "gateway/http/reader.h"

#include "gateway/base/result.h"
#include "tests/http/corpus.h"

#include <gtest/gtest.h>

#include <cstring>

namespace lotsen::http {
namespace {

enum class Feed { Whole, Bytes, Lines };

std::size_t nextPiece(Feed feed, std::string_view rest) {
  if (feed == Feed::Whole) return rest.size();
  if (feed == Feed::Bytes) return 1;
  const auto end = rest.find('\n');
  return end == rest.npos ? rest.size() : end + 1;
}

// A server without sockets: what would be answered, in order.
class Dialogue {
 public:
  Dialogue(const Limits& limits, Feed feed) : reader_(limits), feed_(feed) {}

  std::string run(std::string_view input, bool peerEnds) {
    while (!closed_) {
      switch (reader_.step()) {
        case Event::NeedData:
          if (input.empty()) {
            if (!peerEnds) return answers_;
            reader_.endOfInput();
          } else {
            take(input);
          }
          break;
        case Event::Head: break;
        case Event::Complete: answer(reader_.take()); break;
        case Event::Failed: add(std::to_string(reader_.failure().status)); closed_ = true;
      }
    }
    return answers_ + " close";
  }

  const std::vector<Request>& requests() const { return requests_; }

 private:
  void take(std::string_view& input) {
    const auto space = reader_.prepare();
    const auto count = std::min(nextPiece(feed_, input), space.size());
    std::memcpy(space.data(), input.data(), count);
    reader_.commit(count);
    input.remove_prefix(count);
  }

  void answer(Request request) {
    EXPECT_NE(request.path(), "/canary") << "the hidden request was read";
    const bool known = request.target == "/" || request.target == "/echo" || request.target == "/field";
    add(known ? "200" : "404");
    closed_ = !request.keepAlive;
    requests_.push_back(std::move(request));
  }

  void add(const std::string& status) { answers_ += (answers_.empty() ? "" : " ") + status; }

  RequestReader reader_;
  Feed feed_;
  std::string answers_;
  bool closed_ = false;
  std::vector<Request> requests_;
};

TEST(Reader, CorpusHasItsSize) {
  EXPECT_EQ(corpus::all().size(), 156U);
}

TEST(Reader, CorpusInEveryFeeding) {
  const Limits limits;
  for (const auto& test : corpus::all()) {
    for (const Feed feed : {Feed::Whole, Feed::Bytes, Feed::Lines}) {
      Dialogue dialogue(limits, feed);
      EXPECT_EQ(dialogue.run(test.bytes, test.peerEnds), test.expected)
          << test.title << ", feeding " << static_cast<int>(feed);
    }
  }
}

TEST(Reader, RequestIsHandedOverUnchanged) {
  const Limits limits;
  Dialogue dialogue(limits, Feed::Bytes);
  dialogue.run(
      "POST /a%20b?c=d|e&f HTTP/1.1\r\nHost: h:80\r\nX-Test: \t =?utf-8?q?=61?= x \r\nx-test: 2\r\nContent-Length: "
      "4\r\n\r\n",
      false);
  dialogue.run(std::string_view("\0\xff\r\n", 4), false);
  ASSERT_EQ(dialogue.requests().size(), 1U);
  const Request& request = dialogue.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path(), "/a%20b");
  EXPECT_EQ(request.query(), "c=d|e&f");
  ASSERT_NE(request.find("X-TEST"), nullptr);
  EXPECT_EQ(*request.find("X-TEST"), "=?utf-8?q?=61?= x");
  EXPECT_EQ(request.fields.size(), 4U);
  EXPECT_EQ(request.body, std::string("\0\xff\r\n", 4));
  EXPECT_TRUE(request.keepAlive);
}

TEST(Reader, ChunksAreJoined) {
  const Limits limits;
  for (const Feed feed : {Feed::Whole, Feed::Bytes, Feed::Lines}) {
    Dialogue dialogue(limits, feed);
    dialogue.run(corpus::post(corpus::kChunked, "3\r\nabc\r\nA\r\n0123\r\n6789\r\n0\r\n\r\n"), false);
    ASSERT_EQ(dialogue.requests().size(), 1U);
    EXPECT_EQ(dialogue.requests()[0].body, "abc0123\r\n6789");
  }
}

// Feeds up to the head and returns the reader's word on it.
Event readHead(RequestReader& reader, std::string_view bytes) {
  const auto space = reader.prepare();
  LOTSEN_CHECK(bytes.size() <= space.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  reader.commit(bytes.size());
  return reader.step();
}

TEST(Reader, AnnouncedLengthOverTheLimitIsRefusedBeforeItsFirstByte) {
  const Limits limits;
  RequestReader reader(limits);
  ASSERT_EQ(readHead(reader, corpus::post("Content-Length: 52428800\r\n")), Event::Head);
  EXPECT_EQ(reader.head().path(), "/echo");
  EXPECT_EQ(reader.step(), Event::Failed);
  EXPECT_EQ(reader.failure().status, 413);
}

TEST(Reader, RouteMayHaveItsOwnBodyLimit) {
  const Limits limits;
  {
    RequestReader reader(limits);
    ASSERT_EQ(readHead(reader, corpus::post("Content-Length: 52428800\r\n")), Event::Head);
    reader.limitBody(64U << 20);
    EXPECT_EQ(reader.step(), Event::NeedData);
  }
  RequestReader reader(limits);
  ASSERT_EQ(readHead(reader, corpus::post("Content-Length: 11\r\n", "HELLO")), Event::Head);
  reader.limitBody(10);
  EXPECT_EQ(reader.step(), Event::Failed);
  EXPECT_EQ(reader.failure().status, 413);
}

TEST(Reader, ChunkedBodyIsHeldToTheSameLimit) {
  Limits limits;
  limits.body = 10;
  EXPECT_EQ(
      Dialogue(limits, Feed::Bytes).run(corpus::post(corpus::kChunked, "5\r\nHELLO\r\n5\r\nWORLD\r\n0\r\n\r\n"), false),
      "200");
  EXPECT_EQ(Dialogue(limits, Feed::Bytes).run(corpus::post(corpus::kChunked, "5\r\nHELLO\r\n6\r\n"), false),
            "413 close");
}

TEST(Reader, ChunkFramingIsBounded) {
  Limits limits;
  limits.chunkOverhead = 5 * 100;  // "1 CR LF" and the CR LF behind the byte
  const auto chunks = [](int count) {
    return corpus::post(corpus::kChunked, corpus::repeat("1\r\nA\r\n", count) + "0\r\n\r\n");
  };
  for (const Feed feed : {Feed::Whole, Feed::Bytes, Feed::Lines}) {
    EXPECT_EQ(Dialogue(limits, feed).run(chunks(99), false), "200");
    EXPECT_EQ(Dialogue(limits, feed).run(chunks(100), false), "400 close");
  }
}

TEST(Reader, EndBetweenMessagesIsNoFault) {
  const Limits limits;
  RequestReader reader(limits);
  EXPECT_EQ(reader.step(), Event::NeedData);
  EXPECT_TRUE(reader.betweenMessages());
  EXPECT_EQ(reader.endOfInput(), Event::Failed);
  EXPECT_EQ(reader.failure().status, 0);
}

TEST(Reader, EndInsideAHeadIsRefused) {
  const Limits limits;
  EXPECT_EQ(Dialogue(limits, Feed::Whole).run("GET / HTTP/1.1\r\nHost", true), "400 close");
}

TEST(Reader, ContinueIsWantedOnlyWhenABodyFollows) {
  const Limits limits;
  RequestReader reader(limits);
  ASSERT_EQ(readHead(reader, corpus::post("Expect: 100-continue\r\nContent-Length: 5\r\n")), Event::Head);
  EXPECT_TRUE(reader.expectsContinue());
  RequestReader empty(limits);
  ASSERT_EQ(readHead(empty, corpus::post("Expect: 100-continue\r\nContent-Length: 0\r\n")), Event::Head);
  EXPECT_FALSE(empty.expectsContinue());
}

TEST(Reader, FailureIsFinal) {
  const Limits limits;
  RequestReader reader(limits);
  reader.giveUp(408, "too slow");
  EXPECT_EQ(reader.step(), Event::Failed);
  EXPECT_EQ(reader.failure().status, 408);
}

}  // namespace
}  // namespace lotsen::http
