#include "gateway/transfer/resource_view.h"

#include "gateway/fhir/outcome.h"
#include "gateway/sweden/organisation.h"

namespace lotsen::transfer {

using fhir::Element;

const Element* ResourceView::first(std::string_view type) const {
  return document_.root() == nullptr ? nullptr : fhir::firstResource(document_, document_.root(), type);
}

const Element* ResourceView::child(const Element* parent, std::string_view name) const {
  return parent == nullptr ? nullptr : fhir::child(document_, parent, name);
}

std::vector<const Element*> ResourceView::all(const Element* parent, std::string_view name) const {
  std::vector<const Element*> found;
  const Element* at = child(parent, name);
  // Same-named siblings are adjacent.
  for (const auto wanted = at == nullptr ? fhir::kNone : at->name; at != nullptr && at->name == wanted; at = at->next) {
    found.push_back(at);
  }
  return found;
}

std::string_view ResourceView::value(const Element* from, std::string_view path) const {
  return from == nullptr ? std::string_view{} : fhir::valueAt(document_, from, path);
}

const Element* ResourceView::extension(const Element* parent, std::string_view url) const {
  for (const Element* extension : all(parent, "extension")) {
    if (value(extension, "url") == url) return extension;
  }
  return nullptr;
}

std::string_view ResourceView::code(const Element* concept_, std::string_view system) const {
  for (const Element* coding : all(concept_, "coding")) {
    if (value(coding, "system") == system) return value(coding, "code");
  }
  return {};
}

std::string_view ResourceView::identifier(const Element* resource, std::string_view system) const {
  for (const Element* identifier : all(resource, "identifier")) {
    if (value(identifier, "system") == system) return value(identifier, "value");
  }
  return {};
}

std::string_view ResourceView::hsaId(const Element* resource) const {
  const auto id = identifier(resource, sweden::kHsaIdSystem);
  return id.empty() ? identifier(resource, sweden::kHsaIdSystemRivta) : id;
}

const Element* ResourceView::target(const Element* holder, const Element* reference) const {
  return targetOf(holder, value(reference, "reference"));
}

const Element* ResourceView::targetOf(const Element* holder, std::string_view url) const {
  return url.empty() || holder == nullptr ? nullptr : fhir::resolve(document_, holder, url);
}

std::string_view ResourceView::targetIdentifier(const Element* holder, const Element* reference,
                                                std::string_view system) const {
  const Element* own = child(reference, "identifier");
  if (value(own, "system") == system) return value(own, "value");
  return identifier(target(holder, reference), system);
}

std::string_view ResourceView::targetUnit(const Element* holder, const Element* reference) const {
  const Element* own = child(reference, "identifier");
  if (sweden::isHsaIdSystem(value(own, "system"))) return value(own, "value");
  const Element* found = target(holder, reference);
  if (const Element* organisation = child(found, "organization"); organisation != nullptr) {
    return targetUnit(found, organisation);
  }
  return hsaId(found);
}

std::string ResourceView::path(const Element* node, std::string_view fallback) const {
  return node == nullptr ? std::string(fallback) : fhir::pathOf(document_, node);
}

}  // namespace lotsen::transfer
