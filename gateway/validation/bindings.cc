// Bindings, as far as the value set can be enumerated.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/sentences.h"
#include "gateway/validation/walk.h"

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::valueAt;
using Membership = fhir::Schema::Membership;

void Walk::binding(const Element* node) {
  if (node->def == fhir::kNone) return;
  const fhir::ElementDef& def = schema_.def(node->def);
  if (def.strength != fhir::Strength::Required || def.valueSet == fhir::kNone) return;
  const std::string_view valueSet = schema_.text(def.valueSet);
  if (coded(node, valueSet) == Membership::NotIn) notIn(node, valueSet, def.strength, {});
}

/// The binding of a profile.
void Walk::bindingOf(const Element* node, const Place& place) {
  const definitions::ProfileElement& row = place.element();
  switch (coded(node, row.valueSet)) {
    case Membership::In: return;
    case Membership::NotIn: return notIn(node, row.valueSet, row.strength, place.url());
    case Membership::Unknown: break;
  }
  report_.add(options_.unknownCodes, "informational", "binding-unknown",
              "not checked: the codes of " + std::string(row.valueSet) + " are not all known here", node, place.url());
}

void Walk::notIn(const Element* node, std::string_view valueSet, fhir::Strength strength, std::string_view profile) {
  const bool required = strength == fhir::Strength::Required;
  const bool primitive = schema_.type(node->type).primitive != fhir::Primitive::None;
  const bool codeable = node->type == fhir::r4::kCodeableConcept;
  std::string text;
  if (primitive) {
    text = node->hasValue() ? "the code is not in" : "there must be a code from";
  } else if (codeable) {
    text = child(document_, node, "coding") == nullptr ? "a coding must be from" : "one of the codings must be from";
  } else {
    text = node->type == fhir::r4::kCoding ? "the coding is not in" : "the unit's code is not in";
  }
  if (!required && codeable && child(document_, node, "coding") == nullptr) return;  // only text: nothing suitable
  report_.add(required ? fhir::Severity::Error : fhir::Severity::Warning, "code-invalid", "binding",
              text + (required ? " the required value set " : " the value set ") + std::string(valueSet) +
                  codesOf(schema_, valueSet) + (required ? "" : ", which should be used if it has a suitable code"),
              node, profile);
}

/// Whether a code, Coding, CodeableConcept or Quantity is in the value set. Of a CodeableConcept one coding is enough;
/// the others may be translations. What carries no code at all (a date, a Reference) is not judged.
Membership Walk::coded(const Element* node, std::string_view valueSet) const {
  if (schema_.type(node->type).primitive != fhir::Primitive::None) {
    return schema_.inValueSet(valueSet, {}, node->value());
  }
  if (node->type == fhir::r4::kCoding || schema_.isA(node->type, fhir::r4::kQuantity)) return coding(node, valueSet);
  if (node->type != fhir::r4::kCodeableConcept) return Membership::Unknown;
  const Element* first = child(document_, node, "coding");
  if (first == nullptr) return schema_.inValueSet(valueSet, {}, {});
  bool unknown = false;
  for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
    const Membership member = coding(at, valueSet);
    if (member == Membership::In) return member;
    unknown = unknown || member == Membership::Unknown;
  }
  return unknown ? Membership::Unknown : Membership::NotIn;
}

Membership Walk::coding(const Element* node, std::string_view valueSet) const {
  const std::string_view code = valueAt(document_, node, "code");
  const std::string_view system = valueAt(document_, node, "system");
  const Membership any = schema_.inValueSet(valueSet, {}, code);
  if (any == Membership::Unknown) return any;
  return code.empty() || system.empty() ? Membership::NotIn : schema_.inValueSet(valueSet, system, code);
}

/// A code of a system that a package holds in full is one of its codes, whatever the binding.
void Walk::knownCode(const Element* coding) {
  const definitions::KnownCodes& known = validator_.plans_->definitions().knownCodes;
  if (known.empty()) return;
  const std::string_view system = valueAt(document_, coding, "system");
  const std::string_view code = valueAt(document_, coding, "code");
  if (system.empty() || code.empty()) return;
  if (known.has(system, valueAt(document_, coding, "version"), code).value_or(true)) return;
  report_.error("code-invalid", "code-unknown", "the code system " + std::string(system) + " has no such code", coding);
}

}  // namespace lotsen::validation
