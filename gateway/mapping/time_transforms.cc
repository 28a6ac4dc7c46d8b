#include "gateway/mapping/time_transforms.h"

#include "gateway/base/clock.h"
#include "gateway/fhirpath/temporal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace lotsen::mapping {

namespace {

using fhirpath::Temporal;

enum class Field : std::uint8_t {
  Literal,
  Year,
  ShortYear,
  Month,
  Day,
  Hour,
  HalfHour,
  Minute,
  Second,
  Fraction,
  Half,
  Zone
};

struct Code {
  char letter;
  std::size_t length;  // 0: any
  Field field;
  std::size_t least;  // digits
  std::size_t most;
};

constexpr std::array<Code, 17> kCodes = {{{'y', 4, Field::Year, 4, 4},
                                          {'y', 2, Field::ShortYear, 2, 2},
                                          {'M', 2, Field::Month, 2, 2},
                                          {'M', 1, Field::Month, 1, 2},
                                          {'d', 2, Field::Day, 2, 2},
                                          {'d', 1, Field::Day, 1, 2},
                                          {'H', 2, Field::Hour, 2, 2},
                                          {'H', 1, Field::Hour, 1, 2},
                                          {'h', 2, Field::HalfHour, 2, 2},
                                          {'h', 1, Field::HalfHour, 1, 2},
                                          {'m', 2, Field::Minute, 2, 2},
                                          {'m', 1, Field::Minute, 1, 2},
                                          {'s', 2, Field::Second, 2, 2},
                                          {'s', 1, Field::Second, 1, 2},
                                          {'S', 0, Field::Fraction, 1, 9},
                                          {'a', 1, Field::Half, 0, 0},
                                          {'Z', 1, Field::Zone, 0, 0}}};

/// The code at the start of the format and how long it is written; nullptr: letters of codes that are none together
/// (`length` says how many), or a character that stands for itself (`length` is 0).
const Code* codeAt(std::string_view format, std::size_t& length) {
  const char letter = format[0];
  length = 0;
  if (std::string_view("yMdHhmsSaZz").find(letter) == std::string_view::npos) return nullptr;
  length = std::min(format.find_first_not_of(letter), format.size());
  for (const Code& code : kCodes) {
    if (code.letter == letter && (code.length == length || (code.length == 0 && length <= code.most))) return &code;
  }
  return nullptr;
}

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<int> number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int value = 0;
  while (count < most && count < text.size() && isDigit(text[count])) value = value * 10 + (text[count++] - '0');
  if (count < least) return {};
  text.remove_prefix(count);
  return value;
}

/// "Z", "+0200", "+02:00", "+02"; in minutes.
std::optional<std::int16_t> zone(std::string_view& text) {
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
    return std::int16_t{0};
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return {};
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = number(text, 2, 2);
  if (!hours || *hours > 14) return {};
  if (text.starts_with(':') && text.size() > 1 && isDigit(text[1])) text.remove_prefix(1);
  const auto minutes = number(text, 2, 2);
  if (minutes.value_or(0) > 59) return {};
  return static_cast<std::int16_t>(sign * (*hours * 60 + minutes.value_or(0)));
}

/// What a format is read into.
struct Reading {
  Temporal at;
  std::optional<int> half;  // 0: before noon, 12: after
  bool halfDay = false;     // the hour is one of twelve
};

bool read(const Code& code, std::size_t length, std::string_view& text, Reading& into) {
  if (code.field == Field::Half) {
    if (text.empty()) return false;
    const char letter = static_cast<char>(text[0] & ~0x20);
    if (letter != 'A' && letter != 'P') return false;
    into.half = letter == 'P' ? 12 : 0;
    text.remove_prefix(text.size() > 1 && (text[1] & ~0x20) == 'M' ? 2 : 1);
    return true;
  }
  if (code.field == Field::Zone) {
    into.at.zulu = text.starts_with('Z');
    const auto minutes = zone(text);
    into.at.zoned = minutes.has_value();
    into.at.zone = minutes.value_or(0);
    return minutes.has_value();
  }
  const bool fraction = code.field == Field::Fraction;
  const auto value = number(text, fraction ? length : code.least, fraction ? length : code.most);
  if (!value) return false;
  const auto small = [&](int least, int most, std::uint8_t& out) {
    out = static_cast<std::uint8_t>(*value);
    return *value >= least && *value <= most;
  };
  switch (code.field) {
    case Field::Year: into.at.year = *value; return *value > 0;
    case Field::ShortYear: into.at.year = *value + (*value < 50 ? 2000 : 1900); return true;
    case Field::Month: return small(1, 12, into.at.month);
    case Field::Day: return small(1, 31, into.at.day);
    case Field::Hour: return small(0, 23, into.at.hour);
    case Field::HalfHour: into.halfDay = true; return small(1, 12, into.at.hour);
    case Field::Minute: return small(0, 59, into.at.minute);
    case Field::Second: return small(0, 59, into.at.second);
    default: break;
  }
  into.at.fractionDigits = static_cast<std::uint8_t>(length);
  into.at.nanos = static_cast<std::uint32_t>(*value);
  for (std::size_t i = length; i < 9; ++i) into.at.nanos *= 10;
  return true;
}

