// Faults of a map text: each says file:line:column, what is wrong and what to do. A thin writer into fhir::Issues.
// Used by: lexer, parser, compiler. Thread rule: one thread. Failure rule: never fails; at most kMaxFaults are kept.
#pragma once

#include "gateway/fhir/issues.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

class Faults {
 public:
  static constexpr std::size_t kMaxFaults = 200;

  explicit Faults(fhir::Issues& issues) : issues_(issues) {}

  void error(const std::string& file, fhir::Position at, std::string_view rule, const std::string& text);
  void warning(const std::string& file, fhir::Position at, std::string_view rule, const std::string& text);
  bool hasErrors() const { return errors_; }
  /// Nothing more is kept: looking for more is no use.
  bool full() const { return seen_.size() >= kMaxFaults; }

 private:
  void add(fhir::Severity severity, const std::string& file, fhir::Position at, std::string_view rule,
           const std::string& text);

  fhir::Issues& issues_;
  std::set<std::string> seen_;  // a group compiled for several types repeats its faults: each is told once
  bool errors_ = false;
};

/// "; did you mean 'create'?" or nothing.
std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& candidates);

}  // namespace lotsen::mapping
