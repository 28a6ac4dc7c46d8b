#include "gateway/http/body.h"

#include "gateway/http/syntax.h"

namespace lotsen::http {

BodyReader::BodyReader(const Head& head, const Limits& limits, std::size_t limit, std::string& body)
    : limits_(limits),
      limit_(limit),
      body_(body),
      phase_(head.framing == Framing::Chunked  ? Phase::Size
             : head.framing == Framing::Length ? Phase::Data
                                               : Phase::Done),
      chunked_(head.framing == Framing::Chunked),
      left_(head.length) {
  if (left_ > limit_) {
    refuse(413, "body too large");
  } else {
    // An announcement costs the peer nothing, so it may not cost us much.
    body_.reserve(std::min<std::uint64_t>(left_, 64 * 1024));
  }
}

std::size_t BodyReader::read(std::string_view input) {
  std::size_t used = 0;
  while (used < input.size() && phase_ != Phase::Done && failure_.status == 0) {
    const auto rest = input.substr(used);
    const std::size_t step = phase_ == Phase::Data   ? readData(rest)
                             : phase_ == Phase::Size ? readSize(rest)
                                                     : readLineEnd(rest);
    if (step == 0) break;
    used += step;
  }
  return used;
}

std::size_t BodyReader::refuse(int status, const char* why) {
  failure_ = {status, why};
  return 0;
}

std::size_t BodyReader::readData(std::string_view input) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  body_.append(input.substr(0, count));
  left_ -= count;
  if (left_ == 0) phase_ = chunked_ ? Phase::DataEnd : Phase::Done;
  return count;
}

std::size_t BodyReader::readSize(std::string_view input) {
  const auto end = input.substr(0, limits_.chunkLine).find('\n');
  if (end == input.npos) return input.size() >= limits_.chunkLine ? refuse(400, "chunk line too long") : 0;
  if (end < 2 || input[end - 1] != '\r') return refuse(400, "malformed chunk line");
  overhead_ += end + 3;  // with the CRLF behind the data
  if (overhead_ > limits_.chunkOverhead) return refuse(400, "too many chunks");
  startChunk(input.substr(0, end - 1));
  return failure_.status == 0 ? end + 1 : 0;
}

// 1*HEXDIG and nothing else: no extension, no blank, no sign.
void BodyReader::startChunk(std::string_view digits) {
  std::uint64_t size = 0;
  for (const char c : digits) {
    if (!isHex(c) || size >> 60 != 0) {
      refuse(400, "malformed chunk line");
      return;
    }
    size = size * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
  }
  if (size > limit_ - body_.size()) {
    refuse(413, "body too large");
    return;
  }
  left_ = size;
  phase_ = size == 0 ? Phase::LastEnd : Phase::Data;
}

std::size_t BodyReader::readLineEnd(std::string_view input) {
  if (input[0] != '\r' || (input.size() > 1 && input[1] != '\n')) {
    return refuse(400, phase_ == Phase::LastEnd ? "trailer fields are not accepted" : "chunk longer than its size");
  }
  if (input.size() == 1) return 0;
  phase_ = phase_ == Phase::LastEnd ? Phase::Done : Phase::Size;
  return 2;
}

}  // namespace lotsen::http
