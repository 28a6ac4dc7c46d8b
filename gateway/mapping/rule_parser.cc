#include "gateway/mapping/rule_parser.h"

#include "gateway/mapping/expression.h"
#include "gateway/mapping/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lotsen::mapping {

namespace {

constexpr int kMaxRuleDepth = 64;
constexpr std::size_t kMaxRules = 10'000;  // of a group

constexpr std::array<std::string_view, 23> kTransforms = {"create",     "copy",
                                                          "truncate",   "escape",
                                                          "cast",       "append",
                                                          "translate",  "reference",
                                                          "dateOp",     "uuid",
                                                          "pointer",    "evaluate",
                                                          "cc",         "c",
                                                          "qty",        "id",
                                                          "cp",         "toDate",
                                                          "toDateTime", "toTime",
                                                          "unixToDate", "unixToDateTime",
                                                          "unixToTime"};
constexpr std::array<std::string_view, 5> kRootFunctions = {"iif", "now", "today", "timeOfDay", "trace"};

/// What may follow the path of a source.
bool isSourceWord(const Token& token) {
  static constexpr std::array<std::string_view, 11> kWords = {
      "default", "first", "not_first", "last", "not_last", "only_one", "as", "where", "check", "log", "then"};
  return std::any_of(kWords.begin(), kWords.end(), [&token](std::string_view word) { return token.word(word); });
}

bool isTransformName(std::string_view name) {
  return std::find(kTransforms.begin(), kTransforms.end(), name) != kTransforms.end();
}

class RuleParser {
 public:
  explicit RuleParser(TokenCursor& cursor) : cursor_(cursor) {}

  void rules(std::vector<RuleNode>& list, int depth) {
    if (cursor_.failed()) return;
    if (depth > kMaxRuleDepth) {
      cursor_.expected("fewer rules inside each other");
      return;
    }
    while (!cursor_.token().is("}") && cursor_.token().kind != TokenKind::End) {
      const std::size_t before = list.size();
      if (startsWithSameNames()) {
        sameNames(list);
      } else {
        list.push_back(rule(depth));
      }
      count_ += std::max<std::size_t>(1, list.size() - before);
      if (count_ > kMaxRules) {
        cursor_.expected("fewer rules in a group: split it");
        return;
      }
      if (cursor_.failed()) {
        list.resize(before);
        skipRule();
        cursor_.setFailed(cursor_.token().kind == TokenKind::End || cursor_.token().word("group"));
        if (cursor_.failed()) return;
      }
    }
  }

 private:
  /// To just after the ';' that ends this rule, or in front of the '}' that ends its block.
  void skipRule() {
    int depth = 0;
    while (cursor_.token().kind != TokenKind::End) {
      if (depth == 0 && (cursor_.token().is("}") || (cursor_.token().at.column == 1 && cursor_.token().word("group"))))
        return;
      if (cursor_.token().is("{")) ++depth;
      if (cursor_.token().is("}")) --depth;
      const bool ends = depth == 0 && cursor_.token().is(";");
      cursor_.next();
      if (ends) return;
    }
  }

  /// `src -> tgt: a, b;`, the form of the current build for src.a -> tgt.a; src.b -> tgt.b;
  bool startsWithSameNames() const {
    return cursor_.token().kind == TokenKind::Identifier && cursor_.token(1).is("->") &&
           cursor_.token(2).kind == TokenKind::Identifier && cursor_.token(3).is(":");
  }

  void sameNames(std::vector<RuleNode>& list) {
    const std::size_t first = list.size();
    const Name from = cursor_.name("a source");
    cursor_.need("->");
    const Name to = cursor_.name("a target");
    cursor_.need(":");
    do {
      const Name element = cursor_.name("the name of an element that both sides have");
      RuleNode& node = list.emplace_back();
      node.at = element.at;
      node.sameName = true;
      node.sources.emplace_back().path = {from, element};
      TargetNode& target = node.targets.emplace_back();
      target.path = {to, element};
      target.at = element.at;
    } while (!cursor_.failed() && cursor_.take(","));
    if (cursor_.failed()) return;
    const Name name = ruleName();
    for (std::size_t i = first; !name.empty() && i < list.size(); ++i)
      list[i].name = {name.text + "-" + list[i].sources[0].path[1].text, name.at};
    end(name.empty() ? "',', the rule's name or ';'" : kAfterName);
  }

