// The part of the compiler that knows no scopes: the plan under construction, its faults, literals and regular
// expressions. Used by: the compiler, as its base. Thread rule: one thread. Failure rule: the first fault is kept and
// `failed_` set; what is made afterwards is of no use.
#pragma once

#include "gateway/base/result.h"
#include "gateway/fhirpath/fhirpath.h"
#include "gateway/fhirpath/plan.h"
#include "gateway/fhirpath/static_type.h"
#include "gateway/fhirpath/syntax.h"

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhirpath {

class PlanBuilder {
 public:
  PlanBuilder(std::string_view text, std::shared_ptr<const fhir::Schema> schema, const CompileOptions& options,
              fhir::Position at);

 protected:
  // Faults. refuse() gives 0, the node that stands for one that could not be made.
  std::uint32_t refuse(const Syntax& at, const std::string& message);
  /// An error in strict mode, else a warning.
  void doubt(const Syntax& at, const std::string& message);
  void check(const Syntax& at, const std::optional<std::string>& fault) {
    if (fault) doubt(at, *fault);
  }
  static std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& candidates);

  // Nodes: each gives its index in the plan.
  std::uint32_t emit(const Syntax& at, Run function, std::initializer_list<std::uint32_t> kids, std::uint32_t a = 0,
                     std::uint32_t b = 0) {
    return emit(at, function, std::span<const std::uint32_t>(kids.begin(), kids.size()), a, b);
  }
  std::uint32_t emit(const Syntax& at, Run function, std::span<const std::uint32_t> kids, std::uint32_t a = 0,
                     std::uint32_t b = 0);
  std::uint32_t constant(const Syntax& at, const Item& item, StaticType& type);
  std::uint32_t fixedText(const Syntax& at, std::string_view prefix, std::string_view rest, StaticType& type);
  std::uint32_t integer(const Syntax& at, StaticType& type);
  /// A decimal or a quantity.
  std::uint32_t number(const Syntax& at, StaticType& type);
  /// A date, a date with time, a time of day.
  std::uint32_t moment(const Syntax& at, StaticType& type);

  /// Index in Plan::texts. Text of the syntax tree lives as long as the plan.
  std::uint32_t keep(std::string_view text);
  /// Whether `at`, a text, is a regular expression; `out` is its number in Plan::regexes, from 1, or stays as it is if
  /// the plan keeps no more of them.
  bool regex(const Syntax& at, std::uint32_t& out);

  const CompileOptions& options_;
  std::shared_ptr<Plan> plan_;
  const fhir::Schema& schema_;
  bool failed_ = false;
  Error error_;

 private:
  std::string place(const Syntax& at) const;
};

}  // namespace lotsen::fhirpath
