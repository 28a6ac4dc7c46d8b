// References: what they lead to inside the document, and whether that may be.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/walk.h"

namespace lotsen::validation {

using definitions::AllowedType;
using fhir::child;
using fhir::Element;
using fhir::kNone;
using fhir::valueAt;

/// The type that a reference names or leads to inside the document; kNone if that cannot be told.
fhir::TypeId Walk::targetOf(const Element* node, std::string_view reference) {
  if (const Element* found = target(node, reference)) return found->type;
  if (reference.starts_with('#')) return kNone;
  reference = reference.substr(0, reference.find("/_history/"));
  const auto slash = reference.rfind('/');
  if (slash == std::string_view::npos) return kNone;
  const std::string_view before = reference.substr(0, slash);
  const fhir::TypeId type = schema_.findType(before.substr(before.rfind('/') + 1));
  return schema_.type(type).kind == fhir::TypeKind::Resource ? type : kNone;
}

/// The resource in this document that a reference leads to, or nullptr: contained, by fullUrl, or relative to the
/// fullUrl of the entry that it stands in (R4, Bundle, "resolving references").
const Element* Walk::target(const Element* node, std::string_view reference) {
  if (reference.starts_with('#')) {
    while (node != nullptr && (!node->isResource || node->name == names_.contained)) node = node->parent;
    return reference.size() == 1 ? node : containedIn(node, reference.substr(1));
  }
  if (byUrl_.empty()) return nullptr;
  if (const auto found = byUrl_.find(reference); found != byUrl_.end()) return found->second;
  const std::string_view plain = reference.substr(0, reference.find("/_history/"));
  if (plain.find(':') != std::string_view::npos) {
    const auto found = byUrl_.find(plain);
    return found == byUrl_.end() ? nullptr : found->second;
  }
  const Element* entry = node;
  while (entry != nullptr && (entry->parent == nullptr || entry->parent->type != fhir::r4::kBundle)) {
    entry = entry->parent;
  }
  const std::string_view own = entry == nullptr ? std::string_view() : valueAt(document_, entry, "fullUrl");
  const auto id = own.rfind('/');
  const auto type = id == std::string_view::npos || id == 0 ? std::string_view::npos : own.rfind('/', id - 1);
  if (type == std::string_view::npos) return nullptr;
  const auto found = byUrl_.find(std::string(own.substr(0, type + 1)) + std::string(plain));
  return found == byUrl_.end() ? nullptr : found->second;
}

/// The contained resource with this id, by an index of the last container that was asked for.
const Element* Walk::containedIn(const Element* container, std::string_view id) {
  if (container == nullptr) return nullptr;
  if (container != containedOf_) {
    containedOf_ = container;
    containedById_.clear();
    const Element* first = child(container, names_.contained);
    for (const Element* at = first; at != nullptr && at->name == names_.contained && afford(1); at = at->next) {
      if (const Element* named = child(at, names_.id); named != nullptr) containedById_.emplace(named->value(), at);
    }
  }
  const auto found = containedById_.find(id);
  return found == containedById_.end() ? nullptr : found->second;
}

void Walk::reference(const Element* node) {
  if (node->def == kNone) return;
  const Element* text = child(node, names_.reference);
  if (text == nullptr || !text->hasValue()) return;
  if (!isWellFormed(text->value())) {
    return report_.error("value", "reference-form",
                         "a relative reference is the type and the id of a resource, as in Patient/1", node);
  }
  const fhir::TypeId target = targetOf(node, text->value());
  if (target == kNone) {
    if (text->value().starts_with('#') && text->value().size() > 1) {
      report_.error("invariant", "ref-1", "no contained resource has this id", node);
    }
    return;
  }
  if (const Element* other = named(text->value()); other != nullptr && !schema_.isA(other->type, target)) {
    report_.error("structure", "reference-type",
                  "refers to a " + typeName(target) + ", but the entry with this id is a " + typeName(other->type),
                  node);
  }
  const std::string allowed = otherTargets(node, target);
  if (allowed.empty()) return;
  report_.error("structure", "reference-target", "may refer to " + allowed + ", not to " + typeName(target), node);
}

/// What the type lets this element refer to, if that is not the target; else empty.
std::string Walk::otherTargets(const Element* node, fhir::TypeId target) const {
  std::string allowed;
  if (node->def == kNone) return allowed;
  for (const fhir::TypeRef& type : schema_.types(schema_.def(node->def))) {
    if (type.type != fhir::r4::kReference) continue;
    if (type.targetCount == 0) return {};
    for (const fhir::StringId id : schema_.targets(type)) {
      const fhir::TypeId wanted = schema_.findType(schema_.text(id));
      if (wanted == kNone || schema_.isA(target, wanted)) return {};  // a profile is judged elsewhere
      allowed += (allowed.empty() ? "" : ", ") + typeName(wanted);
    }
  }
  return allowed;
}

/// "#id", an absolute URL, a search of a transaction ("Patient?identifier=…"), or "Patient/1".
bool Walk::isWellFormed(std::string_view reference) const {
  if (reference.starts_with('#') || reference.find_first_of(":?") != std::string_view::npos) return true;
  const auto slash = reference.find('/');
  if (slash == std::string_view::npos || slash + 1 == reference.size()) return false;
  const fhir::TypeId type = schema_.findType(reference.substr(0, slash));
  return schema_.type(type).kind == fhir::TypeKind::Resource;
}

/// The entry with the fullUrl urn:uuid:X that senders mean when they write Type/X.
const Element* Walk::named(std::string_view reference) const {
  if (byUrl_.empty() || reference.find(':') != std::string_view::npos) return nullptr;
  const auto found = byUrl_.find("urn:uuid:" + std::string(reference.substr(reference.rfind('/') + 1)));
  return found == byUrl_.end() ? nullptr : found->second;
}

/// The targets and the aggregation that a profile allows.
void Walk::referenceOf(const Element* node, const Place& place) {
  const std::string_view text = valueAt(document_, node, "reference");
  if (text.empty()) return;
  const Element* resource = target(node, text);
  unsigned aggregation = 0;
  bool targets = false;
  for (const AllowedType& type : place.element().types) {
    if (type.type != fhir::r4::kReference) continue;
    aggregation |= type.aggregation;
    targets = targets || !type.targets.empty();
  }
  aggregated(node, place, text, resource, aggregation);
  const fhir::TypeId type = targetOf(node, text);
  if (!targets || type == kNone) return;
  std::string why;
  std::string wanted;
  for (const AllowedType& allowed : place.element().types) {
    for (const std::string_view canonical : allowed.targets) {
      if (isTarget(resource, type, canonical, why)) return;
      const fhir::TypeId named = schema_.findType(canonical);
      wanted += (wanted.empty() ? "" : ", ") + (named == kNone ? std::string(canonical) : typeName(named));
    }
  }
  if (!why.empty()) {
    return report_.error("structure", "reference-profile", "what it refers to does not conform: " + why, node,
                         place.url());
  }
  if (!report_.muted() && !otherTargets(node, type).empty()) return;  // R4 itself forbids it, and that is told
  report_.error("structure", "reference-target", "may refer to " + wanted + ", not to " + typeName(type), node,
                place.url());
}

/// `why`: set if the type is right and the resource is not.
bool Walk::isTarget(const Element* resource, fhir::TypeId type, std::string_view canonical, std::string& why) {
  if (const fhir::TypeId wanted = schema_.findType(canonical); wanted != kNone) return schema_.isA(type, wanted);
  const Plan* known = plan(canonical);
  if (known == nullptr) return true;
  if (!schema_.isA(type, known->profile().type())) return false;
  if (resource == nullptr) return true;
  std::string found = "others like it do not";  // which is not told
  if (conforms(resource, {known, 0}, report_.isFull("reference-profile") ? nullptr : &found)) return true;
  why = std::move(found);
  return false;
}

void Walk::aggregated(const Element* node, const Place& place, std::string_view text, const Element* resource,
                      unsigned aggregation) {
  if (aggregation == 0) return;
  using definitions::kBundled;
  using definitions::kContained;
  using definitions::kReferenced;
  const bool contained = text.starts_with('#');
  if (contained && (aggregation & kContained) != 0) return;
  if (!contained && (aggregation & kReferenced) != 0) return;
  if (!contained && (aggregation & kBundled) != 0 && (resource != nullptr || byUrl_.empty())) return;
  std::string wanted;
  if ((aggregation & kContained) != 0) wanted = "to a contained resource";
  if ((aggregation & kReferenced) != 0) wanted += wanted.empty() ? "to a resource elsewhere" : " or elsewhere";
  if ((aggregation & kBundled) != 0) wanted += wanted.empty() ? "to a resource of the Bundle" : " or of the Bundle";
  report_.error("structure", "aggregation", "must refer " + wanted, node, place.url());
}

}  // namespace lotsen::validation