  RuleNode rule(int depth) {
    RuleNode node;
    node.at = cursor_.token().at;
    if (startsWithFor()) {
      cursor_.warn(node.at, "fml-dialect", "the word 'for' is of STU3's form of the language; leave it out");
      cursor_.next();
    }
    do node.sources.push_back(source());
    while (!cursor_.failed() && cursor_.take(","));
    if (!cursor_.failed() && cursor_.take("->")) {
      do node.targets.push_back(target());
      while (!cursor_.failed() && cursor_.take(","));
    }
    if (!cursor_.failed() && cursor_.takeWord("then")) body(node, depth);
    if (cursor_.failed()) return node;
    node.name = ruleName();
    end(node.name.empty() ? "'->', 'then', the rule's name or ';'" : kAfterName);
    return node;
  }

  static constexpr std::string_view kAfterName = "';' after the rule's name";

  Name ruleName() {
    const bool plain = cursor_.token().kind == TokenKind::Identifier && cursor_.token(1).is(";");
    if (!plain && cursor_.token().kind != TokenKind::String) return {};
    Name name{cursor_.token().text, cursor_.token().at};
    cursor_.next();
    return name;
  }

  void end(std::string_view expected) {
    if (!cursor_.take(";")) cursor_.expectedAtEndOfLine(expected);
  }

  /// `for src.a -> …`, as HL7's tutorial still has it; not a variable of that name.
  bool startsWithFor() const {
    const Token& next = cursor_.token(1);
    return cursor_.token().word("for") && next.kind == TokenKind::Identifier && !isSourceWord(next);
  }

  // then Group(a, b), Other(a) { rule; }
  void body(RuleNode& node, int depth) {
    if (!cursor_.token().is("{")) {
      do {
        CallNode call;
        if (cursor_.token().word("group") && cursor_.token(1).kind == TokenKind::Identifier) {
          cursor_.warn(cursor_.token().at, "fml-dialect", "behind 'then' a group stands by its name alone");
          cursor_.next();
        }
        call.group = cursor_.string("the name of a group or '{'", true);
        call.arguments = arguments();
        node.calls.push_back(std::move(call));
      } while (!cursor_.failed() && cursor_.take(","));
    }
    if (!cursor_.failed() && cursor_.take("{")) {
      node.hasBody = true;
      rules(node.rules, depth + 1);
      cursor_.need("}");
    }
  }

  SourceNode source() {
    SourceNode node;
    node.path = cursor_.path("a source: the name of a variable");
    plainPath();
    if (!cursor_.failed() && cursor_.take(":")) {
      node.type = cursor_.string("the name of a type", true);
      while (!cursor_.failed() && cursor_.take(".")) node.type.text += "." + cursor_.name("the name of a type").text;
    }
    if (!cursor_.failed() && cursor_.token().kind == TokenKind::Integer) cardinality(node);
    if (!cursor_.failed() && cursor_.takeWord("default")) fallback(node);
    sourceListMode(node);
    if (!cursor_.failed() && cursor_.takeWord("as")) node.variable = cursor_.name("the name of a variable after 'as'");
    if (!cursor_.failed() && cursor_.takeWord("where")) node.where = condition(node.variable);
    if (!cursor_.failed() && cursor_.takeWord("check")) node.check = condition(node.variable);
    if (!cursor_.failed() && cursor_.takeWord("log")) {
      const std::size_t start = cursor_.place();
      const bool string = cursor_.token(cursor_.token().is("(") ? 1 : 0).kind == TokenKind::String;
      node.log = cursor_.expression(false);
      const std::size_t tokens = cursor_.place() - start;
      node.logIsText = string && (tokens == 1 || tokens == 3);
    }
    const Token& next = cursor_.token();
    const bool late = next.word("default") || next.word("as") || next.word("where") || next.word("check");
    if (!cursor_.failed() && late && !cursor_.token(1).is(";"))
      cursor_.expected(
          "'->'", "; a source is written in this order: type, cardinality, default, list mode, as, where, check, log");
    return node;
  }

