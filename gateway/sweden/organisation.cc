#include "gateway/sweden/organisation.h"

#include "gateway/base/text.h"
#include "gateway/sweden/check_digit.h"

namespace lotsen::sweden {

Result<std::string> readOrganisationNumber(std::string_view input) {
  std::string digits(input);
  if (digits.size() == 11 && digits[6] == '-') digits.erase(6, 1);
  // The third digit is at least 2, which tells these numbers from personal ones.
  if (digits.size() != 10 || !areDigits(digits) || digits[2] < '2') {
    return fail(Code::Invalid, "not an organisationsnummer: write its ten digits, the third of which is 2 or more");
  }
  if (!hasLuhnDigit(digits)) return fail(Code::Invalid, "organisationsnummer: wrong check digit");
  return digits;
}

Result<HsaId> readHsaId(std::string_view input) {
  constexpr std::size_t kLongest = 31;
  const Error wrong =
      fail(Code::Invalid,
           "not an HSA-id: it is SE, ten digits, a hyphen, and letters and digits (no å, ä, ö), at most 31 in all");
  std::string_view rest = input;
  if (rest.starts_with("SE")) {
    rest.remove_prefix(2);
  } else if (rest.starts_with("TSTNMT")) {
    rest.remove_prefix(6);
  } else {
    return wrong;
  }
  if (input.size() > kLongest || rest.size() < 12 || !areDigits(rest.substr(0, 10)) || rest[10] != '-') return wrong;
  for (const char c : rest.substr(11)) {
    if (!isDigit(c) && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z')) return wrong;
  }
  return HsaId{std::string(input), std::string(rest.substr(0, 10)), hasLuhnDigit(rest.substr(0, 10))};
}

bool sameHsaId(std::string_view a, std::string_view b) {
  return equalsIgnoreCase(a, b);
}

}  // namespace lotsen::sweden
