// Conversions (FHIRPath 2.0 §5.5): toX() gives the value or nothing, convertsToX() says which.
#include "gateway/base/text.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

#include <charconv>
#include <limits>

namespace lotsen::fhirpath {
namespace {

/// Converts a System value; nothing if it cannot be that type.
using Convert = std::optional<Item> (*)(Machine&, const Item&);

std::optional<Item> toBoolean(Machine&, const Item& item) {
  if (item.kind == ItemKind::Boolean) return item;
  if (item.kind == ItemKind::Integer && (item.integer == 0 || item.integer == 1)) return Item::of(item.integer == 1);
  if (item.kind == ItemKind::Decimal) {
    const auto integer = item.decimal->toInteger();
    if (integer && (*integer == 0 || *integer == 1)) return Item::of(*integer == 1);
  }
  if (item.kind != ItemKind::String) return std::nullopt;
  for (const std::string_view word : {"true", "t", "yes", "y", "1", "1.0"}) {
    if (equalsIgnoreCase(item.text(), word)) return Item::of(true);
  }
  for (const std::string_view word : {"false", "f", "no", "n", "0", "0.0"}) {
    if (equalsIgnoreCase(item.text(), word)) return Item::of(false);
  }
  return std::nullopt;
}

std::optional<Item> toInteger(Machine&, const Item& item) {
  if (item.kind == ItemKind::Integer) return item;
  if (item.kind == ItemKind::Boolean) return Item::ofInteger(item.truth ? 1 : 0);
  if (item.kind != ItemKind::String) return std::nullopt;
  std::string_view text = item.text();
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return Item::ofInteger(value);
}

std::optional<Decimal> plainDecimal(std::string_view text) {
  return text.find_first_of("eE") == std::string_view::npos ? Decimal::parse(text) : std::nullopt;
}

std::optional<Item> toDecimal(Machine& machine, const Item& item) {
  if (item.kind == ItemKind::Decimal) return item;
  if (item.kind == ItemKind::Integer) return Item::of(machine.arena().make(Decimal(item.integer)));
  if (item.kind == ItemKind::Boolean) return Item::of(machine.arena().make(*Decimal(item.truth ? 1 : 0).withScale(1)));
  const auto value = item.kind == ItemKind::String ? plainDecimal(item.text()) : std::nullopt;
  if (!value) return std::nullopt;
  return Item::of(machine.arena().make(*value));
}

/// "4 days", "1.5 'mg'", "7": number, then a unit in quotes or a calendar word.
std::optional<Quantity> parseQuantity(std::string_view text) {
  const std::size_t end = text.find_first_not_of("+-.0123456789");
  const auto value = plainDecimal(text.substr(0, end));
  if (!value) return std::nullopt;
  std::string_view unit = end == std::string_view::npos ? std::string_view() : trim(text.substr(end));
  if (unit.empty()) return Quantity{*value, "1"};
  if (unit.size() > 2 && unit.front() == '\'' && unit.back() == '\'') {
    unit = unit.substr(1, unit.size() - 2);
    if (unit.find('\'') != std::string_view::npos) return std::nullopt;
    return Quantity{*value, unit};
  }
  if (!calendarUnit(unit)) return std::nullopt;
  return Quantity{*value, unit};
}

std::optional<Item> toQuantity(Machine& machine, const Item& original) {
  Item item = original;
  if (item.kind == ItemKind::Boolean) item = *toDecimal(machine, item);
  item = machine.quantity(item);
  if (item.kind == ItemKind::Quantity) return item;
  const auto quantity = item.kind == ItemKind::String ? parseQuantity(item.text()) : std::nullopt;
  if (!quantity) return std::nullopt;
  return Item::of(machine.arena().make(*quantity));
}

std::optional<Item> toDate(Machine&, const Item& item) {
  if (item.kind == ItemKind::Date) return item;
  if (item.kind == ItemKind::DateTime)
    return Item::ofText(ItemKind::Date, item.text().substr(0, item.text().find('T')));
  if (item.kind != ItemKind::String) return std::nullopt;
  const std::string_view text = item.text();
  return Temporal::parseDate(text) ? std::optional(Item::ofText(ItemKind::Date, text)) : std::nullopt;
}

std::optional<Item> toDateTime(Machine&, const Item& item) {
  if (item.kind == ItemKind::DateTime) return item;
  if (item.kind == ItemKind::Date) return Item::ofText(ItemKind::DateTime, item.text());
  if (item.kind != ItemKind::String || !Temporal::parseDateTime(item.text())) return std::nullopt;
  return Item::ofText(ItemKind::DateTime, item.text());
}

std::optional<Item> toTime(Machine&, const Item& item) {
  if (item.kind == ItemKind::Time) return item;
  std::string_view text = item.kind == ItemKind::String ? item.text() : std::string_view();
  if (text.starts_with('T')) text.remove_prefix(1);
  if (!Temporal::parseTime(text)) return std::nullopt;
  return Item::ofText(ItemKind::Time, text);
}

std::optional<Item> toText(Machine& machine, const Item& item) {
  const auto text = machine.textOf(item);
  if (!text) return std::nullopt;
  return Item::ofText(ItemKind::String, *text);
}

/// Reading long text takes time, also when it is nothing after all.
bool pay(Machine& machine, const Item& item) {
  return machine.stepText(item.isText() ? item.size : 0);
}

/// The input as a value of System; false if that cannot be had or paid, `present` says whether there is one.
bool systemInput(Machine& machine, const PlanNode& node, const Frame& frame, Item& item, bool& present) {
  if (!machine.single(node, frame, 0, item, present)) return false;
  if (!present) return true;
  item = machine.system(item);
  return pay(machine, item);
}

bool convert(Machine& machine, const PlanNode& node, const Frame& frame, Convert conversion) {
  Item item;
  bool present = false;
  if (!systemInput(machine, node, frame, item, present)) return false;
  if (!present) return true;
  const auto converted = conversion(machine, item);
  return !converted || machine.result(*converted);
}

bool converts(Machine& machine, const PlanNode& node, const Frame& frame, Convert conversion) {
  Item item;
  bool present = false;
  if (!systemInput(machine, node, frame, item, present)) return false;
  if (!present) return true;
  return machine.result(conversion(machine, item).has_value());
}

template <Convert conversion>
bool runTo(Machine& machine, const PlanNode& node, const Frame& frame) {
  return convert(machine, node, frame, conversion);
}

template <Convert conversion>
bool runConvertsTo(Machine& machine, const PlanNode& node, const Frame& frame) {
  return converts(machine, node, frame, conversion);
}

/// toQuantity(unit): in that unit, or nothing.
bool inUnit(Machine& machine, const PlanNode& node, const Frame& frame, std::optional<Quantity>& out, bool& present) {
  Item item;
  std::optional<std::string_view> unit;
  if (!systemInput(machine, node, frame, item, present)) return false;
  if (node.kidCount > 1 && !machine.text(node, frame, 1, unit)) return false;
  if (!present) return true;
  const auto quantity = toQuantity(machine, item);
  if (!quantity) return true;
  out = *quantity->quantity;
  if (!unit) return true;
  const auto value = convertQuantity(*out, *unit);
  out.reset();
  if (value) out = Quantity{*value, *unit};
  return true;
}

bool runToQuantity(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<Quantity> quantity;
  bool present = false;
  if (!inUnit(machine, node, frame, quantity, present)) return false;
  return !quantity || machine.resultQuantity(quantity->value, quantity->unit);
}

bool runConvertsToQuantity(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<Quantity> quantity;
  bool present = false;
  if (!inUnit(machine, node, frame, quantity, present)) return false;
  return !present || machine.result(quantity.has_value());
}

constexpr FunctionRow kRows[] = {
    {"toBoolean", runTo<toBoolean>, 0, 0, "", Gives::Boolean},
    {"convertsToBoolean", runConvertsTo<toBoolean>, 0, 0, "", Gives::Boolean},
    {"toInteger", runTo<toInteger>, 0, 0, "", Gives::Integer},
    {"convertsToInteger", runConvertsTo<toInteger>, 0, 0, "", Gives::Boolean},
    {"toDecimal", runTo<toDecimal>, 0, 0, "", Gives::Decimal},
    {"convertsToDecimal", runConvertsTo<toDecimal>, 0, 0, "", Gives::Boolean},
    {"toDate", runTo<toDate>, 0, 0, "", Gives::Date},
    {"convertsToDate", runConvertsTo<toDate>, 0, 0, "", Gives::Boolean},
    {"toDateTime", runTo<toDateTime>, 0, 0, "", Gives::DateTime},
    {"convertsToDateTime", runConvertsTo<toDateTime>, 0, 0, "", Gives::Boolean},
    {"toTime", runTo<toTime>, 0, 0, "", Gives::Time},
    {"convertsToTime", runConvertsTo<toTime>, 0, 0, "", Gives::Boolean},
    {"toString", runTo<toText>, 0, 0, "", Gives::String},
    {"convertsToString", runConvertsTo<toText>, 0, 0, "", Gives::Boolean},
    {"toQuantity", runToQuantity, 0, 1, "x", Gives::Quantity},
    {"convertsToQuantity", runConvertsToQuantity, 0, 1, "x", Gives::Boolean},
};

}  // namespace

std::span<const FunctionRow> conversionFunctions() {
  return kRows;
}

}  // namespace lotsen::fhirpath