  /// Two habits from other languages, told apart from what else could be wrong with a path.
  void plainPath() {
    if (cursor_.failed()) return;
    if (cursor_.token().is("("))
      cursor_.expected("an element",
                       "; a source is a path: filter it with 'as x where (…)', or bind FHIRPath first, "
                       "'src -> (…) as x then { … }'");
    if (cursor_.token().is("["))
      cursor_.expected("an element",
                       "; a choice is named without '[x]', its type stands behind it: 'src.value : Quantity'");
  }

  /// `where "linkId = 'a'"`: several mappers want the FHIRPath in quotes. As FHIRPath it would be a text, which is no
  /// condition.
  Name condition(Name& variable) {
    const Token& first = cursor_.token();
    if (first.kind != TokenKind::String || continuesExpression(cursor_.token(1))) return bareCondition(variable);
    cursor_.warn(first.at, "fml-dialect",
                 "the condition stands in quotes and is read as FHIRPath; leave the quotes out");
    Name inner{first.text, {first.at.line, first.at.column + 1}};
    cursor_.next();
    return inner;
  }

  /// `where (…) as x`: the grammar has the variable before the condition, and FHIRPath's `as` would take it for a type.
  Name bareCondition(Name& variable) {
    static constexpr std::array<std::string_view, 9> kTypes = {"boolean", "code", "date",   "dateTime", "decimal",
                                                               "integer", "time", "string", "uri"};
    const std::size_t start = cursor_.place();
    const bool bracketed = cursor_.token().is("(");
    Name text = cursor_.expression(false);
    const std::size_t end = cursor_.place();
    if (cursor_.failed() || !variable.empty() || end < start + 3) return text;
    cursor_.returnTo(end - 2);
    const Token& name = cursor_.token(1);
    const bool named = cursor_.token().word("as") && name.kind == TokenKind::Identifier && name.text[0] >= 'a' &&
                       (bracketed || std::find(kTypes.begin(), kTypes.end(), name.text) == kTypes.end());
    cursor_.returnTo(start);
    Name shorter = named ? cursor_.expression(true) : Name();
    if (!named || cursor_.place() != end - 2) {
      cursor_.returnTo(end);
      return text;
    }
    cursor_.warn(cursor_.token().at, "fml-dialect",
                 "'as " + name.text + "' is read as the variable of this source; it stands before the condition");
    cursor_.next();
    variable = cursor_.name("the name of a variable after 'as'");
    return shorter;
  }

  std::uint32_t integer(const Token& at) {
    std::uint32_t value = 0;
    const auto result = std::from_chars(at.text.data(), at.text.data() + at.text.size(), value);
    if (result.ec != std::errc()) cursor_.fault(at, "this number is too large");
    return value;
  }

  void cardinality(SourceNode& node) {
    node.min = integer(cursor_.token());
    cursor_.next();
    cursor_.need("..");
    if (cursor_.failed()) return;
    if (cursor_.take("*")) {
      node.max = fhir::kUnbounded;
    } else if (cursor_.token().kind == TokenKind::Integer) {
      node.max = integer(cursor_.token());
      if (node.max < *node.min) cursor_.fault(cursor_.token(), "the maximum is below the minimum");
      cursor_.next();
    } else {
      cursor_.expected("a number or '*'");
    }
  }

