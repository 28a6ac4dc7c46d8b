// Units of quantities: the common part of UCUM (atoms, prefixes, products, quotients, powers, annotations) and
// FHIRPath's calendar words. Enough to say whether two quantities are comparable and how they compare; exact, without
// doubles. Used by: the evaluator. Thread rule: pure. Failure rule: an unknown unit is std::nullopt. Spec:
// https://ucum.org/ucum (grammar §2, tables §4). Not here: logarithmic units, arbitrary units beyond a few.
#pragma once

#include "gateway/fhirpath/decimal.h"
#include "gateway/fhirpath/temporal.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lotsen::fhirpath {

struct Quantity {
  Decimal value;
  std::string_view unit;  // UCUM code or calendar word; empty is "1"
};

/// What one of a unit is in base units: (value + offset) · numerator / denominator, with the powers of the base units.
struct UnitValue {
  /// Metre, second, gram, kelvin, candela, radian, coulomb, mole, international unit, bit, arbitrary unit, calendar
  /// month.
  std::array<std::int8_t, 12> dimensions{};
  Decimal numerator{1};
  Decimal denominator{1};
  Decimal offset{};
};

constexpr std::size_t kMaxUnit = 200;  // bytes; what is longer is not known
std::optional<UnitValue> parseUnit(std::string_view unit);

/// "week", "weeks" → Week. Calendar words only, not UCUM codes.
std::optional<Temporal::Unit> calendarUnit(std::string_view word);
/// "weeks" → "wk"; empty if it is no calendar word. Years and months have no code of their length: empty as well,
/// unless their average does.
std::string_view ucumCode(std::string_view word, bool average);
/// What a quantity adds to a date: calendar words and UCUM codes up to the week ('d', 'h' …); 'mo' and 'a' are not
/// calendar units.
std::optional<Temporal::Unit> durationUnit(std::string_view unit);

/// nullopt: not comparable (different dimensions, or a unit that is not known here).
std::optional<int> compareQuantities(const Quantity& a, const Quantity& b);
/// Equal at the precision of the less precise one, in the larger unit; a year is then as long as 'a', a month as 'mo'.
bool equivalentQuantities(const Quantity& a, const Quantity& b);
/// The value of `quantity` in `unit`; nullopt if that is not possible.
std::optional<Decimal> convertQuantity(const Quantity& quantity, std::string_view unit);
/// The smaller of two units of one measure, else `a`: sums are told in it.
std::string_view finerUnit(std::string_view a, std::string_view b);
/// The unit of a product or a quotient, "1" when nothing is left; nullopt if it would be longer than a unit can be, or
/// multiplies calendar years or months.
std::optional<std::string> multiplyUnits(std::string_view a, std::string_view b, bool divide);

}  // namespace lotsen::fhirpath
