// The plan: the compiled form of an expression. An array of nodes, each with the function that evaluates it and the
// numbers of its operands; names are NameIds, types are TypeIds, literals are ready-made items, fixed regular
// expressions are compiled. Used by: the compiler (makes it), the machine (runs it). Thread rule: immutable once
// compiled; shared by threads.
//
// Rejected: byte code with a dispatch loop (most operations are a call into the tree or a comparison: decoding is not
// where the time goes, and a node array keeps positions for errors), closures (one allocation each, nothing to print or
// test).
#pragma once

#include "gateway/fhirpath/arena.h"
#include "gateway/fhirpath/item.h"
#include "gateway/regex/regex.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhirpath {

using regex::Regex;

class Machine;
struct PlanNode;

/// What the evaluated part sees: $this as a run of the machine's stack, $index, $total.
struct Frame {
  std::uint32_t thisBase = 0;
  std::uint32_t thisCount = 0;
  std::int64_t index = -1;  // -1: there is none
  std::uint32_t totalBase = 0;
  std::uint32_t totalCount = 0;

  /// The same with one item of the stack as $this.
  Frame forItem(std::uint32_t at, std::int64_t itemIndex) const {
    Frame inner = *this;
    inner.thisBase = at;
    inner.thisCount = 1;
    inner.index = itemIndex;
    return inner;
  }
};

/// Pushes the result on the machine's stack; false: the machine holds the error.
using Run = bool (*)(Machine&, const PlanNode&, const Frame&);

struct PlanNode {
  Run run = nullptr;
  std::uint32_t firstKid = 0;  // in Plan::kids: the focus, then the arguments
  std::uint32_t kidCount = 0;
  std::uint32_t a = 0;  // what the function says: a NameId, an index into a table of the plan
  std::uint32_t b = 0;
  std::uint32_t offset = 0;  // in the text, for messages
};

/// A type written in an expression. Unqualified names may mean both a System and a FHIR type (Quantity).
struct TypeTarget {
  bool any = false;  // System.Any
  bool system = false;
  ItemKind kind = ItemKind::Node;   // valid if `system`
  fhir::TypeId type = fhir::kNone;  // kNone: no FHIR type
};

/// A choice element written out: `choice` with that type, or (name not kNone) an element really called so.
struct ChoiceStep {
  fhir::NameId name = fhir::kNone;
  fhir::NameId choice = fhir::kNone;
  fhir::TypeId type = fhir::kNone;
};

/// Elements that functions look for by themselves.
struct WellKnownNames {
  fhir::NameId value, unit, code, system, coding, extension, modifierExtension, url, contained, reference;
};

struct Plan {
  std::string text;
  fhir::Position at;
  std::shared_ptr<const fhir::Schema> schema;
  WellKnownNames names{};
  fhir::TypeId quantityType = fhir::kNone;

  std::vector<PlanNode> nodes;
  std::vector<std::uint32_t> kids;
  std::uint32_t root = 0;

  std::vector<Item> constants;
  std::vector<TypeTarget> types;
  std::vector<ChoiceStep> choices;
  std::vector<std::string_view> texts;  // names that the Schema does not know, variable names
  std::vector<std::unique_ptr<const Regex>> regexes;
  std::uint32_t localCount = 0;  // defineVariable
  std::vector<std::string> warnings;

  Arena literals;  // decoded text, numbers
};

}  // namespace lotsen::fhirpath
