// Asks a running gateway as its operator: the verbs of the command line that need the store call its API (design D13).
// A connection of its own for each call and no silent repeat: what a verb does must not happen twice. Used by: app.
// Thread rule: one thread at a time. Failure rule: every whole answer is a success, whatever its status; Unavailable:
// there was none, and the message says whether the request may have arrived.
#pragma once

#include "gateway/outbound/answers.h"
#include "gateway/outbound/http_sender.h"

#include <memory>
#include <string>
#include <string_view>

namespace lotsen::outbound {

struct ApiAnswer {
  int status = 0;
  std::string body;
  milliseconds retryAfter{0};  // what the field Retry-After says, in seconds; 0: nothing
};

class ApiClient {
 public:
  struct Target {
    std::string url;        // "http://127.0.0.1:8080", https beyond loopback
    std::string tokenFile;  // its first line is the operator's token; empty: the certificate is enough
    TlsFiles tls;           // https: whom to believe, and what to show if the gateway asks for it
  };
  /// Invalid: the URL is none, or has a path; a file is missing or wrong.
  static Result<std::unique_ptr<ApiClient>> create(Target target, milliseconds timeout);

  /// POST of a JSON body to a path of the gateway.
  Result<ApiAnswer> post(std::string_view path, std::string body);

 private:
  explicit ApiClient(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  const Endpoint endpoint_;  // of the gateway's root
  Answers answers_;
  HttpSender sender_{answers_};
};

}  // namespace lotsen::outbound
