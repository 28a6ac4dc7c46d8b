#include "gateway/http/head.h"

#include "gateway/base/text.h"
#include "gateway/http/syntax.h"

namespace lotsen::http {

namespace {

constexpr Failure kAccepted{};

std::string_view nextLine(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

// origin-form (RFC 9112 section 3.2.1) with sound escapes. '|' is not in RFC 3986 but FHIR token searches send it raw
// in the query.
bool isOriginForm(std::string_view target) {
  if (target.empty() || target[0] != '/') return false;
  bool query = false;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c == '%') {
      if (i + 2 >= target.size() || !isHex(target[i + 1]) || !isHex(target[i + 2])) return false;
      if (target[i + 1] == '0' && target[i + 2] == '0') return false;
      i += 2;
    } else if (c == '?') {
      query = true;
    } else if (c == '|') {
      if (!query) return false;
    } else if (!isAlphanumeric(c) && !isOneOf(c, "-._~/!$&'()*+,;=:@")) {
      return false;
    }
  }
  return true;
}

bool isHost(std::string_view value) {
  return !value.empty() && value.size() <= 255 &&
         std::all_of(value.begin(), value.end(), [](char c) { return isAlphanumeric(c) || isOneOf(c, "-._:[]%"); });
}

enum class BodyRule { None, Required, Optional, UnknownMethod };

BodyRule bodyRule(std::string_view method) {
  if (method == "GET" || method == "HEAD") return BodyRule::None;
  if (method == "POST" || method == "PUT" || method == "PATCH") return BodyRule::Required;
  if (method == "DELETE" || method == "OPTIONS") return BodyRule::Optional;
  return BodyRule::UnknownMethod;
}

// Fields whose second occurrence two readers could resolve differently.
bool isSingleton(std::string_view name) {
  constexpr std::string_view kNames[] = {"host",         "content-length",   "transfer-encoding",
                                         "content-type", "content-encoding", "authorization",
                                         "expect",       "if-match",         "if-none-match"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](auto known) { return equalsIgnoreCase(known, name); });
}

Failure readFields(std::string_view rest, const Limits& limits, Request& request) {
  request.fields.reserve(16);
  for (auto line = nextLine(rest); !line.empty(); line = nextLine(rest)) {
    const auto colon = line.find(':');
    if (colon == line.npos || !isToken(line.substr(0, colon))) return {400, "malformed field"};
    if (request.fields.size() >= limits.fields) return {431, "too many fields"};
    const auto name = line.substr(0, colon);
    if (isSingleton(name) && request.find(name) != nullptr) return {400, "repeated field"};
    request.fields.push_back({std::string(name), std::string(withoutBlanks(line.substr(colon + 1)))});
  }
  return kAccepted;
}

// One field, digits only: no sign, list, blank or repetition (RFC 9112 section 6.3 tells why).
bool readLength(std::string_view value, std::uint64_t& length) {
  if (value.empty() || value.size() > 18 || !std::all_of(value.begin(), value.end(), isDigit)) return false;
  length = 0;
  for (const char c : value) length = length * 10 + static_cast<unsigned>(c - '0');
  return true;
}

Failure readFraming(bool http10, BodyRule rule, Head& out) {
  const auto* length = out.request.find("content-length");
  const auto* coding = out.request.find("transfer-encoding");
  if (coding != nullptr) {
    if (length != nullptr) return {400, "both transfer coding and length"};
    if (http10) return {400, "transfer coding not accepted in HTTP/1.0"};
    if (!equalsIgnoreCase(*coding, "chunked")) return {501, "transfer coding not implemented"};
    if (rule == BodyRule::None) return {400, "body not expected"};
    out.framing = Framing::Chunked;
  } else if (length != nullptr) {
    if (!readLength(*length, out.length)) return {400, "bad content length"};
    if (out.length > 0 && rule == BodyRule::None) return {400, "body not expected"};
    out.framing = out.length > 0 ? Framing::Length : Framing::None;
  } else if (rule == BodyRule::Required) {
    return {411, "content length required"};
  }
  return kAccepted;
}

Failure readConnection(Request& request) {
  for (const Field& field : request.fields) {
    if (!equalsIgnoreCase(field.name, "connection")) continue;
    for (const auto part : split(field.value, ',')) {
      const auto option = withoutBlanks(part);
      if (!option.empty() && !isToken(option)) return {400, "malformed connection field"};
      if (equalsIgnoreCase(option, "close")) request.keepAlive = false;
    }
  }
  return kAccepted;
}

}  // namespace

Failure readHead(std::string_view text, const Limits& limits, Head& out) {
  Request& request = out.request;
  const auto line = nextLine(text);
  constexpr std::size_t kVersionLength = 9;  // " HTTP/1.x"
  const auto blank = line.find(' ');
  if (!isToken(line.substr(0, blank)) || line.size() < blank + 1 + kVersionLength)
    return {400, "malformed request line"};
  request.method = line.substr(0, blank);
  request.target = line.substr(blank + 1, line.size() - blank - 1 - kVersionLength);
  const bool http10 = line.back() == '0';

  if (const Failure failure = readFields(text, limits, request); failure.status != 0) return failure;
  if (request.target.size() > limits.target) return {414, "target too long"};
  const BodyRule rule = bodyRule(request.method);
  if (rule == BodyRule::UnknownMethod) return {501, "method not implemented"};
  if (!isOriginForm(request.target)) return {400, "bad request target"};
  if (const auto* host = request.find("host"); host != nullptr ? !isHost(*host) : !http10) return {400, "bad host"};
  if (const Failure failure = readFraming(http10, rule, out); failure.status != 0) return failure;
  if (const auto* expect = request.find("expect")) {
    if (http10 || !equalsIgnoreCase(*expect, "100-continue")) return {417, "expectation cannot be met"};
    out.expectsContinue = out.framing != Framing::None;
  }
  request.keepAlive = !http10;
  return readConnection(request);
}

}  // namespace lotsen::http
