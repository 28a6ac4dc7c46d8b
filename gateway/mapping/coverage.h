// What the tests of maps reach: which constructs of the language a set of maps uses (counted by walking their syntax
// trees, so that a report cannot claim what no map says), and which elements of a model the records have. Used by: the
// verb `mapping test`, and tests/mapping, which wants a passing and a failing case for every construct. Thread rule:
// plain values. Failure rule: a map that does not parse is counted for nothing; its faults are Issues. Spec: the union
// of R4 mapping.g4 and R5 FmlMapping.g4, see ast.h.
#pragma once

#include "gateway/mapping/mapping.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

struct MapNode;  // ast.h, private to this folder

/// One thing that the grammar lets a map say: a production, one of its alternatives, a list mode, a transform.
struct Construct {
  std::string_view kind;  // "source list mode"
  std::string_view name;  // "not_first"
  friend bool operator==(const Construct&, const Construct&) = default;
};

/// All of them, in the order of the grammar; those of one kind stand together.
std::span<const Construct> constructs();

class GrammarCoverage {
 public:
  GrammarCoverage();
  void add(const MapNode& map);
  /// Parses a map text or a StructureMap resource and adds it. Invalid if it has faults.
  Status add(const MapText& map, const std::shared_ptr<const fhir::Schema>& schema, fhir::Issues& issues);
  /// How often the maps use constructs()[i].
  std::uint64_t count(std::size_t i) const { return counts_[i]; }
  std::size_t used() const;  // constructs that are used at all

 private:
  std::vector<std::uint64_t> counts_;
};

/// Which fields of a source model records have used. A field is an element that the model gives no elements of its own:
/// a value, or something of a FHIR type, whatever is inside of it.
class FieldCoverage {
 public:
  FieldCoverage(const fhir::Schema& schema, fhir::TypeId model);
  /// REQUIRES: a record of the model.
  void add(const fhir::Document& record);
  std::size_t count() const { return used_.size(); }
  std::vector<std::string> unused() const;  // "PasReferral.patient.phone", sorted

 private:
  void fields(const fhir::Schema& schema, const std::string& path, fhir::ShapeId shape,
              std::vector<fhir::ShapeId>& inside);
  void use(const fhir::Document& record, const std::string& path, const fhir::Element* node);
  std::string root_;
  std::map<std::string, bool> used_;
};

}  // namespace lotsen::mapping