struct Fields {
  bool year = false, month = false, day = false, hour = false, halfDay = false, half = false, fraction = false;
};

/// Which codes the format has; empty: one of them is none.
std::optional<Fields> fieldsOf(std::string_view format, std::string& wrong) {
  Fields has;
  while (!format.empty()) {
    std::size_t length = 0;
    const Code* code = codeAt(format, length);
    if (code == nullptr && length > 0) {
      wrong = format.substr(0, length);
      return {};
    }
    const Field field = code == nullptr ? Field::Literal : code->field;
    has.year = has.year || field == Field::Year || field == Field::ShortYear;
    has.month = has.month || field == Field::Month;
    has.day = has.day || field == Field::Day;
    has.hour = has.hour || field == Field::Hour || field == Field::HalfHour;
    has.halfDay = has.halfDay || field == Field::HalfHour;
    has.half = has.half || field == Field::Half;
    has.fraction = has.fraction || field == Field::Fraction;
    format.remove_prefix(std::max<std::size_t>(1, length));
  }
  return has;
}

/// The moment as FHIR writes that kind.
std::string written(Temporal at, MomentKind kind, const Fields& has) {
  using Precision = Temporal::Precision;
  const Precision time = has.fraction ? Precision::Fraction : Precision::Second;
  const Precision date = has.day ? Precision::Day : has.month ? Precision::Month : Precision::Year;
  at.form = kind == MomentKind::Time ? Temporal::Form::Time : Temporal::Form::DateTime;
  at.precision = kind == MomentKind::Time || (kind == MomentKind::DateTime && has.hour) ? time : date;
  if (at.precision < Precision::Hour || kind == MomentKind::Time) at.zoned = false;
  return at.toString();
}

}  // namespace

std::string formatFault(std::string_view format, MomentKind kind) {
  std::string wrong;
  const auto has = fieldsOf(format, wrong);
  if (!has) return "the format has no code '" + wrong + "'; it knows yyyy yy MM M dd d HH H hh h mm m ss s S a Z";
  if (kind != MomentKind::Time && !has->year) return "the format needs a year, yyyy";
  if (kind != MomentKind::Time && has->day && !has->month) return "the format has a day and no month";
  if (kind == MomentKind::Time && !has->hour) return "the format needs an hour, HH";
  if (kind == MomentKind::DateTime && has->hour && !has->day) return "the format has a time of day and no day";
  if (has->halfDay != has->half) return "hh and a go together; HH is the hour of the whole day";
  return {};
}

std::optional<std::string> parseMoment(std::string_view text, std::string_view format, MomentKind kind) {
  std::string wrong;
  const auto has = fieldsOf(format, wrong);
  if (!has || !formatFault(format, kind).empty()) return {};
  Reading reading;
  while (!format.empty()) {
    std::size_t length = 0;
    const Code* code = codeAt(format, length);
    if (code == nullptr) {
      if (!text.starts_with(format[0])) return {};
      text.remove_prefix(1);
      format.remove_prefix(1);
      continue;
    }
    if (!read(*code, length, text, reading)) return {};
    format.remove_prefix(length);
  }
  if (!text.empty()) return {};
  if (reading.halfDay) reading.at.hour = static_cast<std::uint8_t>(reading.at.hour % 12 + reading.half.value_or(0));
  const std::chrono::year_month_day day(std::chrono::year(reading.at.year), std::chrono::month(reading.at.month),
                                        std::chrono::day(reading.at.day));
  if (has->day && !day.ok()) return {};
  return written(reading.at, kind, *has);
}

std::optional<std::string> unixMoment(std::string_view seconds, std::string_view zoneText, MomentKind kind) {
  constexpr std::int64_t kFirst = -62'135'596'800;  // 0001-01-01
  constexpr std::int64_t kLast = 253'402'300'799;   // 9999-12-31
  std::int64_t count = 0;
  const auto parsed = std::from_chars(seconds.data(), seconds.data() + seconds.size(), count);
  if (parsed.ec != std::errc() || parsed.ptr != seconds.data() + seconds.size()) return {};
  const bool utc = zoneText.empty() || zoneText == "Z";
  const auto minutes = utc ? std::optional<std::int16_t>(0) : zone(zoneText);
  if (!minutes || (!utc && !zoneText.empty())) return {};
  const std::int64_t local = count + std::int64_t{*minutes} * 60;
  if (local < kFirst || local > kLast) return {};
  Temporal at = Temporal::fromInstant(Instant(std::chrono::seconds(count)), *minutes);
  at.zulu = utc;
  Fields has;
  has.year = has.month = has.day = has.hour = true;
  return written(at, kind, has);
}

}  // namespace lotsen::mapping
