// Exact decimal numbers: a coefficient of up to 37 digits and a scale. Text in, text out; trailing zeros are kept
// because precision is information in FHIR ("1.50" is not "1.5"). Used by: the evaluator (numbers, quantities), units.
// Thread rule: plain values. Failure rule: what does not fit is std::nullopt, which FHIRPath turns into the empty
// collection. Results that need more digits than there are get rounded half away from zero (division: 28 significant
// digits).
//
// Rejected: double (0.1 + 0.2), a bignum (allocates; FHIR promises at most 18 digits, FHIRPath 28).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lotsen::fhirpath {

__extension__ using Int128 = __int128;

class Decimal {
 public:
  Decimal() = default;
  explicit Decimal(std::int64_t value) : coefficient_(value) {}

  /// "-12.50", "1e-3"; nullopt if it is not a number or has more than 37 digits.
  static std::optional<Decimal> parse(std::string_view text);
  /// The nearest decimal of 17 significant digits: for results of exp, ln, log and fractional powers only.
  static std::optional<Decimal> approximate(long double value);

  std::string toString() const;
  /// Writes at most kMaxText bytes and returns their number.
  static constexpr std::size_t kMaxText = 96;
  std::size_t write(char* out) const;

  bool isZero() const { return coefficient_ == 0; }
  bool isNegative() const { return coefficient_ < 0; }
  /// Digits after the decimal point.
  int scale() const { return scale_; }
  std::optional<std::int64_t> toInteger() const;  // nullopt: a fraction, or beyond 64 bits
  long double toFloat() const;

  Decimal negated() const { return Decimal(-coefficient_, scale_); }
  Decimal abs() const { return coefficient_ < 0 ? negated() : *this; }
  /// Without trailing zeros after the point.
  Decimal stripped() const;
  enum class Rounding : std::uint8_t { HalfAwayFromZero, TowardZero, Floor, Ceiling };
  /// With at most `scale` digits after the point.
  Decimal rounded(int scale, Rounding rounding = Rounding::HalfAwayFromZero) const;
  /// With exactly `scale` digits after the point, zeros added; nullopt if it does not fit.
  std::optional<Decimal> withScale(int scale, Rounding rounding = Rounding::HalfAwayFromZero) const;

  /// Total order by value: -1, 0, 1.
  static int compare(const Decimal& a, const Decimal& b);
  static std::optional<Decimal> add(const Decimal& a, const Decimal& b);
  static std::optional<Decimal> subtract(const Decimal& a, const Decimal& b) { return add(a, b.negated()); }
  static std::optional<Decimal> multiply(const Decimal& a, const Decimal& b);
  static std::optional<Decimal> divide(const Decimal& a, const Decimal& b);       // nullopt when b is zero
  static std::optional<Decimal> divideWhole(const Decimal& a, const Decimal& b);  // truncated quotient
  static std::optional<Decimal> remainder(const Decimal& a, const Decimal& b);    // sign of a
  static std::optional<Decimal> power(const Decimal& base, const Decimal& exponent);
  static std::optional<Decimal> squareRoot(const Decimal& a);

 private:
  Decimal(Int128 coefficient, int scale) : coefficient_(coefficient), scale_(scale) {}
  static bool align(Decimal& a, Decimal& b);

  Int128 coefficient_ = 0;
  int scale_ = 0;  // 0 … 60
};

}  // namespace lotsen::fhirpath