  /// `default (expression)` as published; `default "text"` as in the first form of the language.
  void fallback(SourceNode& node) {
    if (cursor_.token().is("(")) {
      Operand operand;
      operand.kind = Operand::Kind::Expression;
      operand.text = cursor_.expression(true);
      node.fallback = std::move(operand);
    } else {
      node.fallback = operand();
    }
  }

  void sourceListMode(SourceNode& node) {
    static constexpr std::array<std::pair<std::string_view, SourceListMode>, 5> kModes = {{
        {"first", SourceListMode::First},
        {"not_first", SourceListMode::NotFirst},
        {"last", SourceListMode::Last},
        {"not_last", SourceListMode::NotLast},
        {"only_one", SourceListMode::OnlyOne},
    }};
    if (cursor_.failed()) return;
    for (const auto& [word, mode] : kModes) {
      if (!cursor_.takeWord(word)) continue;
      node.listMode = mode;
      return;
    }
  }

  TargetNode target() {
    TargetNode node;
    node.at = cursor_.token().at;
    if (cursor_.failed()) return node;
    if (cursor_.token().is("(")) {  // (expression) as x: a value without a place
      node.transform = evaluate(true);
    } else if (cursor_.token().kind == TokenKind::Identifier && cursor_.token(1).is("(")) {  // append('a', b) as x
      node.transform = invocation();
    } else {
      node.path = cursor_.path("a target: the name of a variable");
      if (!cursor_.failed() && cursor_.take("=")) node.transform = transform();
    }
    targetListModes(node);
    if (!cursor_.failed() && cursor_.takeWord("as")) node.variable = cursor_.name("the name of a variable after 'as'");
    targetListModes(node);
    return node;
  }

  void targetListModes(TargetNode& node) {
    while (!cursor_.failed()) {
      if (cursor_.takeWord("first")) {
        node.listMode = TargetListMode::First;
      } else if (cursor_.takeWord("last")) {
        node.listMode = TargetListMode::Last;
      } else if (cursor_.takeWord("single") || cursor_.takeWord("collate")) {
        node.listMode = TargetListMode::Single;
      } else if (cursor_.takeWord("share")) {
        node.listMode = TargetListMode::Share;
        node.shareId = cursor_.name("the name under which the target is shared");
      } else {
        return;
      }
    }
  }

  Transform evaluate(bool asIsAlias) {
    Transform node;
    node.name = {"evaluate", cursor_.token().at};
    Operand operand;
    operand.kind = Operand::Kind::Expression;
    operand.text = cursor_.expression(asIsAlias);
    node.arguments.push_back(std::move(operand));
    return node;
  }

  Transform transform() {
    if (cursor_.token().kind == TokenKind::Identifier && cursor_.token(1).is("(")) return invocation();
    const std::size_t start = cursor_.place();
    const fhir::Position at = cursor_.token().at;
    Operand value = operand();
    if (cursor_.failed()) return {};
    if (value.kind == Operand::Kind::Expression) {
      cursor_.returnTo(start);
      return evaluate(true);
    }
    Transform node;
    node.name = {"copy", at};
    node.arguments.push_back(std::move(value));
    return node;
  }

  Transform invocation() {
    const std::size_t start = cursor_.place();
    const bool known = isTransformName(cursor_.token().text);
    if (!known &&
        std::find(kRootFunctions.begin(), kRootFunctions.end(), cursor_.token().text) != kRootFunctions.end()) {
      return evaluate(true);
    }
    Transform node;
    node.name = cursor_.name("the name of a transform");
    node.arguments = arguments();
    if (node.name.text == "evaluate" && !node.arguments.empty()) asExpression(node.arguments.back());
    if (!cursor_.failed() && continuesExpression(cursor_.token())) {
      cursor_.returnTo(start);
      return evaluate(true);
    }
    return node;
  }

  /// What evaluate() takes last is FHIRPath; a date is one with its '@'. A text is left: it may hold an expression.
  static void asExpression(Operand& node) {
    if (node.kind != Operand::Kind::Literal || node.literal < LiteralKind::Date) return;
    node.kind = Operand::Kind::Expression;
    node.text.text.insert(0, node.literal == LiteralKind::Time ? "@T" : "@");
  }

