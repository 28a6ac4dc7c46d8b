// Value sets that can be listed in full from what the packages hold: by their expansion, by listed concepts, or by
// whole code systems. What needs a terminology server (filters, foreign code systems) stays unknown to the Schema.
// Private to definitions.
#pragma once

#include "gateway/fhir/element.h"
#include "gateway/fhir/schema_builder.h"

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace lotsen::definitions {

class ValueSets {
 public:
  /// A ValueSet or CodeSystem; the document must outlive this object.
  void add(const fhir::Document& definition);
  void addTo(fhir::SchemaBuilder& builder) const;

 private:
  using Codes = std::set<std::pair<std::string_view, std::string_view>>;  // (system, code)

  std::optional<Codes> expand(std::string_view url, int depth) const;
  std::optional<Codes> part(const fhir::Document& document, const fhir::Element* item, int depth) const;

  std::map<std::string_view, const fhir::Document*> valueSets_;
  std::map<std::string_view, const fhir::Document*> codeSystems_;
};

}  // namespace lotsen::definitions
