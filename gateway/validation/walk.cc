#include "gateway/validation/walk.h"

#include "gateway/fhir/forms.h"
#include "gateway/fhir/r4/types.h"

namespace lotsen::validation {

using fhir::Element;
using fhir::kNone;

void Report::add(fhir::Severity severity, std::string_view code, std::string_view rule, std::string text,
                 const Element* at) {
  const auto count = counts_.find(rule);
  const std::size_t before = count == counts_.end() ? 0 : count->second;
  counts_.insert_or_assign(std::string(rule), before + 1);
  if (before >= options_.mostPerRule) return;
  issues_.add(
      {severity, std::string(code), std::string(rule), std::move(text), fhir::pathOf(document_, at), {}, at->at});
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

Walk::Walk(const Validator& validator, const fhir::Document& document, Report& report)
    : validator_(validator),
      document_(document),
      schema_(document.schema()),
      report_(report),
      host_(document.schema()),
      evaluator_(fhirpath::Environment()) {
  evaluator_.environment().document = &document;
  evaluator_.environment().host = &host_;
}

void Walk::resource(const Element* node) {
  if (node->type == kNone) return report_.error("structure", "untyped", "the type of this document is not known", node);
  const Element* outer = evaluator_.environment().resource;
  enter(node);
  if (node->type == fhir::r4::kBundle) bundle(node);
  contained(node);
  this->node(node);
  if (outer != nullptr) enter(outer);
}

void Walk::node(const Element* node) {
  if (node->type == kNone) {
    return report_.error("structure", "untyped", "the type of \"" + name(node) + "\" is not known", node);
  }
  if (schema_.type(node->type).primitive != fhir::Primitive::None) { value(node); }
  content(node);
  binding(node);
  invariants(node);
  if (node->type == fhir::r4::kReference) reference(node);
  children(node);
}

/// The rules that every element has a value or children other than its id (ele-1), and every extension either (ext-1).
void Walk::content(const Element* node) {
  if (node->isResource || node->hasValue()) return;
  if (node->type == fhir::r4::kExtension) {
    const bool value = child(node, schema_.findName("value")) != nullptr;
    const bool inner = child(node, schema_.findName("extension")) != nullptr;
    if (value == inner)
      report_.error("invariant", "ext-1", "an extension must have either extensions or a value", node);
  }
  const fhir::NameId id = schema_.findName("id");
  for (const Element* child = node->first; child != nullptr; child = child->next) {
    if (child->name != id) return;
  }
  if (schema_.type(node->type).kind == fhir::TypeKind::Logical) return;
  report_.error("invariant", "ele-1", "an element must have a value or content", node);
}

void Walk::children(const Element* node) {
  const fhir::ShapeId shape =
      node->isResource ? schema_.type(node->type).shape : schema_.shapeOf(node->def, node->type);
  missing(node, shape);
  for (const Element* first = node->first; first != nullptr; first = first->runLast->next) {
    run(first);
    const Element* end = first->runLast->next;
    for (const Element* child = first; child != end; child = child->next) {
      type(child);
      if (child->isResource && child->type != kNone) {
        resource(child);
      } else {
        this->node(child);
      }
    }
  }
}

void Walk::missing(const Element* node, fhir::ShapeId shape) {
  for (const Validator::Required& required : validator_.requiredIn(shape)) {
    const Element* first = child(node, required.name);
    const std::uint32_t min = schema_.def(required.def).min;
    std::uint32_t count = 0;
    for (const Element* at = first; at != nullptr && count < min && at->name == required.name; at = at->next) ++count;
    if (count == min) continue;
    const std::string element(schema_.nameText(required.name));
    report_.error("required", "cardinality-min",
                  min == 1 ? "\"" + element + "\" is missing"
                           : "\"" + element + "\" must be there at least " + std::to_string(min) + " times",
                  node);
  }
}

void Walk::run(const Element* first) {
  if (first->def == kNone) return;
  const std::uint32_t max = schema_.def(first->def).max;
  if (max == fhir::kUnbounded || (max >= 1 && first->runLast == first)) return;
  std::uint32_t count = 0;
  for (const Element* at = first; at != first->runLast->next; at = at->next) ++count;
  if (count <= max) return;
  report_.error("structure", "cardinality-max",
                "\"" + name(first) + "\" may be there at most " + std::to_string(max) + " times", first);
}

/// Readers make nothing else; a mapping may.
void Walk::type(const Element* node) {
  if (node->def == kNone || node->type == kNone || node->at.line != 0) return;
  for (const fhir::TypeRef& allowed : schema_.types(schema_.def(node->def))) {
    if (schema_.isA(node->type, allowed.type)) return;
  }
  report_.error("structure", "type", "\"" + name(node) + "\" may not be of type " + typeName(node->type), node);
}

void Walk::value(const Element* node) {
  if (node->at.line != 0 || !node->hasValue() || fhir::isValidPrimitive(schema_, node->type, node->value())) return;
  report_.error("value", "value", "not a valid " + typeName(node->type), node);
}

}  // namespace lotsen::validation
