#include "gateway/mapping/text_transforms.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace lotsen::mapping {

namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}}};

std::string escapeMarkup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto found =
        std::find_if(kEntities.begin(), kEntities.end(), [c](const auto& row) { return row.second == c; });
    if (found == kEntities.end()) {
      out.push_back(c);
    } else {
      out += found->first;
    }
  }
  return out;
}

std::optional<std::string> unescapeMarkup(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto found =
        std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& row) { return text.starts_with(row.first); });
    if (found != kEntities.end()) {
      out.push_back(found->second);
      text.remove_prefix(found->first.size());
    } else if (text.starts_with("&apos;")) {
      out.push_back('\'');
      text.remove_prefix(6);
    } else if (text[0] == '&') {
      return {};
    } else {
      out.push_back(text[0]);
      text.remove_prefix(1);
    }
  }
  return out;
}

constexpr std::string_view kHex = "0123456789ABCDEF";

int hexDigit(char c) {
  const auto at = kHex.find(c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string escapeUri(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

std::optional<std::string> unescapeUri(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || hexDigit(text[i + 1]) < 0 || hexDigit(text[i + 2]) < 0) return {};
    out.push_back(static_cast<char>(hexDigit(text[i + 1]) * 16 + hexDigit(text[i + 2])));
    i += 2;
  }
  if (!isUtf8(out)) return {};
  return out;
}

constexpr std::array<std::pair<char, char>, 7> kJson = {
    {{'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\b', 'b'}, {'\f', 'f'}}};

std::string escapeJson(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto found = std::find_if(kJson.begin(), kJson.end(), [c](const auto& row) { return row.first == c; });
    const auto byte = static_cast<unsigned char>(c);
    if (found != kJson.end()) {
      out.push_back('\\');
      out.push_back(found->second);
    } else if (byte < 0x20) {
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::optional<std::string> unescapeJson(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (++i >= text.size()) return {};
    const auto found = std::find_if(kJson.begin(), kJson.end(), [&](const auto& row) { return row.second == text[i]; });
    if (found == kJson.end() && text[i] != '/') return {};
    out.push_back(text[i] == '/' ? '/' : found->first);
  }
  return out;
}

}  // namespace

std::string_view truncate(std::string_view text, std::size_t length) {
  std::size_t at = 0;
  for (std::size_t count = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) continue;
    if (count++ == length) break;
  }
  return text.substr(0, at);
}

std::optional<std::string> escape(std::string_view text, std::string_view format) {
  if (format == "text" || format == "none") return std::string(text);
  if (format == "xml" || format == "html") return escapeMarkup(text);
  if (format == "json") return escapeJson(text);
  if (format == "uri" || format == "url") return escapeUri(text);
  return {};
}

std::optional<std::string> unescape(std::string_view text, std::string_view format) {
  if (format == "text" || format == "none") return std::string(text);
  if (format == "xml" || format == "html") return unescapeMarkup(text);
  if (format == "json") return unescapeJson(text);
  if (format == "uri" || format == "url") return unescapeUri(text);
  return {};
}

std::string_view contactSystem(std::string_view value) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kSchemes = {
      {{"tel:", "phone"}, {"mailto:", "email"}, {"http:", "url"}, {"https:", "url"}, {"sms:", "sms"}, {"fax:", "fax"}}};
  for (const auto& [scheme, system] : kSchemes) {
    if (value.starts_with(scheme)) return system;
  }
  if (value.find('@') != std::string_view::npos) return "email";
  const bool phone = value.find_first_of("0123456789") != std::string_view::npos &&
                     value.find_first_not_of("0123456789+-() ./") == std::string_view::npos;
  return phone ? "phone" : "";
}

std::optional<QuantityText> quantity(std::string_view text) {
  QuantityText out;
  text = trim(text);
  for (const std::string_view sign : {"<=", ">=", "<", ">"}) {
    if (!text.starts_with(sign)) continue;
    out.comparator = sign;
    text = trim(text.substr(sign.size()));
    break;
  }
  std::size_t end = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t digits = end;
  while (end < text.size() && (isDigit(text[end]) || (text[end] == '.' && end > digits))) ++end;
  if (end == digits || text[end - 1] == '.' ||
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '.') > 1)
    return {};
  out.value = text.substr(text[0] == '+' ? 1 : 0, end - (text[0] == '+' ? 1 : 0));
  out.unit = trim(text.substr(end));
  return out;
}

}  // namespace lotsen::mapping
