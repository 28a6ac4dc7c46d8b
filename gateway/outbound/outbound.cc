#include "gateway/outbound/outbound.h"

#include "gateway/outbound/answers.h"
#include "gateway/outbound/http_sender.h"
#include "gateway/outbound/spool.h"

#include <map>
#include <mutex>

namespace lotsen::outbound {

// Order matters: the senders push into `answers` until they are destroyed.
struct Outbound::Parts {
  std::map<std::string, Endpoint, std::less<>> endpoints;
  std::mutex tlsMutex;
  std::map<std::string, std::shared_ptr<const Tls>, std::less<>> tls;  // guarded by tlsMutex
  Answers answers;
  HttpSender http{answers};
  Spool spool{answers};
};

Outbound::Outbound(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Outbound::~Outbound() = default;

Result<std::unique_ptr<Outbound>> Outbound::create(std::vector<Endpoint> endpoints) {
  auto parts = std::make_unique<Parts>();
  for (Endpoint& endpoint : endpoints) {
    LOTSEN_TRY_DO(checkEndpoint(endpoint));
    if (endpoint.kind == Endpoint::Kind::Spool) LOTSEN_TRY_DO(Spool::prepare(endpoint));
    std::string id = endpoint.id;
    parts->tls[id] = endpoint.tls;
    if (!parts->endpoints.emplace(id, std::move(endpoint)).second)
      return fail(Code::Invalid, "endpoint \"" + id + "\" stands twice in the configuration");
  }
  return std::unique_ptr<Outbound>(new Outbound(std::move(parts)));
}

void Outbound::replaceTls(const std::vector<Endpoint>& endpoints) {
  const std::lock_guard lock(parts_->tlsMutex);
  for (const Endpoint& endpoint : endpoints) {
    const auto found = parts_->tls.find(endpoint.id);
    // An endpoint stays https or http until it is made anew.
    if (found != parts_->tls.end() && endpoint.tls && found->second) found->second = endpoint.tls;
  }
}

void Outbound::start(queue::Sending sending) {
  const auto found = parts_->endpoints.find(sending.endpoint);
  if (found == parts_->endpoints.end()) {
    parts_->answers.push(unsent(sending, "the configuration has no endpoint \"" + sending.endpoint + "\""));
    return;
  }
  const Endpoint& endpoint = found->second;
  switch (endpoint.kind) {
    case Endpoint::Kind::Http: {
      std::unique_lock lock(parts_->tlsMutex);
      auto tls = parts_->tls.find(endpoint.id)->second;
      lock.unlock();
      parts_->http.start(endpoint, std::move(tls), std::move(sending));
      break;
    }
    case Endpoint::Kind::Spool: parts_->spool.start(endpoint, std::move(sending)); break;
  }
}

std::vector<queue::Answer> Outbound::take(milliseconds wait) {
  return parts_->answers.take(wait);
}

void Outbound::wake() {
  parts_->answers.wake();
}

}  // namespace lotsen::outbound
