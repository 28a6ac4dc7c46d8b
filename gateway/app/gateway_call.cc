#include "gateway/app/gateway_call.h"

#include "gateway/fhir/outcome.h"

#include <algorithm>
#include <iostream>
#include <thread>

namespace lotsen::app {

namespace {

constexpr milliseconds kTimeout{60'000};    // of one call: two seconds of work on a machine that has other things to do
constexpr milliseconds kPatience{120'000};  // with a gateway that says "try again later"

}  // namespace

std::vector<Option> withGatewayOptions(std::vector<Option> own) {
  own.push_back({"--gateway", "URL", "default http://127.0.0.1:8080; https needs --ca"});
  own.push_back(
      {"--token", "FILE", "its first line is the token of an operator; needed unless --certificate is given"});
  own.push_back({"--ca", "FILE", "https: who signs the gateway's certificate; nobody else is trusted"});
  own.push_back({"--certificate", "FILE", "https: shown to a gateway that asks for client certificates; with --key"});
  own.push_back({"--key", "FILE", "https: the key of --certificate"});
  return own;
}

Result<std::unique_ptr<outbound::ApiClient>> gatewayOf(const Arguments& arguments, milliseconds timeout) {
  outbound::ApiClient::Target gateway;
  gateway.url = arguments.one("--gateway", "http://127.0.0.1:8080");
  gateway.tokenFile = arguments.one("--token");
  gateway.tls.caFile = arguments.one("--ca");
  gateway.tls.certificateFile = arguments.one("--certificate");
  gateway.tls.keyFile = arguments.one("--key");
  if (gateway.tls.certificateFile.empty() != gateway.tls.keyFile.empty())
    return fail(Code::Invalid, "--certificate and --key belong together");
  if (gateway.tokenFile.empty() && gateway.tls.certificateFile.empty())
    return fail(Code::Invalid, "--token FILE is needed: the token of an operator (or --certificate and --key)");
  const bool secure = gateway.url.starts_with("https://");
  if (secure == gateway.tls.caFile.empty())
    return fail(Code::Invalid, secure ? "an https gateway needs --ca FILE: who signs its certificate"
                                      : "--ca is for a gateway that speaks https");
  return outbound::ApiClient::create(std::move(gateway), timeout);
}

void GatewayCall::tell(const std::string& text) const {
  std::cerr << "lotsen " << verb_ << ": " << text << '\n';
}

std::optional<GatewayCall> GatewayCall::open(const std::string& verb, const Arguments& arguments) {
  auto client = gatewayOf(arguments, kTimeout);
  if (client.ok()) return GatewayCall(verb, std::move(*client));
  std::cerr << "lotsen " << verb << ": " << client.error().message << '\n';
  return std::nullopt;
}

void GatewayCall::tellRefusal(const outbound::ApiAnswer& answer) const {
  const auto issues = fhir::readOutcome(answer.body);
  if (!issues.ok())
    return tell("the gateway answered with status " + std::to_string(answer.status) +
                " and no report; is it a Lotsen of this version?");
  for (const auto& issue : issues->list()) {
    std::cerr << (issue.severity <= fhir::Severity::Error ? "" : "warning: ") << issue.text;
    if (!issue.expression.empty()) std::cerr << " (" << issue.expression << ')';
    std::cerr << '\n';
  }
  tell("the gateway answered with status " + std::to_string(answer.status));
}

std::optional<std::string> GatewayCall::post(const std::string& path, const std::string& body) {
  milliseconds waited{0};
  for (;;) {
    const auto answer = client_->post(path, body);
    status_ = answer.ok() ? answer->status : 0;
    if (!answer.ok()) {
      tell(answer.error().message);
      return std::nullopt;
    }
    if (answer->status == 503 && answer->retryAfter.count() > 0 && waited < kPatience) {
      const auto wait = std::min(answer->retryAfter, kPatience - waited);
      std::this_thread::sleep_for(wait);
      waited += wait;
      continue;
    }
    if (answer->status == 200) return answer->body;
    tellRefusal(*answer);
    return std::nullopt;
  }
}

}  // namespace lotsen::app
