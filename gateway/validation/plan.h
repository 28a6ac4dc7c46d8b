// A profile made ready for walking beside an instance: rows that have nothing to check are gone, invariants are
// compiled, and each slice knows by which questions an element is told to be in it. Private to gateway/validation.
// Thread rule: a Plan is immutable; Plans makes one when it is first asked for, under a lock of its own.
#pragma once

#include "gateway/definitions/definitions.h"
#include "gateway/fhirpath/fhirpath.h"
#include "gateway/validation/rules.h"

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lotsen::validation {

using definitions::RowId;

/// One step of a discriminator's path.
struct Step {
  enum class Kind : std::uint8_t { Child, Extension, Resolve, OfType };
  Kind kind = Kind::Child;
  fhir::NameId name = fhir::kNone;  // Child
  fhir::TypeId type = fhir::kNone;  // OfType
  std::string url;                  // Extension
};
using Path = std::vector<Step>;

/// "code.coding", "$this", "resolve()", "extension('url').value", "value.ofType(Quantity)". Invalid with what was not
/// understood.
Result<Path> parsePath(std::string_view text, const fhir::Schema& schema);

/// One question whose answer tells whether an element is in a slice.
struct Condition {
  enum class Kind : std::uint8_t { Fixed, Pattern, Text, ValueSet, Exists, Absent, Type, Profile };
  Kind kind = Kind::Exists;
  Path path;
  const fhir::Element* value = nullptr;    // Fixed, Pattern
  std::string_view text;                   // Text: the value; ValueSet: its canonical
  std::vector<fhir::TypeId> types;         // Type
  std::vector<std::string_view> profiles;  // Profile: one of them
};

struct PlanSlice {
  std::vector<Condition> conditions;  // all must hold; none: the slice cannot be told apart
  std::uint32_t number = 0;           // dense in the plan, for counting
};

struct PlanChild {
  fhir::NameId name = fhir::kNone;
  RowId row = 0;
};

/// What is to check of a single element; zero: nothing but what is below it.
enum Check : std::uint16_t {
  kTypes = 1,
  kFixed = 2,
  kPattern = 4,
  kRange = 8,
  kLength = 16,
  kBinding = 32,
  kTargets = 64,
  kProfiles = 128,
  kRules = 256,
  kValue = 512,
};

struct PlanRow {
  std::uint32_t firstChild = 0;
  std::uint32_t childCount = 0;
  std::uint32_t firstRule = 0;
  std::uint32_t ruleCount = 0;
  std::uint32_t slice = definitions::kNoRow;  // of a slice: its place in slices
  std::uint16_t checks = 0;
};

struct PlanRule {
  const definitions::ProfileConstraint* constraint = nullptr;
  std::optional<fhirpath::Program> program;  // nothing: the expression does not compile, for `fault`
  std::string fault;
};

class Plan {
 public:
  Plan(const definitions::Profile& profile, const definitions::Definitions& definitions);

  const definitions::Profile& profile() const { return profile_; }
  const definitions::ProfileElement& row(RowId id) const { return profile_[id]; }
  const PlanRow& at(RowId id) const { return rows_[id]; }
  /// The rows below that have something to check.
  std::span<const PlanChild> children(RowId id) const {
    return std::span(children_).subspan(rows_[id].firstChild, rows_[id].childCount);
  }
  RowId child(RowId id, fhir::NameId name) const {
    for (const PlanChild& child : children(id)) {
      if (child.name == name) return child.row;
    }
    return definitions::kNoRow;
  }
  std::span<const PlanRule> rules(RowId id) const {
    return std::span(rules_).subspan(rows_[id].firstRule, rows_[id].ruleCount);
  }
  const PlanSlice& slice(RowId id) const { return slices_[rows_[id].slice]; }
  std::uint32_t sliceCount() const { return static_cast<std::uint32_t>(slices_.size()); }
  /// Where an extension may stand: conditions that are FHIRPath, compiled, by place in profile().contexts().
  const std::vector<PlanRule>& contexts() const { return contexts_; }
  const std::vector<PlanRule>& contextInvariants() const { return contextInvariants_; }

 private:
  void compileRules(RowId id, const std::shared_ptr<const fhir::Schema>& schema);
  void findChildren(RowId id);
  std::uint16_t checksOf(RowId id, const fhir::Schema& schema) const;
  bool hasWork(RowId id) const;

  const definitions::Profile& profile_;
  std::vector<PlanRow> rows_;
  std::vector<PlanChild> children_;
  std::vector<PlanRule> rules_;
  std::vector<PlanSlice> slices_;
  std::vector<PlanRule> contexts_;
  std::vector<PlanRule> contextInvariants_;
};

class Plans {
 public:
  explicit Plans(std::shared_ptr<const definitions::Definitions> definitions);
  const definitions::Definitions& definitions() const { return *definitions_; }
  /// nullptr: no such profile is known.
  const Plan* find(std::string_view canonical) const;

 private:
  std::shared_ptr<const definitions::Definitions> definitions_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<const definitions::Profile*, std::unique_ptr<const Plan>> plans_;
};

}  // namespace lotsen::validation
