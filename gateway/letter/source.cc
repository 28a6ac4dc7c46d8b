#include "gateway/letter/source.h"

#include "gateway/base/text.h"
#include "gateway/letter/scribe.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace lotsen::letter {

namespace {

constexpr std::array<std::pair<std::string_view, Type>, 10> kTypes{{{"text", Type::Text},
                                                                    {"name", Type::Name},
                                                                    {"date", Type::Date},
                                                                    {"datetime", Type::DateTime},
                                                                    {"number", Type::Number},
                                                                    {"phone", Type::Phone},
                                                                    {"id", Type::Id},
                                                                    {"url", Type::Url},
                                                                    {"bool", Type::Bool},
                                                                    {"list", Type::List}}};

constexpr std::array<std::string_view, 10> kKeys{"id",    "lang",   "title",   "recipient", "notify",
                                                 "reply", "sender", "address", "reference", "footer"};
constexpr std::array<std::string_view, 6> kRequired{"id", "lang", "title", "recipient", "sender", "address"};

struct TextLine {
  std::string_view text;  // without the line end
  std::uint32_t number = 0;
};

/// One `key: value` with its continuation lines.
struct Entry {
  std::string_view key;
  std::vector<TextLine> lines;  // trimmed; blank ones dropped
  std::string_view raw;         // everything after the colon, as it stands in the file
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // of the first character of `raw`
};

std::vector<TextLine> linesOf(std::string_view text) {
  std::vector<TextLine> lines;
  std::uint32_t number = 0;
  for (auto line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back({line, ++number});
  }
  return lines;
}

bool isIndented(std::string_view line) {
  return line.starts_with(' ') || line.starts_with('\t');
}

/// Reads one template; the functions follow the file from top to bottom.
class Parser {
 public:
  Parser(std::string_view text, std::string_view file, fhir::Issues& issues) : text_(text), scribe_(file, issues) {
    source_.file = file;
  }

  Result<Source> run() {
    std::size_t bad = 0;
    if (!isUtf8(text_, &bad)) {
      const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
      scribe_.fault(static_cast<std::uint32_t>(line), "template-utf8", "the file is not UTF-8; save it as UTF-8");
      return failed();
    }
    lines_ = linesOf(text_);
    const std::size_t body = readFrontMatter();
    if (body == 0) return failed();
    declareVariables();
    readEntries();
    readBody(body);
    checkHeadings();
    checkUses();
    scribe_.faultUnused();
    if (!scribe_.clean()) return failed();
    source_.variables = scribe_.takeVariables();
    return std::move(source_);
  }

 private:
  Error failed() const { return fail(Code::Invalid, "template " + source_.file + " has faults and cannot be used"); }

  /// Index of the first line of the body; 0 if there is no front matter.
  std::size_t readFrontMatter() {
    if (lines_.empty() || lines_[0].text != "---") {
      scribe_.fault(1, "template-front-matter",
                    "the file must begin with a line '---', the front matter and a line '---'");
      return 0;
    }
    for (std::size_t i = 1; i < lines_.size(); ++i) {
      const TextLine& line = lines_[i];
      if (line.text == "---") return i + 1;
      const auto value = trim(line.text);
      if (value.empty()) continue;
      if (isIndented(line.text)) {
        if (entries_.empty()) {
          scribe_.fault(line.number, "template-front-matter",
                        "an indented line continues the entry above it, but there is none");
          continue;
        }
        Entry& entry = entries_.back();
        entry.lines.push_back({value, line.number});
        entry.raw = {entry.raw.data(),
                     static_cast<std::size_t>(line.text.data() + line.text.size() - entry.raw.data())};
        continue;
      }
      const auto colon = line.text.find(':');
      if (colon == std::string_view::npos) {
        scribe_.fault(line.number, "template-front-matter", "an entry is written 'key: value'");
        continue;
      }
      Entry entry;
      entry.key = trim(line.text.substr(0, colon));
      entry.raw = line.text.substr(colon + 1);
      entry.line = line.number;
      entry.column = static_cast<std::uint32_t>(colon + 2);
      if (!trim(entry.raw).empty()) entry.lines.push_back({trim(entry.raw), line.number});
      entries_.push_back(std::move(entry));
    }
    scribe_.fault(lines_.back().number, "template-front-matter", "the front matter has no closing line '---'");
    return 0;
  }

  void declareVariables() {
    for (const Entry& entry : entries_) {
      if (!entry.key.starts_with("var ")) continue;
      Variable variable;
      variable.name = trim(entry.key.substr(4));
      variable.at = {entry.line, 1};
      if (readDeclaration(entry, variable)) scribe_.declare(std::move(variable));
    }
  }

