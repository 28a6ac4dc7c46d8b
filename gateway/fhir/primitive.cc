// The grammar of the R4 primitives (http://hl7.org/fhir/R4/datatypes.html), written out: std::regex is neither fast nor
// safe here.
#include "gateway/fhir/forms.h"
#include "gateway/fhir/r4/types.h"

#include <array>
#include <charconv>
#include <cstring>

namespace lotsen::fhir {

namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Reads a text from the left; every step says whether it could be taken.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool atEnd() const { return at_ == text_.size(); }
  bool take(char c) {
    if (atEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool digits(std::size_t count, int& value) {
    if (text_.size() - at_ < count) return false;
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!isDigit(text_[at_ + i])) return false;
      value = value * 10 + (text_[at_ + i] - '0');
    }
    at_ += count;
    return true;
  }
  bool someDigits() {
    const std::size_t start = at_;
    while (!atEnd() && isDigit(text_[at_])) ++at_;
    return at_ > start;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

int daysIn(int year, int month) {
  constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month)];
}

/// YYYY, YYYY-MM or YYYY-MM-DD; `whole` says whether the day was there.
bool takeDate(Cursor& cursor, bool& whole) {
  int year = 0;
  int month = 0;
  int day = 0;
  whole = false;
  if (!cursor.digits(4, year) || year == 0) return false;
  if (!cursor.take('-')) return true;
  if (!cursor.digits(2, month) || month < 1 || month > 12) return false;
  if (!cursor.take('-')) return true;
  whole = true;
  return cursor.digits(2, day) && day >= 1 && day <= daysIn(year, month);
}

/// hh:mm:ss, fraction allowed; 60 is a leap second.
bool takeTime(Cursor& cursor) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!cursor.digits(2, hour) || hour > 23 || !cursor.take(':')) return false;
  if (!cursor.digits(2, minute) || minute > 59 || !cursor.take(':')) return false;
  if (!cursor.digits(2, second) || second > 60) return false;
  return !cursor.take('.') || cursor.someDigits();
}

/// Z, or ±hh:mm up to 14:00
bool takeZone(Cursor& cursor) {
  if (cursor.take('Z')) return true;
  int hour = 0;
  int minute = 0;
  if (!cursor.take('+') && !cursor.take('-')) return false;
  if (!cursor.digits(2, hour) || !cursor.take(':') || !cursor.digits(2, minute)) return false;
  return (hour <= 13 && minute <= 59) || (hour == 14 && minute == 0);
}

bool isDate(std::string_view text) {
  Cursor cursor(text);
  bool whole = false;
  return takeDate(cursor, whole) && cursor.atEnd();
}

bool isDateTime(std::string_view text, bool mustBeInstant) {
  Cursor cursor(text);
  bool whole = false;
  if (!takeDate(cursor, whole)) return false;
  if (cursor.atEnd()) return !mustBeInstant;
  return whole && cursor.take('T') && takeTime(cursor) && takeZone(cursor) && cursor.atEnd();
}

bool isTime(std::string_view text) {
  Cursor cursor(text);
  return takeTime(cursor) && cursor.atEnd();
}

bool isInteger(std::string_view text, std::int32_t least) {
  const bool minus = !text.empty() && text.front() == '-';
  const std::string_view digits = minus ? text.substr(1) : text;
  if (digits.empty() || (digits.front() == '0' && (digits.size() > 1 || minus))) return false;
  std::int32_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} && result.ptr == text.data() + text.size() && value >= least;
}

bool isDecimal(std::string_view text) {
  Cursor cursor(text);
  cursor.take('-');
  if (!cursor.take('0') && !cursor.someDigits()) return false;
  if (cursor.take('.') && !cursor.someDigits()) return false;
  if (cursor.take('e') || cursor.take('E')) {
    if (!cursor.take('+')) cursor.take('-');
    if (!cursor.someDigits()) return false;
  }
  return cursor.atEnd();
}

constexpr std::size_t kLongestString = 1024 * 1024;

/// No control characters but tab, line feed, carriage return; not empty.
bool isText(std::string_view text) {
  if (text.empty()) return false;
  std::size_t at = 0;
  while (at < text.size()) {
    if (at + 8 <= text.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, 8);
      if (((word - 0x2020202020202020U) & ~word & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 && !isBlank(text[at])) return false;
    ++at;
  }
  return true;
}

/// No blank at either end, single blanks inside.
bool isCode(std::string_view text) {
  bool afterBlank = true;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || (c == ' ' && afterBlank)) return false;
    afterBlank = c == ' ';
  }
  return !afterBlank;
}

bool isId(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !isDigit(c) && c != '-' && c != '.') return false;
  }
  return true;
}

bool isUri(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20) return false;
  }
  return !text.empty();
}

bool isOid(std::string_view text) {
  constexpr std::string_view kPrefix = "urn:oid:";
  if (text.substr(0, kPrefix.size()) != kPrefix) return false;
  Cursor cursor(text.substr(kPrefix.size()));
  if (!cursor.take('0') && !cursor.take('1') && !cursor.take('2')) return false;
  if (cursor.atEnd()) return false;
  while (!cursor.atEnd()) {
    if (!cursor.take('.')) return false;
    if (!cursor.take('0') && !cursor.someDigits()) return false;
  }
  return true;
}

bool isUuid(std::string_view text) {
  constexpr std::string_view kForm = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  constexpr std::size_t kPrefix = 9;
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hex = isDigit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
    if (i >= kPrefix && kForm[i] == 'x' ? !hex : text[i] != kForm[i]) return false;
  }
  return true;
}

/// Groups of four, padding only in the last; blanks between are allowed.
bool isBase64(std::string_view text) {
  std::size_t count = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (isBlank(c)) continue;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == '=') {
      ++padding;
    } else if (padding > 0 || (!letter && !isDigit(c) && c != '+' && c != '/')) {
      return false;
    }
    ++count;
  }
  return count > 0 && count % 4 == 0 && padding <= 2;
}

}  // namespace

bool isValidPrimitive(const Schema& schema, TypeId type, std::string_view text) {
  if (type > r4::kLastPrimitive) return schema.type(type).primitive == Primitive::None || isText(text);
  switch (type) {
    case r4::kBase64Binary: return isBase64(text);
    case r4::kBoolean: return text == "true" || text == "false";
    case r4::kCanonical:
    case r4::kUri:
    case r4::kUrl: return isUri(text);
    case r4::kCode: return isCode(text);
    case r4::kDate: return isDate(text);
    case r4::kDateTime: return isDateTime(text, false);
    case r4::kDecimal: return isDecimal(text);
    case r4::kId: return isId(text);
    case r4::kInstant: return isDateTime(text, true);
    case r4::kInteger: return isInteger(text, INT32_MIN);
    case r4::kOid: return isOid(text);
    case r4::kPositiveInt: return isInteger(text, 1);
    case r4::kTime: return isTime(text);
    case r4::kUnsignedInt: return isInteger(text, 0);
    case r4::kUuid: return isUuid(text);
    case r4::kXhtml: return isText(text);
    default: return text.size() <= kLongestString && isText(text);
  }
}

}  // namespace lotsen::fhir
