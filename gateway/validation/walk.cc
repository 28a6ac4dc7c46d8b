#include "gateway/validation/walk.h"

#include "gateway/fhir/forms.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/sentences.h"

namespace lotsen::validation {

using fhir::Element;
using fhir::kNone;

Walk::Walk(const Validator& validator, const fhir::Document& document, Report& report, const Options& options)
    : validator_(validator),
      document_(document),
      schema_(document.schema()),
      names_(validator.names_),
      report_(report),
      options_(options),
      evaluator_(fhirpath::Environment()) {
  evaluator_.environment().document = &document;
  evaluator_.environment().host = this;
}

void Walk::begin(const Element* resource) {
  for (const std::string& canonical : options_.profiles) {
    if (const Plan* known = plan(canonical); known != nullptr) {
      place({known, 0}, 0);
    } else if (schema_.findType(canonical) == kNone) {
      report_.error("not-found", "profile-unknown",
                    "the profile " + canonical + " is not known: load the package that defines it", resource);
    }
  }
  this->resource(resource, 0);
  afford(0);
}

void Walk::resource(const Element* node, std::size_t from) {
  const Element* outer = evaluator_.environment().resource;
  enter(node);
  if (!report_.muted()) {
    if (node->type == fhir::r4::kBundle) bundle(node);
    contained(node);
    conformance(node);
    claimed(node);
    global(node, from);
    if (node->type == fhir::r4::kObservation) vitalSigns(node);
    if (node->type == fhir::r4::kQuestionnaireResponse) questionnaireResponse(node);
  }
  this->node(node, from);
  if (outer != nullptr) enter(outer);
}

void Walk::node(const Element* node, std::size_t from) {
  ++spent_;
  if (report_.muted()) {
    if (places_.size() == from || report_.failed()) return;
  } else {
    if (node->type == kNone) {
      return report_.error("structure", "untyped", "the type of \"" + name(node) + "\" is not known", node);
    }
    if (schema_.type(node->type).primitive != fhir::Primitive::None) { value(node); }
    content(node);
    binding(node);
    invariants(node);
    if (node->type == fhir::r4::kReference) reference(node);
    if (node->type == fhir::r4::kCoding) knownCode(node);
    if (node->type == fhir::r4::kExtension) extension(node, from);
    if (node->type == fhir::r4::kAttachment) attachment(node);
  }
  if (places_.size() != from) profiles(node, from);
  children(node, from);
}

/// The rules that every element has a value or children other than its id (ele-1), and every extension either (ext-1).
void Walk::content(const Element* node) {
  if (node->isResource || node->hasValue()) return;
  if (node->type == fhir::r4::kExtension) {
    const bool value = child(node, names_.value) != nullptr;
    const bool inner = child(node, names_.extension) != nullptr;
    if (value == inner)
      report_.error("invariant", "ext-1", "an extension must have either extensions or a value", node);
  }
  const fhir::NameId id = names_.id;
  for (const Element* child = node->first; child != nullptr; child = child->next) {
    if (child->name != id) return;
  }
  if (schema_.type(node->type).kind == fhir::TypeKind::Logical) return;
  report_.error("invariant", "ele-1", "an element must have a value or content", node);
}

void Walk::children(const Element* node, std::size_t from) {
  const std::size_t to = places_.size();
  if (!report_.muted()) {
    missing(node, node->isResource ? schema_.type(node->type).shape : schema_.shapeOf(node->def, node->type));
  }
  if (from == to) {  // most elements of most messages
    for (const Element* first = node->first; first != nullptr; first = first->runLast->next) {
      if (!report_.muted()) run(first);
      each(first, first->runLast->next);
    }
    return;
  }
  for (std::size_t at = from; at < to; ++at) lacking(node, places_[at]);
  for (const Element* first = node->first; first != nullptr; first = first->runLast->next) {
    if (!report_.muted()) run(first);
    const Element* end = first->runLast->next;
    for (std::size_t at = from; at < to; ++at) {
      const Plan* plan = places_[at].plan;
      const RowId row = plan->child(places_[at].row, first->name);
      if (row != definitions::kNoRow) places_.push_back({plan, row, 0, 0, false});
    }
    if (places_.size() == to) {
      each(first, end);
    } else {
      profiledRun(first, end, to);
      places_.resize(to);
    }
  }
}

/// Siblings of one name of which no profile says anything.
void Walk::each(const Element* first, const Element* end) {
  if (report_.muted()) return;
  const std::size_t from = places_.size();
  for (const Element* child = first; child != end; child = child->next) {
    type(child);
    if (child->isResource && child->type != kNone) {
      resource(child, from);
    } else {
      this->node(child, from);
    }
    if (places_.size() != from) places_.resize(from);
  }
}

void Walk::missing(const Element* node, fhir::ShapeId shape) {
  for (const Validator::Required& required : validator_.requiredIn(shape)) {
    const Element* first = child(node, required.name);
    const std::uint32_t min = schema_.def(required.def).min;
    std::uint32_t count = 0;
    for (const Element* at = first; at != nullptr && count < min && at->name == required.name; at = at->next) ++count;
    if (count == min) continue;
    report_.error("required", "cardinality-min",
                  '"' + std::string(schema_.nameText(required.name)) + "\" " + atLeast(min), node);
  }
}

void Walk::run(const Element* first) {
  if (first->def == kNone) return;
  const std::uint32_t max = schema_.def(first->def).max;
  if (max == fhir::kUnbounded || (max >= 1 && first->runLast == first)) return;
  const Element* surplus = first;
  for (std::uint32_t i = 0; i < max; ++i) {
    surplus = surplus->next;
    if (surplus == first->runLast->next) return;
  }
  report_.error("structure", "cardinality-max", '"' + name(first) + "\" " + atMost(max), surplus);
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
  if (!node->hasValue()) return;
  switch (node->type) {
    case fhir::r4::kUri:
    case fhir::r4::kUrl:
    case fhir::r4::kCanonical: uri(node); break;
    case fhir::r4::kXhtml: links(node); break;
    default: break;
  }
  if (node->at.line != 0 || fhir::isValidPrimitive(schema_, node->type, node->value())) return;
  report_.error("value", "value", "not a valid " + typeName(node->type), node);
}

}  // namespace lotsen::validation
