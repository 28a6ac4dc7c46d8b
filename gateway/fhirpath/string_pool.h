// Strings whose bytes never move: decoded literals and built names, kept by whoever needs views into them.
// Thread rule: one thread while it grows; reading is free.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace lotsen::fhirpath {

class StringPool {
 public:
  std::string_view add(std::string text) { return strings_.emplace_back(std::move(text)); }

 private:
  std::deque<std::string> strings_;
};

}  // namespace lotsen::fhirpath
