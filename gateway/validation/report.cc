#include "gateway/validation/report.h"

#include <functional>

namespace lotsen::validation {

void Report::add(fhir::Severity severity, std::string_view code, std::string_view rule, std::string text,
                 const fhir::Element* at, std::string_view profile) {
  if (muted()) {
    if (severity > fhir::Severity::Error || failed_) return;
    failed_ = true;
    why_ = fhir::pathOf(document_, at) + ": " + text;
    return;
  }
  // A profile and the one that it derives from say the same of an element: told once.
  const std::hash<std::string_view> hash;
  const std::size_t key = std::hash<const fhir::Element*>()(at) ^ (hash(rule) * 31) ^ (hash(text) * 131);
  if (!told_.insert(key).second) return;
  const auto count = counts_.find(rule);
  const std::size_t before = count == counts_.end() ? 0 : count->second;
  counts_.insert_or_assign(std::string(rule), before + 1);
  if (before >= options_.mostPerRule) return;
  if (!profile.empty()) text += " (" + std::string(profile) + ")";
  issues_.add(
      {severity, std::string(code), std::string(rule), std::move(text), fhir::pathOf(document_, at), {}, at->at});
}

void Report::add(Policy policy, std::string_view code, std::string_view rule, std::string text, const fhir::Element* at,
                 std::string_view profile) {
  switch (policy) {
    case Policy::Ignore: return;
    case Policy::Information: return add(fhir::Severity::Information, code, rule, std::move(text), at, profile);
    case Policy::Warning: return add(fhir::Severity::Warning, code, rule, std::move(text), at, profile);
    case Policy::Error: return add(fhir::Severity::Error, code, rule, std::move(text), at, profile);
  }
}

void Report::finish() {
  for (const auto& [rule, count] : counts_) {
    if (count <= options_.mostPerRule) continue;
    issues_.add({fhir::Severity::Information,
                 "informational",
                 rule,
                 std::to_string(count - options_.mostPerRule) + " more faults of the rule " + rule + " are not listed",
                 {},
                 {},
                 {}});
  }
}

}  // namespace lotsen::validation
