// The server side of HTTP/1.1 without I/O: bytes in, requests out. No sockets, no clocks, so that the corpus test and
// the fuzzer feed it directly and every kind of connection loop can use it.
//
// It is deliberately narrower than the standard, because each freedom that two readers could use differently is a way
// to smuggle a request past one of them. What it refuses although RFC 9112 allows or tolerates it:
//   any transfer coding but exactly "chunked"; chunk extensions; trailers; a body on GET and HEAD; absolute and
//   asterisk targets; bytes above 0x7e in the head; bare LF; folded lines; an empty line before the request; repeated
//   singleton fields; lists and repetitions in Content-Length; methods outside GET HEAD POST PUT PATCH DELETE OPTIONS.
// HTTP/1.0 is answered and then closed. Upgrade is ignored.
//
// The outcome depends on the bytes only, never on how they were split (tests/fuzz/http_reader_fuzz.cc).
// Rejected: Boost.Beast's parser behind a gate (1.74 accepts 58 of 131 corpus cases that must be refused; behind a gate
// that is strict enough nothing is left for it to do) and Poco's HTTPServer (decodes field values, takes truncated
// bodies for whole ones).
//
// Use: loop { step(); NeedData -> prepare(), commit(); Head -> limitBody() if the route has its own; Complete ->
// take();
//             Failed -> answer failure() and close }.
// Thread rule: belongs to one thread. Failure rule: Event::Failed with a status; there is no way back from it.
#pragma once

#include "gateway/http/message.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lotsen::http {

/// Sizes in bytes. A request that is over one is refused with the status in the comment.
struct Limits {
  std::size_t head = 32 * 1024;        // request line, all fields, blank line: 431; 414 if the first line alone is over
  std::size_t fields = 64;             // 431
  std::size_t target = 4096;           // 414
  std::size_t body = 4 * 1024 * 1024;  // 413; a route may set its own, see limitBody()
  std::size_t chunkLine = 64;          // 400
  std::size_t chunkOverhead = 1024 * 1024;  // framing bytes of one chunked body: 400
};

struct Failure {
  int status = 0;        // what to answer before closing; 0: nothing, the peer is gone or never spoke
  const char* why = "";  // fixed text, safe to send and to log
};

enum class Event {
  NeedData,  // call prepare() and commit(), or endOfInput()
  Head,      // the head is valid and head() readable; call step() again for the body
  Complete,  // take() the request
  Failed,
};

class RequestReader {
 public:
  /// `limits` must outlive the reader.
  explicit RequestReader(const Limits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Where to read into; never empty. Valid until the next call.
  std::span<char> prepare();
  /// The first `count` bytes of prepare() were filled.
  void commit(std::size_t count);
  /// Makes progress on what is there.
  Event step();

  /// The peer will send nothing more. Between messages: status 0; inside one: 400, a cut request is never delivered.
  Event endOfInput();
  /// Fails from outside: too late, connection lost, no memory to spare.
  Event giveUp(int status, const char* why);

  /// REQUIRES: Event::Head was returned, and since then neither take() called nor the request failed. The body is not
  /// there before Event::Complete.
  const Request& head() const;
  /// Replaces Limits::body for this request. Call it between Event::Head and the next step(), which refuses an
  /// announced length over it.
  void limitBody(std::size_t bytes);
  /// The peer waits for "100 Continue" before it sends the body.
  bool expectsContinue() const;
  Request take();
  const Failure& failure() const { return failure_; }

  /// No byte of the next request is there.
  bool betweenMessages() const { return state_ == State::Head && begin_ == end_; }
  bool inBody() const { return state_ == State::Body; }
  /// Bytes of the current body that came so far, without framing.
  std::size_t bodyBytes() const;

 private:
  struct Message;
  enum class State { Head, Body, Complete, Failed };

  Event fail(int status, const char* why);
  Event stepHead();
  Event stepBody();
  const char* scanByte(const char* head, std::size_t at, int& status);

  const Limits& limits_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0, end_ = 0;  // unread bytes are buffer_[begin_, end_)
  std::size_t scanned_ = 0;          // head bytes already checked, counted from begin_
  std::size_t lines_ = 0;            // complete lines among them
  State state_ = State::Head;
  std::unique_ptr<Message> message_;  // while State is Body or Complete
  Failure failure_;
};

}  // namespace lotsen::http
