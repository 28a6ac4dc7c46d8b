#include "gateway/outbound/endpoint.h"

#include "gateway/base/text.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace lotsen::outbound {
namespace {

constexpr std::string_view kMessagePlace = "{message}";

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool isLoopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  const auto octets = split(host, '.');
  return octets.size() == 4 && octets[0] == "127" &&
         std::all_of(octets.begin(), octets.end(), [](std::string_view octet) {
           return !octet.empty() && octet.size() <= 3 &&
                  octet.find_first_not_of("0123456789") == std::string_view::npos;
         });
}

bool isFileName(std::string_view id) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !id.empty() && id.front() != '.' && std::all_of(id.begin(), id.end(), plain);
}

Error wrong(const Endpoint& endpoint, std::string_view what) {
  return fail(Code::Invalid, "endpoint \"" + endpoint.id + "\": " + std::string(what));
}

Status checkUrl(const Endpoint& endpoint, const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return wrong(endpoint, "\"" + text + "\" is not a URL; write https://host/path");
  if (!part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty())
    return wrong(endpoint, "the URL holds a user name or password; put the token in a file instead");
  const std::string scheme = part(url.get(), CURLUPART_SCHEME);
  if (scheme == "https") {
    if (!endpoint.tls)
      return wrong(endpoint, "https needs ca_file: who signs the receiver's certificate; nobody is trusted by default");
    return done();
  }
  if (scheme != "http") return wrong(endpoint, "the URL's scheme is \"" + scheme + "\"; only https is spoken");
  if (!isLoopback(part(url.get(), CURLUPART_HOST)))
    return wrong(endpoint, "http without TLS is for loopback hosts only; write https");
  return done();
}

}  // namespace

Result<std::shared_ptr<const Tls>> readTls(const TlsFiles& files) {
  auto tls = std::make_shared<Tls>();
  LOTSEN_TRY(tls->trusted, crypto::readTrusted(files.caFile));
  if (!files.certificateFile.empty()) {
    LOTSEN_TRY(tls->own, crypto::readKeyPair(files.certificateFile, files.keyFile, crypto::KeyUse::Client));
  }
  tls->onlyTls13 = files.onlyTls13;
  return std::shared_ptr<const Tls>(std::move(tls));
}

Status checkEndpoint(const Endpoint& endpoint) {
  if (!isFileName(endpoint.id)) return wrong(endpoint, "the id must be letters, digits, '-', '_' or '.'");
  if (endpoint.kind == Endpoint::Kind::Spool) {
    if (endpoint.folder.empty()) return wrong(endpoint, "a spool endpoint needs a folder");
    return done();
  }
  if (endpoint.connectTimeout.count() <= 0 || endpoint.totalTimeout.count() <= 0)
    return wrong(endpoint, "timeouts must be longer than nothing");
  LOTSEN_TRY_DO(checkUrl(endpoint, endpoint.url));
  if (endpoint.tls && !endpoint.url.starts_with("https"))
    return wrong(endpoint, "ca_file is for https, and the URL is http");
  if (endpoint.readBackUrl.empty()) return done();
  if (endpoint.readBackUrl.find(kMessagePlace) == std::string::npos)
    return wrong(endpoint, "read_back must have {message} where the message's id belongs");
  return checkUrl(endpoint, readBackUrl(endpoint, "00000000-0000-0000-0000-000000000000"));
}

std::string hostOf(const std::string& url) {
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  std::string host = part(parsed.get(), CURLUPART_HOST);
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

std::string readBackUrl(const Endpoint& endpoint, std::string_view messageId) {
  std::string url = endpoint.readBackUrl;
  for (auto at = url.find(kMessagePlace); at != std::string::npos;
       at = url.find(kMessagePlace, at + messageId.size())) {
    url.replace(at, kMessagePlace.size(), messageId);
  }
  return url;
}

}  // namespace lotsen::outbound
