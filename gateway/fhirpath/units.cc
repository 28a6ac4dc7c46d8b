#include "gateway/fhirpath/units.h"

#include <algorithm>

namespace lotsen::fhirpath {
namespace {

enum Dimension : std::size_t {
  kMetre,
  kSecond,
  kGram,
  kKelvin,
  kCandela,
  kRadian,
  kCoulomb,
  kMole,
  kIu,
  kBit,
  kArbitrary,
  kMonth
};

struct Atom {
  std::string_view code;
  bool metric;                  // takes prefixes
  std::string_view factor;      // how many of `definition` it is
  std::string_view definition;  // UCUM expression; empty: a base unit
  std::size_t base = 0;         // Dimension, for base units
};

// Factors are exact or as UCUM defines them. The mole counts as its own dimension here, not as a number.
constexpr Atom kAtoms[] = {
    {"m", true, "1", "", kMetre},
    {"s", true, "1", "", kSecond},
    {"g", true, "1", "", kGram},
    {"K", true, "1", "", kKelvin},
    {"cd", true, "1", "", kCandela},
    {"rad", true, "1", "", kRadian},
    {"C", true, "1", "", kCoulomb},
    {"mol", true, "1", "", kMole},
    {"[iU]", true, "1", "", kIu},
    {"[IU]", true, "1", "[iU]"},
    {"bit", true, "1", "", kBit},
    {"By", true, "8", "bit"},
    {"[arb'U]", false, "1", "", kArbitrary},
    {"10*", false, "10", "1"},
    {"10^", false, "10", "1"},
    {"%", false, "0.01", "1"},
    {"[ppth]", false, "0.001", "1"},
    {"[ppm]", false, "0.000001", "1"},
    {"[ppb]", false, "0.000000001", "1"},
    {"[pi]", false, "3.1415926535897932384626433832795029", "1"},
    {"min", false, "60", "s"},
    {"h", false, "60", "min"},
    {"d", false, "24", "h"},
    {"wk", false, "7", "d"},
    {"mo", false, "30.4375", "d"},
    {"mo_j", false, "30.4375", "d"},
    {"mo_g", false, "30.436875", "d"},
    {"a", false, "365.25", "d"},
    {"a_j", false, "365.25", "d"},
    {"a_g", false, "365.2425", "d"},
    {"L", true, "1", "dm3"},
    {"l", true, "1", "dm3"},
    {"ar", true, "100", "m2"},
    {"t", true, "1000", "kg"},
    {"u", true, "1.6605402", "g/10*24"},
    {"Hz", true, "1", "s-1"},
    {"N", true, "1", "kg.m/s2"},
    {"Pa", true, "1", "N/m2"},
    {"J", true, "1", "N.m"},
    {"W", true, "1", "J/s"},
    {"A", true, "1", "C/s"},
    {"V", true, "1", "J/C"},
    {"F", true, "1", "C/V"},
    {"Ohm", true, "1", "V/A"},
    {"S", true, "1", "Ohm-1"},
    {"Wb", true, "1", "V.s"},
    {"T", true, "1", "Wb/m2"},
    {"H", true, "1", "Wb/A"},
    {"lm", true, "1", "cd.sr"},
    {"lx", true, "1", "lm/m2"},
    {"sr", true, "1", "rad2"},
    {"deg", false, "2", "[pi].rad/360"},
    {"Bq", true, "1", "s-1"},
    {"Ci", true, "37000000000", "Bq"},
    {"Gy", true, "1", "J/kg"},
    {"Sv", true, "1", "J/kg"},
    {"RAD", true, "0.01", "Gy"},
    {"bar", true, "100000", "Pa"},
    {"atm", false, "101325", "Pa"},
    {"m[Hg]", true, "133322", "Pa"},
    {"m[H2O]", true, "9806.65", "Pa"},
    {"cal", true, "4.184", "J"},
    {"[Cal]", false, "1", "kcal"},
    {"dyn", true, "0.00001", "N"},
    {"erg", true, "0.0000001", "J"},
    {"P", true, "0.1", "Pa.s"},
    {"kat", true, "1", "mol/s"},
    {"U", true, "1", "umol/min"},
    {"eq", true, "1", "mol"},
    {"osm", true, "1", "mol"},
    {"[in_i]", false, "2.54", "cm"},
    {"[ft_i]", false, "12", "[in_i]"},
    {"[yd_i]", false, "3", "[ft_i]"},
    {"[mi_i]", false, "5280", "[ft_i]"},
    {"[nmi_i]", false, "1852", "m"},
    {"[gr]", false, "64.79891", "mg"},
    {"[lb_av]", false, "7000", "[gr]"},
    {"[oz_av]", false, "437.5", "[gr]"},
    {"[stone_av]", false, "14", "[lb_av]"},
    {"[dr_av]", false, "27.34375", "[gr]"},
    {"[gal_us]", false, "231", "[in_i]3"},
    {"[qt_us]", false, "0.25", "[gal_us]"},
    {"[pt_us]", false, "0.5", "[qt_us]"},
    {"[cup_us]", false, "16", "[tbs_us]"},
    {"[foz_us]", false, "0.0625", "[pt_us]"},
    {"[tbs_us]", false, "0.5", "[foz_us]"},
    {"[tsp_us]", false, "1", "[tbs_us]/3"},
    {"[drp]", false, "0.05", "mL"},
    {"[degF]", false, "5", "K/9"},
    {"Cel", true, "1", "K"},
    {"[CFU]", false, "1", "[arb'U]"},
    {"[pfU]", false, "1", "[arb'U]"},
};

struct Prefix {
  std::string_view code;
  int exponent;
};
constexpr Prefix kPrefixes[] = {{"da", 1}, {"Y", 24},  {"Z", 21},  {"E", 18},  {"P", 15},  {"T", 12}, {"G", 9},
                                {"M", 6},  {"k", 3},   {"h", 2},   {"d", -1},  {"c", -2},  {"m", -3}, {"u", -6},
                                {"n", -9}, {"p", -12}, {"f", -15}, {"a", -18}, {"z", -21}, {"y", -24}};

constexpr std::pair<std::string_view, Temporal::Unit> kWords[] = {{"year", Temporal::Unit::Year},
                                                                  {"years", Temporal::Unit::Year},
                                                                  {"month", Temporal::Unit::Month},
                                                                  {"months", Temporal::Unit::Month},
                                                                  {"week", Temporal::Unit::Week},
                                                                  {"weeks", Temporal::Unit::Week},
                                                                  {"day", Temporal::Unit::Day},
                                                                  {"days", Temporal::Unit::Day},
                                                                  {"hour", Temporal::Unit::Hour},
                                                                  {"hours", Temporal::Unit::Hour},
                                                                  {"minute", Temporal::Unit::Minute},
                                                                  {"minutes", Temporal::Unit::Minute},
                                                                  {"second", Temporal::Unit::Second},
                                                                  {"seconds", Temporal::Unit::Second},
                                                                  {"millisecond", Temporal::Unit::Millisecond},
                                                                  {"milliseconds", Temporal::Unit::Millisecond}};

constexpr int kMaxUnitDepth = 16;

bool times(Decimal& a, const Decimal& b) {
  const auto product = Decimal::multiply(a, b);
  if (product) a = *product;
  return product.has_value();
}

/// into := into · factor^power
bool accumulate(UnitValue& into, const UnitValue& factor, int power) {
  for (std::size_t i = 0; i < into.dimensions.size(); ++i) {
    const int sum = into.dimensions[i] + factor.dimensions[i] * power;
    if (sum > 100 || sum < -100) return false;
    into.dimensions[i] = static_cast<std::int8_t>(sum);
  }
  const bool inverse = power < 0;
  for (int i = 0; i < (inverse ? -power : power); ++i) {
    if (!times(into.numerator, inverse ? factor.denominator : factor.numerator)) return false;
    if (!times(into.denominator, inverse ? factor.numerator : factor.denominator)) return false;
  }
  return true;
}

class UnitParser {
 public:
  UnitParser(std::string_view text, int depth) : text_(text), depth_(depth) {}

