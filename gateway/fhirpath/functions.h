// The functions of the language: a table the compiler looks names up in, and the evaluators of operators and navigation
// that the compiler places by itself. Used by: the compiler. Thread rule: constant tables. Failure rule: see machine.h.
#pragma once

#include "gateway/fhirpath/plan.h"

#include <span>
#include <string_view>

namespace lotsen::fhirpath {

/// The static type of a function's result.
enum class Gives : std::uint8_t {
  Focus,     // as the focus
  Argument,  // as the first argument
  Both,      // the focus or the first argument
  Branches,  // any argument but the first
  Boolean,
  Integer,
  Decimal,
  String,
  Date,
  DateTime,
  Time,
  Quantity,
  Type,
  Extension,
  Unordered,  // unknown type, no order
  Unknown,
};

struct FunctionRow {
  std::string_view name;
  Run run;
  std::uint8_t minimum;  // arguments
  std::uint8_t maximum;
  /// One letter an argument, the last one repeats: v value (sees the outer focus), l evaluated per item, i sees the
  /// whole focus as $this, t a type, s a sort key, n a name for defineVariable, r a regular expression. Like v, but
  /// checked: w an Integer, x text.
  std::string_view modes;
  Gives gives;
  bool ordered = false;  // needs an ordered collection
};

const FunctionRow* findFunction(std::string_view name);
std::vector<std::string_view> functionNames();

// One table a file.
std::span<const FunctionRow> collectionFunctions();
std::span<const FunctionRow> aggregateFunctions();
std::span<const FunctionRow> textFunctions();
std::span<const FunctionRow> numberFunctions();
std::span<const FunctionRow> conversionFunctions();
std::span<const FunctionRow> timeFunctions();
std::span<const FunctionRow> fhirFunctions();

// navigation.cc. Operand 0 is the focus where there is one.
bool runConstant(Machine& machine, const PlanNode& node, const Frame& frame);  // a: constant
bool runEmptySet(Machine& machine, const PlanNode& node, const Frame& frame);
bool runThis(Machine& machine, const PlanNode& node, const Frame& frame);
bool runThisIndex(Machine& machine, const PlanNode& node, const Frame& frame);  // $index
bool runTotal(Machine& machine, const PlanNode& node, const Frame& frame);
bool runContext(Machine& machine, const PlanNode& node, const Frame& frame);   // %context
bool runResource(Machine& machine, const PlanNode& node, const Frame& frame);  // %resource
bool runRootResource(Machine& machine, const PlanNode& node, const Frame& frame);
bool runVariable(Machine& machine, const PlanNode& node, const Frame& frame);  // a: text, by name
bool runSlot(Machine& machine, const PlanNode& node, const Frame& frame);      // a: slot
bool runLocal(Machine& machine, const PlanNode& node, const Frame& frame);     // a: local
bool runNamedLocal(Machine& machine, const PlanNode& node,
                   const Frame& frame);  // a: text; operands: the locals that may be called so
bool runThisChild(Machine& machine, const PlanNode& node,
                  const Frame& frame);                                      // a: name; no operand: children of $this
bool runChild(Machine& machine, const PlanNode& node, const Frame& frame);  // a: name
bool runChildByText(Machine& machine, const PlanNode& node,
                    const Frame& frame);  // a: text; a name the Schema does not know
bool runChoice(Machine& machine, const PlanNode& node,
               const Frame& frame);                                            // a: choice; "valueQuantity" written out
bool runRootType(Machine& machine, const PlanNode& node, const Frame& frame);  // b: type target; "Patient" at the start
bool runMember(Machine& machine, const PlanNode& node,
               const Frame& frame);  // a: text, b: name; also of System values: type().name, (4 'g').unit
bool runIndexer(Machine& machine, const PlanNode& node, const Frame& frame);

// operators.cc
Run binaryOperator(std::string_view text);
bool runNegate(Machine& machine, const PlanNode& node, const Frame& frame);
bool runPlus(Machine& machine, const PlanNode& node, const Frame& frame);

// functions_collection.cc: the operator | and the function union
bool runUnion(Machine& machine, const PlanNode& node, const Frame& frame);

// functions_fhir.cc, b: type target
bool runIs(Machine& machine, const PlanNode& node, const Frame& frame);
bool runAs(Machine& machine, const PlanNode& node, const Frame& frame);      // one item at most
bool runOfType(Machine& machine, const PlanNode& node, const Frame& frame);  // any number

/// Adds `quantity` to (or, with sign -1, takes it from) a Date, DateTime or Time.
bool addDuration(Machine& machine, const PlanNode& node, const Item& date, const Quantity& quantity, int sign);

}  // namespace lotsen::fhirpath
