#include "gateway/fhirpath/lexer.h"

#include "gateway/fhirpath/arena.h"
#include "gateway/fhirpath/unicode.h"

namespace lotsen::fhirpath {
namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool isNamePart(char c) {
  return isNameStart(c) || isDigit(c);
}

/// Four hexadecimal digits after "\u"; false if they are not.
bool readHex(std::string_view text, std::size_t at, std::uint32_t& code) {
  if (at + 4 > text.size()) return false;
  code = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    const int digit = isDigit(c)             ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return false;
    code = code * 16 + static_cast<std::uint32_t>(digit);
  }
  return true;
}

/// Decodes the escape at `at` (a backslash) and moves past it; false if there is no such escape.
bool readEscape(std::string_view text, std::size_t& at, std::string& out) {
  const char c = at + 1 < text.size() ? text[at + 1] : '\0';
  at += 2;
  switch (c) {
    case '\'':
    case '"':
    case '`':
    case '\\':
    case '/': out.push_back(c); return true;
    case 'n': out.push_back('\n'); return true;
    case 'r': out.push_back('\r'); return true;
    case 't': out.push_back('\t'); return true;
    case 'f': out.push_back('\f'); return true;
    case 'u': break;
    default: return false;
  }
  std::uint32_t code = 0;
  if (!readHex(text, at, code)) return false;
  at += 4;
  if (code >= 0xD800 && code < 0xDC00) {
    std::uint32_t low = 0;
    if (text.substr(at, 2) != "\\u" || !readHex(text, at + 2, low) || low < 0xDC00 || low > 0xDFFF) return false;
    at += 6;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xDC00 && code < 0xE000) {
    return false;
  }
  appendUtf8(out, code);
  return true;
}

}  // namespace

/// Moves over white space and comments; npos-like: returns the offset of an unfinished comment, else the new offset.
std::size_t Lexer::skipSpace() {
  for (;;) {
    const char c = at(at_);
    if (at_ < source_.size() && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
      ++at_;
    } else if (c == '/' && at(at_ + 1) == '/') {
      const std::size_t end = source_.find('\n', at_);
      at_ = end == std::string_view::npos ? source_.size() : end;
    } else if (c == '/' && at(at_ + 1) == '*') {
      const std::size_t end = source_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return at_;
      at_ = end + 2;
    } else {
      return std::string_view::npos;
    }
  }
}

Token Lexer::finish(Token::Kind kind, std::size_t textBegin, std::size_t textEnd) {
  Token token;
  token.kind = kind;
  token.text = source_.substr(textBegin, textEnd - textBegin);
  token.begin = begin_;
  token.end = at_;
  return token;
}

Token Lexer::unknown(std::string_view why, std::size_t end) {
  Token token;
  token.kind = Token::Kind::Unknown;
  token.text = why;
  token.begin = begin_;
  token.end = at_ = end;
  return token;
}

Token Lexer::quotedText(char quote, Token::Kind kind) {
  const std::size_t start = ++at_;
  std::string decoded;
  bool escaped = false;
  while (at_ < source_.size() && source_[at_] != quote) {
    if (source_[at_] != '\\') {
      if (escaped) decoded.push_back(source_[at_]);
      ++at_;
      continue;
    }
    if (!escaped) decoded.assign(source_.substr(start, at_ - start));
    escaped = true;
    begin_ = at_;
    if (!readEscape(source_, at_, decoded))
      return unknown("an escape that does not exist (use \\\\ for a backslash)", at_);
  }
  if (at_ >= source_.size()) return unknown("text without its closing quote", source_.size());
  const std::size_t end = at_++;
  Token token = finish(kind, start, end);
  if (escaped) token.text = decoded_.store(decoded);
  token.quoted = true;
  return token;
}

Token Lexer::number() {
  const std::size_t start = at_;
  while (isDigit(at(at_))) ++at_;
  if (at(at_) == '.' && isDigit(at(at_ + 1))) {
    ++at_;
    while (isDigit(at(at_))) ++at_;
  }
  return finish(Token::Kind::Number, start, at_);
}

