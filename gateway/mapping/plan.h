// The compiled form of maps: what `transform` walks. Made by the compiler, read by the runner, known to nobody else.
// Thread rule: immutable once the compiler is done. Failure rule: indexes are valid by construction.
//
// Form. A group is compiled once per combination of its arguments' types (an *instance*), so that every element name is
// resolved before anything runs: a source step is an interned name to compare with, a target is a pointer to the
// Schema's Property, a variable is the number of a slot in the frame of its group's instance. Rows lie in flat arrays;
// "first" and "count" name a range. A frame is as large as the deepest nesting of variables needs; leaving a rule frees
// its slots for the next one.
//
// Rejected: walking the syntax tree with a map of variables (a hash and an allocation per rule: this is what makes the
// known engines slow); resolving target elements at run time with an inline cache (mutable state in what is shared
// between threads); byte code (rules are few and fat: the switch costs nothing, and the arrays print well).
#pragma once

#include "gateway/definitions/definitions.h"
#include "gateway/fhirpath/fhirpath.h"
#include "gateway/mapping/ast.h"
#include "gateway/mapping/time_transforms.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lotsen::mapping {

constexpr std::uint32_t kNoIndex = 0xffffffffU;
using Index = std::uint32_t;

struct Range {
  Index first = 0;
  Index count = 0;
};

enum class TransformKind : std::uint8_t {
  None,   // make the element
  Alias,  // the target variable itself under another name
  Create,
  Copy,
  Truncate,
  Escape,
  Cast,
  Append,
  Translate,
  Reference,
  DateOp,
  Uuid,
  Pointer,
  Evaluate,
  ParseMoment,  // toDate, toDateTime, toTime
  UnixMoment,   // unixToDate, unixToDateTime, unixToTime
  Cc,
  C,
  Qty,
  Id,
  Cp,
  Implicit,  // `src.a -> tgt.b;`: by the groups for the types, else a copy
};

/// What translate() makes.
enum class TranslateTo : std::uint8_t { Code, System, Display, Coding, CodeableConcept };

/// Where an argument comes from.
struct OperandPlan {
  enum class Kind : std::uint8_t { Constant, Slot, Global, Path, Expression };
  Kind kind = Kind::Constant;
  Index index = 0;  // of the constant, slot, `let` constant or program; for Path the slot it starts from
  Range steps;      // Path
};

/// One step from a source node to its children.
struct StepPlan {
  fhir::NameId name = fhir::kNone;  // kNone: the Schema does not know the name, compare `text`
  fhir::TypeId only = fhir::kNone;  // valueQuantity: `value` if it is a Quantity
  Index text = 0;                   // in names
  bool self = false;                // `.value` of a primitive: the node itself
  bool dynamic = false;             // the type was not known: variants and `.value` are told apart when it runs
};

/// `where` or `check`. Its FHIRPath starts from the item; where its first name is no element of the item but one of the
/// item's parent, it starts there, as HL7's tutorial has it: `src.i as i where m < 2`.
struct ConditionPlan {
  Index program = kNoIndex;
  bool onParent = false;  // known when compiling
  Index lead = kNoIndex;  // the first name, in names: the types are not known and the elements decide when it runs
};

struct SourcePlan {
  Index context = 0;  // slot, or the number of a `let` constant
  bool constant = false;
  Range steps;
  fhir::TypeId type = fhir::kNone;  // `: Type`
  Index typeText = kNoIndex;        // the same when the Schema does not know it: nothing matches
  SourceListMode listMode = SourceListMode::None;
  bool plain = true;  // nothing but steps: items are visited without being collected
  bool hasFallback = false;
  bool hasCardinality = false;
  std::uint32_t min = 0;
  std::uint32_t max = fhir::kUnbounded;
  OperandPlan fallback;
  Index variable = kNoIndex;  // slot
  ConditionPlan where;
  ConditionPlan check;
  Index log = kNoIndex;  // program
};

/// What `src.a -> tgt.b;` does for one type of source.
struct DispatchPlan {
  fhir::TypeId source = fhir::kNone;
  const fhir::Property* property = nullptr;  // of the target; nullptr: its structure is not known
  Index group = kNoIndex;                    // instance; kNoIndex: copy (or only make, if the transform is None)
  fhir::TypeId target = fhir::kNone;         // the type to make
};

/// One place in a target: context.element, resolved as far as types allow.
struct PlacePlan {
  const fhir::Property* property =
      nullptr;            // the one property; nullptr: choose among candidates, or by name if there are none
  Range candidates;       // in properties: a choice element
  Index name = kNoIndex;  // in names: the context's type is not known, looked up when it runs
  bool repeats = true;
  bool self = false;  // `.value` of a primitive, or the variable itself: sets the node's own value
};

