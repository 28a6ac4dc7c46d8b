// Is this document what its definitions say? Structure, cardinality, types, reference targets, bindings, invariants,
// the rules of Bundles, extensions and profiles, for FHIR resources and for records of logical models alike. Used by:
// service (before the commit and before sending), app (`validate`, `bench`). Thread rule: a Validator may be shared by
// threads; each call validates one document. Failure rule: faults of the data go to `issues`, in document order, with
// FHIRPath and place; there are no others.
//
// The readers have checked the form already (unknown properties, JSON types, grammars of values): that is not repeated
// for elements that were read. Elements without a place were made by a mapping, so their values are checked here. What
// the definitions cannot enumerate (SNOMED CT, MIME types) is not judged; references that lead out of the document are
// not followed.
//
// A resource is judged by its type, by the profiles that it claims (meta.profile), by those that `Options::profiles`
// asks for, and by what these ask of its parts. An extension is judged by its definition wherever it stands.
#pragma once

#include "gateway/definitions/definitions.h"
#include "gateway/fhir/issues.h"
#include "gateway/validation/rules.h"

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace lotsen::validation {

class Form;          // forms.h
class MessageKinds;  // message_kinds.h
class Plans;         // plan.h

/// What to make of something that may be right or wrong.
enum class Policy : std::uint8_t { Ignore, Information, Warning, Error };

struct Options {
  std::size_t mostPerRule = 50;  // further faults of the same rule are counted, not told
  /// Elements walked and steps of FHIRPath before the rest of the rules is given up, which is an error (too-costly).
  /// Some seconds. A document of n elements takes a few hundred times n.
  std::uint64_t mostSteps = 500'000'000;
  /// Canonicals that the resource must conform to beside those it claims. One that is not known is an error.
  std::vector<std::string> profiles = {};
  Policy unknownProfiles = Policy::Warning;    // meta.profile names one that is not known here
  Policy unknownExtensions = Policy::Warning;  // a modifierExtension that is not known is always an error
  Policy unknownCodes = Policy::Information;   // a profile binds to codes that are not all known here
  Policy exampleUrls = Policy::Ignore;         // addresses at example.org and the like

  /// Nothing is said of what is not known here.
  static Options quiet() {
    Options options;
    options.unknownProfiles = options.unknownExtensions = options.unknownCodes = Policy::Ignore;
    return options;
  }
};

class Validator {
 public:
  /// Compiles what every validation needs, some milliseconds. Invalid if an invariant of the Schema does not compile.
  /// `messages`: what messages are held against; nullptr: none are known.
  static Result<std::shared_ptr<const Validator>> create(std::shared_ptr<const definitions::Definitions> definitions,
                                                         std::shared_ptr<const MessageKinds> messages = nullptr);
  ~Validator();

  /// `document` must have been made with the Validator's Schema.
  void validate(const fhir::Document& document, fhir::Issues& issues, const Options& options = {}) const {
    validate(document, document.root(), issues, options);
  }
  /// Only the resource (or record) at `resource`.
  void validate(const fhir::Document& document, const fhir::Element* resource, fhir::Issues& issues,
                const Options& options = {}) const;

  const fhir::Schema& schema() const { return *schema_; }
  const std::shared_ptr<const fhir::Schema>& sharedSchema() const { return schema_; }

 private:
  friend class Walk;  // walk.h: one validation
  struct Required {
    fhir::NameId name = fhir::kNone;
    fhir::DefId def = fhir::kNone;
  };
  Validator(std::shared_ptr<const definitions::Definitions> definitions, std::shared_ptr<const MessageKinds> messages,
            Rules rules);

  std::span<const Required> requiredIn(fhir::ShapeId shape) const {
    return std::span(required_).subspan(requiredStart_[shape], requiredStart_[shape + 1] - requiredStart_[shape]);
  }

  /// Names that the walk asks for at every element.
  struct Names {
    explicit Names(const fhir::Schema& schema);
    fhir::NameId id, extension, value, meta, profile, url, reference, contained;
  };

  std::shared_ptr<const fhir::Schema> schema_;
  Names names_;
  std::unique_ptr<const Plans> plans_;
  std::shared_ptr<const MessageKinds> messages_;
  std::unordered_map<const fhir::Document*, std::unique_ptr<const Form>> forms_;  // of the Questionnaires
  Rules rules_;
  std::vector<Required> required_;            // elements with min > 0, shape after shape
  std::vector<std::uint32_t> requiredStart_;  // by ShapeId
};

}  // namespace lotsen::validation
