// Tokens of FHIRPath, one at a time, so that an expression may stand inside another language (FML) and end where that
// goes on. Used by: the parser. Thread rule: one thread. Failure rule: what is no token becomes Kind::Unknown with a
// reason; it is an error only if the parser needs it.
#pragma once

#include "gateway/fhir/element.h"

#include <string>
#include <string_view>

namespace lotsen::fhirpath {

struct Token {
  enum class Kind : std::uint8_t {
    End,
    Identifier,  // text: the name; quoted: it stood in backticks
    String,      // text: decoded
    Number,
    Date,      // text without '@'
    DateTime,  // text without '@'; "2015T" keeps its T
    Time,      // text without "@T"
    External,  // %name, text: the name
    Dollar,    // $this, text: "this"
    Symbol,    // text: the operator or bracket
    Unknown,   // text: why it is no token
  };
  Kind kind = Kind::End;
  bool quoted = false;
  std::string_view text;
  std::size_t begin = 0;  // offsets in the source
  std::size_t end = 0;

  bool isSymbol(char symbol) const { return kind == Kind::Symbol && text.size() == 1 && text[0] == symbol; }
  bool isWord(std::string_view word) const { return kind == Kind::Identifier && !quoted && text == word; }
};

class Lexer {
 public:
  /// `decoded` keeps the strings that had escapes; it must outlive the tokens.
  Lexer(std::string_view source, class Arena& decoded) : source_(source), decoded_(decoded) {}
  Token next();

 private:
  std::size_t skipSpace();
  Token quotedText(char quote, Token::Kind kind);
  Token number();
  Token temporal();
  Token unknown(std::string_view why, std::size_t end);
  Token finish(Token::Kind kind, std::size_t textBegin, std::size_t textEnd);
  char at(std::size_t i) const { return i < source_.size() ? source_[i] : '\0'; }

  std::string_view source_;
  Arena& decoded_;
  std::size_t begin_ = 0;
  std::size_t at_ = 0;
};

/// Line and column of an offset in a text that starts at `base`.
fhir::Position positionOf(std::string_view source, std::size_t offset, fhir::Position base);

}  // namespace lotsen::fhirpath