struct TargetPlan {
  Index context = kNoIndex;  // slot; kNoIndex: a value without a place
  Range path;                // places; all but the last are containers that are made when missing
  TransformKind transform = TransformKind::None;
  TargetListMode listMode = TargetListMode::None;
  fhir::TypeId type = fhir::kNone;  // Create and Cast: the type; Translate: what comes out
  Index program = kNoIndex;         // Evaluate, DateOp
  Index table = kNoIndex;           // Translate: concept map
  TranslateTo translateTo = TranslateTo::Code;
  MomentKind moment = MomentKind::Date;  // ParseMoment, UnixMoment
  Range arguments;                       // operands
  Range dispatch;                        // Implicit, and None on a choice: by the type of the source
  Index dispatchSource = kNoIndex;       // slot
  Index variable = kNoIndex;             // slot
  Index shared = kNoIndex;               // slot of `share`
  fhir::Position at;

  // The common case, decided when compiling: one known property, nothing shared, ordered or converted (see
  // Runner::directTarget).
  const fhir::Property* direct = nullptr;
  fhir::NameId directName = fhir::kNone;
  bool once = false;     // the property does not repeat
  bool textual = false;  // any primitive may be written to it as it is
};

struct CallPlan {
  Index group = 0;  // instance
  Range arguments;
};

struct RulePlan {
  Range sources;
  Range targets;
  Range calls;
  Range rules;
  Range shares;    // slots of `share` that begin with each item of this rule
  Index info = 0;  // in ruleInfos
};

struct GroupPlan {
  Index slots = 0;        // size of the frame; the parameters come first
  Index base = kNoIndex;  // `extends`: instance, called first with `baseArguments`
  Range baseArguments;
  Range rules;
  Range shares;
  Index info = 0;  // in groupInfos
};

/// A rule as written; the instances of its group share it.
struct RuleInfo {
  std::string file;
  std::string group;
  std::string name;
  fhir::Position at;
};

struct GroupInfo {
  std::string file;
  std::string name;
  fhir::Position at;
};

/// What an expression may name: by the place of the variable in the expression's own list.
struct VariablePlan {
  Index slot = 0;
  bool global = false;
};

struct ProgramPlan {
  fhirpath::Program program;
  std::vector<VariablePlan> variables;  // what the expression may name
  bool literal = false;                 // a text of the map, no data: may be shown
};

struct ConceptMapPlan {
  std::string name;                                 // "#sex", or its canonical
  definitions::ConceptMap own;                      // written in the map
  const definitions::ConceptMap* shared = nullptr;  // of a package; kept by CompiledMaps::definitions
  bool oids = false;                                // HL7's special-oid2uri: no table, a function
};

/// Names that transforms write by themselves.
struct KnownNames {
  fhir::NameId coding, system, code, display, text, value, unit, type, reference, id, fullUrl, resource;
};

struct CompiledMaps {
  std::shared_ptr<const definitions::Definitions> definitions;
  std::shared_ptr<const fhir::Schema> schema;
  std::string hash;
  fhir::TypeId sourceType = fhir::kNone;
  fhir::TypeId targetType = fhir::kNone;
  Index entry = kNoIndex;   // instance
  bool sourceFirst = true;  // order of the entry group's parameters

  std::vector<GroupPlan> groups;
  std::vector<RulePlan> rules;
  std::vector<SourcePlan> sources;
  std::vector<StepPlan> steps;
  std::vector<TargetPlan> targets;
  std::vector<PlacePlan> places;
  std::vector<const fhir::Property*> properties;
  std::vector<DispatchPlan> dispatches;
  std::vector<CallPlan> calls;
  std::vector<OperandPlan> operands;
  std::vector<Index> shares;
  std::vector<fhirpath::Value> constants;  // their text lives in `texts`
  std::vector<fhir::TypeId> constantTypes;
  std::vector<Index> globals;  // `let`: programs
  std::vector<ProgramPlan> programs;
  std::vector<ConceptMapPlan> conceptMaps;
  std::vector<std::string> names;
  std::deque<std::string> texts;
  std::vector<RuleInfo> ruleInfos;
  std::vector<GroupInfo> groupInfos;
  std::array<fhir::TypeId, 9> kindTypes{};  // of System values, by fhirpath::Kind; Node: none
  KnownNames known{};
};

template <typename Row>
std::span<const Row> rows(const std::vector<Row>& table, Range range) {
  return {table.data() + range.first, range.count};  // valid by construction
}

}  // namespace lotsen::mapping
