#include "gateway/json/reader.h"

#ifdef __SSE2__
#define RAPIDJSON_SSE2
#endif
#include "gateway/base/text.h"

#include <rapidjson/error/error.h>
#include <rapidjson/reader.h>
#include <rapidjson/stream.h>

#include <cstring>
#include <memory>
#include <unordered_set>
#include <vector>

namespace lotsen::json {

namespace {

Fault syntax(std::string_view rule, std::string text, std::size_t offset) {
  return {Code::Invalid, rule, std::move(text), offset};
}

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The code unit of the four digits after "\u" at `at`, or -1 if they are not four hexadecimal digits.
int codeUnit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int unit = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hexDigit(text[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

/// Escapes that RapidJSON lets through: lone halves of a surrogate pair, and NUL. Malformed ones are left to the
/// parser.
std::optional<Fault> checkEscapes(std::string_view text) {
  std::size_t at = text.find('\\');
  while (at != std::string_view::npos && at + 1 < text.size()) {
    std::size_t next = at + 2;
    if (text[at + 1] == 'u') {
      const int unit = codeUnit(text, at + 2);
      if (unit == 0) return syntax("json-nul", "the character NUL (\\u0000) is not allowed", at);
      if (unit >= 0xd800 && unit < 0xdc00) {
        const bool pair = text.substr(at + 6, 2) == "\\u";
        const int low = pair ? codeUnit(text, at + 8) : -1;
        if (low < 0xdc00 || low > 0xdfff)
          return syntax("json-surrogate", "the first half of a surrogate pair stands alone", at);
        next = at + 12;
      } else if (unit >= 0xdc00 && unit <= 0xdfff) {
        return syntax("json-surrogate", "the second half of a surrogate pair stands alone", at);
      }
    }
    at = text.find('\\', next);
  }
  return std::nullopt;
}

/// Control characters, eight bytes a step: RapidJSON's vector code misses 0x1a to 0x1f inside strings.
std::optional<Fault> checkControls(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  std::size_t at = 0;
  while (at < text.size()) {
    if (at + 8 <= text.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, 8);
      if (((word - kOnes * 0x20) & ~word & kHighs) == 0) {
        at += 8;
        continue;
      }
    }
    const std::size_t end = std::min(at + 8, text.size());
    for (; at < end; ++at) {
      const auto c = static_cast<unsigned char>(text[at]);
      if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') {
        return syntax("json-control", "a control character stands in the text; write it as an escape", at);
      }
    }
  }
  return std::nullopt;
}

std::string_view describe(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty: return "the text is empty";
    case rapidjson::kParseErrorDocumentRootNotSingular: return "something follows the end of the value";
    case rapidjson::kParseErrorObjectMissName: return "expected a property name in quotes";
    case rapidjson::kParseErrorObjectMissColon: return "expected ':' after the property name";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket: return "expected ',' or '}' after a property";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket: return "expected ',' or ']' after an item";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex: return "expected four hexadecimal digits after \\u";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid: return "the surrogate pair is broken";
    case rapidjson::kParseErrorStringEscapeInvalid: return "unknown escape in a string";
    case rapidjson::kParseErrorStringMissQuotationMark: return "a string does not end";
    case rapidjson::kParseErrorStringInvalidEncoding:
      return "a control character stands in a string; write it as an escape";
    case rapidjson::kParseErrorNumberTooBig: return "the number is too large for any receiver (over about 1.8e308)";
    case rapidjson::kParseErrorNumberMissFraction: return "expected a digit after the decimal point";
    case rapidjson::kParseErrorNumberMissExponent: return "expected a digit in the exponent";
    default: return "expected a value: an object, an array, a string, a number, true, false or null";
  }
}

/// Keys seen in the objects that are open. Small objects are searched, large ones get a set.
class OpenKeys {
 public:
  void open() {
    starts_.push_back(keys_.size());
    sets_.emplace_back();
  }
  void close() {
    keys_.resize(starts_.back());
    starts_.pop_back();
    sets_.pop_back();
  }
  bool add(std::string_view key) {
    constexpr std::size_t kSmall = 24;
    const std::size_t start = starts_.back();
    auto& set = sets_.back();
    if (!set) {
      for (std::size_t i = start; i < keys_.size(); ++i) {
        if (keys_[i] == key) return false;
      }
      keys_.push_back(key);
      if (keys_.size() - start > kSmall)
        set = std::make_unique<Set>(keys_.begin() + static_cast<std::ptrdiff_t>(start), keys_.end());
      return true;
    }
    return set->insert(key).second;
  }

