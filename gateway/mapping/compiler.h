// Syntax trees to plan: resolves every name, type, group and element against the Schema and reports all faults at once.
// Used by: Library::compile. Thread rule: one thread. Failure rule: faults go to Faults; the plan is usable only if
// there are no errors. An unknown structure is a warning and leaves its variables untyped; an unknown element of a
// known structure is an error.
//
// Groups are compiled from a worklist, once per combination of argument types (see plan.h). Groups that the entry group
// does not reach are compiled for their declared types too, so that their faults are told.
#pragma once

#include "gateway/mapping/faults.h"
#include "gateway/mapping/plan.h"
#include "gateway/mapping/static_type.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lotsen::mapping {

struct GroupRef {
  std::size_t map = 0;
  std::size_t group = 0;
};

/// What the compilation of all groups shares.
class Compiler {
 public:
  Compiler(const std::vector<MapNode>& maps, std::shared_ptr<const definitions::Definitions> definitions,
           Faults& faults);

  /// The plan; its `hash` is the caller's.
  std::shared_ptr<CompiledMaps> run();

  // For the compiler of one group:
  CompiledMaps& plan() { return *plan_; }
  const fhir::Schema& schema() const { return *schema_; }
  const TypeLookup& lookup() const { return lookup_; }
  const MapNode& map(std::size_t index) const { return maps_[index]; }
  const GroupNode& group(GroupRef ref) const { return maps_[ref.map].groups[ref.group]; }

  bool full() const { return faults_.full(); }  // of faults: nobody reads more
  void error(std::size_t map, fhir::Position at, std::string_view rule, const std::string& text);
  void warning(std::size_t map, fhir::Position at, std::string_view rule, const std::string& text);

  /// The type that a name means in this map; kNone if its structure is not known (told once) or there is no such type
  /// (told; of a `parameter` only a misspelt one is a fault, any other takes what its group is called with).
  fhir::TypeId resolveType(std::size_t map, const Name& name, bool parameter = false);
  std::optional<GroupRef> findGroup(std::size_t map, const Name& name);
  /// The nearest group that says it maps these types by default (<<types>>, <<type+>>); two as near are a fault `at`
  /// the place that wants it.
  std::optional<GroupRef> findGroup(std::size_t map, fhir::Position at, fhir::TypeId source, fhir::TypeId target);
  /// Groups that say they map this source type by default (<<type+>>), or one derived from it if `derived`.
  std::vector<GroupRef> findGroups(std::size_t map, fhir::TypeId source, bool derived);
  std::pair<fhir::TypeId, fhir::TypeId> typesOf(GroupRef ref);

  /// The instance of a group for arguments of these types.
  Index instance(GroupRef ref, const std::vector<StaticType>& arguments);
  /// The same for a group without parameters of its own, which takes those of the group that extends it.
  Index instance(GroupRef ref, const std::vector<InputNode>& inputs, const std::vector<StaticType>& arguments);

  /// The row that all instances of the rule share.
  Index ruleInfo(std::size_t map, const GroupNode& group, const RuleNode& rule);
  Index constant(LiteralKind kind, std::string_view text);
  Index name(std::string_view text);
  Index global(std::size_t map, std::string_view name) const;  // kNoIndex: no such `let`
  std::vector<std::string_view> globalNames(std::size_t map) const;
  Index conceptMap(std::size_t map, const Name& uri);
  Index program(std::size_t map, const Name& expression, const fhirpath::CompileOptions& options,
                std::vector<VariablePlan> variables);

 private:
  struct Pending {
    Index instance;
    GroupRef ref;
    std::vector<InputNode> inputs;
    std::vector<StaticType> arguments;
  };
  /// A group with <<types>> or <<type+>> that a map sees.
  struct TypedGroup {
    GroupRef ref;
    fhir::TypeId source = fhir::kNone;
    fhir::TypeId target = fhir::kNone;
    bool bySourceAlone = false;  // <<type+>>
    std::size_t distance = 0;    // imports away
  };
  struct Structure {
    std::string alias;
    fhir::TypeId type = fhir::kNone;
  };

  void resolveStructures(std::size_t map);
  std::string nearStructure(std::string_view url) const;
  void resolveImports(std::size_t map);
  void checkNames(std::size_t map);
  void compileConstants(std::size_t map);
  void compileConceptMaps(std::size_t map);
  fhir::TypeId findType(std::size_t map, const Name& name, bool parameter);
  bool hasGroup(std::size_t map, const std::string& name) const;
  fhir::TypeId onlyStructure(InputMode mode) const;
  void entry();
  void drain();
  fhir::TypeId inputType(GroupRef ref, const InputNode& input);
  fhir::TypeId typeByUrl(std::string_view url) const;
  void resolveVisible(std::size_t map);
  const std::vector<TypedGroup>& typedGroups(std::size_t map);
  void compileUnreached(GroupRef ref);
  void unknownGroup(std::size_t map, const Name& name);

  const std::vector<MapNode>& maps_;
  std::shared_ptr<const definitions::Definitions> definitions_;
  std::shared_ptr<const fhir::Schema> schema_;
  Faults& faults_;
  TypeLookup lookup_;
  std::shared_ptr<CompiledMaps> plan_;
  std::vector<std::vector<Structure>> structures_;                         // by map
  std::vector<std::vector<std::size_t>> imports_;                          // by map
  std::vector<std::vector<std::string_view>> missing_;                     // by map: imports that nobody gave
  std::vector<std::vector<std::vector<std::size_t>>> visible_;             // by map: itself, its imports, theirs …
  std::vector<std::optional<std::vector<TypedGroup>>> typed_;              // by map, nearest first
  std::vector<std::unordered_map<std::string_view, std::size_t>> groups_;  // by map: the first group of each name
  std::vector<std::map<std::string, Index, std::less<>>> globals_;         // by map
  std::map<std::string, Index, std::less<>> conceptMaps_;                  // "map index#id", or a canonical
  std::map<std::string, Index> instances_;
  std::map<std::pair<int, std::string>, Index> constants_;
  std::map<std::string, Index, std::less<>> names_;
  std::map<std::pair<std::size_t, std::pair<std::uint32_t, std::uint32_t>>, Index> ruleInfos_;
  std::map<std::pair<std::size_t, std::size_t>, std::pair<fhir::TypeId, fhir::TypeId>> groupTypes_;
  std::map<std::pair<std::size_t, std::string>, fhir::TypeId> resolved_;  // names of types, each told once if unknown
  std::deque<Pending> pending_;
};

}  // namespace lotsen::mapping
