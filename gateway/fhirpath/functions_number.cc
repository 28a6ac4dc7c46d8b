// Mathematical functions (FHIRPath 2.0 §5.7). Exact, except exp, ln, log and fractional powers (17 significant digits).
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

#include <cmath>

namespace lotsen::fhirpath {
namespace {

Decimal decimalOf(const Item& item) {
  return item.kind == ItemKind::Integer ? Decimal(item.integer) : *item.decimal;
}

/// Operand `i` as a number, or (only where `quantity` allows it) as a quantity.
bool number(Machine& machine, const PlanNode& node, const Frame& frame, std::uint32_t i, bool quantity, Item& item,
            bool& present) {
  if (!machine.single(node, frame, i, item, present)) return false;
  if (!present) return true;
  item = machine.system(item);
  if (quantity && item.kind == ItemKind::Node) item = machine.quantity(item);
  if (item.isNumber() || (quantity && item.kind == ItemKind::Quantity)) return true;
  return machine.fail(node, quantity ? "a number or a quantity is needed here" : "a number is needed here");
}

bool runAbs(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  if (!number(machine, node, frame, 0, true, item, present)) return false;
  if (!present) return true;
  if (item.kind == ItemKind::Integer) return machine.resultInteger(std::abs(item.integer));
  if (item.kind == ItemKind::Decimal) return machine.resultDecimal(item.decimal->abs());
  return machine.resultQuantity(item.quantity->value.abs(), item.quantity->unit);
}

bool whole(Machine& machine, const PlanNode& node, const Frame& frame, Decimal::Rounding rounding) {
  Item item;
  bool present = false;
  if (!number(machine, node, frame, 0, false, item, present)) return false;
  if (!present) return true;
  const auto integer = decimalOf(item).rounded(0, rounding).toInteger();
  return !integer || machine.resultInteger(*integer);
}

bool runCeiling(Machine& machine, const PlanNode& node, const Frame& frame) {
  return whole(machine, node, frame, Decimal::Rounding::Ceiling);
}
bool runFloor(Machine& machine, const PlanNode& node, const Frame& frame) {
  return whole(machine, node, frame, Decimal::Rounding::Floor);
}
bool runTruncate(Machine& machine, const PlanNode& node, const Frame& frame) {
  return whole(machine, node, frame, Decimal::Rounding::TowardZero);
}

bool runRound(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  std::optional<std::int64_t> scale = 0;
  if (!number(machine, node, frame, 0, false, item, present)) return false;
  if (node.kidCount > 1 && !machine.integer(node, frame, 1, scale)) return false;
  if (!present || !scale) return true;
  if (*scale < 0) return machine.fail(node, "round() needs a number of digits of 0 or more");
  return machine.resultDecimal(decimalOf(item).rounded(static_cast<int>(std::min<std::int64_t>(*scale, 60))));
}

template <typename Function>
bool approximate(Machine& machine, const PlanNode& node, const Frame& frame, Function function) {
  Item item;
  bool present = false;
  if (!number(machine, node, frame, 0, false, item, present)) return false;
  return !present || machine.resultDecimal(Decimal::approximate(function(decimalOf(item).toFloat())));
}

bool runExp(Machine& machine, const PlanNode& node, const Frame& frame) {
  return approximate(machine, node, frame, [](long double value) { return std::exp(value); });
}
bool runLn(Machine& machine, const PlanNode& node, const Frame& frame) {
  return approximate(machine, node, frame, [](long double value) { return std::log(value); });  // not finite: empty
}

bool runLog(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  Item base;
  bool present = false;
  bool hasBase = false;
  if (!number(machine, node, frame, 0, false, item, present) || !number(machine, node, frame, 1, false, base, hasBase))
    return false;
  if (!present || !hasBase) return true;
  return machine.resultDecimal(
      Decimal::approximate(std::log(decimalOf(item).toFloat()) / std::log(decimalOf(base).toFloat())));
}

bool runPower(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  Item exponent;
  bool present = false;
  bool hasExponent = false;
  if (!number(machine, node, frame, 0, false, item, present) ||
      !number(machine, node, frame, 1, false, exponent, hasExponent))
    return false;
  if (!present || !hasExponent) return true;
  const auto power = Decimal::power(decimalOf(item), decimalOf(exponent));
  const auto integer = power ? power->toInteger() : std::nullopt;
  if (item.kind == ItemKind::Integer && exponent.kind == ItemKind::Integer && integer && exponent.integer >= 0)
    return machine.resultInteger(*integer);
  return machine.resultDecimal(power);
}

bool runSqrt(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  if (!number(machine, node, frame, 0, false, item, present)) return false;
  return !present || machine.resultDecimal(Decimal::squareRoot(decimalOf(item)));
}

constexpr FunctionRow kRows[] = {
    {"abs", runAbs, 0, 0, "", Gives::Unknown},      {"ceiling", runCeiling, 0, 0, "", Gives::Integer},
    {"floor", runFloor, 0, 0, "", Gives::Integer},  {"truncate", runTruncate, 0, 0, "", Gives::Integer},
    {"round", runRound, 0, 1, "w", Gives::Decimal}, {"exp", runExp, 0, 0, "", Gives::Decimal},
    {"ln", runLn, 0, 0, "", Gives::Decimal},        {"log", runLog, 1, 1, "v", Gives::Decimal},
    {"power", runPower, 1, 1, "v", Gives::Unknown}, {"sqrt", runSqrt, 0, 0, "", Gives::Decimal},
};

}  // namespace

std::span<const FunctionRow> numberFunctions() {
  return kRows;
}

}  // namespace lotsen::fhirpath
