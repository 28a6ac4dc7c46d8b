// The FHIRPath grammar by recursive descent, one function for all binary operators (precedence climbing).
#include "gateway/fhirpath/lexer.h"
#include "gateway/fhirpath/syntax.h"
#include "gateway/fhirpath/units.h"

#include <array>

namespace lotsen::fhirpath {
namespace {

constexpr int kMaxDepth = 500;             // of the tree: evaluation recurses as deep
constexpr std::size_t kMaxNodes = 20'000;  // the longest published invariant has 250

struct Operator {
  std::string_view text;
  int level;  // higher binds tighter
};
// FHIRPath 2.0, the grammar's order: polarity 12, '.' and '[]' 13 are above all of these.
constexpr std::array<Operator, 24> kOperators{
    {{"implies", 1}, {"or", 2}, {"xor", 2}, {"and", 3}, {"in", 4}, {"contains", 4}, {"=", 5},    {"~", 5},
     {"!=", 5},      {"!~", 5}, {"<=", 6},  {"<", 6},   {">", 6},  {">=", 6},       {"|", 7},    {"is", 8},
     {"as", 8},      {"+", 9},  {"-", 9},   {"&", 9},   {"*", 10}, {"/", 10},       {"div", 10}, {"mod", 10}}};
constexpr int kTypeLevel = 8;

class Parser {
 public:
  Parser(std::string_view source, fhir::Position at, const ParseOptions& options, Arena& decoded, SyntaxTree& tree)
      : source_(source), base_(at), options_(options), decoded_(decoded), tree_(tree), lexer_(source, decoded) {
    advance();
  }

  Status run() {
    tree_.root = expression(0);
    if (failed_) return error_;
    if (!options_.prefix && token_.kind != Token::Kind::End) {
      expected("an operator or the end of the expression");
      return error_;
    }
    tree_.length = lastEnd_;
    return done();
  }

 private:
  void advance() {
    lastEnd_ = token_.end;
    token_ = lexer_.next();
  }

  Syntax* expected(std::string_view what) {
    if (failed_) return nullptr;
    failed_ = true;
    const fhir::Position at = positionOf(source_, token_.begin, base_);
    std::string found;
    if (token_.kind == Token::Kind::End) {
      found = "the expression ends";
    } else if (token_.kind == Token::Kind::Unknown) {
      found = "there is " + std::string(token_.text);
    } else {
      found = "there is '" +
              std::string(source_.substr(token_.begin, std::min<std::size_t>(token_.end - token_.begin, 40))) + "'";
    }
    error_ = fail(Code::Invalid, std::to_string(at.line) + ":" + std::to_string(at.column) + ": expected " +
                                     std::string(what) + ", but " + found);
    return nullptr;
  }

  Syntax* make(SyntaxKind kind, std::string_view text, std::size_t offset) {
    auto* node = ::new (tree_.nodes.allocate(sizeof(Syntax), alignof(Syntax))) Syntax;
    ++tree_.count;
    node->kind = kind;
    node->text = text;
    node->offset = offset;
    return node;
  }

  /// Appends a child and keeps depth and size within bounds.
  bool adopt(Syntax* parent, Syntax* child) {
    if (child == nullptr) return false;
    Syntax** link = &parent->first;
    while (*link != nullptr) link = &(*link)->next;
    *link = child;
    if (child->depth + 1 > parent->depth) parent->depth = static_cast<std::uint16_t>(child->depth + 1);
    if (tree_.count > kMaxNodes) return expected("a shorter expression") != nullptr;
    if (parent->depth <= kMaxDepth) return true;
    expected("a simpler expression (at most " + std::to_string(kMaxDepth) + " levels)");
    return false;
  }

  const Operator* operatorHere() const {
    if (token_.kind != Token::Kind::Symbol && (token_.kind != Token::Kind::Identifier || token_.quoted)) return nullptr;
    const std::string_view text = token_.text;
    if (text.empty() || std::string_view("=~!<>|+-&*/aocxidm").find(text[0]) == std::string_view::npos) return nullptr;
    for (const Operator& entry : kOperators) {
      if (entry.text[0] == text[0] && entry.text == text) return &entry;
    }
    return nullptr;
  }

  Syntax* expression(int level) {
    if (++nesting_ > kMaxDepth)
      return expected("a simpler expression (at most " + std::to_string(kMaxDepth) + " levels)");
    Syntax* left = unary();
    while (left != nullptr) {
      const Operator* op = operatorHere();
      if (op == nullptr || op->level <= level) break;
      if (op->level == kTypeLevel && options_.stopAtAs && brackets_ == 0) break;
      Syntax* node = make(op->level == kTypeLevel ? SyntaxKind::TypeTest : SyntaxKind::Binary, op->text, token_.begin);
      advance();
      if (!adopt(node, left)) return nullptr;
      if (op->level == kTypeLevel) {
        if (!typeName(node->unit)) return nullptr;
      } else if (!adopt(node, expression(op->level))) {
        return nullptr;
      }
      left = node;
    }
    --nesting_;
    return left;
  }

  bool typeName(std::string_view& out) {
    if (token_.kind != Token::Kind::Identifier) return expected("a type name") != nullptr;
    std::string name(token_.text);
    advance();
    if (token_.isSymbol('.')) {
      advance();
      if (token_.kind != Token::Kind::Identifier) return expected("a type name after the namespace") != nullptr;
      name += "." + std::string(token_.text);
      advance();
    }
    out = decoded_.store(name);
    return true;
  }

