#include "gateway/fhir/issues.h"

#include <algorithm>

namespace lotsen::fhir {

void Issues::error(std::string_view code, std::string_view rule, std::string text, std::string expression,
                   Position at) {
  add({Severity::Error, std::string(code), std::string(rule), std::move(text), std::move(expression), {}, at});
}

void Issues::warning(std::string_view code, std::string_view rule, std::string text, std::string expression,
                     Position at) {
  add({Severity::Warning, std::string(code), std::string(rule), std::move(text), std::move(expression), {}, at});
}

bool Issues::hasErrors() const {
  return std::any_of(list_.begin(), list_.end(), [](const Issue& issue) { return issue.severity <= Severity::Error; });
}

void Issues::append(const Issues& other) {
  list_.insert(list_.end(), other.list_.begin(), other.list_.end());
}

std::string_view severityCode(Severity severity) {
  switch (severity) {
    case Severity::Fatal: return "fatal";
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
    case Severity::Information: return "information";
  }
  return "error";
}

}  // namespace lotsen::fhir
