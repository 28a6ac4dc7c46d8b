// The invariants of a Schema, compiled: every distinct expression once. Private to gateway/validation.
#pragma once

#include "gateway/fhir/schema.h"
#include "gateway/fhirpath/fhirpath.h"

#include <span>
#include <vector>

namespace lotsen::validation {

struct Rule {
  fhir::StringId key = fhir::kNone;  // "pat-1"
  fhir::StringId human = fhir::kNone;
  bool error = true;
  fhirpath::Program program;
};

class Rules {
 public:
  /// Invalid, with the key, if an expression does not compile.
  static Result<Rules> compile(const std::shared_ptr<const fhir::Schema>& schema);

  /// The rules that an element of this definition must keep; the root definition of a type holds for all its instances.
  std::span<const std::uint32_t> of(fhir::DefId def) const {
    return std::span(ids_).subspan(start_[def], start_[def + 1] - start_[def]);
  }
  const Rule& operator[](std::uint32_t id) const { return rules_[id]; }

 private:
  std::vector<Rule> rules_;
  std::vector<std::uint32_t> ids_;
  std::vector<std::uint32_t> start_;  // by DefId
};

}  // namespace lotsen::validation
