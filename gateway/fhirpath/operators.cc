// Operators: FHIRPath 2.0 §6.
#include "gateway/fhirpath/compare.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

#include <limits>

namespace lotsen::fhirpath {
namespace {

/// Both operands on the stack: left is [left, right), right is [right, top).
bool operands(Machine& machine, const PlanNode& node, const Frame& frame, std::uint32_t& left, std::uint32_t& right) {
  left = machine.top();
  if (!machine.eval(machine.kid(node, 0), frame)) return false;
  right = machine.top();
  return machine.eval(machine.kid(node, 1), frame);
}

bool equality(Machine& machine, const PlanNode& node, const Frame& frame, bool negate) {
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  if (!operands(machine, node, frame, left, right)) return false;
  Truth truth = equalCollections(machine, machine.range(left, right - left), machine.from(right));
  if (negate && truth != Truth::Unknown) truth = truth == Truth::True ? Truth::False : Truth::True;
  machine.truncate(left);
  return machine.result(truth);
}

bool runEqual(Machine& machine, const PlanNode& node, const Frame& frame) {
  return equality(machine, node, frame, false);
}
bool runNotEqual(Machine& machine, const PlanNode& node, const Frame& frame) {
  return equality(machine, node, frame, true);
}

bool equivalence(Machine& machine, const PlanNode& node, const Frame& frame, bool negate) {
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  if (!operands(machine, node, frame, left, right)) return false;
  const bool same = equivalentCollections(machine, machine.range(left, right - left), machine.from(right));
  machine.truncate(left);
  return machine.result(same != negate);
}

bool runEquivalent(Machine& machine, const PlanNode& node, const Frame& frame) {
  return equivalence(machine, node, frame, false);
}
bool runNotEquivalent(Machine& machine, const PlanNode& node, const Frame& frame) {
  return equivalence(machine, node, frame, true);
}

/// Two single operands; `present` is false if either is empty.
bool pair(Machine& machine, const PlanNode& node, const Frame& frame, Item& a, Item& b, bool& present) {
  bool hasA = false;
  bool hasB = false;
  if (!machine.single(node, frame, 0, a, hasA) || !machine.single(node, frame, 1, b, hasB)) return false;
  present = hasA && hasB;
  return true;
}

template <typename Accept>
bool inequality(Machine& machine, const PlanNode& node, const Frame& frame, Accept accept) {
  Item a;
  Item b;
  bool present = false;
  if (!pair(machine, node, frame, a, b, present)) return false;
  if (!present) return true;
  const Ordering order = compareItems(machine, a, b);
  if (order == Ordering::Incomparable)
    return machine.fail(node, "these two values cannot be put in order: their types differ");
  return order == Ordering::Unknown || machine.result(accept(order));
}

bool runLess(Machine& machine, const PlanNode& node, const Frame& frame) {
  return inequality(machine, node, frame, [](Ordering order) { return order == Ordering::Less; });
}
bool runLessOrEqual(Machine& machine, const PlanNode& node, const Frame& frame) {
  return inequality(machine, node, frame, [](Ordering order) { return order != Ordering::Greater; });
}
bool runGreater(Machine& machine, const PlanNode& node, const Frame& frame) {
  return inequality(machine, node, frame, [](Ordering order) { return order == Ordering::Greater; });
}
bool runGreaterOrEqual(Machine& machine, const PlanNode& node, const Frame& frame) {
  return inequality(machine, node, frame, [](Ordering order) { return order != Ordering::Less; });
}

bool membership(Machine& machine, const PlanNode& node, const Frame& frame, std::uint32_t element,
                std::uint32_t collection) {
  Item item;
  bool present = false;
  if (!machine.single(node, frame, element, item, present)) return false;
  if (!present) return true;
  const std::uint32_t base = machine.top();
  if (!machine.eval(machine.kid(node, collection), frame)) return false;
  if (!machine.step(machine.top() - base)) return false;
  const bool found = contains(machine, machine.from(base), item);
  machine.truncate(base);
  return machine.result(found);
}

bool runIn(Machine& machine, const PlanNode& node, const Frame& frame) {
  return membership(machine, node, frame, 0, 1);
}
bool runContains(Machine& machine, const PlanNode& node, const Frame& frame) {
  return membership(machine, node, frame, 1, 0);
}

/// Three-valued logic: the result is `decided` once the left operand is `left` or the right one is `right`; else the
/// right one is it, unless the left is unknown.
bool logic(Machine& machine, const PlanNode& node, const Frame& frame, Truth left, Truth right, bool decided) {
  Truth a = Truth::Unknown;
  Truth b = Truth::Unknown;
  if (!machine.criterion(node, frame, 0, a)) return false;
  if (a == left) return machine.result(decided);
  if (!machine.criterion(node, frame, 1, b)) return false;
  if (b == right) return machine.result(decided);
  return machine.result(a == Truth::Unknown ? a : b);
}

bool runAnd(Machine& machine, const PlanNode& node, const Frame& frame) {
  return logic(machine, node, frame, Truth::False, Truth::False, false);
}
bool runOr(Machine& machine, const PlanNode& node, const Frame& frame) {
  return logic(machine, node, frame, Truth::True, Truth::True, true);
}
bool runImplies(Machine& machine, const PlanNode& node, const Frame& frame) {
  return logic(machine, node, frame, Truth::False, Truth::True, true);
}

bool runXor(Machine& machine, const PlanNode& node, const Frame& frame) {
  Truth a = Truth::Unknown;
  Truth b = Truth::Unknown;
  if (!machine.criterion(node, frame, 0, a) || !machine.criterion(node, frame, 1, b)) return false;
  if (a == Truth::Unknown || b == Truth::Unknown) return true;
  return machine.result(a != b);
}

bool joined(Machine& machine, std::string_view a, std::string_view b) {
  const std::size_t size = a.size() + b.size();
  char* text = machine.newText(size);
  if (text == nullptr) return false;
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), text));
  return machine.result(Item::ofText(ItemKind::String, {text, size}));
}

