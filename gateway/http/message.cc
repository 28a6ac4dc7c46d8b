#include "gateway/http/message.h"

#include "gateway/base/text.h"

namespace lotsen::http {

namespace {

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

const std::string* Request::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (equalsIgnoreCase(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

Response Response::json(int status, std::string body, std::string_view mediaType) {
  return text(status, std::move(body), mediaType);
}

Response Response::text(int status, std::string body, std::string_view mediaType) {
  Response response;
  response.status = status;
  response.fields.push_back({"Content-Type", std::string(mediaType)});
  response.body = std::move(body);
  return response;
}

bool percentDecode(std::string_view in, bool query, std::string& out) {
  out.clear();
  out.reserve(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] == '%') {
      if (i + 2 >= in.size()) return false;
      const int high = hexValue(in[i + 1]), low = hexValue(in[i + 2]);
      if (high < 0 || low < 0) return false;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(query && in[i] == '+' ? ' ' : in[i]);
    }
  }
  return true;
}

bool queryParameter(std::string_view query, std::string_view name, std::string& out) {
  std::string key;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (!percentDecode(pair.substr(0, equals), true, key)) return false;
    if (key == name)
      return percentDecode(equals == pair.npos ? std::string_view() : pair.substr(equals + 1), true, out);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
  }
  return false;
}

}  // namespace lotsen::http
