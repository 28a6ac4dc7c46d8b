// Map text to tokens. FHIRPath inside a map is made of the same tokens, so one lexer serves both.
// Used by: parser. Thread rule: pure. Failure rule: bad characters and unclosed strings are faults; lexing goes on.
#pragma once

#include "gateway/mapping/faults.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

enum class TokenKind : std::uint8_t {
  End,
  Identifier,  // name, `delimited name`, $this
  String,      // 'single' or "double"
  Integer,
  Decimal,
  DateTime,  // @2020-01-01, @2020-01-01T10:00, @T10:00
  Symbol,    // ( ) { } . , ; : = < > + - * / & | ~ % [ ] -> <= >= != !~ ..
  Metadata,  // /// name = value, at the head of the map only
};

struct Token {
  TokenKind kind = TokenKind::End;
  char quote = '\0';      // ' " or ` where there was one
  std::size_t begin = 0;  // bytes of the source text, quotes included
  std::size_t end = 0;
  fhir::Position at;
  std::string text;   // without quotes and escapes; Metadata: the name
  std::string value;  // Metadata: its value

  bool is(std::string_view symbol) const { return kind == TokenKind::Symbol && text == symbol; }
  bool word(std::string_view name) const { return kind == TokenKind::Identifier && quote == '\0' && text == name; }
};

/// The last token is End.
std::vector<Token> tokenize(const std::string& file, std::string_view text, Faults& faults);

}  // namespace lotsen::mapping
