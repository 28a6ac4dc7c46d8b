// Which Questionnaire a response is held against.
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/responses.h"
#include "gateway/validation/walk.h"

namespace lotsen::validation {

using fhir::child;
using fhir::Element;

/// One that the response contains, or one of a package.
void Walk::questionnaireResponse(const Element* response) {
  const Element* named = child(document_, response, "questionnaire");
  if (named == nullptr || !named->hasValue()) return;
  const std::string_view canonical = named->value();
  if (canonical.starts_with('#')) {
    const Element* found = fhir::resolve(document_, response, canonical);
    if (found == nullptr || found->type != fhir::r4::kQuestionnaire) {
      return report_.error("not-found", "questionnaire-unknown", "no contained Questionnaire has this id", named);
    }
    const Form form(document_, found);
    return ResponseCheck(document_, form, report_, options_).run(response);
  }
  const fhir::Document* known = validator_.plans_->definitions().guides.questionnaire(canonical);
  if (known == nullptr) {
    return report_.add(options_.unknownProfiles, "not-found", "questionnaire-unknown",
                       "this Questionnaire is not known here, so the response was not checked against it", named);
  }
  ResponseCheck(document_, *validator_.forms_.at(known), report_, options_).run(response);
}

}  // namespace lotsen::validation