  std::optional<UnitValue> parse() {
    if (depth_ > kMaxUnitDepth) return std::nullopt;
    UnitValue result;
    if (!term(result) || at_ != text_.size()) return std::nullopt;
    return result;
  }

 private:
  bool term(UnitValue& into) {
    int sign = take('/') ? -1 : 1;
    for (;;) {
      UnitValue part;
      const bool alone = at_ == 0;
      if (!component(part)) return false;
      if (alone && at_ == text_.size()) {  // only a unit by itself has a zero point of its own
        into = part;
        return true;
      }
      if (!accumulate(into, part, sign)) return false;
      if (take('.')) {
        sign = 1;
      } else if (take('/')) {
        sign = -1;
      } else {
        return true;
      }
    }
  }

  bool component(UnitValue& out) {
    if (take('(')) {
      if (++depth_ > kMaxUnitDepth || !term(out) || !take(')')) return false;
      --depth_;
      return true;
    }
    if (annotation()) return true;
    if (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && !startsWith("10*") && !startsWith("10^")) {
      const std::size_t start = at_;
      while (at_ < text_.size() && ((text_[at_] >= '0' && text_[at_] <= '9') || text_[at_] == '.')) {
        if (text_[at_] == '.' && (at_ + 1 >= text_.size() || text_[at_ + 1] < '0' || text_[at_ + 1] > '9')) break;
        ++at_;
      }
      const auto number = Decimal::parse(text_.substr(start, at_ - start));
      if (!number || number->isZero()) return false;
      out.numerator = *number;
      annotation();
      return true;
    }
    return simple(out);
  }

