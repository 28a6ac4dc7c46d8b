#include "gateway/outbound/api_client.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <charconv>

namespace lotsen::outbound {

namespace {

milliseconds retryAfter(const queue::Answer& answer) {
  for (const auto& [name, value] : answer.fields) {
    unsigned seconds = 0;
    if (equalsIgnoreCase(name, "Retry-After") &&
        std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc())
      return std::chrono::seconds(std::min(seconds, 3'600U));
  }
  return milliseconds(0);
}

}  // namespace

Result<std::unique_ptr<ApiClient>> ApiClient::create(Target gateway, milliseconds timeout) {
  while (gateway.url.ends_with('/')) gateway.url.pop_back();
  Endpoint endpoint;
  endpoint.id = "gateway";
  endpoint.url = std::move(gateway.url);
  endpoint.tokenFile = std::move(gateway.tokenFile);
  if (!gateway.tls.caFile.empty()) { LOTSEN_TRY(endpoint.tls, readTls(gateway.tls)); }
  endpoint.totalTimeout = timeout;
  endpoint.idempotent = false;
  LOTSEN_TRY_DO(checkEndpoint(endpoint));
  const auto host = endpoint.url.find("://") + 3;
  if (endpoint.url.find_first_of("/?#", host) != std::string::npos)
    return fail(Code::Invalid, "\"" + endpoint.url + "\" has a path; give the gateway's scheme, host and port only");
  return std::unique_ptr<ApiClient>(new ApiClient(std::move(endpoint)));
}

Result<ApiAnswer> ApiClient::post(std::string_view path, std::string body) {
  Endpoint target = endpoint_;
  target.url += path;
  queue::Sending sending;
  sending.mediaType = "application/json; charset=utf-8";
  sending.body = std::move(body);
  sender_.start(target, target.tls, std::move(sending));
  std::vector<queue::Answer> answers;
  while (answers.empty()) answers = answers_.take(target.totalTimeout);  // the sender answers in bounded time
  queue::Answer& answer = answers.front();
  if (answer.phase == queue::Phase::Answered)
    return ApiAnswer{answer.status, std::move(answer.body), retryAfter(answer)};
  return fail(Code::Unavailable, answer.error + (answer.phase == queue::Phase::Unsent
                                                     ? "; the request was not sent"
                                                     : "; the request may have arrived, its answer did not"));
}

}  // namespace lotsen::outbound
