#include "gateway/http/media_type.h"

#include "gateway/http/syntax.h"

#include <utility>

namespace lotsen::http {

namespace {

std::string lowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

Error malformed() {
  return fail(Code::Invalid, "Content-Type is malformed: expected type/subtype; charset=name");
}

// Takes a token or a quoted string off the front of `rest`.
bool takeValue(std::string_view& rest, std::string& value) {
  value.clear();
  if (!rest.starts_with('"')) {
    const auto end = rest.find_first_of("; \t");
    value = rest.substr(0, end);
    rest.remove_prefix(value.size());
    return isToken(value);
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return true;
    }
    if (rest[i] == '\\' && ++i == rest.size()) return false;
    value.push_back(rest[i]);
  }
  return false;
}

}  // namespace

bool MediaType::isJson() const {
  return name == "application/json" || name == "text/json" || name.ends_with("+json");
}
bool MediaType::isXml() const {
  return name == "application/xml" || name == "text/xml" || name.ends_with("+xml");
}
bool MediaType::isUtf8() const {
  return charset.empty() || charset == "utf-8" || charset == "utf8" || charset == "us-ascii";
}

Result<MediaType> parseMediaType(std::string_view text) {
  MediaType out;
  auto rest = withoutBlanks(text);
  const auto name = withoutBlanks(rest.substr(0, rest.find(';')));
  const auto slash = name.find('/');
  if (slash == name.npos || !isToken(name.substr(0, slash)) || !isToken(name.substr(slash + 1))) return malformed();
  out.name = lowerCase(name);

  rest.remove_prefix(std::min(rest.find(';'), rest.size()));
  std::string value;
  while (rest.starts_with(';')) {
    rest = withoutBlanks(rest.substr(1));
    if (rest.empty() || rest.starts_with(';')) continue;  // an empty parameter is harmless and common
    const auto equals = rest.find('=');
    if (equals == rest.npos || !isToken(rest.substr(0, equals))) return malformed();
    const auto key = lowerCase(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    if (!takeValue(rest, value)) return malformed();
    rest = withoutBlanks(rest);
    if (key != "charset") continue;
    if (!out.charset.empty()) return malformed();
    out.charset = lowerCase(value);
  }
  if (!rest.empty()) return malformed();
  return out;
}

Result<MediaType> mediaType(const Request& request) {
  const auto* field = request.find("content-type");
  if (field == nullptr) return MediaType{};
  return parseMediaType(*field);
}

}  // namespace lotsen::http
