// Bundles, and resources contained in others.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/walk.h"

#include <unordered_set>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::kNone;
using fhir::valueAt;

/// Every element below, in document order.
template <typename Visit>
void Walk::eachBelow(const Element* root, const Visit& visit) {
  for (const Element* node = root->first; node != nullptr && afford(1); node = node->next) {
    visit(node);
    if (node->first != nullptr) eachBelow(node, visit);
  }
}

namespace {

/// "#…" in a place that may refer: Reference.reference, canonical, uri and url.
bool isLocalReference(const Element* node) {
  const bool may = node->type == fhir::r4::kCanonical || node->type == fhir::r4::kUri || node->type == fhir::r4::kUrl ||
                   (node->parent->type == fhir::r4::kReference && node->type == fhir::r4::kString);
  return may && node->value().starts_with('#');
}

/// The ids that a narrative links to, or shows as images: "#id" in quotes.
void collectNamed(std::string_view narrative, std::unordered_set<std::string_view>& ids) {
  constexpr std::string_view kBegin = "\"#";
  for (auto at = narrative.find(kBegin); at != std::string_view::npos; at = narrative.find(kBegin, at + 1)) {
    const auto start = at + kBegin.size();
    ids.insert(narrative.substr(start, narrative.find('"', start) - start));
  }
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
      report_.error("invariant", "bdl-12",
                    "the first entry of a message must be its MessageHeader; " +
                        (header == nullptr ? "there is no resource" : "here it is a " + typeName(header->type)),
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
  const Element* start = first == nullptr ? nullptr : child(document_, first, "resource");
  if (start == nullptr) return;
  if (type == "document" && start->type == fhir::r4::kComposition) mustBeHere(start);
  if (type == "message" && start->type == fhir::r4::kMessageHeader) {
    const Element* focus = child(document_, start, "focus");
    for (const Element* at = focus; at != nullptr && at->name == focus->name; at = at->next) isHere(at);
    message(start);
  }
}

/// All that the Composition of a document refers to is in the document (R4, documents §2.3).
void Walk::mustBeHere(const Element* root) {
  for (const Element* node = root->first; node != nullptr; node = node->next) {
    if (node->type == fhir::r4::kReference) isHere(node);
    if (!node->isResource && node->first != nullptr && document_.nameText(node->name) != "relatesTo") mustBeHere(node);
  }
}

void Walk::isHere(const Element* node) {
  const std::string_view text = valueAt(document_, node, "reference");
  if (text.empty() || text.starts_with('#') || target(node, text) != nullptr) return;
  report_.error("not-found", "bundle-reference", "what it refers to must be an entry of this Bundle, by its fullUrl",
                node);
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
  const fhir::NameId containedName = names_.contained;
  const Element* first = child(node, containedName);
  if (first == nullptr) return;
  std::unordered_set<std::string_view> wanted;  // without the '#'
  eachBelow(node, [&](const Element* at) {
    if (isLocalReference(at)) wanted.insert(at->value().substr(1));
    if (at->type == fhir::r4::kXhtml) collectNamed(at->value(), wanted);
  });
  for (const Element* at = first; at != nullptr && at->name == containedName && afford(1); at = at->next) {
    const std::string_view id = valueAt(document_, at, "id");
    if (!id.empty() && wanted.contains(id)) continue;
    bool refersBack = false;
    eachBelow(at,
              [&](const Element* inner) { refersBack = refersBack || (isLocalReference(inner) && inner->size == 1); });
    if (!refersBack)
      report_.error("invariant", "dom-3",
                    "nothing refers to this contained resource, and it does not refer to its container", at);
  }
}

}  // namespace lotsen::validation
