// Swedish postal addresses, as far as records and letters need them.
// Used by: wire, letter, service. Thread rule: pure functions. Failure rule: Invalid.
#pragma once

#include "gateway/base/result.h"

#include <string>
#include <string_view>

namespace lotsen::sweden {

/// "41345", "413 45", "SE-413 45" or "S-41345" to the printed form "413 45" (PostNord; the first digit is 1 to 9).
Result<std::string> readPostalCode(std::string_view input);

}  // namespace lotsen::sweden
