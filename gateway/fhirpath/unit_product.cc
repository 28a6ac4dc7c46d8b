// The unit of a product or a quotient of quantities, in UCUM.
#include "gateway/fhirpath/units.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace lotsen::fhirpath {
namespace {

/// "kg.m/s2" as kg 1, m 1, s -2.
using Factors = std::vector<std::pair<std::string, int>>;

constexpr int kMaxPower = 99;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

/// One unit with its exponent, "s2"; false for what is more than that: brackets, annotations, plain numbers.
bool addFactor(std::string_view text, int sign, Factors& into) {
  if (text.find_first_of("(){}") != std::string_view::npos) return false;
  std::size_t end = text.size();
  while (end > 0 && isDigit(text[end - 1])) --end;
  const std::size_t digits = end;
  if (end > 0 && digits < text.size() && (text[end - 1] == '-' || text[end - 1] == '+')) --end;
  const std::string_view atom = text.substr(0, end);
  if (atom.empty()) return false;
  int power = 1;
  if (digits < text.size()) {
    const auto read = std::from_chars(text.data() + digits, text.data() + text.size(), power);
    if (read.ec != std::errc() || power > kMaxPower) return false;
    if (text[end] == '-') power = -power;
  }
  const auto known = std::find_if(into.begin(), into.end(), [&](const auto& factor) { return factor.first == atom; });
  if (known == into.end()) {
    into.emplace_back(std::string(atom), sign * power);
  } else {
    known->second += sign * power;
  }
  return true;
}

/// Adds the factors of a unit; false if it is not a plain product of units.
bool addFactors(std::string_view unit, int sign, Factors& into) {
  if (unit == "1") return true;
  int side = sign;
  if (unit.starts_with('/')) {
    side = -sign;
    unit.remove_prefix(1);
  }
  std::size_t start = 0;
  bool bracket = false;
  for (std::size_t i = 0; i <= unit.size(); ++i) {
    const char c = i < unit.size() ? unit[i] : '.';
    if (c == '[' || c == ']') bracket = c == '[';
    if (bracket || (c != '.' && c != '/')) continue;
    if (!addFactor(unit.substr(start, i - start), side, into)) return false;
    side = c == '/' ? -sign : sign;
    start = i + 1;
  }
  return true;
}

std::string written(const Factors& factors) {
  std::string out;
  for (const int sign : {1, -1}) {
    for (const auto& [atom, power] : factors) {
      if (power * sign <= 0) continue;
      if (sign < 0) {
        out += '/';
      } else if (!out.empty()) {
        out += '.';
      }
      out += atom;
      if (power * sign > 1) out += std::to_string(power * sign);
    }
  }
  return out.empty() ? std::string("1") : out;
}

/// A unit without calendar words; empty for years and months.
std::string_view ucum(std::string_view unit) {
  if (unit.empty()) return "1";
  return calendarUnit(unit) ? ucumCode(unit, false) : unit;
}

}  // namespace

std::optional<std::string> multiplyUnits(std::string_view a, std::string_view b, bool divide) {
  if (b.empty() || b == "1") return std::string(a.empty() ? "1" : a);
  if (!divide && (a.empty() || a == "1")) return std::string(b);
  if (divide && a == b) return "1";
  a = ucum(a);
  b = ucum(b);
  if (a.empty() || b.empty() || a.size() + b.size() + 4 > kMaxUnit) return std::nullopt;
  Factors factors;
  if (addFactors(a, 1, factors) && addFactors(b, divide ? -1 : 1, factors)) return written(factors);
  const auto grouped = [](std::string_view unit) {
    return unit.find_first_of("./") == std::string_view::npos ? std::string(unit) : "(" + std::string(unit) + ")";
  };
  if (a == "1") return "/" + grouped(b);
  return std::string(a) + (divide ? "/" : ".") + grouped(b);
}

}  // namespace lotsen::fhirpath
