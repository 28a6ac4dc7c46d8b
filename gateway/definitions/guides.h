// What packages bring beside types, profiles and codes: Questionnaires by canonical, and the profiles that
// ImplementationGuides put on every resource of a type (ImplementationGuide.global). Used by: validation. Thread rule:
// immutable once loaded. Failure rule: a guide or Questionnaire that is not well formed is left out with a warning.
#pragma once

#include "gateway/fhir/element.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::definitions {

struct GlobalProfile {
  fhir::TypeId type = fhir::kNone;
  std::string canonical;
};

class Guides {
 public:
  /// An ImplementationGuide or a Questionnaire.
  void add(std::shared_ptr<const fhir::Document> document);

  std::span<const GlobalProfile> globalProfiles() const { return globals_; }
  std::span<const std::shared_ptr<const fhir::Document>> questionnaires() const { return questionnaires_; }
  /// By canonical, "url" or "url|version"; without a version the newest one. nullptr if it is not known.
  const fhir::Document* questionnaire(std::string_view canonical) const;

 private:
  std::vector<GlobalProfile> globals_;
  std::vector<std::shared_ptr<const fhir::Document>> questionnaires_;
};

}  // namespace lotsen::definitions