bool runConcatenate(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<std::string_view> a;
  std::optional<std::string_view> b;
  if (!machine.text(node, frame, 0, a) || !machine.text(node, frame, 1, b)) return false;
  if (!b || b->empty()) return machine.result(Item::ofText(ItemKind::String, a.value_or("")));
  if (!a || a->empty()) return machine.result(Item::ofText(ItemKind::String, *b));
  return joined(machine, *a, *b);
}

Decimal decimalOf(const Item& item) {
  return item.kind == ItemKind::Integer ? Decimal(item.integer) : *item.decimal;
}

/// Two single operands as System values and quantities.
bool arithmetic(Machine& machine, const PlanNode& node, const Frame& frame, Item& a, Item& b, bool& present) {
  if (!pair(machine, node, frame, a, b, present)) return false;
  if (!present) return true;
  a = machine.system(a);
  b = machine.system(b);
  if (a.kind == ItemKind::Node) a = machine.quantity(a);
  if (b.kind == ItemKind::Node) b = machine.quantity(b);
  if (a.kind == ItemKind::Quantity && b.isNumber()) b = machine.quantity(b);
  if (b.kind == ItemKind::Quantity && a.isNumber()) a = machine.quantity(a);
  return true;
}

bool wrongTypes(Machine& machine, const PlanNode& node, std::string_view operation) {
  return machine.fail(node, "'" + std::string(operation) + "' cannot be done with values of these types");
}

bool addOrSubtract(Machine& machine, const PlanNode& node, const Frame& frame, int sign) {
  Item a;
  Item b;
  bool present = false;
  if (!arithmetic(machine, node, frame, a, b, present)) return false;
  if (!present) return true;
  if (a.kind == ItemKind::Integer && b.kind == ItemKind::Integer)
    return machine.resultInteger(a.integer + sign * b.integer);
  if (a.isNumber() && b.isNumber()) {
    return machine.resultDecimal(Decimal::add(decimalOf(a), sign < 0 ? decimalOf(b).negated() : decimalOf(b)));
  }
  if (a.isTemporal() && b.kind == ItemKind::Quantity) return addDuration(machine, node, a, *b.quantity, sign);
  if (a.kind == ItemKind::Quantity && b.kind == ItemKind::Quantity) {
    const std::string_view unit = finerUnit(a.quantity->unit, b.quantity->unit);
    const auto left = convertQuantity(*a.quantity, unit);
    const auto right = convertQuantity(*b.quantity, unit);
    if (!left || !right) return true;
    return machine.resultQuantity(Decimal::add(*left, sign < 0 ? right->negated() : *right), unit);
  }
  if (sign > 0 && a.kind == ItemKind::String && b.kind == ItemKind::String) return joined(machine, a.text(), b.text());
  return wrongTypes(machine, node, sign > 0 ? "+" : "-");
}

bool runAdd(Machine& machine, const PlanNode& node, const Frame& frame) {
  return addOrSubtract(machine, node, frame, 1);
}
bool runSubtract(Machine& machine, const PlanNode& node, const Frame& frame) {
  return addOrSubtract(machine, node, frame, -1);
}

