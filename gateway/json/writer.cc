#include "gateway/json/writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace lotsen::json {

namespace {

/// 0: as it is; 'u': \u00xx; else the letter of the short escape.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

/// Whether none of the 8 bytes from `at` needs an escape: none is below 0x20, '"' or '\\'. Each test sets the top bit
/// of some byte if and only if one of the eight is such.
bool plainWord(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kTops = 0x8080808080808080U;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t quote = word ^ kOnes * '"';
  const std::uint64_t backslash = word ^ kOnes * '\\';
  const std::uint64_t found =
      ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
  return (found & kTops) == 0;
}

/// Nearly every name and value: nothing in it needs an escape. The last word of 8 overlaps the one before it.
bool isPlain(std::string_view text) {
  if (text.size() < 8)
    return std::all_of(text.begin(), text.end(), [](char c) { return kEscapes[static_cast<unsigned char>(c)] == 0; });
  const char* const last = text.data() + text.size() - 8;
  for (const char* at = text.data(); at < last; at += 8) {
    if (!plainWord(at)) return false;
  }
  return plainWord(last);
}

void appendEscaped(std::string& out, std::string_view text) {
  if (isPlain(text)) {
    out += text;
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[c];
    if (escape == 0) continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      out += "00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  out.append(text.substr(plain));
}

}  // namespace

void appendQuoted(std::string& out, std::string_view text) {
  out += '"';
  appendEscaped(out, text);
  out += '"';
}

void Writer::newLine() {
  if (indent_ == 0) return;
  out_ += '\n';
  out_.append(static_cast<std::size_t>(indent_) * depth_, ' ');
}

void Writer::beforeValue() {
  if (afterKey_) {
    afterKey_ = false;
    return;
  }
  if (depth_ == 0) return;
  if (!first_) out_ += ',';
  first_ = false;
  newLine();
}

Writer& Writer::open(char bracket) {
  beforeValue();
  out_ += bracket;
  ++depth_;
  first_ = true;
  return *this;
}

Writer& Writer::close(char bracket) {
  --depth_;
  if (!first_) newLine();
  out_ += bracket;
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  beforeValue();
  appendQuoted(out_, name);
  out_ += indent_ == 0 ? ":" : ": ";
  afterKey_ = true;
  return *this;
}

Writer& Writer::key(char prefix, std::string_view name) {
  beforeValue();
  out_ += '"';
  out_ += prefix;
  appendEscaped(out_, name);
  out_ += indent_ == 0 ? "\":" : "\": ";
  afterKey_ = true;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  beforeValue();
  appendQuoted(out_, text);
  return *this;
}

Writer& Writer::number(std::string_view digits) {
  beforeValue();
  out_ += digits;
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return number({buffer.data(), static_cast<std::size_t>(end - buffer.data())});
}

Writer& Writer::boolean(bool value) {
  return number(value ? "true" : "false");
}
Writer& Writer::null() {
  return number("null");
}

}  // namespace lotsen::json
