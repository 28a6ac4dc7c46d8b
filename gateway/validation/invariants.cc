// The invariants of the element's definition and of its type.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/walk.h"

namespace lotsen::validation {

using fhir::Element;
using fhir::kNone;

std::optional<bool> Walk::memberOf(std::string_view system, std::string_view code, std::string_view valueSet) {
  switch (schema_.inValueSet(valueSet, system, code)) {
    case fhir::Schema::Membership::In: return true;
    case fhir::Schema::Membership::NotIn: return false;
    case fhir::Schema::Membership::Unknown: break;
  }
  return std::nullopt;
}

/// %resource is the resource itself, %rootResource the one that contains it.
void Walk::enter(const Element* resource) {
  fhirpath::Environment& environment = evaluator_.environment();
  const Element* parent = resource->parent;
  const bool contained = parent != nullptr && parent->isResource && resource->name == names_.contained;
  environment.resource = resource;
  environment.rootResource = contained ? parent : resource;
}

/// Whether there is work left for the document. What is given up is told once, as an error.
bool Walk::afford(std::uint64_t steps) {
  spent_ += steps;
  if (spent_ <= options_.mostSteps) return true;
  report_.giveUp(
      "checking this takes more work than is allowed; not all of its rules were checked: split it into smaller ones");
  return false;
}

/// TooLarge if the work for the document is used up.
Result<bool> Walk::test(const fhirpath::Program& rule, const Element* node) {
  if (!afford(1)) return fail(Code::TooLarge, "not evaluated");
  auto holds = evaluator_.test(rule, node);
  spent_ += evaluator_.steps();
  return holds;
}

void Walk::invariants(const Element* node) {
  if (node->def != kNone) check(node, node->def);
  if (const fhir::DefId root = schema_.type(node->type).root; root != kNone) check(node, root);
}

void Walk::check(const Element* node, fhir::DefId def) {
  for (const std::uint32_t id : validator_.rules_.of(def)) {
    const Rule& rule = validator_.rules_[id];
    const auto holds = test(rule.program, node);
    if (holds.ok() && *holds) continue;
    const std::string_view key = schema_.text(rule.key);
    if (!holds.ok()) {
      report_.add(fhir::Severity::Warning, "processing", key, "the rule could not be evaluated here", node);
      continue;
    }
    std::string text =
        rule.human == kNone ? "the rule does not hold: " + rule.program.text() : std::string(schema_.text(rule.human));
    report_.add(rule.error ? fhir::Severity::Error : fhir::Severity::Warning, "invariant", key, std::move(text), node);
  }
}

}  // namespace lotsen::validation
