// Is this document what its definitions say? Structure, cardinality, types, reference targets, required bindings and
// the rules of Bundles, for FHIR resources and for records of logical models alike. Used by: service (before the commit
// and before sending), app (`validate`, `bench`). Thread rule: a Validator is immutable and may be shared by threads;
// each call validates one document. Failure rule: faults of the data go to `issues`, in document order, with FHIRPath
// and place; there are no others.
//
// The readers have checked the form already (unknown properties, JSON types, grammars of values): that is not repeated
// for elements that were read. Elements without a place were made by a mapping, so their values are checked here. What
// the Schema cannot enumerate (SNOMED CT, MIME types) is not judged; references that lead out of the document are not
// followed.
#pragma once

#include "gateway/fhir/issues.h"
#include "gateway/fhir/schema.h"
#include "gateway/validation/rules.h"

#include <memory>
#include <span>
#include <vector>

namespace lotsen::validation {

struct Options {
  std::size_t mostPerRule = 50;  // further faults of the same rule are counted, not told
};

class Validator {
 public:
  /// Compiles what every validation needs, some milliseconds. Invalid if an invariant of the Schema does not compile.
  static Result<std::shared_ptr<const Validator>> create(std::shared_ptr<const fhir::Schema> schema);

  /// `document` must have been made with the Validator's Schema.
  void validate(const fhir::Document& document, fhir::Issues& issues, const Options& options = {}) const {
    validate(document, document.root(), issues, options);
  }
  /// Only the resource (or record) at `resource`.
  void validate(const fhir::Document& document, const fhir::Element* resource, fhir::Issues& issues,
                const Options& options = {}) const;

  const fhir::Schema& schema() const { return *schema_; }

 private:
  friend class Walk;  // walk.h: one validation
  struct Required {
    fhir::NameId name = fhir::kNone;
    fhir::DefId def = fhir::kNone;
  };
  Validator(std::shared_ptr<const fhir::Schema> schema, Rules rules);

  std::span<const Required> requiredIn(fhir::ShapeId shape) const {
    return std::span(required_).subspan(requiredStart_[shape], requiredStart_[shape + 1] - requiredStart_[shape]);
  }

  std::shared_ptr<const fhir::Schema> schema_;
  Rules rules_;
  std::vector<Required> required_;            // elements with min > 0, shape after shape
  std::vector<std::uint32_t> requiredStart_;  // by ShapeId
};

}  // namespace lotsen::validation
