// Reading a resource by what it means: identifiers by system, references that resolve or only name an identifier,
// extensions, codings. Private to this folder. Thread rule: as fhir::Document. Failure rule: what is not there is empty
// or nullptr.
#pragma once

#include "gateway/fhir/element.h"

#include <string_view>
#include <vector>

namespace lotsen::transfer {

class ResourceView {
 public:
  explicit ResourceView(const fhir::Document& document) : document_(document) {}

  /// The Bundle's first entry resource of that type.
  const fhir::Element* first(std::string_view type) const;
  /// All children of that name.
  std::vector<const fhir::Element*> all(const fhir::Element* parent, std::string_view name) const;
  const fhir::Element* child(const fhir::Element* parent, std::string_view name) const;
  /// Value along a path of first children.
  std::string_view value(const fhir::Element* from, std::string_view path) const;

  const fhir::Element* extension(const fhir::Element* parent, std::string_view url) const;
  /// Code of the coding of this system in a CodeableConcept.
  std::string_view code(const fhir::Element* concept_, std::string_view system) const;
  std::string_view identifier(const fhir::Element* resource, std::string_view system) const;
  std::string_view hsaId(const fhir::Element* resource) const;

  /// The resource a Reference names inside the Bundle, or nullptr.
  const fhir::Element* target(const fhir::Element* holder, const fhir::Element* reference) const;
  const fhir::Element* targetOf(const fhir::Element* holder, std::string_view url) const;
  /// The identifier of this system that a Reference names: its own, or that of its target.
  std::string_view targetIdentifier(const fhir::Element* holder, const fhir::Element* reference,
                                    std::string_view system) const;
  /// The HSA-id of the organisation a Reference leads to: itself, or the organization of a PractitionerRole.
  std::string_view targetUnit(const fhir::Element* holder, const fhir::Element* reference) const;

  /// FHIRPath of `node`, or `fallback` if there is none.
  std::string path(const fhir::Element* node, std::string_view fallback) const;

 private:
  const fhir::Document& document_;
};

}  // namespace lotsen::transfer
