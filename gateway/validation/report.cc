#include "gateway/validation/report.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace lotsen::validation {

void Report::add(fhir::Severity severity, std::string_view code, std::string_view rule, std::string text,
                 const fhir::Element* at, std::string_view profile) {
  if (muted()) {
    if (severity > fhir::Severity::Error || failed_) return;
    failed_ = true;
    if (wanted_) why_ = fhir::pathOf(document_, at) + ": " + text;
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
  found_.emplace_back(
      at,
      fhir::Issue{
          severity, std::string(code), std::string(rule), std::move(text), fhir::pathOf(document_, at), {}, at->at});
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

namespace {

/// Numbers the elements that are asked for, in document order.
void number(const fhir::Element* node, std::unordered_map<const fhir::Element*, std::size_t>& places,
            std::size_t& next) {
  if (const auto asked = places.find(node); asked != places.end()) asked->second = next++;
  for (const fhir::Element* at = node->first; at != nullptr; at = at->next) number(at, places, next);
}

}  // namespace

void Report::finish() {
  if (found_.size() > 1) {
    std::unordered_map<const fhir::Element*, std::size_t> places;
    for (const auto& [at, issue] : found_) places.emplace(at, 0);
    std::size_t next = 0;
    number(document_.root(), places, next);
    std::stable_sort(found_.begin(), found_.end(),
                     [&](const auto& one, const auto& other) { return places[one.first] < places[other.first]; });
  }
  for (auto& [at, issue] : found_) issues_.add(std::move(issue));
  if (!gaveUp_.empty())
    issues_.add({fhir::Severity::Error, "too-costly", "too-costly", std::string(gaveUp_), {}, {}, {}});
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
