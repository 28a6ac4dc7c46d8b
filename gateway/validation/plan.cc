#include "gateway/validation/plan.h"

#include "gateway/fhir/r4/types.h"
#include "gateway/validation/discriminators.h"

#include <algorithm>

namespace lotsen::validation {

using definitions::AllowedType;
using definitions::kNoRow;
using definitions::ProfileElement;

namespace {

PlanRule compiled(const definitions::ProfileConstraint* constraint, std::string_view expression,
                  const std::shared_ptr<const fhir::Schema>& schema) {
  auto program = fhirpath::Program::compile(expression, schema);
  if (!program.ok()) return {constraint, std::nullopt, program.error().message};
  return {constraint, std::move(*program), {}};
}

}  // namespace

Plan::Plan(const definitions::Profile& profile, const definitions::Definitions& definitions) : profile_(profile) {
  const auto count = static_cast<RowId>(profile.rows().size());
  rows_.resize(count);
  for (RowId id = 0; id < count; ++id) {
    compileRules(id, definitions.schema);
    rows_[id].checks = checksOf(id, *definitions.schema);
    if (profile[id].sliceName.empty()) continue;
    rows_[id].slice = sliceCount();
    slices_.push_back({conditionsOf(profile, id, definitions), sliceCount()});
  }
  for (RowId id = 0; id < count; ++id) findChildren(id);
  for (const definitions::ExtensionContext& context : profile.contexts()) {
    const bool path = context.kind == definitions::ExtensionContext::Kind::Fhirpath;
    contexts_.push_back(path ? compiled(nullptr, context.expression, definitions.schema) : PlanRule());
  }
  for (const std::string_view expression : profile.contextInvariants()) {
    contextInvariants_.push_back(compiled(nullptr, expression, definitions.schema));
  }
}

void Plan::compileRules(RowId id, const std::shared_ptr<const fhir::Schema>& schema) {
  rows_[id].firstRule = static_cast<std::uint32_t>(rules_.size());
  for (const definitions::ProfileConstraint& constraint : profile_[id].constraints) {
    if (!constraint.base) rules_.push_back(compiled(&constraint, constraint.expression, schema));
  }
  rows_[id].ruleCount = static_cast<std::uint32_t>(rules_.size()) - rows_[id].firstRule;
}

std::uint16_t Plan::checksOf(RowId id, const fhir::Schema& schema) const {
  const ProfileElement& row = profile_[id];
  unsigned checks = rows_[id].ruleCount > 0 ? kRules : 0;
  if (id == 0 || row.def == fhir::kNone) return static_cast<std::uint16_t>(checks);
  const fhir::ElementDef& def = schema.def(row.def);
  if (!row.types.empty() && row.types.size() < schema.types(def).size()) checks |= kTypes;
  if (row.fixed != nullptr) checks |= kFixed;
  if (row.pattern != nullptr) checks |= kPattern;
  if (row.minValue != nullptr || row.maxValue != nullptr) checks |= kRange;
  if (row.maxLength > 0) checks |= kLength;
  if (row.mustHaveValue || !row.valueAlternatives.empty()) checks |= kValue;
  const std::string_view valueSet = row.valueSet.substr(0, row.valueSet.find('|'));
  const bool same =
      def.valueSet != fhir::kNone && schema.text(def.valueSet) == valueSet && def.strength <= row.strength;
  const bool bound = row.strength == fhir::Strength::Required || row.strength == fhir::Strength::Extensible;
  if (!valueSet.empty() && bound && !same) checks |= kBinding;
  for (const AllowedType& type : row.types) {
    if (!type.profiles.empty()) checks |= kProfiles;
    const bool aggregated = type.aggregation != 0;
    if (type.type == fhir::r4::kReference && row.tightened && (!type.targets.empty() || aggregated)) checks |= kTargets;
  }
  return static_cast<std::uint16_t>(checks);
}

bool Plan::hasWork(RowId id) const {
  const ProfileElement& row = profile_[id];
  return row.tightened || row.tightenedBelow || row.firstSlice != kNoRow || rows_[id].checks != 0;
}

/// A row with a contentReference and no rows below has none: what a profile asks of an element does not hold for the
/// elements inside it that have the same definition (Questionnaire.item.item), unless it walks into them.
void Plan::findChildren(RowId id) {
  rows_[id].firstChild = static_cast<std::uint32_t>(children_.size());
  for (RowId row = id + 1; row < profile_[id].end; row = profile_[row].end) {
    if (profile_[row].sliceName.empty() && hasWork(row)) children_.push_back({profile_[row].name, row});
  }
  rows_[id].childCount = static_cast<std::uint32_t>(children_.size()) - rows_[id].firstChild;
}

Plans::Plans(std::shared_ptr<const definitions::Definitions> definitions) : definitions_(std::move(definitions)) {}

const Plan* Plans::find(std::string_view canonical) const {
  const definitions::Profile* profile = definitions_->profiles->find(canonical);
  if (profile == nullptr) return nullptr;
  const std::lock_guard lock(mutex_);
  auto& plan = plans_[profile];
  if (plan == nullptr) plan = std::make_unique<const Plan>(*profile, *definitions_);
  return plan.get();
}

}  // namespace lotsen::validation
