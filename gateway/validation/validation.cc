#include "gateway/validation/validation.h"

#include "gateway/validation/forms.h"
#include "gateway/validation/plan.h"
#include "gateway/validation/walk.h"

namespace lotsen::validation {

Validator::Validator(std::shared_ptr<const definitions::Definitions> definitions,
                     std::shared_ptr<const MessageKinds> messages, Rules rules)
    : schema_(definitions->schema),
      names_(*schema_),
      plans_(std::make_unique<const Plans>(std::move(definitions))),
      messages_(std::move(messages)),
      rules_(std::move(rules)) {
  requiredStart_.reserve(schema_->shapeCount() + 1);
  for (fhir::ShapeId shape = 0; shape < schema_->shapeCount(); ++shape) {
    requiredStart_.push_back(static_cast<std::uint32_t>(required_.size()));
    fhir::DefId before = fhir::kNone;  // the rows of a choice share their definition
    for (const fhir::Property& property : schema_->properties(shape)) {
      const fhir::ElementDef& def = schema_->def(property.def);
      if (def.min > 0 && property.def != before) required_.push_back({def.name, property.def});
      before = property.def;
    }
  }
  requiredStart_.push_back(static_cast<std::uint32_t>(required_.size()));
  for (const auto& document : plans_->definitions().guides.questionnaires()) {
    forms_.emplace(document.get(), std::make_unique<const Form>(*document, document->root()));
  }
}

Validator::~Validator() = default;

Validator::Names::Names(const fhir::Schema& schema)
    : id(schema.findName("id")),
      extension(schema.findName("extension")),
      value(schema.findName("value")),
      meta(schema.findName("meta")),
      profile(schema.findName("profile")),
      url(schema.findName("url")),
      reference(schema.findName("reference")),
      contained(schema.findName("contained")) {}

Result<std::shared_ptr<const Validator>> Validator::create(std::shared_ptr<const definitions::Definitions> definitions,
                                                           std::shared_ptr<const MessageKinds> messages) {
  LOTSEN_TRY(Rules rules, Rules::compile(definitions->schema));
  return std::shared_ptr<const Validator>(new Validator(std::move(definitions), std::move(messages), std::move(rules)));
}

void Validator::validate(const fhir::Document& document, const fhir::Element* resource, fhir::Issues& issues,
                         const Options& options) const {
  if (resource == nullptr) return;
  Report report(document, issues, options);
  Walk(*this, document, report, options).begin(resource);
  report.finish();
}

}  // namespace lotsen::validation
