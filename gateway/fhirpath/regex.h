// A regular expression, compiled once. RE2: linear time, no look-around, no back-references.
// Used by: matches, matchesFull, replaceMatches. Thread rule: immutable, shared. Failure rule: a pattern that RE2
// refuses is Invalid.
#pragma once

#include "gateway/base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace lotsen::fhirpath {

class Regex {
 public:
  static Result<std::unique_ptr<const Regex>> compile(std::string_view pattern);
  ~Regex();

  bool find(std::string_view text) const;   // anywhere in the text
  bool match(std::string_view text) const;  // the whole text
  /// Replaces every match; `replacement` may name groups as $1 or ${name}, "\$" is a dollar. Invalid: no such group.
  Result<std::string> replaceAll(std::string_view text, std::string_view replacement) const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace lotsen::fhirpath
