#include "gateway/mapping/token_cursor.h"

#include "gateway/mapping/expression.h"

#include <algorithm>
#include <utility>

namespace lotsen::mapping {

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

namespace {

constexpr std::size_t kMaxSteps = 32;  // of a path: elements stand as deep in each other as it is long

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::End: return "the end of the file";
    case TokenKind::String: return "a string";
    case TokenKind::Metadata: return "a '///' line";
    case TokenKind::DateTime: return "a date or time";
    default: return quoted(token.text);
  }
}

}  // namespace

TokenCursor::TokenCursor(const std::string& file, std::string_view text, Faults& faults)
    : file_(file), text_(text), faults_(faults), tokens_(tokenize(file, text, faults)) {}

void TokenCursor::report(const Name& where, std::string_view rule, const std::string& text) {
  faults_.error(file_, where.at, rule, text);
}

void TokenCursor::warn(fhir::Position where, std::string_view rule, const std::string& text) {
  faults_.warning(file_, where, rule, text);
}

const Token& TokenCursor::token(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}
void TokenCursor::next() {
  if (at_ + 1 < tokens_.size()) ++at_;
}

void TokenCursor::fault(const Token& where, const std::string& text) {
  faults_.error(file_, where.at, "fml-syntax", text);
  failed_ = true;
}

void TokenCursor::expected(std::string_view what, std::string_view hint) {
  fault(token(), "expected " + std::string(what) + " but found " + describe(token()) + std::string(hint));
}

void TokenCursor::expectedAtEndOfLine(std::string_view what) {
  const Token& before = tokens_[at_ == 0 ? 0 : at_ - 1];
  if (at_ == 0 || before.at.line == token().at.line) return expected(what);
  const auto width = static_cast<std::uint32_t>(before.end - before.begin);
  faults_.error(file_, {before.at.line, before.at.column + width}, "fml-syntax",
                "expected " + std::string(what) + " before the end of the line");
  failed_ = true;
}

bool TokenCursor::take(std::string_view symbol) {
  if (!token().is(symbol)) return false;
  next();
  return true;
}

bool TokenCursor::takeWord(std::string_view word) {
  if (!token().word(word)) return false;
  next();
  return true;
}

void TokenCursor::need(std::string_view symbol) {
  if (!failed_ && !take(symbol)) expected(quoted(symbol));
}

void TokenCursor::needWord(std::string_view word) {
  if (!failed_ && !takeWord(word)) expected(quoted(word));
}

Name TokenCursor::name(std::string_view what) {
  if (failed_) return {};
  if (token().kind != TokenKind::Identifier) {
    expected(what);
    return {};
  }
  Name out{token().text, token().at};
  next();
  return out;
}

Name TokenCursor::string(std::string_view what, bool orName) {
  if (failed_) return {};
  if (token().kind != TokenKind::String && !(orName && token().kind == TokenKind::Identifier)) {
    expected(what);
    return {};
  }
  Name out{token().text, token().at};
  next();
  return out;
}

std::vector<Name> TokenCursor::path(std::string_view what) {
  std::vector<Name> steps;
  steps.push_back(name(what));
  while (!failed_ && take(".")) {
    if (steps.size() == kMaxSteps) expected("fewer elements in a path");
    steps.push_back(name("the name of an element after '.'"));
  }
  return steps;
}

Name TokenCursor::expression(bool asIsAlias) {
  if (failed_) return {};
  const ExpressionExtent extent = scanExpression(tokens_, at_, asIsAlias);
  if (!extent.ok) {
    at_ = std::min(extent.end, tokens_.size() - 1);
    expected(extent.expected);
    return {};
  }
  Name out{expressionText(text_, tokens_, at_, extent.end), token().at};
  at_ = extent.end;
  return out;
}

}  // namespace lotsen::mapping
