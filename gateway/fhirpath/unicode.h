// UTF-8 by characters (code points), and simple case mapping for Latin, Greek and Cyrillic letters: what FHIRPath's
// string functions need. Bytes that are no UTF-8 count as one character each. Thread rule: pure. Failure rule: none.
#pragma once

#include <string>
#include <string_view>

namespace lotsen::fhirpath {

/// Bytes of the character at the start of `text`; at least 1. REQUIRES: text is not empty.
std::size_t characterSize(std::string_view text);
std::size_t characterCount(std::string_view text);
/// Byte offset of character `index`; text.size() if there are fewer.
std::size_t characterOffset(std::string_view text, std::size_t index);
std::string toUpper(std::string_view text);
std::string toLower(std::string_view text);
void appendUtf8(std::string& out, std::uint32_t codePoint);

}  // namespace lotsen::fhirpath
