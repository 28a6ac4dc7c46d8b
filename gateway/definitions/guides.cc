#include "gateway/definitions/guides.h"

#include "gateway/definitions/canonicals.h"
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

const fhir::Document* Guides::questionnaire(std::string_view canonical) const {
  const auto bar = canonical.find('|');
  const fhir::Document* newest = nullptr;
  for (const auto& one : questionnaires_) {
    const auto text = [&](std::string_view name) { return valueAt(*one, one->root(), name); };
    if (text("url") != canonical.substr(0, bar)) continue;
    if (bar != std::string_view::npos && !isVersion(canonical.substr(bar + 1), text("version"))) continue;
    if (newest == nullptr || olderVersion(valueAt(*newest, newest->root(), "version"), text("version")))
      newest = one.get();
  }
  return newest;
}

}  // namespace lotsen::definitions
