// Extensions: known by their definition, and standing where it lets them.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/values.h"
#include "gateway/validation/walk.h"

#include <algorithm>

namespace lotsen::validation {

using definitions::ExtensionContext;
using fhir::Element;
using fhir::kNone;

void Walk::extension(const Element* node, std::size_t from) {
  const Element* named = child(node, names_.url);
  if (named == nullptr || !named->hasValue()) return;
  const std::string_view url = named->value();
  const bool inner = node->parent != nullptr && node->parent->type == fhir::r4::kExtension;
  if (url.find(':') == std::string_view::npos) {
    if (!inner) return report_.error("value", "extension-url", "the url of an extension must be absolute", node);
    // A part of a complex extension: its definition is a slice of the outer one's.
    const auto ofExtension = [](const Place& at) { return at.plan->profile().type() == fhir::r4::kExtension; };
    const auto start = places_.begin() + static_cast<std::ptrdiff_t>(from);
    const bool known = std::any_of(start, places_.end(), ofExtension);
    const bool part = std::any_of(start, places_.end(),
                                  [&](const Place& at) { return ofExtension(at) && !at.element().sliceName.empty(); });
    if (known && !part) {
      report_.error("structure", "extension-url", "the extension that it stands in has no part of this url", node);
    }
    return;
  }
  const Plan* known = plan(url);
  if (known == nullptr || known->profile().type() != fhir::r4::kExtension) {
    const bool modifier = document_.nameText(node->name) == "modifierExtension";
    const bool example = isExample(url) && options_.exampleUrls == Policy::Ignore;
    const Policy policy = modifier ? Policy::Error : example ? Policy::Information : options_.unknownExtensions;
    return report_.add(policy, "extension", "extension-unknown",
                       "the extension " + std::string(url.substr(0, 200)) +
                           (modifier ? " changes the meaning of what it stands in and is not known here"
                                     : " is not known here, so it was not checked"),
                       node);
  }
  place({known, 0}, from);
  if (!mayStandAt(node, *known)) {
    std::string places;
    for (const ExtensionContext& context : known->profile().contexts()) {
      places += (places.empty() ? "; it may stand at " : ", ") + std::string(context.expression);
    }
    report_.error("structure", "extension-context",
                  "the extension " + std::string(url) + " may not stand here" + places, node);
  }
}

bool Walk::mayStandAt(const Element* extension, const Plan& plan) {
  const Element* holder = extension->parent;
  if (holder == nullptr) return true;
  for (const PlanRule& rule : plan.contextInvariants()) {
    if (!rule.program) continue;
    const auto holds = test(*rule.program, holder);
    if (holds.ok() && !*holds) return false;
  }
  const auto contexts = plan.profile().contexts();
  if (contexts.empty()) return true;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const std::string_view expression = contexts[i].expression;
    switch (contexts[i].kind) {
      case ExtensionContext::Kind::Element:
        if (isAt(holder, expression.substr(expression.find('#') + 1))) return true;
        break;
      case ExtensionContext::Kind::Extension:
        if (holder->type == fhir::r4::kExtension && fhir::valueAt(document_, holder, "url") == expression) return true;
        break;
      case ExtensionContext::Kind::Fhirpath:
        if (isFound(plan.contexts()[i], holder)) return true;
        break;
    }
  }
  return false;
}

/// Whether the FHIRPath of a context finds this element in its resource, or cannot be asked. What it finds is kept for
/// the next extension of that kind: there may be thousands.
bool Walk::isFound(const PlanRule& context, const Element* holder) {
  if (!context.program) return true;
  const Element* resource = evaluator_.environment().resource;
  auto known = holders_.find({&context, resource});
  if (known == holders_.end()) {
    if (!afford(1)) return true;
    const auto found = evaluator_.evaluate(*context.program, resource);
    spent_ += evaluator_.steps() + (found.ok() ? found->size() : 0);
    known = holders_.try_emplace({&context, resource}).first;
    if (!found.ok()) known->second.insert(nullptr);
    for (std::size_t i = 0; found.ok() && i < found->size(); ++i) known->second.insert((*found)[i].node);
  }
  return known->second.contains(holder) || (known->second.size() == 1 && known->second.contains(nullptr));
}

/// Whether `path` ("Patient.name", "HumanName", "Element", "Observation.value[x]", "DomainResource.text") means this
/// element: by its type, by the definition it stands in, or from its resource down.
bool Walk::isAt(const Element* node, std::string_view path) const {
  if (path == "*" || path == "Element" || path == "Base") return true;
  const auto same = [](std::string_view one, std::string_view other) {
    if (other.ends_with("[x]")) other.remove_suffix(3);
    if (one.ends_with("[x]")) one.remove_suffix(3);
    return one == other;
  };
  if (path.find('.') == std::string_view::npos) {
    const fhir::TypeId type = schema_.findType(path);
    return type != kNone && schema_.isA(node->type, type);
  }
  if (node->def != kNone && same(path, schema_.text(schema_.def(node->def).path))) return true;
  // The names from here up, until a resource or data type whose name the path begins with.
  std::string below;
  for (const Element* at = node; at != nullptr; at = at->parent) {
    for (fhir::TypeId type = at->type; type != kNone; type = schema_.type(type).base) {
      if (same(path, std::string(schema_.nameText(schema_.type(type).name)) + below)) return true;
    }
    if (at->isResource) return false;
    below = "." + std::string(document_.nameText(at->name)) + below;
  }
  return false;
}

}  // namespace lotsen::validation