/// Empty if the value does not fit or the unit cannot be written.
bool resultInUnit(Machine& machine, const std::optional<Decimal>& value, const std::optional<std::string>& unit) {
  return !unit || machine.resultQuantity(value, machine.arena().store(*unit));
}

bool runMultiply(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item a;
  Item b;
  bool present = false;
  if (!arithmetic(machine, node, frame, a, b, present)) return false;
  if (!present) return true;
  if (a.kind == ItemKind::Integer && b.kind == ItemKind::Integer) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a.integer, b.integer, &product)) return true;
    return machine.resultInteger(product);
  }
  if (a.isNumber() && b.isNumber()) return machine.resultDecimal(Decimal::multiply(decimalOf(a), decimalOf(b)));
  if (a.kind != ItemKind::Quantity || b.kind != ItemKind::Quantity) return wrongTypes(machine, node, "*");
  return resultInUnit(machine, Decimal::multiply(a.quantity->value, b.quantity->value),
                      multiplyUnits(a.quantity->unit, b.quantity->unit, false));
}

bool runDivide(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item a;
  Item b;
  bool present = false;
  if (!arithmetic(machine, node, frame, a, b, present)) return false;
  if (!present) return true;
  if (a.isNumber() && b.isNumber()) return machine.resultDecimal(Decimal::divide(decimalOf(a), decimalOf(b)));
  if (a.kind != ItemKind::Quantity || b.kind != ItemKind::Quantity) return wrongTypes(machine, node, "/");
  return resultInUnit(machine, Decimal::divide(a.quantity->value, b.quantity->value),
                      multiplyUnits(a.quantity->unit, b.quantity->unit, true));
}

bool runWholeDivide(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item a;
  Item b;
  bool present = false;
  if (!arithmetic(machine, node, frame, a, b, present)) return false;
  if (!present) return true;
  if (!a.isNumber() || !b.isNumber()) return wrongTypes(machine, node, "div");
  const auto quotient = Decimal::divideWhole(decimalOf(a), decimalOf(b));
  const auto whole = quotient ? quotient->toInteger() : std::nullopt;
  return !whole || machine.resultInteger(*whole);
}

bool runModulo(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item a;
  Item b;
  bool present = false;
  if (!arithmetic(machine, node, frame, a, b, present)) return false;
  if (!present) return true;
  if (a.kind == ItemKind::Integer && b.kind == ItemKind::Integer) {
    if (b.integer == 0) return true;
    return machine.resultInteger(b.integer == -1 ? 0 : a.integer % b.integer);
  }
  if (!a.isNumber() || !b.isNumber()) return wrongTypes(machine, node, "mod");
  return machine.resultDecimal(Decimal::remainder(decimalOf(a), decimalOf(b)));
}

/// A signed operand: a number or a quantity.
bool signedOperand(Machine& machine, const PlanNode& node, const Frame& frame, Item& item, bool& present) {
  if (!machine.single(node, frame, 0, item, present)) return false;
  if (!present) return true;
  item = machine.system(item);
  if (item.kind == ItemKind::Node) item = machine.quantity(item);
  if (item.isNumber() || item.kind == ItemKind::Quantity) return true;
  return machine.fail(node, "a sign can stand only before a number or a quantity");
}

}  // namespace

bool runNegate(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  if (!signedOperand(machine, node, frame, item, present)) return false;
  if (!present) return true;
  if (item.kind == ItemKind::Integer) return machine.resultInteger(-item.integer);
  if (item.kind == ItemKind::Decimal) return machine.resultDecimal(item.decimal->negated());
  return machine.resultQuantity(item.quantity->value.negated(), item.quantity->unit);
}

bool runPlus(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  if (!signedOperand(machine, node, frame, item, present)) return false;
  return !present || machine.result(item);
}

Run binaryOperator(std::string_view text) {
  struct Row {
    std::string_view text;
    Run run;
  };
  static constexpr Row kRows[] = {
      {"=", runEqual},         {"!=", runNotEqual},    {"~", runEquivalent},      {"!~", runNotEquivalent},
      {"<", runLess},          {"<=", runLessOrEqual}, {">", runGreater},         {">=", runGreaterOrEqual},
      {"|", runUnion},         {"in", runIn},          {"contains", runContains}, {"and", runAnd},
      {"or", runOr},           {"xor", runXor},        {"implies", runImplies},   {"&", runConcatenate},
      {"+", runAdd},           {"-", runSubtract},     {"*", runMultiply},        {"/", runDivide},
      {"div", runWholeDivide}, {"mod", runModulo}};
  for (const Row& row : kRows) {
    if (row.text == text) return row.run;
  }
  return nullptr;
}

}  // namespace lotsen::fhirpath
