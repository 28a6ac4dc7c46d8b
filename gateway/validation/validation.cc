#include "gateway/validation/validation.h"

#include "gateway/validation/walk.h"

namespace lotsen::validation {

namespace {

/// Invariants read values, which marks them for the loss account of a mapping: put the marks back as they were.
class TouchedMarks {
 public:
  explicit TouchedMarks(const fhir::Element* root) : root_(root) {
    each([this](const fhir::Element* node) { marks_.push_back(node->touched); });
  }
  TouchedMarks(const TouchedMarks&) = delete;
  TouchedMarks& operator=(const TouchedMarks&) = delete;
  ~TouchedMarks() {
    std::size_t at = 0;
    each([&](const fhir::Element* node) { node->touched = marks_[at++]; });
  }

 private:
  template <typename Visit>
  void each(const Visit& visit) const {
    for (const fhir::Element* node = root_; node != nullptr;) {
      visit(node);
      if (node->first != nullptr) {
        node = node->first;
        continue;
      }
      while (node != root_ && node->next == nullptr) node = node->parent;
      node = node == root_ ? nullptr : node->next;
    }
  }

  const fhir::Element* root_;
  std::vector<bool> marks_;
};

}  // namespace

Validator::Validator(std::shared_ptr<const fhir::Schema> schema, Rules rules)
    : schema_(std::move(schema)), rules_(std::move(rules)) {
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
}

Result<std::shared_ptr<const Validator>> Validator::create(std::shared_ptr<const fhir::Schema> schema) {
  LOTSEN_TRY(Rules rules, Rules::compile(schema));
  return std::shared_ptr<const Validator>(new Validator(std::move(schema), std::move(rules)));
}

void Validator::validate(const fhir::Document& document, const fhir::Element* resource, fhir::Issues& issues,
                         const Options& options) const {
  if (resource == nullptr) return;
  const TouchedMarks marks(resource);
  Report report(document, issues, options);
  Walk(*this, document, report).resource(resource);
  report.finish();
}

}  // namespace lotsen::validation
