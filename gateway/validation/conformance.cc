// Checks of resources that define things: ValueSet, CodeSystem, StructureDefinition and their like.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/walk.h"

#include <map>
#include <set>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::kNone;
using fhir::valueAt;

namespace {

bool isAbsolute(std::string_view url) {
  return url.find(':') != std::string_view::npos;
}

template <typename Visit>
void eachOf(const fhir::Document& document, const Element* node, std::string_view name, const Visit& visit) {
  const Element* first = node == nullptr ? nullptr : child(document, node, name);
  for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) visit(at);
}

}  // namespace

void Walk::conformance(const Element* resource) {
  const Element* url = child(resource, names_.url);
  if (url == nullptr && resource->type != fhir::r4::kStructureDefinition) return;
  const bool canonical =
      url != nullptr && url->type == fhir::r4::kUri && child(document_, resource, "status") != nullptr;
  if (canonical && url->hasValue() && !isAbsolute(url->value())) {
    report_.error("value", "canonical-url", "a canonical URL must be absolute", url);
  }
  if (resource->type == fhir::r4::kValueSet) valueSet(resource);
  if (resource->type == fhir::r4::kCodeSystem) codeSystem(resource);
  if (resource->type == fhir::r4::kStructureDefinition) structureDefinition(resource);
}

void Walk::valueSet(const Element* resource) {
  const Element* compose = child(document_, resource, "compose");
  for (const std::string_view part : {"include", "exclude"}) {
    eachOf(document_, compose, part, [&](const Element* include) {
      const Element* system = child(document_, include, "system");
      if (system == nullptr || !system->hasValue() || isAbsolute(system->value())) return;
      report_.error("value", "value-set-system", "the system must be the absolute URL of a code system", system);
    });
  }
}

void Walk::codeSystem(const Element* resource) {
  if (child(document_, resource, "supplements") != nullptr && valueAt(document_, resource, "content") != "supplement") {
    report_.error("invariant", "code-system-supplement",
                  "a code system that supplements another has the content \"supplement\"", resource);
  }
  std::map<std::string_view, std::string_view> types;  // by code of the property
  std::set<std::string_view> uris;
  eachOf(document_, resource, "property", [&](const Element* property) {
    const std::string_view code = valueAt(document_, property, "code");
    const std::string_view uri = valueAt(document_, property, "uri");
    if (!types.emplace(code, valueAt(document_, property, "type")).second) {
      report_.error("business-rule", "code-system-property", "another property has the same code", property);
    }
    if (!uri.empty() && !uris.insert(uri).second) {
      report_.error("business-rule", "code-system-property", "another property has the same URI", property);
    }
  });
  const auto concepts = [&](const Element* holder, const auto& self) -> void {
    eachOf(document_, holder, "concept", [&](const Element* concept_) {
      eachOf(document_, concept_, "property", [&](const Element* property) {
        const auto known = types.find(valueAt(document_, property, "code"));
        const Element* value = child(document_, property, "value");
        if (known == types.end() || value == nullptr) return;
        const std::string type = typeName(value->type);
        if (known->second == type || (known->second == "Coding" && type == "Coding")) return;
        report_.error("business-rule", "code-system-property",
                      "the value must be of type " + std::string(known->second) + ", as the code system declares it",
                      property);
      });
      self(concept_, self);
    });
  };
  concepts(resource, concepts);
}

/// Profiles that the elements name are for the types that they stand at.
void Walk::structureDefinition(const Element* resource) {
  for (const std::string_view view : {"differential", "snapshot"}) {
    eachOf(document_, child(document_, resource, view), "element", [&](const Element* element) {
      eachOf(document_, element, "type", [&](const Element* type) {
        const fhir::TypeId wanted = schema_.findType(valueAt(document_, type, "code"));
        eachOf(document_, type, "profile", [&](const Element* profile) {
          const auto* known = validator_.plans_->definitions().profiles->find(profile->value());
          const fhir::TypeId found = known == nullptr ? schema_.findType(profile->value()) : known->type();
          if (wanted == kNone || found == kNone || found == wanted) return;
          if ((known != nullptr || schema_.type(wanted).abstract) && schema_.isA(found, wanted)) return;
          report_.error("structure", "profile-type",
                        "this profile is for " + typeName(found) + ", not for " + typeName(wanted), profile);
        });
      });
    });
  }
}

}  // namespace lotsen::validation
