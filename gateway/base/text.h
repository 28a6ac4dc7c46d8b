// Small text helpers that the standard library lacks. Bytes in, bytes out; ASCII only unless a name says UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lotsen {

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
bool equalsIgnoreCase(std::string_view a, std::string_view b);

/// True if `text` is well-formed UTF-8 without NUL (no overlong forms, no surrogates, nothing above U+10FFFF).
/// On false, `*badAt` (if given) is the offset of the first wrong byte.
bool isUtf8(std::string_view text, std::size_t* badAt = nullptr);

/// The candidate nearest to `wrong` by edit distance, for "did you mean"; empty if none is near (distance over a
/// third).
std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& candidates);

/// Reads a whole file into `out`; false if it cannot be read (errno says why).
bool readFile(const std::string& path, std::string& out);

}  // namespace lotsen
