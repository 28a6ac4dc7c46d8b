// Character rules of HTTP/1.1 (RFC 9110, 9112) that reader, writer and media types share. Internal to this folder.
#pragma once

#include <algorithm>
#include <string_view>

namespace lotsen::http {

inline bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
inline bool isAlphanumeric(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool isHex(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

inline bool isOneOf(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

/// token of RFC 9110 section 5.6.2
inline bool isToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return isAlphanumeric(c) || isOneOf(c, "!#$%&'*+-.^_`|~"); });
}

/// Without outer blanks and tabs (OWS); unlike lotsen::trim it leaves CR and LF alone.
inline std::string_view withoutBlanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace lotsen::http
