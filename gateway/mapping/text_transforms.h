// What the text transforms compute. Used by: transforms. Thread rule: pure. Failure rule: empty optional: the input is
// not what the transform can work on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lotsen::mapping {

/// The first `length` characters (Unicode code points).
std::string_view truncate(std::string_view text, std::size_t length);

/// Formats: "text" (or "none"), "xml", "html", "json", "uri". Empty: an unknown format or text that is not in it.
std::optional<std::string> escape(std::string_view text, std::string_view format);
std::optional<std::string> unescape(std::string_view text, std::string_view format);

/// "phone", "email", "url", "sms" or "fax", as the value looks; empty if it looks like none of them.
std::string_view contactSystem(std::string_view value);

struct QuantityText {
  std::string_view comparator;
  std::string_view value;
  std::string_view unit;
};
/// "< 4.5 mg"
std::optional<QuantityText> quantity(std::string_view text);

}  // namespace lotsen::mapping
