#include "gateway/validation/rules.h"

#include <array>
#include <map>

namespace lotsen::validation {

namespace {

/// Rules that the walk checks itself, because they hold everywhere, need an index, or (dom-3) use `as` on lists, which
/// FHIRPath forbids; and dom-6, which R4 marks as advice: it would put a warning on every resource without narrative.
constexpr std::array<std::string_view, 7> kElsewhere = {"ele-1", "ext-1", "ref-1", "dom-3", "bdl-7", "bdl-12", "dom-6"};

bool isElsewhere(std::string_view key) {
  for (const std::string_view other : kElsewhere) {
    if (key == other) return true;
  }
  return false;
}

Error unusable(const fhir::Schema& schema, const fhir::Constraint& constraint, fhir::DefId def, const Error& error) {
  return fail(Code::Invalid, "the invariant " + std::string(schema.text(constraint.key)) + " at " +
                                 std::string(schema.text(schema.def(def).path)) + ": " + error.message);
}

}  // namespace

Result<Rules> Rules::compile(const std::shared_ptr<const fhir::Schema>& schema) {
  Rules rules;
  std::map<std::pair<fhir::StringId, fhir::StringId>, std::uint32_t> known;  // (key, expression)
  std::map<fhir::StringId, fhirpath::Program> programs;                      // many keys share an expression
  rules.start_.reserve(schema->defCount() + 1);
  for (fhir::DefId def = 0; def < schema->defCount(); ++def) {
    rules.start_.push_back(static_cast<std::uint32_t>(rules.ids_.size()));
    for (const fhir::Constraint& constraint : schema->constraints(schema->def(def))) {
      if (isElsewhere(schema->text(constraint.key))) continue;
      const auto [found, added] = known.emplace(std::pair(constraint.key, constraint.expression), rules.rules_.size());
      if (added) {
        auto program = programs.find(constraint.expression);
        if (program == programs.end()) {
          auto compiled = fhirpath::Program::compile(schema->text(constraint.expression), schema);
          if (!compiled.ok()) return unusable(*schema, constraint, def, compiled.error());
          program = programs.emplace(constraint.expression, std::move(*compiled)).first;
        }
        rules.rules_.push_back({constraint.key, constraint.human, constraint.error, program->second});
      }
      rules.ids_.push_back(found->second);
    }
  }
  rules.start_.push_back(static_cast<std::uint32_t>(rules.ids_.size()));
  return rules;
}

}  // namespace lotsen::validation
