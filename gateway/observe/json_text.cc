#include "gateway/observe/json_text.h"

#include "gateway/base/text.h"

namespace lotsen::observe {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void appendUtf8(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\u00";
      out.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHexDigits[static_cast<unsigned char>(c) & 15]);
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

void appendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t bad = 0;
  while (!isUtf8(text, &bad)) {  // isUtf8 stops at NUL too
    appendUtf8(out, text.substr(0, bad));
    out += "\xef\xbf\xbd";
    text.remove_prefix(bad + 1);
  }
  appendUtf8(out, text);
  out.push_back('"');
}

}  // namespace lotsen::observe
