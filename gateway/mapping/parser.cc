#include "gateway/mapping/parser.h"

#include "gateway/mapping/rule_parser.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::mapping {

namespace {

class Parser {
 public:
  Parser(const std::string& file, std::string_view text, Faults& faults) : cursor_(file, text, faults) {
    map_.file = file;
  }

  MapNode run() {
    while (!cursor_.atEnd()) {
      cursor_.setFailed(false);
      declaration();
      if (cursor_.failed()) skipToDeclaration();
    }
    if (map_.groups.empty() && !startedGroup_) {
      cursor_.fault(cursor_.token(),
                    "a map needs at least one group: group Name(source src : Type, target tgt : Type) { … }");
    }
    return std::move(map_);
  }

 private:
  // -----------------------------------------------------------------------------------------------------

  void declaration() {
    if (cursor_.token().kind == TokenKind::Metadata) {
      metadata();
    } else if (cursor_.takeWord("map")) {
      map_.url = cursor_.string("the canonical URL of the map in quotes");
      cursor_.need("=");
      map_.name = cursor_.string("the name of the map", true);
      cursor_.take(";");
    } else if (cursor_.takeWord("uses")) {
      uses();
    } else if (cursor_.takeWord("imports")) {
      const Name url = cursor_.string("the canonical URL of a map in quotes; it may hold a '*'");
      if (!cursor_.failed()) map_.imports.push_back(url);
      cursor_.take(";");
    } else if (cursor_.takeWord("let")) {
      ConstantNode constant;
      constant.name = cursor_.name("the name of a constant");
      cursor_.need("=");
      constant.expression = cursor_.expression(false);
      cursor_.need(";");
      if (!cursor_.failed()) map_.constants.push_back(std::move(constant));
    } else if (cursor_.takeWord("conceptmap")) {
      conceptMap();
    } else if (cursor_.takeWord("group")) {
      group();
    } else {
      const Token& found = cursor_.token();
      const std::string near =
          found.kind == TokenKind::Identifier ? suggestion(found.text, {kWords.begin(), kWords.end()}) : std::string();
      cursor_.expected("'map', 'uses', 'imports', 'let', 'conceptmap' or 'group'", near);
    }
  }

  void metadata() {
    const Name key{cursor_.token().text, cursor_.token().at};
    if (key.text == "url") map_.url = {cursor_.token().value, cursor_.token().at};
    if (key.text == "name") map_.name = {cursor_.token().value, cursor_.token().at};
    map_.metadata.emplace_back(key, cursor_.token().value);
    cursor_.next();
  }

  void uses() {
    UsesNode node;
    node.url = cursor_.string("the canonical URL of a structure in quotes");
    if (!cursor_.failed() && cursor_.takeWord("alias")) node.alias = cursor_.string("an alias for the structure", true);
    cursor_.needWord("as");
    if (cursor_.failed()) return;
    if (cursor_.takeWord("source")) {
      node.mode = ModelMode::Source;
    } else if (cursor_.takeWord("target")) {
      node.mode = ModelMode::Target;
    } else if (cursor_.takeWord("queried")) {
      node.mode = ModelMode::Queried;
    } else if (cursor_.takeWord("produced")) {
      node.mode = ModelMode::Produced;
    } else {
      cursor_.expected("'source', 'target', 'queried' or 'produced'");
      return;
    }
    cursor_.take(";");
    map_.uses.push_back(std::move(node));
  }

  // conceptmap "#id" { prefix s = "uri" prefix t = "uri"  unmapped for s = provided  s:code == t:"other code" }
  void conceptMap() {
    ConceptMapNode node;
    node.id = cursor_.string("the id of the concept map, \"#id\"");
    if (!node.id.text.empty() && node.id.text[0] == '#') node.id.text.erase(0, 1);
    cursor_.need("{");
    std::vector<std::pair<std::string, std::string>> prefixes;
    while (!cursor_.failed() && cursor_.token().word("prefix")) {
      cursor_.next();
      const Name prefix = cursor_.name("a prefix");
      cursor_.need("=");
      prefixes.emplace_back(prefix.text, cursor_.string("the URI of a code system in quotes").text);
      cursor_.take(";");
    }
    while (!cursor_.failed() && cursor_.token().word("unmapped")) {
      cursor_.next();
      cursor_.needWord("for");
      const std::string system = prefixed(prefixes);
      cursor_.need("=");
      if (!cursor_.failed() && !cursor_.takeWord("provided"))
        cursor_.expected("'provided' (the only treatment of unmapped codes that FML has)");
      cursor_.take(";");
      if (!cursor_.failed()) node.unmappedProvided.push_back(system);
    }
    while (!cursor_.failed() && !cursor_.token().is("}")) {
      ConceptMapNode::Entry entry;
      entry.at = cursor_.token().at;
      entry.sourceSystem = prefixed(prefixes);
      cursor_.need(":");
      entry.source = code();
      entry.equivalence = equivalence();
      if (entry.equivalence != Equivalence::Unmatched) {
        entry.targetSystem = prefixed(prefixes);
        cursor_.need(":");
        entry.target = code();
      }
      if (!cursor_.failed() && cursor_.token().kind == TokenKind::String)
        cursor_.fault(cursor_.token(), "a concept map has no displays: put them behind //");
      cursor_.take(";");
      if (!cursor_.failed()) node.entries.push_back(std::move(entry));
    }
    cursor_.need("}");
    cursor_.take(";");
    if (!node.id.empty()) map_.conceptMaps.push_back(std::move(node));  // known, if not whole
  }