  bool readDeclaration(const Entry& entry, Variable& variable) {
    const auto equals = entry.raw.find('=');
    const auto expression = equals == std::string_view::npos ? std::string_view() : entry.raw.substr(equals + 1);
    if (trim(expression).empty()) {
      scribe_.fault(entry.line, "template-declaration", "write 'var " + variable.name + ": TYPE = FHIRPATH'");
      return false;
    }
    const auto blanks = static_cast<std::size_t>(trim(expression).data() - entry.raw.data());
    variable.expression = trim(expression);
    const auto before = entry.raw.substr(0, blanks);
    const auto newline = before.rfind('\n');
    variable.expressionAt.line =
        entry.line + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
    variable.expressionAt.column = newline == std::string_view::npos ? entry.column + static_cast<std::uint32_t>(blanks)
                                                                     : static_cast<std::uint32_t>(blanks - newline);
    bool typed = false;
    bool good = true;
    for (const auto word : split(entry.raw.substr(0, equals), ' ')) {
      if (trim(word).empty()) continue;
      if (!typed) {
        typed = true;
        good = readType(trim(word), entry.line, variable);
      } else if (trim(word) == "public") {
        variable.isPublic = true;
      } else if (trim(word) == "optional") {
        variable.optional = true;
      } else {
        scribe_.fault(
            entry.line, "template-declaration",
            "'" + std::string(trim(word)) + "' is not known here; after the type come 'public' and 'optional'");
        good = false;
      }
    }
    if (!typed) scribe_.fault(entry.line, "template-declaration", "variable '" + variable.name + "' has no type");
    return good && typed;
  }

  bool readType(std::string_view word, std::uint32_t line, Variable& variable) {
    std::vector<std::string_view> names;
    for (const auto& [name, type] : kTypes) {
      names.push_back(name);
      if (name != word) continue;
      variable.type = type;
      return true;
    }
    std::string text = "'" + std::string(word) + "' is no type of variable";
    if (const auto near = nearest(word, names); !near.empty()) text += " (did you mean '" + std::string(near) + "'?)";
    scribe_.fault(line, "template-type", std::move(text));
    return false;
  }

  void readEntries() {
    std::map<std::string_view, const Entry*> seen;
    for (const Entry& entry : entries_) {
      if (entry.key.starts_with("var ")) continue;
      if (std::find(kKeys.begin(), kKeys.end(), entry.key) == kKeys.end()) {
        const auto near = nearest(entry.key, {kKeys.begin(), kKeys.end()});
        scribe_.fault(entry.line, "template-key",
                      "unknown key '" + std::string(entry.key) + "'" +
                          (near.empty() ? "" : " (did you mean '" + std::string(near) + "'?)"));
      } else if (!seen.emplace(entry.key, &entry).second) {
        scribe_.fault(entry.line, "template-duplicate",
                      "key '" + std::string(entry.key) + "' stands twice; remove one of them");
      } else if (entry.lines.empty()) {
        scribe_.fault(entry.line, "template-key", "key '" + std::string(entry.key) + "' has no value");
      } else {
        readEntry(entry);
      }
    }
    for (const auto key : kRequired) {
      if (!seen.contains(key)) scribe_.fault(1, "template-key", "the front matter lacks '" + std::string(key) + "'");
    }
  }

  void readEntry(const Entry& entry) {
    if (entry.key == "id") source_.id = plain(entry);
    if (entry.key == "lang") source_.language = plain(entry);
    if (entry.key == "title") source_.title = plain(entry);
    if (entry.key == "recipient") readRecipient(entry);
    if (entry.key == "notify") readNotify(entry);
    if (entry.key == "reply") {
      const std::string answers = plain(entry);
      for (const auto answer : split(answers, '|')) source_.replies.emplace_back(trim(answer));
    }
    if (entry.key == "sender") source_.sender = linesWithValues(entry);
    if (entry.key == "address") source_.address = linesWithValues(entry);
    if (entry.key == "reference") source_.reference = linesWithValues(entry);
    if (entry.key == "footer") source_.footer = linesWithValues(entry);
  }

  std::string plain(const Entry& entry) {
    std::string value;
    for (const TextLine& line : entry.lines) {
      if (!value.empty()) value += ' ';
      value += line.text;
    }
    if (value.find("{{") != std::string::npos) {
      scribe_.fault(entry.line, "template-key",
                    "'" + std::string(entry.key) + "' is plain text; variables are not allowed in it");
    }
    return value;
  }

  void readRecipient(const Entry& entry) {
    const std::string value = plain(entry);
    if (value == "patient") {
      source_.recipient = Recipient::Patient;
    } else if (value == "clinician") {
      source_.recipient = Recipient::Clinician;
    } else {
      scribe_.fault(entry.line, "template-key", "'recipient' is patient or clinician");
    }
  }

  void readNotify(const Entry& entry) {
    for (const TextLine& line : entry.lines) {
      if (!source_.notify.empty()) scribe_.split(" ", line.number, {}, source_.notify);
      scribe_.split(line.text, line.number, {}, source_.notify);
    }
    for (const Piece& piece : source_.notify) {
      if (piece.kind != Piece::Kind::Value) continue;
      const Variable& variable = scribe_.variables()[piece.variable];
      if (!variable.isPublic) {
        scribe_.fault(piece.line, "template-notify-personal",
                      "the notification is read outside the login: '" + variable.name + "' is not marked public");
      } else if (variable.optional || variable.type == Type::List) {
        scribe_.fault(piece.line, "template-optional", "'" + variable.name + "' could leave a gap in the notification");
      }
    }
  }

