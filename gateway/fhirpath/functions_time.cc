// The clock, parts of dates and times, precision and boundaries, date arithmetic.
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

namespace lotsen::fhirpath {
namespace {

std::optional<Temporal> temporalOf(const Item& item) {
  if (item.kind == ItemKind::Date) return Temporal::parseDate(item.text());
  if (item.kind == ItemKind::DateTime) return Temporal::parseDateTime(item.text());
  if (item.kind == ItemKind::Time) return Temporal::parseTime(item.text());
  return std::nullopt;
}

Temporal current(Machine& machine) {
  return Temporal::fromInstant(machine.environment().now, machine.environment().offsetMinutes);
}

bool resultTemporal(Machine& machine, ItemKind kind, const Temporal& value) {
  return machine.result(Item::ofText(kind, machine.arena().store(value.toString()))) && machine.withinLimit();
}

bool runNow(Machine& machine, const PlanNode&, const Frame&) {
  return resultTemporal(machine, ItemKind::DateTime, current(machine));
}

bool runToday(Machine& machine, const PlanNode&, const Frame&) {
  Temporal today = current(machine);
  today.precision = Temporal::Precision::Day;
  today.zoned = false;
  return resultTemporal(machine, ItemKind::Date, today);
}

bool runTimeOfDay(Machine& machine, const PlanNode&, const Frame&) {
  Temporal time = current(machine);
  time.form = Temporal::Form::Time;
  time.zoned = false;
  return resultTemporal(machine, ItemKind::Time, time);
}

/// One date or time; `out` stays empty if there is none or it is another type.
bool moment(Machine& machine, const PlanNode& node, const Frame& frame, std::optional<Temporal>& out) {
  Item item;
  bool present = false;
  if (!machine.single(node, frame, 0, item, present)) return false;
  if (present) out = temporalOf(machine.system(item));
  return true;
}

template <Temporal::Precision precision>
bool runPart(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<Temporal> value;
  if (!moment(machine, node, frame, value)) return false;
  if (!value || value->precision < precision) return true;
  if (value->form == Temporal::Form::Time && precision < Temporal::Precision::Hour) return true;
  const std::int64_t parts[] = {
      value->year, value->month, value->day, value->hour, value->minute, value->second, value->nanos / 1'000'000};
  return machine.resultInteger(parts[static_cast<int>(precision)]);
}

bool runTimezoneOffset(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<Temporal> value;
  if (!moment(machine, node, frame, value)) return false;
  if (!value || !value->zoned) return true;
  return machine.resultDecimal(Decimal::divide(Decimal(value->zone), Decimal(60)));
}

bool runDateOf(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<Temporal> value;
  if (!moment(machine, node, frame, value)) return false;
  if (!value || value->form == Temporal::Form::Time) return true;
  value->zoned = false;
  if (value->precision > Temporal::Precision::Day) value->precision = Temporal::Precision::Day;
  return resultTemporal(machine, ItemKind::Date, *value);
}

bool runTimeOf(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<Temporal> value;
  if (!moment(machine, node, frame, value)) return false;
  if (!value || value->precision < Temporal::Precision::Hour) return true;
  value->zoned = false;
  value->form = Temporal::Form::Time;
  return resultTemporal(machine, ItemKind::Time, *value);
}

bool runPrecision(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  if (!machine.single(node, frame, 0, item, present)) return false;
  if (!present) return true;
  item = machine.system(item);
  if (item.kind == ItemKind::Integer) return machine.resultInteger(0);
  if (item.kind == ItemKind::Decimal) return machine.resultInteger(item.decimal->scale());
  const auto value = temporalOf(item);
  return !value || machine.resultInteger(value->digits());
}

constexpr int kMostDigits = 31;  // the official suite refuses 32

/// The lowest or highest number that rounds to `value`, told with `digits` digits after the point.
std::optional<Decimal> numberBoundary(const Decimal& value, bool low, int digits) {
  Decimal half(low ? -5 : 5);
  for (int i = 0; i <= value.scale(); ++i) half = *Decimal::divide(half, Decimal(10));
  const auto edge = Decimal::add(value, half);
  if (!edge) return std::nullopt;
  // What does not fit the digits is cut off towards the value, and rounded away from it.
  const bool outward = low == edge->isNegative();
  return edge->withScale(digits, outward ? Decimal::Rounding::HalfAwayFromZero : Decimal::Rounding::TowardZero);
}

bool boundary(Machine& machine, const PlanNode& node, const Frame& frame, bool low) {
  Item item;
  bool present = false;
  std::optional<std::int64_t> digits;
  if (!machine.single(node, frame, 0, item, present)) return false;
  if (node.kidCount > 1 && !machine.integer(node, frame, 1, digits)) return false;
  if (!present || (digits && (*digits < 0 || *digits > kMostDigits))) return true;
  item = machine.system(item);
  if (item.kind == ItemKind::Node) item = machine.quantity(item);
  const auto places = [&](int otherwise) { return digits ? static_cast<int>(*digits) : otherwise; };
  if (item.kind == ItemKind::Integer)
    return machine.resultDecimal(numberBoundary(Decimal(item.integer), low, places(8)));
  if (item.kind == ItemKind::Decimal) return machine.resultDecimal(numberBoundary(*item.decimal, low, places(8)));
  if (item.kind == ItemKind::Quantity) {
    return machine.resultQuantity(numberBoundary(item.quantity->value, low, places(8)), item.quantity->unit);
  }
  const auto value = temporalOf(item);
  if (!value) return machine.fail(node, "only numbers, quantities, dates and times have boundaries");
  const auto edge = value->boundary(low, places(item.kind == ItemKind::Date       ? 8
                                                : item.kind == ItemKind::DateTime ? 17
                                                                                  : 9));
  return !edge || resultTemporal(machine, item.kind, *edge);
}

bool runLowBoundary(Machine& machine, const PlanNode& node, const Frame& frame) {
  return boundary(machine, node, frame, true);
}
bool runHighBoundary(Machine& machine, const PlanNode& node, const Frame& frame) {
  return boundary(machine, node, frame, false);
}

using Precision = Temporal::Precision;
constexpr FunctionRow kRows[] = {
    {"now", runNow, 0, 0, "", Gives::DateTime},
    {"today", runToday, 0, 0, "", Gives::Date},
    {"timeOfDay", runTimeOfDay, 0, 0, "", Gives::Time},
    {"yearOf", runPart<Precision::Year>, 0, 0, "", Gives::Integer},
    {"monthOf", runPart<Precision::Month>, 0, 0, "", Gives::Integer},
    {"dayOf", runPart<Precision::Day>, 0, 0, "", Gives::Integer},
    {"hourOf", runPart<Precision::Hour>, 0, 0, "", Gives::Integer},
    {"minuteOf", runPart<Precision::Minute>, 0, 0, "", Gives::Integer},
    {"secondOf", runPart<Precision::Second>, 0, 0, "", Gives::Integer},
    {"millisecondOf", runPart<Precision::Fraction>, 0, 0, "", Gives::Integer},
    {"timezoneOffsetOf", runTimezoneOffset, 0, 0, "", Gives::Decimal},
    {"dateOf", runDateOf, 0, 0, "", Gives::Date},
    {"timeOf", runTimeOf, 0, 0, "", Gives::Time},
    {"precision", runPrecision, 0, 0, "", Gives::Integer},
    {"lowBoundary", runLowBoundary, 0, 1, "w", Gives::Unknown},
    {"highBoundary", runHighBoundary, 0, 1, "w", Gives::Unknown},
};

}  // namespace

std::span<const FunctionRow> timeFunctions() {
  return kRows;
}

bool addDuration(Machine& machine, const PlanNode& node, const Item& date, const Quantity& quantity, int sign) {
  const auto unit = durationUnit(quantity.unit);
  if (!unit) {
    return machine.fail(
        node, "'" + std::string(quantity.unit) +
                  "' cannot be added to a date; use year, month, week, day, hour, minute, second or millisecond");
  }
  const auto value = temporalOf(date);
  if (!value) return true;
  if (date.kind == ItemKind::Time && *unit <= Temporal::Unit::Day)
    return machine.fail(node, "only hours, minutes, seconds and milliseconds can be added to a Time");
  // A UCUM second counts whole, a calendar second with its fraction: so the official suite has it.
  Decimal amount = quantity.unit == "s" ? quantity.value.rounded(0, Decimal::Rounding::TowardZero) : quantity.value;
  if (sign < 0) amount = amount.negated();
  const auto sum = value->plus(amount, *unit);
  return !sum || resultTemporal(machine, date.kind, *sum);
}

}  // namespace lotsen::fhirpath