  std::string prefixed(const std::vector<std::pair<std::string, std::string>>& prefixes) {
    const Name prefix = cursor_.name("a prefix");
    if (cursor_.failed()) return {};
    std::vector<std::string_view> known;
    for (const auto& [key, uri] : prefixes) {
      if (key == prefix.text) return uri;
      known.push_back(key);
    }
    cursor_.report(prefix, "fml-unknown-prefix",
                   "no prefix " + quoted(prefix.text) + " in this concept map" + suggestion(prefix.text, known));
    return {};
  }

  std::string code() {
    if (cursor_.failed()) return {};
    if (cursor_.token().kind != TokenKind::Identifier && cursor_.token().kind != TokenKind::String &&
        cursor_.token().kind != TokenKind::Integer && cursor_.token().kind != TokenKind::Decimal) {
      cursor_.expected("a code");
      return {};
    }
    std::string out = cursor_.token().text;
    cursor_.next();
    return out;
  }

  Equivalence equivalence() {
    static constexpr std::array<std::pair<std::string_view, Equivalence>, 10> kSigns = {{
        {"--", Equivalence::Unmatched},
        {"==", Equivalence::Equivalent},
        {"!=", Equivalence::Disjoint},
        {"<=", Equivalence::Wider},
        {">=", Equivalence::Narrower},
        {"<-", Equivalence::Subsumes},
        {">-", Equivalence::Specializes},
        {"-", Equivalence::RelatedTo},
        {"=", Equivalence::Equal},
        {"~", Equivalence::Inexact},
    }};
    if (cursor_.failed()) return Equivalence::RelatedTo;
    std::string sign = cursor_.token().kind == TokenKind::Symbol ? cursor_.token().text : std::string();
    if (sign.size() == 1 && cursor_.token(1).kind == TokenKind::Symbol && cursor_.token(1).begin == cursor_.token().end)
      sign += cursor_.token(1).text;
    for (const auto& [text, value] : kSigns) {
      if (sign != text) continue;
      if (sign.size() > cursor_.token().text.size()) cursor_.next();
      cursor_.next();
      return value;
    }
    cursor_.expected("an equivalence: - = == != >= <= >- <- ~ --");
    return Equivalence::RelatedTo;
  }

  void group() {
    startedGroup_ = true;
    GroupNode node;
    node.name = cursor_.string("the name of the group", true);
    if (!cursor_.failed() && (cursor_.token().word("input") || cursor_.token().word("extends"))) {
      cursor_.fault(cursor_.token(), "this is how groups were written in STU3; write group " + node.name.text +
                                         "(source src : Type, target tgt : Type) { … }");
      return;
    }
    cursor_.need("(");
    if (!cursor_.token().is(")")) inputs(node);  // a group without parameters is one to extend
    if (cursor_.failed()) return;
    cursor_.need(")");
    if (!cursor_.failed() && cursor_.takeWord("extends")) node.extends = cursor_.string("the name of a group", true);
    if (!cursor_.failed() && cursor_.take("<")) typeMode(node);
    cursor_.need("{");
    if (!cursor_.failed()) parseRules(cursor_, node.rules);
    cursor_.need("}");
    cursor_.take(";");
    if (!node.name.empty()) map_.groups.push_back(std::move(node));
  }

  void inputs(GroupNode& node) {
    do {
      if (cursor_.failed()) return;
      InputNode input;
      if (cursor_.takeWord("source")) {
        input.mode = InputMode::Source;
      } else if (cursor_.takeWord("target")) {
        input.mode = InputMode::Target;
      } else {
        cursor_.expected("'source' or 'target'");
        return;
      }
      if (cursor_.token().text == ":") {
        cursor_.expected("the name of a parameter", "; a parameter is written: source src : Type");
        return;
      }
      input.name = cursor_.name("the name of a parameter");
      if (cursor_.take(":")) input.type = cursor_.string("the type of the parameter", true);
      node.inputs.push_back(std::move(input));
    } while (cursor_.take(","));
  }

  void typeMode(GroupNode& node) {
    cursor_.need("<");
    if (cursor_.failed()) return;
    if (cursor_.takeWord("types")) {
      node.typeMode = TypeMode::Types;
    } else if (cursor_.takeWord("type")) {
      node.typeMode = TypeMode::TypeAndTypes;
      cursor_.need("+");
    } else {
      cursor_.expected("'types' or 'type+'");
    }
    cursor_.need(">");
    cursor_.need(">");
  }

  static constexpr std::array<std::string_view, 6> kWords = {"map", "uses", "imports", "let", "conceptmap", "group"};

  bool startsDeclaration() const {
    return std::any_of(kWords.begin(), kWords.end(),
                       [this](std::string_view word) { return cursor_.token().word(word); });
  }

  void skipToDeclaration() {
    if (cursor_.token().kind != TokenKind::End && !startsDeclaration()) cursor_.next();
    while (cursor_.token().kind != TokenKind::End && !(cursor_.token().at.column == 1 && startsDeclaration()))
      cursor_.next();
  }

  TokenCursor cursor_;
  MapNode map_;
  bool startedGroup_ = false;  // even if it came to nothing
};

}  // namespace

MapNode parseMap(const std::string& file, std::string_view text, Faults& faults) {
  return Parser(file, text, faults).run();
}

}  // namespace lotsen::mapping
