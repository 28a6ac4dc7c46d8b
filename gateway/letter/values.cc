#include "gateway/letter/values.h"

#include "gateway/letter/protection.h"
#include "gateway/letter/scribe.h"
#include "gateway/sweden/civil_time.h"

#include <algorithm>

namespace lotsen::letter {

namespace {

constexpr std::size_t kLongestPhone = 30;
constexpr int kFewestDigits = 3;  // 112

bool isPhone(std::string_view text) {
  const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return text.size() <= kLongestPhone && digits >= kFewestDigits &&
         text.find_first_not_of("0123456789 +-()") == std::string_view::npos;
}

fhirpath::Environment environment(const fhir::Document& source, Instant now) {
  fhirpath::Environment result;
  result.document = &source;
  result.rootResource = source.root();
  result.now = now;
  result.offsetMinutes = static_cast<int>(sweden::utcOffset(now).count());
  return result;
}

}  // namespace

Values::Values(const Template& letter, const fhir::Document& source, Instant now, fhir::Issues& issues)
    : letter_(letter),
      source_(source),
      issues_(issues),
      evaluator_(environment(source, now)),
      values_(letter.source().variables.size()),
      protected_(protectedTexts(source)) {}

void Values::fault(VariableIndex variable, std::string_view code, std::string_view rule, const std::string& text) {
  clean_ = false;
  const Variable& declared = letter_.source().variables[variable];
  values_[variable].state = Value::State::Faulty;
  values_[variable].texts.clear();
  fhir::Issue issue;
  issue.code = code;
  issue.rule = rule;
  issue.text = "'" + declared.name + "' " + text;
  issue.expression = declared.expression;
  issue.source = letter_.source().file + ":" + std::to_string(declared.at.line);
  issue.at = declared.at;
  issues_.add(std::move(issue));
}

const Value& Values::get(VariableIndex variable) {
  if (values_[variable].state == Value::State::NotAsked) evaluate(variable);
  return values_[variable];
}

bool Values::holds(VariableIndex variable) {
  const Value& value = get(variable);
  if (letter_.source().variables[variable].type == Type::Bool) return value.flag;
  return value.state == Value::State::Present;
}

void Values::evaluate(VariableIndex variable) {
  const Variable& declared = letter_.source().variables[variable];
  Value& value = values_[variable];
  const auto items = evaluator_.evaluate(letter_.program(variable), source_.root());
  if (!items) {
    fault(variable, "processing", "letter-expression",
          "has an expression that cannot be evaluated on this transfer; correct the template");
    return;
  }
  if (items->empty()) {
    value.state = Value::State::Absent;
    if (!declared.optional) {
      fault(variable, "required", "letter-missing",
            "has no value; complete it where the record comes from, then make the letter again");
    }
    return;
  }
  if (items->size() > 1 && declared.type != Type::List) {
    fault(variable, "value", "letter-several",
          "has " + std::to_string(items->size()) +
              " values where the letter has room for one; the template must choose, e.g. by first()");
    return;
  }
  value.state = Value::State::Present;
  for (const fhirpath::Value& item : *items) {
    if (value.state == Value::State::Faulty) return;
    if (declared.type == Type::Bool) {
      readFlag(variable, item);
    } else {
      readText(variable, item);
    }
  }
}

void Values::readFlag(VariableIndex variable, const fhirpath::Value& item) {
  const auto text = fhirpath::toText(item);
  if (text != "true" && text != "false") {
    fault(variable, "value", "letter-type", "is neither true nor false; correct the expression in the template");
    return;
  }
  values_[variable].flag = text == "true";
}

void Values::readText(VariableIndex variable, const fhirpath::Value& item) {
  const Variable& declared = letter_.source().variables[variable];
  if (item.kind == fhirpath::Kind::Node && (item.node == nullptr || !item.node->hasValue())) {
    const bool structured = item.node != nullptr && item.node->first != nullptr;
    fault(
        variable, structured ? "value" : "required", structured ? "letter-type" : "letter-missing",
        structured ? "is a structure and not a text; the template must name one of its parts" : "has no value (null)");
    return;
  }
  auto text = literalText(fhirpath::toText(item));
  if (!text) {
    fault(variable, "value", "letter-character",
          "has a character that cannot be seen or that turns text round; correct it where the record comes from");
    return;
  }
  if (text->empty()) {
    fault(variable, "required", "letter-blank",
          "is blank; complete it where the record comes from, then make the letter again");
    return;
  }
  if (isProtected(*text)) {
    fault(variable, "security", "letter-protected-identity",
          "would tell where a person with protected identity can be reached; such a letter is not made");
    return;
  }
  const Language& language = letter_.language();
  if (declared.type == Type::Date && !language.date(*text, Form::Plain)) {
    fault(variable, "value", "letter-date", "is not a whole date (2026-11-19) that exists");
  } else if (declared.type == Type::DateTime && !language.dateTime(*text, Form::Plain)) {
    fault(variable, "value", "letter-date", "is not a point in time with a zone (2026-11-19T13:40:00+01:00)");
  } else if (declared.type == Type::Number && !language.number(*text)) {
    fault(variable, "value", "letter-type", "is not a number");
  } else if (declared.type == Type::Phone && !isPhone(*text)) {
    fault(variable, "value", "letter-type", "is not a telephone number (digits, blanks, hyphens, at most one + first)");
  } else if (declared.type == Type::Url && !isSafeUrl(*text)) {
    fault(variable, "value", "letter-type", "is not an https address");
  } else if (declared.type == Type::Name && !hasLetter(*text)) {
    fault(variable, "value", "letter-type", "has no letter in it and cannot be a name");
  } else {
    values_[variable].texts.push_back(std::move(*text));
  }
}

bool Values::isProtected(const std::string& text) const {
  return std::any_of(protected_.begin(), protected_.end(),
                     [&](const std::string& secret) { return text.find(secret) != std::string::npos; });
}

std::optional<std::string> Values::told(VariableIndex variable, Form form, const std::string& one,
                                        const std::string& other) {
  const Value& value = get(variable);
  if (value.state != Value::State::Present || value.texts.empty()) return std::nullopt;
  const std::string& text = value.texts.front();
  const Language& language = letter_.language();
  switch (letter_.source().variables[variable].type) {
    case Type::Date: return language.date(text, form);
    case Type::DateTime: return language.dateTime(text, form);
    case Type::Number: return form == Form::Plural ? language.count(text, one, other) : language.number(text);
    default: return text;
  }
}

}  // namespace lotsen::letter
