#include "gateway/letter/scribe.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace lotsen::letter {

namespace {

bool isNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool isName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), isNameCharacter);
}

bool isTime(Type type) {
  return type == Type::Date || type == Type::DateTime;
}

}  // namespace

void Scribe::fault(std::uint32_t line, std::string_view rule, std::string text) {
  ++faults_;
  fhir::Issue issue;
  issue.code = "structure";
  issue.rule = rule;
  issue.text = std::move(text);
  issue.source = file_ + ":" + std::to_string(line);
  issue.at = {line, 1};
  issues_.add(std::move(issue));
}

void Scribe::declare(Variable variable) {
  const auto line = variable.at.line;
  if (!isName(variable.name)) {
    fault(line, "template-variable-name", "the name of a variable is made of letters a-z, digits, '.', '-' and '_'");
    return;
  }
  const auto same = [&](const Variable& other) { return other.name == variable.name; };
  if (std::any_of(variables_.begin(), variables_.end(), same)) {
    fault(line, "template-duplicate", "variable '" + variable.name + "' is declared twice; remove one of them");
    return;
  }
  variables_.push_back(std::move(variable));
  used_.push_back(false);
}

VariableIndex Scribe::use(std::string_view name, std::uint32_t line) {
  for (VariableIndex i = 0; i < variables_.size(); ++i) {
    if (variables_[i].name == name) {
      used_[i] = true;
      return i;
    }
  }
  std::vector<std::string_view> names;
  names.reserve(variables_.size());
  for (const auto& variable : variables_) names.push_back(variable.name);
  std::string text = "unknown variable '" + std::string(name) + "'; declare it in the front matter";
  if (const auto near = nearest(name, names); !near.empty()) text += " (did you mean '" + std::string(near) + "'?)";
  fault(line, "template-unknown-variable", std::move(text));
  return kNoVariable;
}

void Scribe::faultUnused() {
  for (VariableIndex i = 0; i < variables_.size(); ++i) {
    if (used_[i]) continue;
    fault(variables_[i].at.line, "template-unused-variable",
          "variable '" + variables_[i].name + "' is declared but never used; remove it or use it");
  }
}

std::pair<char, std::string_view> Scribe::condition(std::string_view text) {
  text = trim(text);
  if (text.size() < 6 || !text.starts_with("{{") || !text.ends_with("}}")) return {};
  const char sign = text[2];
  const auto name = trim(text.substr(3, text.size() - 5));
  if ((sign != '#' && sign != '^' && sign != '/') || name.find_first_of("{}") != std::string_view::npos) return {};
  return {sign, name};
}

void Scribe::split(std::string_view text, std::uint32_t line, const Style& style, Line& out) {
  while (!text.empty()) {
    const auto open = text.find("{{");
    const auto literal = text.substr(0, open);
    if (literal.find("}}") != std::string_view::npos) {
      fault(line, "template-braces", "'}}' without '{{' before it; write a variable as {{name}}");
      return;
    }
    if (!literal.empty()) {
      Piece piece;
      piece.text = literal;
      piece.strong = style.strong;
      piece.link = style.link;
      piece.linkVariable = style.linkVariable;
      piece.line = line;
      out.push_back(std::move(piece));
    }
    if (open == std::string_view::npos) return;
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos) {
      fault(line, "template-braces", "'{{' without '}}' after it on the same line; write a variable as {{name}}");
      return;
    }
    value(text.substr(open + 2, close - open - 2), line, style, out);
    text.remove_prefix(close + 2);
  }
}

void Scribe::value(std::string_view inside, std::uint32_t line, const Style& style, Line& out) {
  inside = trim(inside);
  if (!inside.empty() && (inside[0] == '#' || inside[0] == '^' || inside[0] == '/')) {
    fault(line, "template-condition-line", "{{" + std::string(inside) + "}} must stand alone on its line");
    return;
  }
  const auto colon = inside.find(':');
  const auto name = trim(inside.substr(0, colon));
  if (!isName(name)) {
    fault(line, "template-braces", "'{{' must be followed by the name of a variable and '}}'");
    return;
  }
  Piece piece;
  piece.kind = Piece::Kind::Value;
  piece.variable = use(name, line);
  piece.strong = style.strong;
  piece.link = style.link;
  piece.linkVariable = style.linkVariable;
  piece.line = line;
  if (piece.variable == kNoVariable) return;
  if (variables_[piece.variable].type == Type::Bool) {
    fault(line, "template-bool-printed", "variable '" + std::string(name) + "' is a bool and can only be a condition");
    return;
  }
  if (colon != std::string_view::npos) form(trim(inside.substr(colon + 1)), line, piece);
  out.push_back(std::move(piece));
}

void Scribe::form(std::string_view argument, std::uint32_t line, Piece& piece) {
  const Variable& variable = variables_[piece.variable];
  if (variable.type == Type::Number) {
    const auto forms = lotsen::split(argument, ',');
    if (forms.size() == 2 && !trim(forms[0]).empty() && !trim(forms[1]).empty()) {
      piece.form = Form::Plural;
      piece.one = trim(forms[0]);
      piece.other = trim(forms[1]);
      return;
    }
    fault(line, "template-form", "a number takes two forms, one and several: {{" + variable.name + ": vecka, veckor}}");
  } else if (isTime(variable.type)) {
    const bool clock = variable.type == Type::DateTime;
    if (argument == "datum") {
      piece.form = Form::Date;
    } else if (argument == "veckodag") {
      piece.form = Form::Weekday;
    } else if (argument == "tid" && clock) {
      piece.form = Form::Time;
    } else {
      fault(line, "template-form",
            "'" + std::string(argument) + "' is no form of a " + std::string(typeName(variable.type)) + "; use datum" +
                (clock ? ", veckodag or tid" : " or veckodag"));
    }
  } else {
    fault(line, "template-form",
          "a " + std::string(typeName(variable.type)) + " has no forms; write {{" + variable.name + "}}");
  }
}

VariableIndex Scribe::wholeVariable(std::string_view text, std::uint32_t line) {
  if (!text.starts_with("{{") || !text.ends_with("}}")) return kNoVariable;
  return use(trim(text.substr(2, text.size() - 4)), line);
}

bool isSafeUrl(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return false;
  const auto host = url.substr(kScheme.size(), url.find_first_of("/?#", kScheme.size()) - kScheme.size());
  if (host.empty() || host.find('@') != std::string_view::npos) return false;
  return std::none_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' ||
           c == '\x7f';
  });
}

}  // namespace lotsen::letter
