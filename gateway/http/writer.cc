#include "gateway/http/writer.h"

#include "gateway/base/text.h"
#include "gateway/http/syntax.h"

namespace lotsen::http {

namespace {

bool hasNoBody(int status) {
  return status == 204 || status == 304;
}

// HTAB, blank, visible ASCII and obs-text: everything but the bytes that end a line or a C string.
bool isFieldValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char character) {
    const auto c = static_cast<unsigned char>(character);
    return c == '\t' || (c >= 0x20 && c != 0x7f);
  });
}

bool belongsToWriter(std::string_view name) {
  constexpr std::string_view kNames[] = {"content-length", "transfer-encoding", "connection",
                                         "date",           "trailer",           "upgrade"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](auto known) { return equalsIgnoreCase(known, name); });
}

void appendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void appendTwoDigits(std::string& out, unsigned number) {
  out.push_back(static_cast<char>('0' + number / 10 % 10));
  out.push_back(static_cast<char>('0' + number % 10));
}

}  // namespace

std::string_view reasonPhrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

std::string formatHttpDate(Instant at) {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
  std::string out(kDays[std::chrono::weekday(day).c_encoding()]);
  out.append(", ");
  appendTwoDigits(out, static_cast<unsigned>(date.day()));
  out.append(" ").append(kMonths[static_cast<unsigned>(date.month()) - 1]).append(" ");
  appendTwoDigits(out, static_cast<unsigned>(static_cast<int>(date.year())) / 100);
  appendTwoDigits(out, static_cast<unsigned>(static_cast<int>(date.year())) % 100);
  out.push_back(' ');
  appendTwoDigits(out, static_cast<unsigned>(time.hours().count()));
  out.push_back(':');
  appendTwoDigits(out, static_cast<unsigned>(time.minutes().count()));
  out.push_back(':');
  appendTwoDigits(out, static_cast<unsigned>(time.seconds().count()));
  return out.append(" GMT");
}

Result<std::string> writeHead(const Response& response, const WriteOptions& options) {
  if (response.status < 200 || response.status > 599) {
    return fail(Code::Internal, "response status " + std::to_string(response.status) + " is no final answer");
  }
  std::string out;
  out.reserve(256);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reasonPhrase(response.status)).append("\r\n");
  appendField(out, "Date", formatHttpDate(options.now));
  for (const Field& field : response.fields) {
    // The value stays out of the message: it may hold what the caller sent.
    if (!isToken(field.name)) return fail(Code::Internal, "response field name is not a token");
    if (belongsToWriter(field.name))
      return fail(Code::Internal, "response field " + field.name + " belongs to the writer");
    if (!isFieldValue(field.value))
      return fail(Code::Internal, "response field " + field.name + " holds a control character");
    appendField(out, field.name, field.value);
  }
  for (const Field& field : options.more) {
    if (isToken(field.name) && isFieldValue(field.value)) appendField(out, field.name, field.value);
  }
  if (!hasNoBody(response.status)) appendField(out, "Content-Length", std::to_string(response.body.size()));
  if (response.close || !options.keepAlive) appendField(out, "Connection", "close");
  return out.append("\r\n");
}

std::string_view bodyOnWire(const Response& response, std::string_view method) {
  return hasNoBody(response.status) || method == "HEAD" ? std::string_view() : std::string_view(response.body);
}

}  // namespace lotsen::http
