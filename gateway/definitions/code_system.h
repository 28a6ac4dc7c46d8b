// A CodeSystem as filters see it: a flat list of concepts with parents, children and properties. Private to
// definitions.
#pragma once

#include "gateway/fhir/element.h"

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace lotsen::definitions {

class CodeSystem {
 public:
  using Codes = std::set<std::string_view>;

  explicit CodeSystem(const fhir::Document& document);

  std::string_view url() const { return url_; }
  std::string_view version() const { return version_; }
  /// False also where nothing is said of it.
  bool caseSensitive() const { return caseSensitive_; }
  /// Complete, with codes of which none is made up by a grammar: no other code exists.
  bool closed() const { return complete_ && !compositional_ && !concepts_.empty(); }
  /// False for fragments, examples and supplements: what it does not list may exist all the same.
  bool complete() const { return complete_; }
  /// All that can be chosen: abstract concepts are listed too, as ValueSets may include them.
  Codes all() const;
  /// What a filter of a value set lets through. nullopt if the operator or the property is not known here, or the
  /// regular expression cannot be used.
  std::optional<Codes> filter(std::string_view property, std::string_view op, std::string_view value) const;

 private:
  struct Concept {
    const fhir::Element* element = nullptr;
    std::vector<std::string_view> parents, children;
    std::multimap<std::string_view, std::string_view> properties;  // code to value as text
  };

  void addConcepts(const fhir::Element* parent, std::string_view above);
  void link(std::string_view parent, std::string_view code);
  Codes closure(std::string_view code, std::vector<std::string_view> Concept::*direction) const;
  Codes without(const Codes& some) const;
  std::optional<Codes> hierarchy(std::string_view op, std::string_view value) const;
  std::optional<Codes> matching(std::string_view property, std::string_view op, std::string_view value) const;
  bool declares(std::string_view property) const;

  const fhir::Document& document_;
  std::string_view url_, version_;
  bool complete_ = false, compositional_ = false, caseSensitive_ = false;
  std::map<std::string_view, Concept> concepts_;
};

}  // namespace lotsen::definitions
