#include "gateway/mapping/expression.h"

#include <algorithm>
#include <array>

namespace lotsen::mapping {

namespace {

constexpr int kMaxDepth = 128;

constexpr std::array<std::string_view, 14> kOperators = {"+", "-",  "*",  "/", "&", "|",  "=",
                                                         "~", "!=", "!~", "<", ">", "<=", ">="};
constexpr std::array<std::string_view, 8> kWordOperators = {"and", "or",  "xor", "implies",
                                                            "div", "mod", "in",  "contains"};
constexpr std::array<std::string_view, 16> kCalendarUnits = {
    "year",  "month",  "week",  "day",  "hour",  "minute",  "second",  "millisecond",
    "years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"};

template <std::size_t N>
bool isOneOf(const Token& token, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), token.text) != words.end();
}

class Scanner {
 public:
  Scanner(const std::vector<Token>& tokens, std::size_t from) : tokens_(tokens), at_(from) {}

  ExpressionExtent run(bool asIsAlias) {
    const bool ok = expression(asIsAlias, 0);
    return {ok, at_, expected_};
  }

 private:
  const Token& token() const { return tokens_[at_]; }

  bool miss(std::string_view expected) {
    expected_ = expected;
    return false;
  }

  bool take(std::string_view symbol) {
    if (!token().is(symbol)) return false;
    ++at_;
    return true;
  }

  bool expression(bool asIsAlias, int depth) {
    if (depth > kMaxDepth) return miss("an expression with fewer brackets inside each other");
    while (true) {
      while (token().is("+") || token().is("-")) ++at_;
      if (!operand(depth)) return false;
      if (!postfixes(depth)) return false;
      while (token().word("is") || (!asIsAlias && token().word("as"))) {
        ++at_;
        if (!typeName()) return false;
        if (!postfixes(depth)) return false;
      }
      const bool symbol = token().kind == TokenKind::Symbol && isOneOf(token(), kOperators);
      const bool word =
          token().kind == TokenKind::Identifier && token().quote == '\0' && isOneOf(token(), kWordOperators);
      if (!symbol && !word) return true;
      ++at_;
    }
  }

  bool typeName() {
    if (token().kind != TokenKind::Identifier) return miss("the name of a type");
    ++at_;
    while (take(".")) {
      if (token().kind != TokenKind::Identifier) return miss("the name of a type");
      ++at_;
    }
    return true;
  }

  bool operand(int depth) {
    const Token& first = token();
    switch (first.kind) {
      case TokenKind::String:
      case TokenKind::DateTime: ++at_; return true;
      case TokenKind::Integer:
      case TokenKind::Decimal:
        ++at_;
        if (token().kind == TokenKind::String && token().quote == '\'') ++at_;
        if (isCalendarUnit(token())) ++at_;
        return true;
      case TokenKind::Identifier: ++at_; return arguments(depth);
      case TokenKind::Symbol: break;
      default: return miss("a FHIRPath expression");
    }
    if (take("(")) return expression(false, depth + 1) && close(")");
    if (take("{")) return close("}");
    if (take("%")) {
      if (token().kind != TokenKind::Identifier && token().kind != TokenKind::String)
        return miss("the name of a variable after '%'");
      ++at_;
      return true;
    }
    return miss("a FHIRPath expression");
  }

  bool close(std::string_view symbol) {
    if (take(symbol)) return true;
    return miss(symbol == ")" ? "an operator or ')'" : symbol == "]" ? "an operator or ']'" : "'}'");
  }

  bool arguments(int depth) {
    if (!take("(")) return true;
    if (take(")")) return true;
    do {
      if (!expression(false, depth + 1)) return false;
      if (token().word("asc") || token().word("desc")) ++at_;
    } while (take(","));
    return close(")");
  }

  bool postfixes(int depth) {
    while (true) {
      if (take(".")) {
        if (token().kind != TokenKind::Identifier) return miss("the name of an element or function after '.'");
        ++at_;
        if (!arguments(depth)) return false;
      } else if (take("[")) {
        if (!expression(false, depth + 1) || !close("]")) return false;
      } else {
        return true;
      }
    }
  }

  const std::vector<Token>& tokens_;
  std::size_t at_;
  std::string_view expected_;
};

}  // namespace

ExpressionExtent scanExpression(const std::vector<Token>& tokens, std::size_t from, bool asIsAlias) {
  return Scanner(tokens, from).run(asIsAlias);
}

std::string expressionText(std::string_view source, const std::vector<Token>& tokens, std::size_t from,
                           std::size_t end) {
  if (from >= end) return {};
  std::string out;
  std::size_t copied = tokens[from].begin;
  for (std::size_t i = from; i < end; ++i) {
    const Token& token = tokens[i];
    const bool isName = i > from && tokens[i - 1].is("%");
    if (token.kind != TokenKind::String || token.quote != '"' || isName) continue;
    out.append(source.substr(copied, token.begin - copied));
    out.push_back('\'');
    for (const char c : source.substr(token.begin + 1, token.end - token.begin - 2)) {
      if (c == '\'') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('\'');
    copied = token.end;
  }
  out.append(source.substr(copied, tokens[end - 1].end - copied));
  return out;
}

bool isCalendarUnit(const Token& token) {
  return token.kind == TokenKind::Identifier && isOneOf(token, kCalendarUnits);
}

bool continuesExpression(const Token& token) {
  if (token.kind == TokenKind::Symbol) return token.is(".") || token.is("[") || isOneOf(token, kOperators);
  return token.kind == TokenKind::Identifier && token.quote == '\0' &&
         (token.text == "is" || isOneOf(token, kWordOperators));
}

}  // namespace lotsen::mapping
