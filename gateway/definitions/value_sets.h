// The codes of value sets, as far as packages and R4 tell: by composition from code systems that the packages hold in
// full, listed concepts, filters and other value sets; by their expansion where there is no composition. What stays
// open is told by code system: SNOMED CT's part of a value set is not known, its part from a code system at hand is.
// Private to definitions.
#pragma once

#include "gateway/definitions/canonicals.h"
#include "gateway/definitions/code_system.h"
#include "gateway/definitions/known_codes.h"
#include "gateway/fhir/schema_builder.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace lotsen::definitions {

class ValueSets {
 public:
  /// A ValueSet or CodeSystem; the document must outlive this object.
  void add(const fhir::Document& definition);
  void addTo(fhir::SchemaBuilder& builder);
  /// Of the code systems that have no other codes than those listed.
  KnownCodes knownCodes() const;

 private:
  /// What is known of a set of codes: it has `codes`, and codes of the systems `open` that nobody can tell here.
  struct Content {
    std::set<std::pair<std::string_view, std::string_view>> codes;  // (system, code)
    std::set<std::string_view> open;                                // "": of any system
    void add(const Content& more);
    void keep(const Content& other);
    void remove(const Content& less);
  };

  const Content& expand(const fhir::Document& valueSet);
  Content compose(const fhir::Document& valueSet);
  static bool listing(const fhir::Document& valueSet, Content& content);
  Content part(const fhir::Document& valueSet, const fhir::Element* item);
  Content ofSystem(const fhir::Document& valueSet, const fhir::Element* item, std::string_view system) const;
  Content imported(std::string_view canonical);
  static Content unknown(std::string_view system) { return {{}, {system}}; }

  const fhir::SchemaBuilder* builder_ = nullptr;  // while addTo runs
  Canonicals<const fhir::Document*> valueSets_;
  Canonicals<const CodeSystem*> codeSystems_;
  std::deque<CodeSystem> systems_;
  std::vector<const fhir::Document*> all_;
  std::map<const fhir::Document*, Content> expanded_;
  std::set<const fhir::Document*> begun_;
};

}  // namespace lotsen::definitions
