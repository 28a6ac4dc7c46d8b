#include "gateway/sweden/address.h"

#include "gateway/sweden/check_digit.h"

namespace lotsen::sweden {

Result<std::string> readPostalCode(std::string_view input) {
  if (input.starts_with("SE-")) {
    input.remove_prefix(3);
  } else if (input.starts_with("S-")) {
    input.remove_prefix(2);
  }
  std::string digits(input);
  if (digits.size() == 6 && digits[3] == ' ') digits.erase(3, 1);
  if (digits.size() != 5 || !areDigits(digits) || digits[0] == '0') {
    return fail(Code::Invalid, "not a Swedish postal code: write its five digits, 413 45");
  }
  return digits.insert(3, 1, ' ');
}

}  // namespace lotsen::sweden
