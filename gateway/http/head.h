// The head of a request: from clean lines to a Request and its framing. Internal to this folder; RequestReader calls it
// with a head whose bytes and line ends it has checked.
#pragma once

#include "gateway/http/reader.h"

#include <cstdint>
#include <string_view>

namespace lotsen::http {

enum class Framing { None, Length, Chunked };

struct Head {
  Request request;  // without body
  Framing framing = Framing::None;
  std::uint64_t length = 0;  // announced, with Framing::Length; never 0
  bool expectsContinue = false;
};

/// REQUIRES: `text` is whole lines of printable ASCII and tabs ending in CRLF, the first ends in " HTTP/1.0" or "
/// HTTP/1.1", the last is empty. Status 0 of the result: accepted.
Failure readHead(std::string_view text, const Limits& limits, Head& out);

}  // namespace lotsen::http