  Syntax* unary() {
    if (!token_.isSymbol('+') && !token_.isSymbol('-')) return postfix();
    Syntax* node = make(SyntaxKind::Unary, token_.text, token_.begin);
    advance();
    if (++nesting_ > kMaxDepth) return expected("fewer signs");
    Syntax* operand = unary();
    --nesting_;
    return adopt(node, operand) ? node : nullptr;
  }

  Syntax* postfix() {
    Syntax* left = term();
    while (left != nullptr) {
      if (token_.isSymbol('.')) {
        advance();
        left = invocation(left);
      } else if (token_.isSymbol('[')) {
        Syntax* node = make(SyntaxKind::Index, "[", token_.begin);
        advance();
        ++brackets_;
        if (!adopt(node, left) || !adopt(node, expression(0))) return nullptr;
        --brackets_;
        if (!token_.isSymbol(']')) return expected("']'");
        advance();
        left = node;
      } else {
        break;
      }
    }
    return left;
  }

  /// A name or call after '.', or at the start of a path (focus: nullptr).
  Syntax* invocation(Syntax* focus) {
    if (token_.kind == Token::Kind::Dollar)
      return focus == nullptr ? dollar() : expected("a name, not a variable, after '.'");
    if (token_.kind != Token::Kind::Identifier) return expected("an element or function name");
    const Token name = token_;
    advance();
    if (name.quoted || !token_.isSymbol('(')) {
      Syntax* node = make(SyntaxKind::Name, name.text, name.begin);
      node->quoted = name.quoted;
      return adopt(node, focus != nullptr ? focus : make(SyntaxKind::Implicit, {}, name.begin)) ? node : nullptr;
    }
    Syntax* node = make(SyntaxKind::Call, name.text, name.begin);
    if (!adopt(node, focus != nullptr ? focus : make(SyntaxKind::Implicit, {}, name.begin))) return nullptr;
    advance();
    ++brackets_;
    if (!token_.isSymbol(')')) {
      for (;;) {
        if (!adopt(node, argument(name.text))) return nullptr;
        if (!token_.isSymbol(',')) break;
        advance();
      }
    }
    --brackets_;
    if (!token_.isSymbol(')')) return expected("',' or ')'");
    advance();
    return node;
  }

  /// sort() takes `key asc` and `key desc` as well as `-key`.
  Syntax* argument(std::string_view function) {
    Syntax* key = expression(0);
    if (key == nullptr || function != "sort" || (!token_.isWord("asc") && !token_.isWord("desc"))) return key;
    if (token_.text == "desc") {
      Syntax* node = make(SyntaxKind::Unary, "-", token_.begin);
      if (!adopt(node, key)) return nullptr;
      key = node;
    }
    advance();
    return key;
  }

  Syntax* dollar() {
    if (token_.text != "this" && token_.text != "index" && token_.text != "total")
      return expected("$this, $index or $total");
    Syntax* node = make(SyntaxKind::Dollar, token_.text, token_.begin);
    advance();
    return node;
  }

  Syntax* literal(SyntaxKind kind) {
    Syntax* node = make(kind, token_.text, token_.begin);
    advance();
    return node;
  }

  Syntax* number() {
    const Token digits = token_;
    advance();
    const bool word = token_.kind == Token::Kind::Identifier && !token_.quoted && calendarUnit(token_.text).has_value();
    if (token_.kind == Token::Kind::String || word) {
      Syntax* node = make(SyntaxKind::Quantity, digits.text, digits.begin);
      node->unit = token_.text;
      advance();
      return node;
    }
    const bool whole = digits.text.find('.') == std::string_view::npos;
    return make(whole ? SyntaxKind::Integer : SyntaxKind::Decimal, digits.text, digits.begin);
  }

  Syntax* parenthesis() {
    advance();
    ++brackets_;
    Syntax* inner = expression(0);
    --brackets_;
    if (inner == nullptr) return nullptr;
    if (!token_.isSymbol(')')) return expected("')'");
    advance();
    return inner;
  }

  Syntax* term() {
    switch (token_.kind) {
      case Token::Kind::Identifier:
        if (!token_.quoted && (token_.text == "true" || token_.text == "false")) return literal(SyntaxKind::Boolean);
        return invocation(nullptr);
      case Token::Kind::Dollar: return dollar();
      case Token::Kind::External: return literal(SyntaxKind::External);
      case Token::Kind::String: return literal(SyntaxKind::String);
      case Token::Kind::Number: return number();
      case Token::Kind::Date: return literal(SyntaxKind::Date);
      case Token::Kind::DateTime: return literal(SyntaxKind::DateTime);
      case Token::Kind::Time: return literal(SyntaxKind::Time);
      case Token::Kind::Symbol: break;
      default: return expected("an expression");
    }
    if (token_.isSymbol('(')) return parenthesis();
    if (!token_.isSymbol('{')) return expected("an expression");
    Syntax* node = make(SyntaxKind::EmptySet, {}, token_.begin);
    advance();
    if (!token_.isSymbol('}')) return expected("'}'");
    advance();
    return node;
  }

  std::string_view source_;
  fhir::Position base_;
  const ParseOptions& options_;
  Arena& decoded_;
  SyntaxTree& tree_;
  Lexer lexer_;
  Token token_;
  std::size_t lastEnd_ = 0;
  int nesting_ = 0;
  int brackets_ = 0;
  bool failed_ = false;
  Error error_;
};

}  // namespace

Status parse(std::string_view source, fhir::Position at, const ParseOptions& options, Arena& decoded,
             SyntaxTree& tree) {
  return Parser(source, at, options, decoded, tree).run();
}

}  // namespace lotsen::fhirpath
