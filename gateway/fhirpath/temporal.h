// Date, DateTime and Time as FHIRPath sees them: text with a precision, compared component by component, with a third
// answer
// ("unknown") when the precisions differ or a time zone is missing.
// Used by: the evaluator. Thread rule: plain values. Failure rule: std::nullopt for text that is no such value.
// Spec: FHIRPath 2.0 §5.1-5.3 (comparison), §6.6.7 (date arithmetic); boundaries as in FHIRPath 3.0 draft.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/fhirpath/decimal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lotsen::fhirpath {

struct Temporal {
  enum class Form : std::uint8_t { Date, DateTime, Time };
  enum class Precision : std::uint8_t { Year, Month, Day, Hour, Minute, Second, Fraction };

  Form form = Form::Date;
  Precision precision = Precision::Year;
  bool zoned = false;
  bool zulu = false;      // written "Z"
  std::int16_t zone = 0;  // minutes east of UTC
  std::int32_t year = 0;
  std::uint8_t month = 1;
  std::uint8_t day = 1;
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  std::uint8_t second = 0;
  std::uint8_t fractionDigits = 0;
  std::uint32_t nanos = 0;

  /// "2015", "2015-02", "2015-02-04".
  static std::optional<Temporal> parseDate(std::string_view text);
  /// A date, optionally with "T", "T14", "T14:34", … and a zone. "2015T" is a DateTime of year precision.
  static std::optional<Temporal> parseDateTime(std::string_view text);
  /// "14", "14:34", "14:34:28.123".
  static std::optional<Temporal> parseTime(std::string_view text);
  static Temporal fromInstant(Instant at, int offsetMinutes);

  /// Literal form without '@' (and without "T" for a Time); a DateTime without time of day ends in "T" only as a
  /// literal: not here.
  std::string toString() const;

  enum class Order : std::uint8_t { Less, Equal, Greater, Unknown };
  static Order compare(const Temporal& a, const Temporal& b);
  /// Values that compare as Equal have equal hashes.
  std::uint64_t hash() const;
  /// Same precision and same instant.
  static bool equivalent(const Temporal& a, const Temporal& b);

  enum class Unit : std::uint8_t { Year, Month, Week, Day, Hour, Minute, Second, Millisecond };
  /// Adds a calendar duration; only seconds keep their fraction. nullopt: outside years 1 … 9999, or a Time plus days.
  std::optional<Temporal> plus(const Decimal& amount, Unit unit) const;

  /// Digits of the precision, as precision() counts them: 4, 6, 8, 10, 12, 14, 17; a Time: 2, 4, 6, 9.
  int digits() const;
  /// The first or last moment that the value can mean, with that many digits; nullopt if there is no such precision.
  std::optional<Temporal> boundary(bool low, int digits) const;
};

}  // namespace lotsen::fhirpath
