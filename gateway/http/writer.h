// The wire form of a response. Used by inbound's connection loop.
// What handlers may not do is refused here, in one place: fields that would break the framing (CR, LF, NUL, a name that
// is no token), fields that belong to the writer, statuses that are no final answer. Thread rule: pure functions.
// Failure rule: Result with Code::Internal, since a response that cannot be written is our own fault.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/http/message.h"

#include <span>
#include <string>
#include <string_view>

namespace lotsen::http {

/// How the response goes out. `now` becomes the Date field.
struct WriteOptions {
  bool keepAlive = true;  // Response::close overrules it
  Instant now{};
  std::span<const Field> more{};  // beside the response's own, as far as they can be written
};

/// Status line and fields with the empty line behind them. Content-Length is always there but for 204 and 304, so the
/// framing never depends on the connection being closed.
Result<std::string> writeHead(const Response& response, const WriteOptions& options);

/// The body that follows it: empty for 204, 304 and as answer to HEAD (whose head still tells the length).
std::string_view bodyOnWire(const Response& response, std::string_view method);

/// "Fri, 02 Jan 2026 08:14:07 GMT" (IMF-fixdate of RFC 9110 section 5.6.7)
std::string formatHttpDate(Instant at);

/// "Not Found"; "Status" for numbers without a registered phrase.
std::string_view reasonPhrase(int status);

}  // namespace lotsen::http