  /// An atom with optional prefix, exponent and annotation.
  bool simple(UnitValue& out) {
    const std::size_t start = at_;
    bool bracket = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '[') bracket = true;
      if (c == ']') bracket = false;
      const bool ends =
          c == '.' || c == '/' || c == '(' || c == ')' || c == '{' || c == '+' || c == '-' || (c >= '0' && c <= '9');
      if (!bracket && ends &&
          !(c >= '0' && c <= '9' && text_.substr(start, at_ - start).size() < 2 && startsWithAt(start, "10")))
        break;
      ++at_;
    }
    UnitValue unit;
    if (!lookUp(text_.substr(start, at_ - start), unit)) return false;
    int power = 1;
    if (!exponent(power)) return false;
    annotation();
    if (power == 1) {
      out = unit;
      return true;
    }
    return accumulate(out, unit, power);
  }

  bool exponent(int& power) {
    const bool negative = at_ < text_.size() && text_[at_] == '-';
    if (negative || (at_ < text_.size() && text_[at_] == '+')) ++at_;
    const std::size_t start = at_;
    int value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && at_ - start < 3)
      value = value * 10 + (text_[at_++] - '0');
    if (at_ != start) power = negative ? -value : value;
    return at_ != start || !negative;
  }

  bool lookUp(std::string_view code, UnitValue& out) {
    if (const Atom* atom = find(code)) return define(*atom, 0, out);
    for (const Prefix& prefix : kPrefixes) {
      if (!code.starts_with(prefix.code)) continue;
      const Atom* atom = find(code.substr(prefix.code.size()));
      if (atom != nullptr && atom->metric) return define(*atom, prefix.exponent, out);
    }
    return false;
  }

  static const Atom* find(std::string_view code) {
    const auto* found =
        std::find_if(std::begin(kAtoms), std::end(kAtoms), [&](const Atom& atom) { return atom.code == code; });
    return found == std::end(kAtoms) ? nullptr : found;
  }

  bool define(const Atom& atom, int exponent, UnitValue& out) {
    if (atom.definition.empty()) {
      out.dimensions[atom.base] = 1;
    } else if (atom.definition != "1") {
      const auto inner = UnitParser(atom.definition, depth_ + 1).parse();
      if (!inner) return false;
      out = *inner;
    }
    if (!times(out.numerator, *Decimal::parse(atom.factor))) return false;
    const Decimal ten(10);
    for (int i = 0; i < std::abs(exponent); ++i) {
      if (!times(exponent < 0 ? out.denominator : out.numerator, ten)) return false;
    }
    if (atom.code == "Cel") out.offset = *Decimal::parse("273.15");
    if (atom.code == "[degF]") out.offset = *Decimal::parse("459.67");
    return true;
  }

  bool annotation() {
    if (at_ >= text_.size() || text_[at_] != '{') return false;
    const std::size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) return false;
    at_ = end + 1;
    return true;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool startsWith(std::string_view prefix) const { return startsWithAt(at_, prefix); }
  bool startsWithAt(std::size_t at, std::string_view prefix) const { return text_.substr(at).starts_with(prefix); }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_;
};

/// (value + offset) · numerator · other denominator: both sides of a comparison over one denominator.
std::optional<Decimal> scaled(const Decimal& value, const UnitValue& unit, const UnitValue& other) {
  auto result = Decimal::add(value, unit.offset);
  if (result) result = Decimal::multiply(*result, unit.numerator);
  if (result) result = Decimal::multiply(*result, other.denominator);
  return result;
}

std::string_view named(std::string_view unit) {
  return unit.empty() ? std::string_view("1") : unit;
}

/// A calendar word in seconds: a year has 365 days and a month 30 (toQuantity() in the specification).
std::optional<UnitValue> calendarSeconds(std::string_view word) {
  const auto unit = calendarUnit(word);
  if (!unit) return std::nullopt;
  if (*unit != Temporal::Unit::Year && *unit != Temporal::Unit::Month) return parseUnit(word);
  auto day = parseUnit("d");
  if (!day || !times(day->numerator, Decimal(*unit == Temporal::Unit::Year ? 365 : 30))) return std::nullopt;
  return day;
}

/// UCUM's years and months: durations of a definite length, which no calendar duration has.
bool isDefiniteYearOrMonth(std::string_view unit) {
  for (const std::string_view code : {"a", "a_j", "a_g", "mo", "mo_j", "mo_g"}) {
    if (unit == code) return true;
  }
  return false;
}

