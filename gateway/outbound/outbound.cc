#include "gateway/outbound/outbound.h"

#include "gateway/outbound/answers.h"
#include "gateway/outbound/http_sender.h"
#include "gateway/outbound/spool.h"

#include <map>

namespace lotsen::outbound {

// Order matters: the senders push into `answers` until they are destroyed.
struct Outbound::Parts {
  std::map<std::string, Endpoint, std::less<>> endpoints;
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
    if (!parts->endpoints.emplace(id, std::move(endpoint)).second)
      return fail(Code::Invalid, "endpoint \"" + id + "\" stands twice in the configuration");
  }
  return std::unique_ptr<Outbound>(new Outbound(std::move(parts)));
}

void Outbound::start(queue::Sending sending) {
  const auto found = parts_->endpoints.find(sending.endpoint);
  if (found == parts_->endpoints.end()) {
    parts_->answers.push(unsent(sending, "the configuration has no endpoint \"" + sending.endpoint + "\""));
    return;
  }
  const Endpoint& endpoint = found->second;
  switch (endpoint.kind) {
    case Endpoint::Kind::Http: parts_->http.start(endpoint, std::move(sending)); break;
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