  std::vector<Line> linesWithValues(const Entry& entry) {
    std::vector<Line> lines;
    for (const TextLine& text : entry.lines) {
      Line& line = lines.emplace_back();
      scribe_.split(text.text, text.number, {}, line);
      if (line.size() > 1) checkPieces(line, {}, false);
    }
    return lines;
  }

  void readBody(std::size_t first) {
    std::vector<Guard> guards;
    std::vector<TextLine> opened;
    std::size_t start = first;
    for (std::size_t i = first; i <= lines_.size(); ++i) {
      const bool end = i == lines_.size();
      const auto [sign, name] = end ? std::pair<char, std::string_view>() : Scribe::condition(lines_[i].text);
      if (!end && name.empty()) continue;
      readStretch(start, i, guards);
      start = i + 1;
      if (end) break;
      const auto line = lines_[i].number;
      if (sign == '/') {
        if (opened.empty() || opened.back().text != name) {
          scribe_.fault(line, "template-condition",
                        "{{/" + std::string(name) + "}} closes a condition that is not the last one opened");
        } else {
          opened.pop_back();
          guards.pop_back();
        }
      } else {
        opened.push_back({name, line});
        guards.push_back({condition(name, line), sign == '#'});
      }
    }
    for (const TextLine& open : opened) {
      scribe_.fault(open.number, "template-condition",
                    "the condition '" + std::string(open.text) + "' is never closed; add {{/" + std::string(open.text) +
                        "}} on its own line");
    }
  }

  VariableIndex condition(std::string_view name, std::uint32_t line) {
    const VariableIndex variable = scribe_.use(name, line);
    if (variable != kNoVariable) {
      const Variable& found = scribe_.variables()[variable];
      if (found.type != Type::Bool && !found.optional) {
        scribe_.fault(line, "template-condition",
                      "a condition needs a bool or an optional variable; '" + found.name + "' is neither");
      }
    }
    return variable;
  }

  void readStretch(std::size_t first, std::size_t end, const std::vector<Guard>& guards) {
    if (first >= end) return;
    const TextLine& last = lines_[end - 1];
    const char* begin = lines_[first].text.data();
    const std::string_view text(begin, static_cast<std::size_t>(last.text.data() + last.text.size() - begin));
    readMarkdown(text, lines_[first].number, guards, scribe_, source_.body);
  }

  void checkHeadings() {
    int last = 0;
    for (const Node& node : source_.body) {
      if (last == 0 && (node.kind != Node::Kind::Heading || node.level != 1 || !node.guards.empty())) {
        scribe_.fault(node.line, "template-heading",
                      "the body begins with its title as the one heading of level 1 (# …)");
        last = 1;
        continue;
      }
      if (node.kind != Node::Kind::Heading) continue;
      if (last != 0 && node.level == 1) {
        scribe_.fault(node.line, "template-heading", "a letter has one heading of level 1; use ## here");
      } else if (node.level > last + 1) {
        scribe_.fault(node.line, "template-heading", "a level of heading is skipped; use one # less");
      }
      last = std::max<int>(node.level, 1);
    }
    if (source_.body.empty()) scribe_.fault(lines_.back().number, "template-heading", "the letter has no text");
  }

  void checkUses() {
    for (const Node& node : source_.body) {
      const bool heading = node.kind == Node::Kind::Heading;
      for (const Line& line : node.lines) checkPieces(line, node.guards, !heading && line.size() == 1);
    }
  }

  /// A value that may be absent stands inside its own condition; a list stands alone.
  void checkPieces(const Line& line, const std::vector<Guard>& guards, bool listAllowed) {
    for (const Piece& piece : line) {
      if (piece.kind != Piece::Kind::Value) continue;
      const Variable& variable = scribe_.variables()[piece.variable];
      const auto guarded = [&](const Guard& guard) { return guard.variable == piece.variable && guard.wanted; };
      if (variable.optional && std::none_of(guards.begin(), guards.end(), guarded)) {
        scribe_.fault(piece.line, "template-optional",
                      "'" + variable.name + "' is optional and would leave a gap; put it inside {{#" + variable.name +
                          "}} … {{/" + variable.name + "}}");
      }
      if (variable.type == Type::List && !listAllowed) {
        scribe_.fault(
            piece.line, "template-list-variable",
            "'" + variable.name + "' is a list and must be the whole paragraph, the whole item or the whole line");
      }
    }
  }

  std::string_view text_;
  Scribe scribe_;
  Source source_;
  std::vector<TextLine> lines_;
  std::vector<Entry> entries_;
};

}  // namespace

Result<Source> parseSource(std::string_view text, std::string_view file, fhir::Issues& issues) {
  return Parser(text, file, issues).run();
}

std::string_view typeName(Type type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  return "";
}

}  // namespace lotsen::letter
