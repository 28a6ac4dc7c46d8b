#include "gateway/fhir/forms.h"

namespace lotsen::fhir {

std::string_view peekResourceType(std::string_view text) {
  int depth = 0;
  bool afterKey = false;  // the last string at depth 1 was the key
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      const std::size_t start = at + 1;
      for (at = start; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1U : 0U;
      if (at >= text.size()) return {};
      const std::string_view string = text.substr(start, at - start);
      if (afterKey) return string;
      if (depth != 1 || string != "resourceType") continue;
      std::size_t next = at + 1;
      while (next < text.size() &&
             (text[next] == ' ' || text[next] == '\n' || text[next] == '\r' || text[next] == '\t'))
        ++next;
      afterKey = next < text.size() && text[next] == ':';
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return {};
    } else if (afterKey && c == ',') {
      return {};  // not a string
    }
  }
  return {};
}

}  // namespace lotsen::fhir
