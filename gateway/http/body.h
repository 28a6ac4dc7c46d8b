// The body of a request: takes the framing off. Internal to this folder; RequestReader drives it.
#pragma once

#include "gateway/http/head.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace lotsen::http {

class BodyReader {
 public:
  /// `body` and `limits` must outlive the reader; `limit` is that of this body.
  BodyReader(const Head& head, const Limits& limits, std::size_t limit, std::string& body);

  /// Consumes what it can of `input` and returns how much; stops at an unfinished chunk line, at the end of the body,
  /// or at a refusal.
  std::size_t read(std::string_view input);

  bool done() const { return phase_ == Phase::Done; }
  const Failure& failure() const { return failure_; }
  /// Bytes that are certainly still to come: how much to read at once.
  std::uint64_t expected() const { return phase_ == Phase::Data ? left_ : 0; }

 private:
  // Size: chunk size line. Data: left_ bytes of content. DataEnd: CRLF after a chunk. LastEnd: CRLF after the last
  // chunk.
  enum class Phase { Size, Data, DataEnd, LastEnd, Done };

  std::size_t refuse(int status, const char* why);
  std::size_t readSize(std::string_view input);
  std::size_t readData(std::string_view input);
  std::size_t readLineEnd(std::string_view input);
  void startChunk(std::string_view digits);

  const Limits& limits_;
  const std::size_t limit_;
  std::string& body_;
  Phase phase_;
  bool chunked_;
  std::uint64_t left_;
  std::size_t overhead_ = 0;
  Failure failure_;
};

}  // namespace lotsen::http
