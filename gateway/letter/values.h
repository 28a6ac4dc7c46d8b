// Private to this folder: the values of a template's variables on one source Bundle, evaluated when they are first
// asked for, checked by their type. A value that is missing, blank or wrong is an issue that names the variable and its
// expression, never the value. Thread rule: one thread, for the time of one letter.
#pragma once

#include "gateway/letter/template.h"

#include <optional>
#include <string>
#include <vector>

namespace lotsen::letter {

struct Value {
  enum class State : std::uint8_t { NotAsked, Absent, Present, Faulty };
  State state = State::NotAsked;
  bool flag = false;               // Type::Bool
  std::vector<std::string> texts;  // Type::List: one or more; Bool: none; else one, checked but not yet formatted
};

class Values {
 public:
  Values(const Template& letter, const fhir::Document& source, Instant now, fhir::Issues& issues);

  /// Absent only for an optional variable.
  const Value& get(VariableIndex variable);
  /// Whether {{#variable}} holds.
  bool holds(VariableIndex variable);
  /// The text of a value in a form; nothing if it is absent or faulty.
  std::optional<std::string> told(VariableIndex variable, Form form, const std::string& one, const std::string& other);

  bool clean() const { return clean_; }
  void fault(VariableIndex variable, std::string_view code, std::string_view rule, const std::string& text);

 private:
  void evaluate(VariableIndex variable);
  void readFlag(VariableIndex variable, const fhirpath::Value& item);
  void readText(VariableIndex variable, const fhirpath::Value& item);
  bool isProtected(const std::string& text) const;

  const Template& letter_;
  const fhir::Document& source_;
  fhir::Issues& issues_;
  fhirpath::Evaluator evaluator_;
  std::vector<Value> values_;
  std::vector<std::string> protected_;  // what must not stand in a letter about a person with protected identity
  bool clean_ = true;
};

}  // namespace lotsen::letter