  std::vector<Operand> arguments() {
    std::vector<Operand> list;
    cursor_.need("(");
    if (cursor_.failed() || cursor_.take(")")) return list;
    do list.push_back(operand());
    while (!cursor_.failed() && cursor_.take(","));
    if (!cursor_.failed() && !cursor_.take(")")) cursor_.expected("',' or ')'");
    return list;
  }

  /// A literal, a path, or else the longest expression that stands here.
  Operand operand() {
    Operand node;
    if (cursor_.failed()) return node;
    const std::size_t start = cursor_.place();
    node.text = {cursor_.token().text, cursor_.token().at};
    bool simple = true;
    switch (cursor_.token().kind) {
      case TokenKind::String:
        node.literal = LiteralKind::String;
        cursor_.next();
        break;
      case TokenKind::Integer:
        node.literal = LiteralKind::Integer;
        cursor_.next();
        break;
      case TokenKind::Decimal:
        node.literal = LiteralKind::Decimal;
        cursor_.next();
        break;
      case TokenKind::DateTime:
        node.literal = node.text.text.starts_with('T')                 ? LiteralKind::Time
                       : node.text.text.find('T') != std::string::npos ? LiteralKind::DateTime
                                                                       : LiteralKind::Date;
        if (node.literal == LiteralKind::Time) node.text.text.erase(0, 1);
        cursor_.next();
        break;
      case TokenKind::Identifier:
        if (cursor_.token().word("true") || cursor_.token().word("false")) {
          node.literal = LiteralKind::Boolean;
          cursor_.next();
        } else if (cursor_.token().text[0] == '$') {
          simple = false;
        } else {
          node.kind = Operand::Kind::Path;
          node.steps = cursor_.path("a value");
          simple = !cursor_.token().is("(");
          if (!simple && node.steps.size() == 1 && isTransformName(node.steps[0].text)) {
            cursor_.fault(cursor_.token(), "a transform cannot stand inside another: bind it first, '" +
                                               node.steps[0].text +
                                               "(…) as x', or write FHIRPath in brackets, like ('urn:uuid:' & id)");
            return node;
          }
        }
        break;
      case TokenKind::Symbol:
        if (cursor_.token().is("-") &&
            (cursor_.token(1).kind == TokenKind::Integer || cursor_.token(1).kind == TokenKind::Decimal)) {
          node.literal = cursor_.token(1).kind == TokenKind::Integer ? LiteralKind::Integer : LiteralKind::Decimal;
          node.text.text += cursor_.token(1).text;
          cursor_.next();
          cursor_.next();
        } else {
          simple = false;
        }
        break;
      default: cursor_.expected("a value: a string, a number, a variable or a FHIRPath expression"); return node;
    }
    const bool number = node.kind == Operand::Kind::Literal &&
                        (node.literal == LiteralKind::Integer || node.literal == LiteralKind::Decimal);
    const bool quantity =
        number && ((cursor_.token().kind == TokenKind::String && cursor_.token().quote == '\'') ||
                   (cursor_.token().kind == TokenKind::Identifier && isCalendarUnit(cursor_.token())));
    if (!cursor_.failed() && simple && !quantity && !continuesExpression(cursor_.token())) return node;
    cursor_.returnTo(start);
    node = Operand();
    node.kind = Operand::Kind::Expression;
    node.text = cursor_.expression(true);
    return node;
  }

  TokenCursor& cursor_;
  std::size_t count_ = 0;  // of rules, those inside others too
};

}  // namespace

void parseRules(TokenCursor& cursor, std::vector<RuleNode>& list) {
  RuleParser(cursor).rules(list, 0);
}

std::span<const std::string_view> transformNames() {
  return kTransforms;
}

}  // namespace lotsen::mapping
