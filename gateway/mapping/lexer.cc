#include "gateway/mapping/lexer.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::mapping {

namespace {

constexpr std::size_t kMaxTokens = 200'000;  // of a map: several times the largest that are published

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool isNamePart(char c) {
  return isNameStart(c) || isDigit(c);
}

void appendUtf8(std::string& out, std::uint32_t c) {
  const auto byte = [&out](std::uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | (c >> 6));
    byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3f));
    byte(0x80 | (c & 0x3f));
  } else {
    byte(0xf0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3f));
    byte(0x80 | ((c >> 6) & 0x3f));
    byte(0x80 | (c & 0x3f));
  }
}

class Lexer {
 public:
  Lexer(const std::string& file, std::string_view text, Faults& faults) : file_(file), text_(text), faults_(faults) {}

  std::vector<Token> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = lineStart_ = 3;
    while (true) {
      skipBlank();
      if (at_ >= text_.size()) break;
      if (tokens_.size() == kMaxTokens) {
        faults_.error(file_, here(), "fml-too-large",
                      "the map is longer than " + std::to_string(kMaxTokens) + " words; split it and import the parts");
        break;
      }
      next();
    }
    start();
    finish(TokenKind::End);
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      lineStart_ = at_ + 1;
    }
    ++at_;
  }

  fhir::Position here() const { return {line_, static_cast<std::uint32_t>(at_ - lineStart_ + 1)}; }

  void start() {
    token_ = Token();
    token_.begin = at_;
    token_.at = here();
  }

  void finish(TokenKind kind) {
    token_.kind = kind;
    token_.end = at_;
    if (kind != TokenKind::Metadata) head_ = false;
    tokens_.push_back(std::move(token_));
  }

  void skipBlank() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        advance();
      } else if (c == '/' && peek(1) == '/') {
        if (head_ && peek(2) == '/' && metadata()) continue;
        while (at_ < text_.size() && text_[at_] != '\n') advance();
      } else if (c == '/' && peek(1) == '*') {
        skipBlockComment();
      } else {
        return;
      }
    }
  }

  void skipBlockComment() {
    const fhir::Position from = here();
    const std::size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos)
      faults_.error(file_, from, "fml-syntax", "this comment is never closed; end it with '*/'");
    const std::size_t stop = end == std::string_view::npos ? text_.size() : end + 2;
    while (at_ < stop) advance();
  }

  /// `/// path.name = 'value'`; false (and nothing consumed) if the line is an ordinary comment.
  bool metadata() {
    const std::size_t lineEnd = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = text_.substr(at_ + 3, lineEnd - at_ - 3);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view name = trim(line.substr(0, equals));
    const bool plain =
        std::all_of(name.begin(), name.end(), [](char c) { return isNamePart(c) || c == '.' || c == '-'; });
    if (name.empty() || !plain) return false;
    start();
    token_.text = name;
    while (text_[at_] != '=') advance();
    advance();
    while (peek() == ' ' || peek() == '\t') advance();
    if (text_.substr(at_, 3) == "\"\"\"") {
      markdown();
    } else if (peek() == '\'' || peek() == '"') {
      const char quote = peek();
      if (text_.substr(0, lineEnd).find(quote, at_ + 1) == std::string_view::npos) {
        faults_.error(file_, here(), "fml-syntax",
                      std::string("this string is never closed on its line; end it with ") + quote +
                          ", or write it between \"\"\" and \"\"\"");
        while (at_ < lineEnd) advance();
      } else {
        token_.value = quoted(quote);
      }
    } else {
      const std::size_t from = at_;
      while (at_ < lineEnd && !startsComment()) advance();
      token_.value = trim(text_.substr(from, at_ - from));
    }
    finish(TokenKind::Metadata);
    return true;
  }

  /// Behind a value; a "//" inside of a word belongs to a URL.
  bool startsComment() const {
    const bool apart = at_ > 0 && (text_[at_ - 1] == ' ' || text_[at_ - 1] == '\t' || text_[at_ - 1] == '=');
    return apart && peek() == '/' && (peek(1) == '/' || peek(1) == '*');
  }

  void markdown() {
    const fhir::Position from = here();
    at_ += 3;
    const std::size_t begin = at_;
    const std::size_t end = text_.find("\"\"\"", at_);
    if (end == std::string_view::npos)
      faults_.error(file_, from, "fml-syntax", "this text is never closed; end it with \"\"\"");
    const std::size_t stop = std::min(end, text_.size());
    while (at_ < stop) advance();
    token_.value = trim(text_.substr(begin, stop - begin));
    at_ = std::min(stop + 3, text_.size());
  }

  void next() {
    start();
    const char c = peek();
    if (isNameStart(c) || (c == '$' && isNameStart(peek(1)))) {
      advance();
      while (isNamePart(peek())) advance();
      token_.text = text_.substr(token_.begin, at_ - token_.begin);
      finish(TokenKind::Identifier);
    } else if (c == '\'' || c == '"' || c == '`') {
      token_.text = quoted(c);
      token_.quote = c;
      finish(c == '`' ? TokenKind::Identifier : TokenKind::String);
    } else if (isDigit(c)) {
      number();
    } else if (c == '@') {
      advance();
      while (isNamePart(peek()) || peek() == '-' || peek() == ':' || peek() == '+' ||
             (peek() == '.' && isDigit(peek(1)))) {
        if (peek() == '-' && peek(1) == '>') break;
        advance();
      }
      token_.text = text_.substr(token_.begin + 1, at_ - token_.begin - 1);
      finish(TokenKind::DateTime);
    } else {
      symbol();
    }
  }

  void number() {
    bool decimal = false;
    while (isDigit(peek())) advance();
    if (peek() == '.' && isDigit(peek(1))) {
      decimal = true;
      advance();
      while (isDigit(peek())) advance();
    }
    token_.text = text_.substr(token_.begin, at_ - token_.begin);
    finish(decimal ? TokenKind::Decimal : TokenKind::Integer);
  }

  void symbol() {
    static constexpr std::array<std::string_view, 6> kPairs = {"->", "<=", ">=", "!=", "!~", ".."};
    static constexpr std::string_view kSingles = "(){}.,;:=<>+-*/&|~%[]";
    const std::string_view pair = text_.substr(at_, 2);
    if (std::find(kPairs.begin(), kPairs.end(), pair) != kPairs.end()) {
      token_.text = pair;
      at_ += 2;
      finish(TokenKind::Symbol);
    } else if (kSingles.find(peek()) != std::string_view::npos) {
      token_.text = peek();
      ++at_;
      finish(TokenKind::Symbol);
    } else {
      faults_.error(file_, here(), "fml-syntax",
                    "this character has no meaning here; remove it or put it into a string");
      advance();
      while ((static_cast<unsigned char>(peek()) & 0xc0) == 0x80) advance();
    }
  }

  /// The text between quotes with its escapes resolved; both quotes are consumed.
  std::string quoted(char quote) {
    const fhir::Position from = here();
    const std::size_t startAt = at_;
    const std::size_t startLine = lineStart_;
    std::string out;
    advance();
    while (at_ < text_.size() && peek() != quote) {
      if (peek() == '\\') {
        escape(out);
      } else {
        out.push_back(peek());
        advance();
      }
    }
    if (at_ >= text_.size()) {  // go on at the next line, so that one forgotten quote does not hide the other faults
      faults_.error(file_, from, "fml-syntax", std::string("this string is never closed; end it with ") + quote);
      line_ = from.line;
      lineStart_ = startLine;
      at_ = std::min(text_.find('\n', startAt), text_.size());
    } else {
      advance();
    }
    return out;
  }

  void escape(std::string& out) {
    const fhir::Position from = here();
    advance();
    const char c = peek();
    if (at_ < text_.size()) advance();
    switch (c) {
      case 'n': out.push_back('\n'); return;
      case 'r': out.push_back('\r'); return;
      case 't': out.push_back('\t'); return;
      case 'f': out.push_back('\f'); return;
      case '\'':
      case '"':
      case '`':
      case '\\':
      case '/': out.push_back(c); return;
      case 'u': unicode(out, from); return;
      default:
        faults_.error(file_, from, "fml-syntax",
                      "unknown escape; known are \\' \\\" \\` \\\\ \\/ \\n \\r \\t \\f \\uXXXX");
    }
  }

  void unicode(std::string& out, fhir::Position from) {
    const auto unit = [this]() -> std::uint32_t {
      std::uint32_t value = 0;
      for (int i = 0; i < 4; ++i) {
        const char c = peek();
        const int digit = isDigit(c)             ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return 0;
        value = value * 16 + static_cast<std::uint32_t>(digit);
        advance();
      }
      return value;
    };
    std::uint32_t code = unit();
    if (code >= 0xd800 && code < 0xdc00 && peek() == '\\' && peek(1) == 'u') {
      at_ += 2;
      const std::uint32_t low = unit();
      code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : 0;
    }
    if (code == 0 || (code >= 0xd800 && code < 0xe000)) {
      faults_.error(file_, from, "fml-syntax", "\\u needs four hexadecimal digits of a Unicode character");
      return;
    }
    appendUtf8(out, code);
  }

  const std::string& file_;
  std::string_view text_;
  Faults& faults_;
  std::vector<Token> tokens_;
  Token token_;
  std::size_t at_ = 0;
  std::size_t lineStart_ = 0;
  std::uint32_t line_ = 1;
  bool head_ = true;  // nothing but metadata so far
};

}  // namespace

std::vector<Token> tokenize(const std::string& file, std::string_view text, Faults& faults) {
  return Lexer(file, text, faults).run();
}

}  // namespace lotsen::mapping
