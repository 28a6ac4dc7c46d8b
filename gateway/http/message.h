// HTTP request and response as values: what handlers see. No I/O, no sockets. The wire form is read by reader.h and
// written by writer.h in this folder. Thread rule: plain values. Failure rule: reader.h answers with a status, see
// there.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::http {

struct Field {
  std::string name;   // as sent; compare without case
  std::string value;  // raw bytes, outer blanks removed, never decoded
};

struct Request {
  std::string method;
  std::string target;  // origin-form, as sent: "/api/v1/transfers?state=parked"
  std::vector<Field> fields;
  std::string body;
  bool keepAlive = false;

  /// First field of that name, case-insensitive; nullptr if absent.
  const std::string* find(std::string_view name) const;
  std::string_view path() const;   // target up to '?', still percent-encoded
  std::string_view query() const;  // after '?'
};

struct Response {
  int status = 200;
  std::vector<Field> fields;  // Content-Length, Connection and Date are the writer's
  std::string body;
  bool close = false;

  static Response json(int status, std::string body, std::string_view mediaType = "application/json");
  static Response fhir(int status, std::string body) {
    return json(status, std::move(body), "application/fhir+json; charset=utf-8");
  }
  static Response text(int status, std::string body, std::string_view mediaType = "text/plain; charset=utf-8");
};

/// Percent-decoding of one path segment or query value ('+' is a blank in a query). false if the escapes are malformed.
bool percentDecode(std::string_view in, bool query, std::string& out);
/// Value of one query parameter, decoded; false if absent or malformed.
bool queryParameter(std::string_view query, std::string_view name, std::string& out);

}  // namespace lotsen::http
