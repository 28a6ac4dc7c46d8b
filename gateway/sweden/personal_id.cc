#include "gateway/sweden/personal_id.h"

#include "gateway/sweden/check_digit.h"

#include <array>

namespace lotsen::sweden {

namespace {

struct KindRow {
  PersonalIdKind kind;
  std::string_view name;
  std::string_view system;    // written
  std::string_view oid;       // accepted
  std::string_view misspelt;  // accepted
};

constexpr std::array<KindRow, 5> kKinds{{
    {PersonalIdKind::Personnummer, "personnummer", "http://electronichealth.se/identifier/personnummer",
     "urn:oid:1.2.752.129.2.1.3.1", ""},
    {PersonalIdKind::Samordningsnummer, "samordningsnummer", "http://electronichealth.se/identifier/samordningsnummer",
     "urn:oid:1.2.752.129.2.1.3.3", ""},
    {PersonalIdKind::NationalReserve, "nationellt reservnummer",
     "http://electronichealth.se/identifier/nationelltReservnummer", "urn:oid:1.2.752.74.9.1",
     "http://electronichealth.se/identifier/nationelltReservnumer"},
    {PersonalIdKind::VgrReserve, "reservnummer in Västra Götaland", "urn:oid:1.2.752.113.11.0.2.1.1.1",
     "urn:oid:1.2.752.113.11.0.2.1.1.1", ""},
    {PersonalIdKind::StockholmReserve, "reservnummer in Stockholm", "https://uid.regionstockholm.se/reservnummer",
     "urn:oid:1.2.752.97.3.1.3", ""},
}};

const KindRow& row(PersonalIdKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

Error refuse(PersonalIdKind kind, std::string_view why) {
  return fail(Code::Invalid, std::string(row(kind).name) + ": " + std::string(why));
}

bool isDate(int year, int month, int day) {
  return CivilDate{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                   std::chrono::day(static_cast<unsigned>(day))}
      .ok();
}

// REQUIRES: 8 digits YYYYMMDD.
bool isDate(std::string_view digits) {
  return isDate(toNumber(digits.substr(0, 4)), toNumber(digits.substr(4, 2)), toNumber(digits.substr(6, 2)));
}

bool hasKnownCentury(std::string_view wire) {
  const auto century = wire.substr(0, 2);
  return century == "18" || century == "19" || century == "20";
}

Result<PersonalId> made(PersonalIdKind kind, std::string_view wire) {
  return PersonalId{kind, Phi<std::string>(std::string(wire))};
}

// Personnummer, samordningsnummer (day + 60; month 00 and day 60 stand for unknown parts) and Stockholm's reserve
// number.
Result<PersonalId> checkDigits(std::string_view wire) {
  if (wire.starts_with("99")) {
    if (!hasLuhnDigit(wire.substr(4))) return refuse(PersonalIdKind::StockholmReserve, "wrong check digit");
    return made(PersonalIdKind::StockholmReserve, wire);
  }
  const int month = toNumber(wire.substr(4, 2));
  const int day = toNumber(wire.substr(6, 2));
  const auto kind = day >= 60 ? PersonalIdKind::Samordningsnummer : PersonalIdKind::Personnummer;
  if (!hasKnownCentury(wire)) return refuse(kind, "the century must be 18, 19 or 20");
  const int year = toNumber(wire.substr(0, 4));
  const bool real = kind == PersonalIdKind::Personnummer
                        ? isDate(year, month, day)
                        : isDate(month == 0 ? 2000 : year, month == 0 ? 1 : month, day == 60 ? 1 : day - 60);
  if (!real) return refuse(kind, "there is no such date of birth");
  if (!hasLuhnDigit(wire.substr(2))) return refuse(kind, "wrong check digit");
  return made(kind, wire);
}

bool isReserveLetter(char c) {
  return c >= 'A' && c <= 'Z' && std::string_view("IOQVW").find(c) == std::string_view::npos;
}

// Modulus 10 with weights 2, 1, 2 … from the right over the characters before the check digit; a letter counts as its
// ASCII code and a product as the sum of its decimal digits.
bool hasReserveCheckDigit(std::string_view wire) {
  int sum = 0;
  int weight = 2;
  for (std::size_t i = wire.size() - 1; i-- > 0; weight = 3 - weight) {
    const char c = wire[i];
    for (int product = (isDigit(c) ? c - '0' : static_cast<int>(c)) * weight; product > 0; product /= 10) {
      sum += product % 10;
    }
  }
  return isDigit(wire.back()) && (sum + (wire.back() - '0')) % 10 == 0;
}

// XXYYMMDDNNGC; XX is the century plus a multiple of three from 22 on, or 00 when the date of birth is not known.
Result<PersonalId> checkNationalReserve(std::string_view wire) {
  constexpr auto kKind = PersonalIdKind::NationalReserve;
  if (!isReserveLetter(wire[8]) || !isReserveLetter(wire[9]) || !(isDigit(wire[10]) || isReserveLetter(wire[10]))) {
    return refuse(kKind, "wrong form; it is XXYYMMDDNNGC with NN two letters other than I, O, Q, V, W");
  }
  const int prefix = toNumber(wire.substr(0, 2));
  const int month = toNumber(wire.substr(4, 2));
  const int day = toNumber(wire.substr(6, 2));
  if (prefix == 0) {
    if (month < 20 || day < 40 || day > 59) return refuse(kKind, "wrong form for an unknown date of birth");
  } else {
    const int century = (prefix - 19) % 3 + 19;
    if (prefix < 22 || century > 20) return refuse(kKind, "wrong prefix");
    if (!isDate(century * 100 + toNumber(wire.substr(2, 2)), month, day)) {
      return refuse(kKind, "there is no such date of birth");
    }
  }
  if (!hasReserveCheckDigit(wire)) return refuse(kKind, "wrong check digit");
  return made(kKind, wire);
}

// YYYYMMDDSggC; S is K, M or X and counts as 5, 7 or 8 in the check; gg is even for K, odd for M, from 80 for X.
Result<PersonalId> checkVgrReserve(std::string_view wire) {
  constexpr auto kKind = PersonalIdKind::VgrReserve;
  if (!areDigits(wire.substr(9))) return refuse(kKind, "wrong form; it is YYYYMMDD, K, M or X, and three digits");
  if (!hasKnownCentury(wire) || !isDate(wire.substr(0, 8))) return refuse(kKind, "there is no such date of birth");
  const char sex = wire[8];
  const int serial = toNumber(wire.substr(9, 2));
  const bool fits =
      sex == 'X' ? serial >= 80 && serial <= 89 : serial >= 6 && serial <= 89 && (serial % 2 == 0) == (sex == 'K');
  if (!fits) return refuse(kKind, "the serial number does not fit the letter");
  std::string digits(wire.substr(2));
  digits[6] = sex == 'K' ? '5' : sex == 'M' ? '7' : '8';
  if (!hasLuhnDigit(digits)) return refuse(kKind, "wrong check digit");
  return made(kKind, wire);
}

// The year of a short form; see readPersonalId(). `isDate` of the result is judged by checkPersonalId().
int fullYear(int shortYear, int month, int day, bool plus, CivilDate today) {
  const int thisYear = static_cast<int>(today.year());
  int year = thisYear - ((thisYear - shortYear) % 100 + 100) % 100;
  if (plus) {
    while (thisYear - year < 100) year -= 100;
  } else if (year == thisYear &&
             std::pair(month, day) > std::pair(static_cast<int>(static_cast<unsigned>(today.month())),
                                               static_cast<int>(static_cast<unsigned>(today.day())))) {
    year -= 100;
  }
  return year;
}

}  // namespace

std::string_view identifierSystem(PersonalIdKind kind) {
  return row(kind).system;
}
std::string_view kindName(PersonalIdKind kind) {
  return row(kind).name;
}

Result<PersonalId> checkPersonalId(std::string_view wire) {
  if (wire.size() != 12 || !areDigits(wire.substr(0, 8))) {
    return fail(Code::Invalid, "not a personal identifier: write all 12 characters without separator, YYYYMMDDNNNC");
  }
  if (areDigits(wire)) return checkDigits(wire);
  if (wire[8] == 'K' || wire[8] == 'M' || wire[8] == 'X') {
    if (areDigits(wire.substr(9))) return checkVgrReserve(wire);
  }
  return checkNationalReserve(wire);
}

Result<PersonalId> readPersonalId(std::string_view input, CivilDate today) {
  std::string digits(input);
  bool plus = false;
  if (input.size() == 11 || input.size() == 13) {
    const std::size_t at = input.size() - 5;
    if (input[at] == '-' || input[at] == '+') {
      plus = input[at] == '+';
      digits.erase(at, 1);
    }
  }
  if (digits.size() == 10 && areDigits(digits)) {
    const int day = toNumber(std::string_view(digits).substr(4, 2));
    const int year = fullYear(toNumber(std::string_view(digits).substr(0, 2)),
                              toNumber(std::string_view(digits).substr(2, 2)), day > 60 ? day - 60 : day, plus, today);
    digits = std::to_string(year / 100) + digits;
  }
  return checkPersonalId(digits);
}

bool isPersonalIdSystem(std::string_view system, PersonalIdKind* kind) {
  if (system.empty()) return false;
  for (const KindRow& candidate : kKinds) {
    if (system == candidate.system || system == candidate.oid || system == candidate.misspelt) {
      if (kind != nullptr) *kind = candidate.kind;
      return true;
    }
  }
  return false;
}

}  // namespace lotsen::sweden