/// Both units if they measure the same. Calendar years and months compare with each other, and by days with other
/// calendar words, never with UCUM codes.
std::optional<std::pair<UnitValue, UnitValue>> commonMeasure(std::string_view a, std::string_view b) {
  if ((isDefiniteYearOrMonth(a) && calendarUnit(b)) || (calendarUnit(a) && isDefiniteYearOrMonth(b)))
    return std::nullopt;
  auto x = parseUnit(a);
  auto y = parseUnit(b);
  if (x && y && x->dimensions != y->dimensions && calendarUnit(a) && calendarUnit(b)) {
    x = calendarSeconds(a);
    y = calendarSeconds(b);
  }
  if (!x || !y || x->dimensions != y->dimensions) return std::nullopt;
  return std::pair(*x, *y);
}

}  // namespace

std::optional<Temporal::Unit> calendarUnit(std::string_view word) {
  for (const auto& [text, unit] : kWords) {
    if (text == word) return unit;
  }
  return std::nullopt;
}

std::string_view ucumCode(std::string_view word, bool average) {
  const auto unit = calendarUnit(word);
  if (!unit || (!average && *unit <= Temporal::Unit::Month)) return {};
  constexpr std::string_view kCodes[] = {"a", "mo", "wk", "d", "h", "min", "s", "ms"};
  return kCodes[static_cast<std::size_t>(*unit)];
}

std::optional<Temporal::Unit> durationUnit(std::string_view unit) {
  if (const auto word = calendarUnit(unit)) return word;
  if (unit == "wk") return Temporal::Unit::Week;
  if (unit == "d") return Temporal::Unit::Day;
  if (unit == "h") return Temporal::Unit::Hour;
  if (unit == "min") return Temporal::Unit::Minute;
  if (unit == "s") return Temporal::Unit::Second;
  if (unit == "ms") return Temporal::Unit::Millisecond;
  return std::nullopt;
}

std::optional<UnitValue> parseUnit(std::string_view unit) {
  if (unit.empty() || unit == "1") return UnitValue{};
  if (unit.size() > kMaxUnit) return std::nullopt;
  if (const auto word = calendarUnit(unit)) {
    if (*word == Temporal::Unit::Year || *word == Temporal::Unit::Month) {
      UnitValue months;
      months.dimensions[kMonth] = 1;
      if (*word == Temporal::Unit::Year) months.numerator = Decimal(12);
      return months;
    }
    return parseUnit(ucumCode(unit, false));
  }
  return UnitParser(unit, 0).parse();
}

std::optional<int> compareQuantities(const Quantity& a, const Quantity& b) {
  if (named(a.unit) == named(b.unit)) return Decimal::compare(a.value, b.value);
  const auto units = commonMeasure(a.unit, b.unit);
  if (!units) return std::nullopt;
  const auto left = scaled(a.value, units->first, units->second);
  const auto right = scaled(b.value, units->second, units->first);
  if (!left || !right) return std::nullopt;
  return Decimal::compare(*left, *right);
}

std::optional<Decimal> convertQuantity(const Quantity& quantity, std::string_view unit) {
  if (named(quantity.unit) == named(unit)) return quantity.value;
  const auto units = commonMeasure(quantity.unit, unit);
  if (!units) return std::nullopt;
  const auto& [from, to] = *units;
  auto result = scaled(quantity.value, from, to);
  const auto divisor = Decimal::multiply(from.denominator, to.numerator);
  if (result && divisor) result = Decimal::divide(*result, *divisor);
  return result && divisor ? Decimal::subtract(*result, to.offset) : std::nullopt;
}

std::string_view finerUnit(std::string_view a, std::string_view b) {
  return compareQuantities({Decimal(1), a}, {Decimal(1), b}).value_or(0) > 0 ? b : a;
}

bool equivalentQuantities(const Quantity& a, const Quantity& b) {
  const auto definite = [](std::string_view unit) {
    const std::string_view code = ucumCode(unit, true);
    return code.empty() ? unit : code;
  };
  const Quantity x{a.value, definite(a.unit)};
  const Quantity y{b.value, definite(b.unit)};
  const auto order = compareQuantities(Quantity{Decimal(1), x.unit}, Quantity{Decimal(1), y.unit});
  if (!order) return false;
  const Quantity& coarse = *order >= 0 ? x : y;
  const auto left = convertQuantity(x, coarse.unit);
  const auto right = convertQuantity(y, coarse.unit);
  if (!left || !right) return false;
  const int scale = std::min(left->stripped().scale(), right->stripped().scale());
  return Decimal::compare(left->rounded(scale), right->rounded(scale)) == 0;
}

}  // namespace lotsen::fhirpath
