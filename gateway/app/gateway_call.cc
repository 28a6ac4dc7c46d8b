#include "gateway/app/gateway_call.h"

namespace lotsen::app {

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

}  // namespace lotsen::app
