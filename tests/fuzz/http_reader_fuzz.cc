// libFuzzer: the request reader must give the same outcome however its input is split: all at once, byte by byte, in
// pieces.
#include "gateway/http/reader.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

using lotsen::http::Event;
using lotsen::http::Limits;
using lotsen::http::Request;
using lotsen::http::RequestReader;

// Small, so that the fuzzer reaches every limit.
Limits smallLimits() {
  Limits limits;
  limits.head = 2048;
  limits.fields = 16;
  limits.target = 256;
  limits.body = 4096;
  limits.chunkOverhead = 1024;
  return limits;
}

std::string describe(const Request& request) {
  std::string out = "[" + request.method + " " + request.target + (request.keepAlive ? " keep" : " close");
  for (const auto& field : request.fields) out += "|" + field.name + "=" + field.value;
  return out + "|" + request.body + "]";
}

// Piece sizes: 0 everything at once, 1 byte by byte, else a pseudo-random walk that starts there.
std::string outcome(std::string_view input, std::uint32_t split) {
  static const Limits limits = smallLimits();
  RequestReader reader(limits);
  std::string out;
  for (;;) {
    switch (reader.step()) {
      case Event::Head: out += "H"; break;
      case Event::Complete: {
        const Request request = reader.take();
        out += describe(request);
        if (!request.keepAlive) return out;
        break;
      }
      case Event::Failed: return out + " failed " + std::to_string(reader.failure().status);
      case Event::NeedData: {
        if (input.empty()) {
          reader.endOfInput();
          return out + " ended " + std::to_string(reader.failure().status);
        }
        const auto space = reader.prepare();
        if (split > 1) split = split * 1103515245U + 12345U | 2U;
        const std::size_t wanted = split == 0 ? input.size() : split == 1 ? 1 : 1 + (split >> 16) % 37;
        const std::size_t count = std::min({wanted, input.size(), space.size()});
        std::memcpy(space.data(), input.data(), count);
        reader.commit(count);
        input.remove_prefix(count);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string whole = outcome(input, 0);
  for (const std::uint32_t split : {1U, 7U + static_cast<std::uint32_t>(size)}) {
    const std::string other = outcome(input, split);
    if (whole == other) continue;
    std::fprintf(stderr, "whole: %s\nsplit: %s\n", whole.c_str(), other.c_str());
    std::abort();
  }
  return 0;
}
