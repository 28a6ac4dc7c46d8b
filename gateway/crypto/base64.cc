#include "gateway/crypto/base64.h"

#include <array>
#include <cstdint>

namespace lotsen::crypto {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kBad = 0xff;

constexpr std::array<std::uint8_t, 256> makeValues() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kBad);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr auto kValues = makeValues();

std::uint32_t byteAt(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}
std::uint8_t valueAt(std::string_view text, std::size_t i) {
  return kValues[static_cast<unsigned char>(text[i])];
}

Error badCharacter(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && valueAt(text, at) != kBad) ++at;
  return fail(Code::Invalid, "base64: character " + std::to_string(at + 1) + " is not allowed there");
}

}  // namespace

std::string base64Encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = byteAt(bytes, i) << 16 | byteAt(bytes, i + 1) << 8 | byteAt(bytes, i + 2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) out.push_back(kAlphabet[group >> shift & 63U]);
  }
  if (const std::size_t rest = bytes.size() - i; rest > 0) {
    const std::uint32_t group = byteAt(bytes, i) << 16 | (rest == 2 ? byteAt(bytes, i + 1) << 8 : 0U);
    out.push_back(kAlphabet[group >> 18 & 63U]);
    out.push_back(kAlphabet[group >> 12 & 63U]);
    out.push_back(rest == 2 ? kAlphabet[group >> 6 & 63U] : '=');
    out.push_back('=');
  }
  return out;
}

Result<std::string> base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) return fail(Code::Invalid, "base64: the length is not a multiple of 4");
  std::string out;
  if (text.empty()) return out;
  out.reserve(text.size() / 4 * 3);
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::string_view digits = text.substr(0, text.size() - padding);
  const std::size_t whole = digits.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint8_t a = valueAt(digits, i), b = valueAt(digits, i + 1), c = valueAt(digits, i + 2),
                       d = valueAt(digits, i + 3);
    if ((a | b | c | d) == kBad) return badCharacter(digits);  // a value has 6 bits: only kBad can set all 8
    out.push_back(static_cast<char>(a << 2 | b >> 4));
    out.push_back(static_cast<char>((b & 15) << 4 | c >> 2));
    out.push_back(static_cast<char>((c & 3) << 6 | d));
  }
  if (padding == 0) return out;
  const std::uint8_t a = valueAt(digits, whole), b = valueAt(digits, whole + 1),
                     c = padding == 1 ? valueAt(digits, whole + 2) : std::uint8_t{0};
  if ((a | b | c) == kBad) return badCharacter(digits);
  if (padding == 2 ? (b & 15) != 0 : (c & 3) != 0) return fail(Code::Invalid, "base64: unused bits are not zero");
  out.push_back(static_cast<char>(a << 2 | b >> 4));
  if (padding == 1) out.push_back(static_cast<char>((b & 15) << 4 | c >> 2));
  return out;
}

}  // namespace lotsen::crypto
