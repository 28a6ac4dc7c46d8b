#include "gateway/fhirpath/unicode.h"

#include <cstdint>

namespace lotsen::fhirpath {
namespace {

std::uint32_t decode(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  switch (bytes.size()) {
    case 1: return at(0);
    case 2: return (at(0) & 0x1F) << 6 | (at(1) & 0x3F);
    case 3: return (at(0) & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
    default: return (at(0) & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F);
  }
}

bool inRange(std::uint32_t c, std::uint32_t first, std::uint32_t last) {
  return c >= first && c <= last;
}

/// Alternating capital and small letters: capitals are even (or odd).
bool pairsEven(std::uint32_t c) {
  return inRange(c, 0x100, 0x12F) || inRange(c, 0x132, 0x137) || inRange(c, 0x14A, 0x177) || inRange(c, 0x460, 0x481) ||
         inRange(c, 0x48A, 0x4BF) || inRange(c, 0x1E00, 0x1E95) || inRange(c, 0x1EA0, 0x1EFF);
}
bool pairsOdd(std::uint32_t c) {
  return inRange(c, 0x139, 0x148) || inRange(c, 0x179, 0x17E);
}

std::uint32_t upper(std::uint32_t c) {
  if (inRange(c, 'a', 'z')) return c - 32;
  if (c < 0x80) return c;
  if (inRange(c, 0xE0, 0xFE) && c != 0xF7) return c - 32;
  if (c == 0xFF) return 0x178;
  if (pairsEven(c)) return c & ~1U;
  if (pairsOdd(c)) return (c & 1U) != 0 ? c : c - 1;
  if (c == 0x3C2) return 0x3A3;
  if (inRange(c, 0x3B1, 0x3C9)) return c - 32;
  if (inRange(c, 0x430, 0x44F)) return c - 32;
  if (inRange(c, 0x450, 0x45F)) return c - 80;
  return c;
}

std::uint32_t lower(std::uint32_t c) {
  if (inRange(c, 'A', 'Z')) return c + 32;
  if (c < 0x80) return c;
  if (inRange(c, 0xC0, 0xDE) && c != 0xD7) return c + 32;
  if (c == 0x178) return 0xFF;
  if (pairsEven(c)) return c | 1U;
  if (pairsOdd(c)) return (c & 1U) != 0 ? c + 1 : c;
  if (inRange(c, 0x391, 0x3A9) && c != 0x3A2) return c + 32;
  if (inRange(c, 0x410, 0x42F)) return c + 32;
  if (inRange(c, 0x400, 0x40F)) return c + 80;
  return c;
}

template <typename Map>
std::string mapped(std::string_view text, Map map) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = characterSize(text);
    if (size == 1 && static_cast<unsigned char>(text[0]) >= 0x80) {
      result.push_back(text[0]);
    } else {
      appendUtf8(result, map(decode(text.substr(0, size))));
    }
    text.remove_prefix(size);
  }
  return result;
}

}  // namespace

std::size_t characterSize(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (size > text.size()) return 1;
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 1;
  }
  return size;
}

std::size_t characterCount(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(characterSize(text));
  return count;
}

std::size_t characterOffset(std::string_view text, std::size_t index) {
  std::size_t offset = 0;
  for (; index > 0 && offset < text.size(); --index) offset += characterSize(text.substr(offset));
  return offset;
}

std::string toUpper(std::string_view text) {
  return mapped(text, upper);
}
std::string toLower(std::string_view text) {
  return mapped(text, lower);
}

void appendUtf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

}  // namespace lotsen::fhirpath
