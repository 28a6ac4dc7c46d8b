#include "gateway/fhirpath/decimal.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace lotsen::fhirpath {
namespace {

__extension__ using UInt128 = unsigned __int128;

constexpr int kMaxDigits = 37;  // ten times the largest coefficient still fits 127 bits
constexpr int kMaxScale = 60;
constexpr int kQuotientDigits = 28;

constexpr std::array<Int128, kMaxDigits + 1> kPowers = [] {
  std::array<Int128, kMaxDigits + 1> powers{};
  Int128 power = 1;
  for (auto& entry : powers) {
    entry = power;
    power *= 10;
  }
  return powers;
}();

bool fits(Int128 value) {
  return value < kPowers[kMaxDigits] && value > -kPowers[kMaxDigits];
}

UInt128 magnitude(Int128 value) {
  return value < 0 ? UInt128(0) - static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

/// coefficient / 10^digits, rounded.
Int128 shrink(Int128 coefficient, int digits, Decimal::Rounding rounding) {
  if (digits > kMaxDigits) digits = kMaxDigits;  // nothing but the sign is left
  const Int128 power = kPowers[static_cast<std::size_t>(digits)];
  Int128 quotient = coefficient / power;
  const Int128 rest = coefficient % power;
  switch (rounding) {
    case Decimal::Rounding::HalfAwayFromZero:
      if (magnitude(rest) * 2 >= static_cast<UInt128>(power)) quotient += coefficient < 0 ? -1 : 1;
      break;
    case Decimal::Rounding::TowardZero: break;
    case Decimal::Rounding::Floor:
      if (rest < 0) quotient -= 1;
      break;
    case Decimal::Rounding::Ceiling:
      if (rest > 0) quotient += 1;
      break;
  }
  return quotient;
}

/// A product of two magnitudes, 256 bits in four limbs, lowest first.
struct Product {
  std::array<std::uint64_t, 4> limbs{};

  Product(UInt128 a, UInt128 b) {
    const std::array<std::uint64_t, 2> x{static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(a >> 64)};
    const std::array<std::uint64_t, 2> y{static_cast<std::uint64_t>(b), static_cast<std::uint64_t>(b >> 64)};
    for (std::size_t i = 0; i < 2; ++i) {
      UInt128 carry = 0;
      for (std::size_t j = 0; j < 2; ++j) {
        const UInt128 sum = static_cast<UInt128>(x[i]) * y[j] + limbs[i + j] + carry;
        limbs[i + j] = static_cast<std::uint64_t>(sum);
        carry = sum >> 64;
      }
      limbs[i + 2] += static_cast<std::uint64_t>(carry);
    }
  }
  std::uint32_t divideByTen() {
    UInt128 rest = 0;
    for (std::size_t i = 4; i-- > 0;) {
      const UInt128 current = (rest << 64) | limbs[i];
      limbs[i] = static_cast<std::uint64_t>(current / 10);
      rest = current % 10;
    }
    return static_cast<std::uint32_t>(rest);
  }
  bool fits() const { return limbs[2] == 0 && limbs[3] == 0 && value() < static_cast<UInt128>(kPowers[kMaxDigits]); }
  UInt128 value() const { return (static_cast<UInt128>(limbs[1]) << 64) | limbs[0]; }
};

/// The exponent of "e-3"; false if it is malformed or absurd.
bool readExponent(std::string_view text, int& exponent) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text.size() > 3) return false;
  exponent = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    exponent = exponent * 10 + (c - '0');
  }
  if (negative) exponent = -exponent;
  return true;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  constexpr std::size_t kMaxInput = 128;  // more can only be zeros
  if (text.size() > kMaxInput) return std::nullopt;
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  Int128 coefficient = 0;
  int digits = 0;
  int scale = 0;
  bool point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (point || digits == 0) return std::nullopt;
      point = true;
    } else if (c >= '0' && c <= '9') {
      coefficient = coefficient * 10 + (c - '0');
      if (!fits(coefficient)) return std::nullopt;
      ++digits;
      if (point) ++scale;
    } else {
      break;
    }
  }
  if (digits == 0 || (point && scale == 0)) return std::nullopt;
  int exponent = 0;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    if (!readExponent(text.substr(i + 1), exponent)) return std::nullopt;
  }
  scale -= exponent;
  if (coefficient == 0 && scale < 0) scale = 0;
  for (; scale < 0; ++scale) {
    coefficient *= 10;
    if (!fits(coefficient)) return std::nullopt;
  }
  if (scale > kMaxScale) return std::nullopt;
  return Decimal(negative ? -coefficient : coefficient, scale);
}