Token Lexer::temporal() {
  const std::size_t start = ++at_;
  const auto digits = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!isDigit(at(at_ + i))) return false;
    }
    at_ += count;
    return true;
  };
  const auto part = [&](char separator, std::size_t count) {
    if (at(at_) != separator || !isDigit(at(at_ + 1))) return false;
    ++at_;
    return digits(count);
  };
  const auto time = [&] {
    if (!digits(2)) return;
    for (int parts = 0; parts < 2; ++parts) {  // minutes, seconds
      if (!part(':', 2)) return;
    }
    if (at(at_) != '.' || !isDigit(at(at_ + 1))) return;
    ++at_;
    while (isDigit(at(at_))) ++at_;
  };
  if (at(at_) == 'T') {
    ++at_;
    if (!isDigit(at(at_))) return unknown("a time without digits after '@T'", at_);
    time();
    return finish(Token::Kind::Time, start + 1, at_);
  }
  if (!digits(4)) return unknown("a date without a year of four digits after '@'", at_);
  if (part('-', 2)) part('-', 2);
  if (at(at_) != 'T') return finish(Token::Kind::Date, start, at_);
  ++at_;
  if (isDigit(at(at_))) {
    time();
    if (at(at_) == 'Z') {
      ++at_;
    } else if ((at(at_) == '+' || at(at_) == '-') && isDigit(at(at_ + 1)) && isDigit(at(at_ + 2)) &&
               at(at_ + 3) == ':') {
      at_ += 1;
      digits(2);
      part(':', 2);
    }
  }
  return finish(Token::Kind::DateTime, start, at_);
}

Token Lexer::next() {
  if (const std::size_t open = skipSpace(); open != std::string_view::npos) {
    begin_ = open;
    return unknown("a comment without its end", source_.size());
  }
  begin_ = at_;
  if (at_ >= source_.size()) return finish(Token::Kind::End, at_, at_);
  const char c = source_[at_];
  if (isNameStart(c)) {
    while (isNamePart(at(at_))) ++at_;
    return finish(Token::Kind::Identifier, begin_, at_);
  }
  if (isDigit(c)) return number();
  if (c == '\'') return quotedText('\'', Token::Kind::String);
  if (c == '`') return quotedText('`', Token::Kind::Identifier);
  if (c == '@') return temporal();
  if (c == '%') {
    ++at_;
    const char quote = at(at_);
    if (quote == '`' || quote == '\'' || quote == '"') return quotedText(quote, Token::Kind::External);
    const std::size_t start = at_;
    while (isNamePart(at(at_))) ++at_;
    const std::string_view name = source_.substr(start, at_ - start);
    if (name == "vs" || name == "ext") {  // %vs-name, %ext-name: names with hyphens, as FHIR writes them
      while (isNamePart(at(at_)) || (at(at_) == '-' && isNamePart(at(at_ + 1)))) ++at_;
    }
    if (name.empty()) return unknown("a variable without a name after '%'", at_);
    return finish(Token::Kind::External, start, at_);
  }
  if (c == '$') {
    ++at_;
    const std::size_t start = at_;
    while (isNamePart(at(at_))) ++at_;
    return finish(Token::Kind::Dollar, start, at_);
  }
  const char second = at(++at_);
  const bool pair = (c == '-' && second == '>') || ((c == '<' || c == '>' || c == '!') && second == '=') ||
                    (c == '!' && second == '~');
  if (pair) ++at_;
  if (pair || std::string_view("()[]{}.,+-*/&|<>=~").find(c) != std::string_view::npos)
    return finish(Token::Kind::Symbol, begin_, at_);
  return unknown("a character that FHIRPath does not use here", at_);
}

fhir::Position positionOf(std::string_view source, std::size_t offset, fhir::Position base) {
  fhir::Position position = base;
  for (std::size_t i = 0; i < offset && i < source.size(); ++i) {
    if (source[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else {
      ++position.column;
    }
  }
  return position;
}

}  // namespace lotsen::fhirpath
