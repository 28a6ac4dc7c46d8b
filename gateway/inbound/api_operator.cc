// The operator's side of the API: verbs on deliveries, records, transfers and endpoints, and what to look at before.
#include "gateway/fhir/outcome.h"
#include "gateway/http/media_type.h"
#include "gateway/inbound/api.h"
#include "gateway/inbound/orders.h"
#include "gateway/inbound/views.h"

namespace lotsen::inbound {

namespace {

/// What a Conflict of service is to the asker.
struct Clash {
  int status;
  std::string_view rule;
};
constexpr Clash kCountChanged{412, "count-changed"};
constexpr Clash kNothingToSettle{409, "nothing-to-settle"};

/// Why service did not do what was asked.
http::Response refused(const Error& error, Clash clash = kCountChanged) {
  switch (error.code) {
    case Code::Invalid: return outcome(422, "refused", error.message);
    case Code::NotFound: return outcome(404, "not-there", error.message);
    case Code::Conflict: return outcome(clash.status, clash.rule, error.message);
    default: return outcome(503, "not-now", error.message);
  }
}

http::Response notJson() {
  return outcome(415, "media-type", "send the request as Content-Type: application/json, in UTF-8");
}

bool isJson(const http::Request& request) {
  const auto type = http::mediaType(request);
  return type.ok() && type->isJson() && type->isUtf8();
}

/// Reads an order, has it done, and tells what came of it.
template <typename Read, typename Run, typename Write>
http::Response answer(const http::Request& request, const Read& read, const Run& run, const Write& write,
                      Clash clash = kCountChanged) {
  if (!isJson(request)) return notJson();
  fhir::Issues issues;
  const auto order = read(request.body, issues);
  if (!order) return http::Response::fhir(400, fhir::operationOutcome(issues));
  const auto report = run(*order);
  return report.ok() ? http::Response::json(200, write(*report)) : refused(report.error(), clash);
}

}  // namespace

http::Response Api::order(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  const auto run = [&](const service::Order& order) { return parts_.desk.run(who, order); };
  return answer(call.request, readOrder, run, orderJson);
}

http::Response Api::remake(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  const auto run = [&](const service::RemakeOrder& order) {
    return parts_.remaker.run(*parts_.configuration.get(), who, order);
  };
  return answer(call.request, readRemake, run, remakeJson);
}

http::Response Api::reopen(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  const auto run = [&](const service::ReopenOrder& order) {
    return parts_.remaker.reopen(*parts_.configuration.get(), who, order);
  };
  return answer(call.request, readReopen, run, reopenJson);
}

http::Response Api::deliveries(const Call& call, const identity::Principal&) const {
  store::DeliveryFilter filter;
  const auto query = call.request.query();
  std::string word;
  if (http::queryParameter(query, "state", word)) {
    const auto state = deliveryStateOf(word);
    if (!state) return outcome(400, "state", "there is no state " + word + " of a delivery");
    filter.states = {*state};
  }
  if (http::queryParameter(query, "role", word)) {
    filter.role = roleOf(word);
    if (!filter.role) return outcome(400, "role", "there is no kind of leg " + word);
  }
  http::queryParameter(query, "partner", filter.partner);
  http::queryParameter(query, "endpoint", filter.endpoint);
  http::queryParameter(query, "reason", filter.reason);
  http::queryParameter(query, "transfer", filter.transfer);
  http::queryParameter(query, "after", filter.after);
  const auto page = parts_.store.deliveries(filter);
  return page.ok() ? http::Response::json(200, deliveriesJson(*page)) : refused(page.error());
}

http::Response Api::endpoints(const Call&, const identity::Principal&) const {
  const auto all = parts_.desk.endpoints(*parts_.configuration.get());
  return all.ok() ? http::Response::json(200, endpointsJson(*all)) : refused(all.error());
}

http::Response Api::pause(const Call& call, const identity::Principal& who) const {
  return stopOrGo(call, who, true);
}
http::Response Api::resume(const Call& call, const identity::Principal& who) const {
  return stopOrGo(call, who, false);
}

http::Response Api::stopOrGo(const Call& call, const identity::Principal& who, bool stop) const {
  if (!parts_.accepting) return unavailable();
  const auto configuration = parts_.configuration.get();
  const auto& endpoint = call.parameter("endpoint");
  const auto run = [&](const std::string& why) -> Result<std::vector<service::EndpointState>> {
    LOTSEN_TRY_DO(stop ? parts_.desk.pause(*configuration, who, endpoint, why)
                       : parts_.desk.resume(who, endpoint, why));
    return parts_.desk.endpoints(*configuration);
  };
  return answer(call.request, readWhy, run, endpointsJson);
}

http::Response Api::settle(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  const auto& transfer = call.parameter("id");
  const auto run = [&](const std::string& why) -> Result<store::TransferView> {
    LOTSEN_TRY_DO(parts_.remaker.settle(*parts_.configuration.get(), who, transfer, why));
    return parts_.store.transfer(transfer);
  };
  return answer(call.request, readWhy, run, transferJson, kNothingToSettle);
}

}  // namespace lotsen::inbound
