// Concept maps: which code of another system a code becomes. Those of packages, and the form that maps written in the
// mapping language are compiled to. Used by: mapping (translate). Thread rule: immutable once loaded. Failure rule: a
// code without a translation is an answer, not an error. Spec: http://hl7.org/fhir/R4/conceptmap.html; the R5 words
// (relationship, use-source-code, noMap) are read as the R4 ones that mean the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::definitions {

/// How the target relates to the source, R4's codes. The first five say that the target holds wherever the source does,
/// so that it may be written in its stead.
enum class Equivalence : std::uint8_t {
  RelatedTo,
  Equal,
  Equivalent,
  Wider,
  Subsumes,
  Inexact,
  Narrower,
  Specializes,
  Unmatched,
  Disjoint
};

/// What an answer says; views into the maps and the arguments of translate().
struct Translation {
  enum class Kind : std::uint8_t { Found, None, Several, Endless };
  Kind kind = Kind::None;
  std::string_view system;
  std::string_view code;
  std::string_view display;
};

class ConceptMap {
 public:
  struct Entry {
    std::string sourceSystem;
    std::string source;
    Equivalence equivalence = Equivalence::RelatedTo;
    std::string targetSystem;
    std::string target;
    std::string display;
    bool conditional = false;  // dependsOn: holds only beside other codes, which nobody gives here; never chosen
  };
  enum class UnmappedMode : std::uint8_t { Provided, Fixed, OtherMap };
  /// What becomes of a code of this system that the map does not list.
  struct Unmapped {
    std::string sourceSystem;
    UnmappedMode mode = UnmappedMode::Provided;
    std::string targetSystem;
    std::string code;  // Fixed
    std::string display;
    std::string url;  // OtherMap
  };

  ConceptMap() = default;
  ConceptMap(std::string url, std::string version, std::vector<Entry> entries, std::vector<Unmapped> unmapped);

  const std::string& url() const { return url_; }
  const std::string& version() const { return version_; }

 private:
  friend class ConceptMaps;
  std::string url_;
  std::string version_;
  std::vector<Entry> entries_;  // by source code
  std::vector<Unmapped> unmapped_;
};

class ConceptMaps {
 public:
  /// A later one of the same canonical and version replaces the earlier one.
  void add(ConceptMap map);
  /// "url" or "url|version"; without a version the newest one. nullptr: not known.
  const ConceptMap* find(std::string_view canonical) const;
  /// What `code` becomes by `map`. An empty system matches every group. Among several usable targets an equal or
  /// equivalent one goes first. Other maps that `map` names for what it does not list are found here.
  Translation translate(const ConceptMap& map, std::string_view system, std::string_view code) const;

 private:
  Translation translate(const ConceptMap& map, std::string_view system, std::string_view code, int depth) const;
  std::map<std::string, ConceptMap, std::less<>> byCanonical_;  // "url|version"
};

/// A ConceptMap resource in JSON, R4 or R5; nothing if the text is no such resource. What no translation needs is
/// passed over.
std::optional<ConceptMap> readConceptMap(std::string_view json);

/// "equivalent" (R4), "source-is-narrower-than-target" (R5) …; Unmatched for a word that is none.
Equivalence equivalenceOf(std::string_view code);

/// The name of a code system by its OID as CDA and HL7 v2 write it: the canonical where one is published, else
/// "urn:oid:…" or "urn:uuid:…".
std::string uriOfOid(std::string_view oid);

}  // namespace lotsen::definitions
