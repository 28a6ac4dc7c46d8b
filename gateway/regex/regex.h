// A regular expression, compiled once. RE2: linear time, no look-around, no back-references.
// Used by: fhirpath (matches, matchesFull, replaceMatches), definitions (filters of value sets). Thread rule:
// immutable, shared. Failure rule: a pattern that RE2 refuses is Invalid.
#pragma once

#include "gateway/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lotsen::regex {

class Regex {
 public:
  static Result<std::unique_ptr<const Regex>> compile(std::string_view pattern);
  ~Regex();

  bool find(std::string_view text) const;   // anywhere in the text
  bool match(std::string_view text) const;  // the whole text
  /// Replaces every match; `replacement` may name groups as $1 or ${name}, "\$" is a dollar. Invalid: no such group.
  /// TooLarge: the result would have more than `most` bytes, or `pay` (told the bytes of each search) said no.
  Result<std::string> replaceAll(std::string_view text, std::string_view replacement, std::size_t most,
                                 const std::function<bool(std::size_t)>& pay) const;

  /// Instructions of the compiled program: what a byte of text can cost at worst.
  std::size_t size() const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace lotsen::regex
