#include "gateway/mapping/faults.h"

#include "gateway/base/text.h"

#include <utility>

namespace lotsen::mapping {

void Faults::add(fhir::Severity severity, const std::string& file, fhir::Position at, std::string_view rule,
                 const std::string& text) {
  std::string line = file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + text;
  if (severity == fhir::Severity::Error) errors_ = true;
  if (seen_.size() >= kMaxFaults || !seen_.insert(line).second) return;
  fhir::Issue issue;
  issue.severity = severity;
  issue.code = "structure";
  issue.rule = rule;
  issue.text = std::move(line);
  issue.source = file;
  issue.at = at;
  issues_.add(std::move(issue));
}

void Faults::error(const std::string& file, fhir::Position at, std::string_view rule, const std::string& text) {
  add(fhir::Severity::Error, file, at, rule, text);
}

void Faults::warning(const std::string& file, fhir::Position at, std::string_view rule, const std::string& text) {
  add(fhir::Severity::Warning, file, at, rule, text);
}

std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& candidates) {
  if (wrong.size() < 3) return {};  // everything is near to a name of one or two letters
  const std::string_view near = nearest(wrong, candidates);
  return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
}

}  // namespace lotsen::mapping
