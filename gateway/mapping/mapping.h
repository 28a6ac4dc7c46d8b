// FHIR Mapping Language: map texts are parsed, checked and compiled once into a Library, then run by pure functions.
// Used by: service (in-maps and out-maps), the verbs `transform`, `mapping test`, `bench map`.
// Thread rule: a Library is immutable and may be shared; one run uses one thread. Pure: no I/O; time and id seed are
// inputs. Failure rule: faults in a map are Issues with file:line:column (all at once) and the code Invalid; a failing
// transform gives Issues and no document. Spec: http://hl7.org/fhir/R4/mapping-language.html and the R5 grammar;
// http://hl7.org/fhir/R4/structuremap.html.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/fhir/issues.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::definitions {
struct Definitions;  // gateway/definitions/definitions.h
}

namespace lotsen::mapping {

struct MapText {
  std::string file;  // name for messages
  std::string text;  // FML, or a StructureMap resource (R4 form) in JSON or XML
};

struct CompiledMaps;  // private to this folder

class Library {
 public:
  /// All maps that a transform may need; `import` finds the others by canonical (with wildcard). The first is the entry
  /// map. A profile that a map uses stands for the type it constrains; `translate` finds the concept maps of packages.
  static Result<Library> compile(const std::vector<MapText>& maps,
                                 std::shared_ptr<const definitions::Definitions> definitions, fhir::Issues& issues);
  /// The same without profiles and concept maps of packages.
  static Result<Library> compile(const std::vector<MapText>& maps, std::shared_ptr<const fhir::Schema> schema,
                                 fhir::Issues& issues);
  const CompiledMaps& maps() const { return *maps_; }
  /// Hex SHA-256 over all map texts, in order: goes into the store beside everything that these maps made.
  const std::string& hash() const;
  /// Types of the entry group's parameters.
  fhir::TypeId sourceType() const;
  fhir::TypeId targetType() const;
  const std::shared_ptr<const fhir::Schema>& schema() const;

 private:
  std::shared_ptr<const CompiledMaps> maps_;
};

/// What a run did, for tests of maps and for the loss account: which rules fired, and which rule read which leaf.
struct Trace {
  struct Rule {
    std::string file;
    std::string group;
    std::string name;
    fhir::Position at;
    std::uint64_t fired = 0;  // items it was run for
  };
  struct Read {
    const fhir::Element* leaf = nullptr;  // of the source
    std::size_t rule = 0;                 // in rules
  };
  std::vector<Rule> rules;  // all of the library, in no particular order; counts add up over runs
  std::vector<Read> reads;  // of the last run: the leaves that are mapped (loss.h), by whom; in the order of the work
};

/// All rules of the library, none fired yet.
Trace blankTrace(const Library& library);

struct RunOptions {
  Instant now{};  // now() in the map's FHIRPath
  /// uuid() is name-based (RFC 9562 version 5) over (seed, map hash, ordinal): the same input gives the same output.
  std::string seed;  // the record's digest
  /// Work before the run is given up, far beyond any record: items visited by rules, elements moved, operations of
  /// FHIRPath.
  std::uint64_t maxSteps = 5'000'000;
  /// Bytes of the result, and as many for what expressions make, before the run is given up.
  std::size_t maxBytes = 64u << 20;
  Trace* trace = nullptr;  // filled if given
};

/// Runs the entry group on `source` into a new document of the target type.
Result<fhir::Document> transform(const Library& library, const fhir::Document& source, const RunOptions& options,
                                 fhir::Issues& issues);
/// The map as a StructureMap resource, R4 form. Invalid if it has faults or holds what that form has no place for.
Result<fhir::Document> toStructureMap(const MapText& map, const std::shared_ptr<const fhir::Schema>& schema,
                                      fhir::Issues& issues);
}  // namespace lotsen::mapping