 private:
  using Set = std::unordered_set<std::string_view>;
  std::vector<std::string_view> keys_;
  std::vector<std::size_t> starts_;
  std::vector<std::unique_ptr<Set>> sets_;
};

/// Between RapidJSON's events and ours: offsets, depth, duplicate keys.
class Adapter {
 public:
  Adapter(const rapidjson::InsituStringStream& stream, const char* base, const Limits& limits, Handler& handler)
      : stream_(stream), base_(base), limits_(limits), handler_(handler) {}

  bool Null() { return handler_.null(here() - 4); }
  bool Bool(bool value) { return handler_.boolean(value, here() - (value ? 4U : 5U)); }
  bool RawNumber(const char* digits, rapidjson::SizeType size, bool) {
    return handler_.number({digits, size}, offsetOf(digits));
  }
  bool String(const char* value, rapidjson::SizeType size, bool) {
    return handler_.string({value, size}, offsetOf(value) - 1);
  }
  bool Key(const char* name, rapidjson::SizeType size, bool) {
    const std::size_t offset = offsetOf(name) - 1;
    if (!keys_.add({name, size})) {
      fault = syntax("json-duplicate-key", "a property stands twice in the same object", offset);
      return false;
    }
    return handler_.key({name, size}, offset);
  }
  bool StartObject() {
    keys_.open();
    return deeper() && handler_.startObject(here() - 1);
  }
  bool EndObject(rapidjson::SizeType) {
    keys_.close();
    --depth_;
    return handler_.endObject(here() - 1);
  }
  bool StartArray() { return deeper() && handler_.startArray(here() - 1); }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return handler_.endArray(here() - 1);
  }
  // With numbers as text these never come.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  std::optional<Fault> fault;

 private:
  std::size_t here() const { return static_cast<std::size_t>(stream_.src_ - base_); }
  std::size_t offsetOf(const char* token) const { return static_cast<std::size_t>(token - base_); }
  bool deeper() {
    if (++depth_ <= limits_.maxDepth) return true;
    fault = Fault{Code::TooLarge, "json-depth", "nested deeper than " + std::to_string(limits_.maxDepth) + " levels",
                  here() - 1};
    return false;
  }

  const rapidjson::InsituStringStream& stream_;
  const char* base_;
  const Limits& limits_;
  Handler& handler_;
  std::uint32_t depth_ = 0;
  OpenKeys keys_;
};

std::optional<Fault> checkText(std::string_view text, const Limits& limits) {
  if (text.size() > limits.maxBytes) {
    return Fault{Code::TooLarge, "json-size", "longer than " + std::to_string(limits.maxBytes) + " bytes",
                 limits.maxBytes};
  }
  if (text.substr(0, 3) == "\xef\xbb\xbf")
    return syntax("json-bom", "a byte order mark stands before the text; send UTF-8 without it", 0);
  if (std::size_t badAt = 0; !isUtf8(text, &badAt)) {
    if (text[badAt] == '\0') return syntax("json-nul", "a NUL byte stands in the text", badAt);
    return syntax("json-utf8", "the bytes are not UTF-8", badAt);
  }
  if (auto fault = checkControls(text)) return fault;
  return checkEscapes(text);
}

}  // namespace

std::optional<Fault> parse(std::string_view text, char* scratch, const Limits& limits, Handler& handler) {
  if (auto fault = checkText(text, limits)) return fault;
  std::memcpy(scratch, text.data(), text.size());
  std::memset(scratch + text.size(), 0, scratchSize(text.size()) - text.size());

  rapidjson::InsituStringStream stream(scratch);
  Adapter adapter(stream, scratch, limits, handler);
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
  const auto result = reader.Parse<kFlags>(stream, adapter);
  if (!result.IsError()) return std::nullopt;
  if (adapter.fault) return std::move(adapter.fault);
  if (result.Code() == rapidjson::kParseErrorTermination)
    return syntax("json-stopped", "the reader stopped", result.Offset());
  const bool range = result.Code() == rapidjson::kParseErrorNumberTooBig;
  return syntax(range ? "json-number-range" : "json-syntax", std::string(describe(result.Code())), result.Offset());
}

std::optional<Fault> parse(std::string_view text, const Limits& limits, Handler& handler) {
  if (text.size() > limits.maxBytes) return checkText(text, limits);
  const auto scratch = std::make_unique_for_overwrite<char[]>(scratchSize(text.size()));
  return parse(text, scratch.get(), limits, handler);
}

Place LineCounter::at(std::size_t offset) {
  offset = std::min(offset, text_.size());
  while (seen_ < offset) {
    const void* newline = std::memchr(text_.data() + seen_, '\n', offset - seen_);
    if (newline == nullptr) {
      seen_ = offset;
      break;
    }
    seen_ = static_cast<std::size_t>(static_cast<const char*>(newline) - text_.data()) + 1;
    lineStart_ = seen_;
    ++line_;
  }
  return {line_, static_cast<std::uint32_t>(offset - lineStart_ + 1)};
}

}  // namespace lotsen::json
