// A place in the tokens of one map text: what the parsers of declarations and rules share. A fault sets failed() and
// every function returns at once until somebody who can go on clears it. Used by: parser, rule_parser. Thread rule: one
// thread. Failure rule: faults are reported with what was expected.
#pragma once

#include "gateway/mapping/ast.h"
#include "gateway/mapping/faults.h"
#include "gateway/mapping/lexer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

std::string quoted(std::string_view text);

class TokenCursor {
 public:
  TokenCursor(const std::string& file, std::string_view text, Faults& faults);

  const Token& token(std::size_t ahead = 0) const;
  bool atEnd() const { return token().kind == TokenKind::End; }
  void next();
  std::size_t place() const { return at_; }
  void returnTo(std::size_t place) { at_ = place; }

  bool failed() const { return failed_; }
  void setFailed(bool failed) { failed_ = failed; }
  void fault(const Token& where, const std::string& text);
  void report(const Name& where, std::string_view rule, const std::string& text);
  void warn(fhir::Position where, std::string_view rule, const std::string& text);
  void expected(std::string_view what, std::string_view hint = {});
  /// The same where the token at hand begins a line: what is missing stands after the one before it.
  void expectedAtEndOfLine(std::string_view what);

  bool take(std::string_view symbol);
  bool takeWord(std::string_view word);
  void need(std::string_view symbol);
  void needWord(std::string_view word);
  Name name(std::string_view what);
  /// A string; with `orName` also an identifier.
  Name string(std::string_view what, bool orName = false);
  /// a.b.c
  std::vector<Name> path(std::string_view what);
  /// A FHIRPath expression that starts here. `asIsAlias`: see scanExpression.
  Name expression(bool asIsAlias);

 private:
  const std::string file_;
  std::string_view text_;
  Faults& faults_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace lotsen::mapping
