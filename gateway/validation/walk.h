// One validation: walks a tree once, in document order. Private to gateway/validation.
#pragma once

#include "gateway/fhirpath/fhirpath.h"
#include "gateway/validation/validation.h"

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace lotsen::validation {

/// Collects faults, at most so many of a rule.
class Report {
 public:
  Report(const fhir::Document& document, fhir::Issues& issues, const Options& options)
      : document_(document), issues_(issues), options_(options) {}

  void error(std::string_view code, std::string_view rule, std::string text, const fhir::Element* at) {
    add(fhir::Severity::Error, code, rule, std::move(text), at);
  }
  void add(fhir::Severity severity, std::string_view code, std::string_view rule, std::string text,
           const fhir::Element* at);
  /// Says how many were not told.
  void finish();

 private:
  const fhir::Document& document_;
  fhir::Issues& issues_;
  const Options& options_;
  std::map<std::string, std::size_t, std::less<>> counts_;
};

/// Answers memberOf() from the value sets that the Schema can enumerate.
class SchemaHost final : public fhirpath::Host {
 public:
  explicit SchemaHost(const fhir::Schema& schema) : schema_(schema) {}
  std::optional<bool> memberOf(std::string_view system, std::string_view code, std::string_view valueSet) override;

 private:
  const fhir::Schema& schema_;
};

class Walk {
 public:
  Walk(const Validator& validator, const fhir::Document& document, Report& report);

  void resource(const fhir::Element* node);

 private:
  void node(const fhir::Element* node);
  void children(const fhir::Element* node);
  void missing(const fhir::Element* node, fhir::ShapeId shape);
  void run(const fhir::Element* first);
  void type(const fhir::Element* node);
  void value(const fhir::Element* node);
  void content(const fhir::Element* node);

  // invariants.cc
  void enter(const fhir::Element* resource);
  void invariants(const fhir::Element* node);
  void check(const fhir::Element* node, fhir::DefId def);

  // bindings.cc
  void binding(const fhir::Element* node);
  fhir::Schema::Membership coding(const fhir::Element* node, std::string_view valueSet) const;
  void codeableConcept(const fhir::Element* node, std::string_view valueSet);

  // references.cc
  void bundle(const fhir::Element* node);
  void fullUrl(const fhir::Element* entry, const fhir::Element* resource, std::string_view url);
  void contained(const fhir::Element* node);
  void reference(const fhir::Element* node);
  fhir::TypeId targetOf(const fhir::Element* node, std::string_view reference) const;

  std::string name(const fhir::Element* node) const { return std::string(document_.nameText(node->name)); }
  std::string typeName(fhir::TypeId type) const { return std::string(schema_.nameText(schema_.type(type).name)); }

  const Validator& validator_;
  const fhir::Document& document_;
  const fhir::Schema& schema_;
  Report& report_;
  SchemaHost host_;
  fhirpath::Evaluator evaluator_;
  std::unordered_map<std::string_view, const fhir::Element*> byUrl_;  // fullUrl of the entries, Bundle by Bundle
};

}  // namespace lotsen::validation
