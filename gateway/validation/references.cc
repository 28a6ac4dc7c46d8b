// Bundles and the references inside them.
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/walk.h"

#include <unordered_set>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::kNone;
using fhir::valueAt;

namespace {

template <typename Visit>
void eachBelow(const Element* root, const Visit& visit) {
  for (const Element* node = root->first; node != nullptr; node = node->next) {
    visit(node);
    if (node->first != nullptr) eachBelow(node, visit);
  }
}

/// Calls `visit` for every "#…" below `root` in a place that may refer: Reference.reference, canonical, uri and url.
template <typename Visit>
void eachLocalReference(const Element* root, const Visit& visit) {
  eachBelow(root, [&](const Element* node) {
    const bool may = node->type == fhir::r4::kCanonical || node->type == fhir::r4::kUri ||
                     node->type == fhir::r4::kUrl ||
                     (node->parent->type == fhir::r4::kReference && node->type == fhir::r4::kString);
    if (may && node->value().starts_with('#')) visit(node);
  });
}

}  // namespace

/// The rules of Bundles that are quicker told than evaluated: bdl-7 (fullUrls are unique) and bdl-12 (a message starts
/// with its MessageHeader).
void Walk::bundle(const Element* node) {
  const std::string_view type = valueAt(document_, node, "type");
  const fhir::NameId entryName = schema_.findName("entry");
  const Element* first = child(node, entryName);
  if (type == "message") {
    const Element* header = first == nullptr ? nullptr : child(document_, first, "resource");
    if (header == nullptr || header->type != fhir::r4::kMessageHeader) {
      report_.error("invariant", "bdl-12", "the first entry of a message must be its MessageHeader",
                    first == nullptr ? node : first);
    }
  }
  std::unordered_map<std::string_view, const Element*> urls;
  for (const Element* entry = first; entry != nullptr && entry->name == entryName; entry = entry->next) {
    const std::string_view url = valueAt(document_, entry, "fullUrl");
    const Element* resource = child(document_, entry, "resource");
    if (url.empty() || resource == nullptr) continue;
    fullUrl(entry, resource, url);
    byUrl_.emplace(url, resource);
    const auto [other, added] = urls.emplace(url, resource);
    if (added || type == "history") continue;
    if (valueAt(document_, other->second, "meta.versionId") != valueAt(document_, resource, "meta.versionId")) continue;
    report_.error("invariant", "bdl-7", "another entry of the Bundle has the same fullUrl", entry);
  }
}

/// The type that a reference names or leads to inside the document; kNone if that cannot be told.
fhir::TypeId Walk::targetOf(const Element* node, std::string_view reference) const {
  if (reference.starts_with('#')) {
    const Element* contained = fhir::resolve(document_, node, reference);
    return contained == nullptr ? kNone : contained->type;
  }
  if (const auto found = byUrl_.find(reference); found != byUrl_.end()) return found->second->type;
  reference = reference.substr(0, reference.find("/_history/"));
  const auto slash = reference.rfind('/');
  if (slash == std::string_view::npos) return kNone;
  const std::string_view before = reference.substr(0, slash);
  const fhir::TypeId type = schema_.findType(before.substr(before.rfind('/') + 1));
  return schema_.type(type).kind == fhir::TypeKind::Resource ? type : kNone;
}

/// A fullUrl is absolute; one that looks like a server's names the type and id of its resource (R4,
/// Bundle.entry.fullUrl).
void Walk::fullUrl(const Element* entry, const Element* resource, std::string_view url) {
  const auto colon = url.find(':');
  if (colon == std::string_view::npos || url.find('/') < colon) {
    return report_.error("value", "full-url", "fullUrl must be an absolute URL", entry);
  }
  if (!url.starts_with("http")) return;
  const auto last = url.rfind('/');
  const std::string_view before = url.substr(0, last);
  const fhir::TypeId named = schema_.findType(before.substr(before.rfind('/') + 1));
  if (schema_.type(named).kind != fhir::TypeKind::Resource || resource->type == kNone) return;
  if (named == resource->type && url.substr(last + 1) == valueAt(document_, resource, "id")) return;
  report_.error("value", "full-url", "fullUrl must end with the type and id of its resource", entry);
}

/// The rule that every contained resource is referred to, or refers to its container itself (dom-3).
void Walk::contained(const Element* node) {
  const fhir::NameId containedName = schema_.findName("contained");
  const Element* first = child(node, containedName);
  if (first == nullptr) return;
  std::unordered_set<std::string_view> wanted;  // without the '#'
  const auto collect = [&](const Element* at) { wanted.insert(at->value().substr(1)); };
  eachLocalReference(node, collect);
  const auto narrativeNames = [&](std::string_view id) {  // a narrative may link to it, or show it as an image
    const std::string quoted = "\"#" + std::string(id) + "\"";
    bool found = false;
    eachBelow(node, [&](const Element* at) {
      found = found || (at->type == fhir::r4::kXhtml && at->value().find(quoted) != std::string_view::npos);
    });
    return found;
  };
  for (const Element* at = first; at != nullptr && at->name == containedName; at = at->next) {
    const std::string_view id = valueAt(document_, at, "id");
    if (!id.empty() && (wanted.contains(id) || narrativeNames(id))) continue;
    bool refersBack = false;
    eachLocalReference(at, [&](const Element* reference) { refersBack = refersBack || reference->size == 1; });
    if (!refersBack)
      report_.error("invariant", "dom-3",
                    "nothing refers to this contained resource, and it does not refer to its container", at);
  }
}

void Walk::reference(const Element* node) {
  if (node->def == kNone) return;
  const Element* text = child(document_, node, "reference");
  if (text == nullptr || !text->hasValue()) return;
  const fhir::TypeId target = targetOf(node, text->value());
  if (target == kNone) {
    if (text->value().starts_with('#') && text->value().size() > 1) {
      report_.error("invariant", "ref-1", "no contained resource has this id", node);
    }
    return;
  }
  std::string allowed;
  for (const fhir::TypeRef& type : schema_.types(schema_.def(node->def))) {
    if (type.type != fhir::r4::kReference) continue;
    if (type.targetCount == 0) return;
    for (const fhir::StringId id : schema_.targets(type)) {
      const fhir::TypeId wanted = schema_.findType(schema_.text(id));
      if (wanted == kNone || schema_.isA(target, wanted)) return;  // a profile is judged elsewhere
      allowed += (allowed.empty() ? "" : ", ") + typeName(wanted);
    }
  }
  if (allowed.empty()) return;
  report_.error("structure", "reference-target", "may refer to " + allowed + ", not to " + typeName(target), node);
}

}  // namespace lotsen::validation
