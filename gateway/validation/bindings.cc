// Required bindings, as far as the value set can be enumerated.
#include "gateway/fhir/r4/types.h"
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
  if (schema_.type(node->type).primitive != fhir::Primitive::None) {
    if (!node->hasValue() || schema_.inValueSet(valueSet, {}, node->value()) != Membership::NotIn) return;
    return report_.error("code-invalid", "binding",
                         "the code is not in the required value set " + std::string(valueSet), node);
  }
  if (node->type == fhir::r4::kCodeableConcept) return codeableConcept(node, valueSet);
  if (node->type != fhir::r4::kCoding || coding(node, valueSet) != Membership::NotIn) return;
  report_.error("code-invalid", "binding", "the coding is not in the required value set " + std::string(valueSet),
                node);
}

Membership Walk::coding(const Element* node, std::string_view valueSet) const {
  const std::string_view code = valueAt(document_, node, "code");
  const std::string_view system = valueAt(document_, node, "system");
  const Membership any = schema_.inValueSet(valueSet, {}, code);
  if (any == Membership::Unknown) return any;
  return code.empty() || system.empty() ? Membership::NotIn : schema_.inValueSet(valueSet, system, code);
}

/// One coding of the value set is enough; the others may be translations.
void Walk::codeableConcept(const Element* node, std::string_view valueSet) {
  const fhir::NameId codingName = schema_.findName("coding");
  const Element* first = child(node, codingName);
  if (first == nullptr && schema_.inValueSet(valueSet, {}, {}) == Membership::Unknown) return;
  for (const Element* at = first; at != nullptr && at->name == codingName; at = at->next) {
    if (coding(at, valueSet) != Membership::NotIn) return;
  }
  report_.error("code-invalid", "binding",
                std::string(first == nullptr ? "a coding" : "one of the codings") +
                    " must be from the required value set " + std::string(valueSet),
                node);
}

}  // namespace lotsen::validation