std::optional<Decimal> Decimal::approximate(long double value) {
  if (!std::isfinite(value)) return std::nullopt;
  char buffer[64];
  const int size = std::snprintf(buffer, sizeof buffer, "%.16Le", value);
  auto result = parse(std::string_view(buffer, static_cast<std::size_t>(size)));
  if (!result) return std::abs(value) < 1 ? std::optional(Decimal()) : std::nullopt;
  return result->stripped();
}

std::size_t Decimal::write(char* out) const {
  char digits[48];
  std::size_t count = 0;
  for (UInt128 rest = magnitude(coefficient_); rest != 0 || count == 0; rest /= 10) {
    digits[count++] = static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  char* at = out;
  if (coefficient_ < 0) *at++ = '-';
  const auto scale = static_cast<std::size_t>(scale_);
  if (count <= scale) {  // leading zeros up to one digit before the point
    *at++ = '0';
    *at++ = '.';
    for (std::size_t i = count; i < scale; ++i) *at++ = '0';
    while (count > 0) *at++ = digits[--count];
  } else {
    while (count > 0) {
      *at++ = digits[--count];
      if (count == scale && scale > 0) *at++ = '.';
    }
  }
  return static_cast<std::size_t>(at - out);
}

std::string Decimal::toString() const {
  char buffer[kMaxText];
  return std::string(buffer, write(buffer));
}

std::optional<std::int64_t> Decimal::toInteger() const {
  const Decimal whole = stripped();
  if (whole.scale_ != 0 || whole.coefficient_ > INT64_MAX || whole.coefficient_ < INT64_MIN) return std::nullopt;
  return static_cast<std::int64_t>(whole.coefficient_);
}

long double Decimal::toFloat() const {
  return static_cast<long double>(coefficient_) / std::pow(10.0L, static_cast<long double>(scale_));
}

Decimal Decimal::stripped() const {
  Decimal result = *this;
  while (result.scale_ > 0 && result.coefficient_ % 10 == 0) {
    result.coefficient_ /= 10;
    --result.scale_;
  }
  return result;
}

Decimal Decimal::rounded(int scale, Rounding rounding) const {
  if (scale >= scale_) return *this;
  return Decimal(shrink(coefficient_, scale_ - scale, rounding), scale);
}

std::optional<Decimal> Decimal::withScale(int scale, Rounding rounding) const {
  if (scale <= scale_) return rounded(scale, rounding);
  if (scale > kMaxScale) return std::nullopt;
  Decimal result = *this;
  for (; result.scale_ < scale; ++result.scale_) {
    result.coefficient_ *= 10;
    if (!fits(result.coefficient_)) return std::nullopt;
  }
  return result;
}

/// Brings both to one scale: the larger if it fits, else the larger scale loses digits. False if digits were lost.
bool Decimal::align(Decimal& a, Decimal& b) {
  Decimal& coarse = a.scale_ < b.scale_ ? a : b;
  Decimal& fine = a.scale_ < b.scale_ ? b : a;
  while (coarse.scale_ < fine.scale_) {
    const Int128 larger = coarse.coefficient_ * 10;
    if (!fits(larger)) break;
    coarse.coefficient_ = larger;
    ++coarse.scale_;
  }
  if (coarse.scale_ == fine.scale_) return true;
  const Decimal exact = fine;
  fine = fine.rounded(coarse.scale_);
  return exact.stripped().scale_ <= fine.scale_;
}

int Decimal::compare(const Decimal& a, const Decimal& b) {
  if (a.scale_ == b.scale_) return a.coefficient_ < b.coefficient_ ? -1 : a.coefficient_ > b.coefficient_ ? 1 : 0;
  Decimal x = a;
  Decimal y = b;
  const bool exact = align(x, y);
  if (x.coefficient_ != y.coefficient_) return x.coefficient_ < y.coefficient_ ? -1 : 1;
  if (exact) return 0;
  // Equal up to rounding: the digits that were lost decide.
  const Decimal& fine = a.scale_ > b.scale_ ? a : b;
  const Decimal floor = fine.rounded(x.scale_, Rounding::Floor);
  const int fineIs = floor.coefficient_ == x.coefficient_ ? 1 : -1;
  return &fine == &a ? fineIs : -fineIs;
}

std::optional<Decimal> Decimal::add(const Decimal& a, const Decimal& b) {
  Decimal x = a;
  Decimal y = b;
  align(x, y);
  const Int128 sum = x.coefficient_ + y.coefficient_;
  if (!fits(sum)) return std::nullopt;
  return Decimal(sum, x.scale_);
}

std::optional<Decimal> Decimal::multiply(const Decimal& a, const Decimal& b) {
  const bool negative = a.isNegative() != b.isNegative();
  Product product(magnitude(a.coefficient_), magnitude(b.coefficient_));
  int scale = a.scale_ + b.scale_;
  std::uint32_t last = 0;
  while (!product.fits() || scale > kMaxScale) {
    if (scale == 0) return std::nullopt;
    last = product.divideByTen();
    --scale;
  }
  Int128 coefficient = static_cast<Int128>(product.value());
  if (last >= 5) coefficient += 1;
  if (!fits(coefficient)) return std::nullopt;
  return Decimal(negative ? -coefficient : coefficient, scale);
}

std::optional<Decimal> Decimal::divide(const Decimal& a, const Decimal& b) {
  if (b.isZero()) return std::nullopt;
  const bool negative = a.isNegative() != b.isNegative();
  const UInt128 divisor = magnitude(b.coefficient_);
  UInt128 quotient = magnitude(a.coefficient_) / divisor;
  UInt128 rest = magnitude(a.coefficient_) % divisor;
  int scale = a.scale_ - b.scale_;
  const auto full = static_cast<UInt128>(kPowers[kQuotientDigits - 1]);
  while (scale < 0 || (rest != 0 && quotient < full && scale < kMaxScale)) {
    if (quotient >= static_cast<UInt128>(kPowers[kMaxDigits - 1])) return std::nullopt;
    rest *= 10;
    quotient = quotient * 10 + rest / divisor;
    rest %= divisor;
    ++scale;
  }
  if (rest * 2 >= divisor) ++quotient;
  const auto coefficient = static_cast<Int128>(quotient);
  if (!fits(coefficient)) return std::nullopt;
  Decimal result(negative ? -coefficient : coefficient, scale);
  return result.stripped();
}

std::optional<Decimal> Decimal::divideWhole(const Decimal& a, const Decimal& b) {
  if (b.isZero()) return std::nullopt;
  Decimal x = a;
  Decimal y = b;
  if (!align(x, y) || y.isZero()) return std::nullopt;
  return Decimal(x.coefficient_ / y.coefficient_, 0);
}

std::optional<Decimal> Decimal::remainder(const Decimal& a, const Decimal& b) {
  if (b.isZero()) return std::nullopt;
  Decimal x = a;
  Decimal y = b;
  if (!align(x, y) || y.isZero()) return std::nullopt;
  return Decimal(x.coefficient_ % y.coefficient_, x.scale_);
}

std::optional<Decimal> Decimal::power(const Decimal& base, const Decimal& exponent) {
  const auto whole = exponent.toInteger();
  if (!whole || *whole > 100'000 || *whole < -100'000) {
    if (base.isNegative()) return std::nullopt;
    return approximate(std::pow(base.toFloat(), exponent.toFloat()));
  }
  std::optional<Decimal> result = Decimal(1);
  std::optional<Decimal> square = base;
  for (std::int64_t rest = std::abs(*whole); rest > 0; rest >>= 1) {
    if ((rest & 1) != 0) {
      if (!square) return std::nullopt;
      result = multiply(*result, *square);
      if (!result) return std::nullopt;
    }
    if (rest > 1 && square) square = multiply(*square, *square);
  }
  return *whole < 0 ? divide(Decimal(1), *result) : result;
}

std::optional<Decimal> Decimal::squareRoot(const Decimal& a) {
  if (a.isNegative()) return std::nullopt;
  Decimal scaled = a.stripped();
  while ((scaled.scale_ % 2 != 0 || scaled.coefficient_ < kPowers[kMaxDigits - 2]) && scaled.scale_ < kMaxScale) {
    if (!fits(scaled.coefficient_ * 10)) break;
    scaled.coefficient_ *= 10;
    ++scaled.scale_;
  }
  if (scaled.scale_ % 2 != 0) scaled = scaled.rounded(scaled.scale_ - 1);
  const auto target = static_cast<UInt128>(scaled.coefficient_);
  if (target == 0) return Decimal();
  auto root = static_cast<UInt128>(std::sqrt(static_cast<long double>(scaled.coefficient_)));
  for (int i = 0; i < 4; ++i) root = (root + target / root) / 2;  // Newton: the start is right to 18 digits
  while (root * root > target) --root;
  while ((root + 1) * (root + 1) <= target) ++root;
  if (target - root * root > root) ++root;  // nearer to the next one
  return Decimal(static_cast<Int128>(root), scaled.scale_ / 2).stripped();
}

}  // namespace lotsen::fhirpath
