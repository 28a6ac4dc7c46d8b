#include "gateway/definitions/guides.h"

#include "gateway/fhir/r4/types.h"

namespace lotsen::definitions {

using fhir::child;
using fhir::valueAt;

void Guides::add(std::shared_ptr<const fhir::Document> document) {
  const fhir::Element* root = document->root();
  if (root->type == fhir::r4::kQuestionnaire) return questionnaires_.push_back(std::move(document));
  const fhir::Element* first = child(*document, root, "global");
  for (const fhir::Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
    globals_.push_back({document->schema().findType(valueAt(*document, one, "type")),
                        std::string(valueAt(*document, one, "profile"))});
  }
}

}  // namespace lotsen::definitions
