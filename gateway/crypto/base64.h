// Base64 (RFC 4648 section 4), strict. Used by fhir (base64Binary) and identity.
// Thread rule: pure functions. Failure rule: Result.
#pragma once

#include "gateway/base/result.h"

#include <string>
#include <string_view>

namespace lotsen::crypto {

/// With padding, without line breaks.
std::string base64Encode(std::string_view bytes);

/// Accepts exactly what base64Encode writes: no blanks, padding present, unused bits zero. So every byte string has one
/// text and a digest over the text means a digest over the bytes. Whoever may receive line breaks (FHIR allows them)
/// removes them first.
Result<std::string> base64Decode(std::string_view text);

}  // namespace lotsen::crypto
