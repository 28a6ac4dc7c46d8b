// The modulus-10 check (Luhn, ISO/IEC 7812-1 annex B) that Swedish identifiers share.
// Used by personal_id.cc and organisation.cc only. Pure.
#pragma once

#include <string_view>

namespace lotsen::sweden {

/// True if `digits` is not empty, holds only decimal digits and its last one is the Luhn check digit of the others.
bool hasLuhnDigit(std::string_view digits);

inline bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
inline bool areDigits(std::string_view text) {
  for (const char c : text) {
    if (!isDigit(c)) return false;
  }
  return true;
}
/// REQUIRES: areDigits(text), at most nine of them.
inline int toNumber(std::string_view text) {
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value;
}

}  // namespace lotsen::sweden
