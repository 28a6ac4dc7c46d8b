// The codes of code systems that packages hold in full: a code of such a system that is not among them does not exist.
// Used by: validation. Thread rule: immutable once loaded. Failure rule: a system that is not known here in full is
// never judged: fragments, supplements, systems with a grammar of their own (SNOMED CT's expressions).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lotsen::definitions {

class CodeSystem;

class KnownCodes {
 public:
  bool empty() const { return byUrl_.empty(); }
  /// Whether the system has the code; nullopt if the system is not known in full, or not in this version. An empty
  /// version means the newest. Case counts where the code system says so.
  std::optional<bool> has(std::string_view system, std::string_view version, std::string_view code) const;

 private:
  friend class ValueSets;  // value_sets.h: the only writer
  struct System {
    std::string version;
    bool caseSensitive = false;
    std::vector<std::string> codes;  // sorted; in lower case unless case counts
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void add(const CodeSystem& system);

  std::unordered_map<std::string, std::vector<System>, Hash, std::equal_to<>> byUrl_;  // the newest first
};

}  // namespace lotsen::definitions
