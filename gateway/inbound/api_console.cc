// The console's routes. Reading is a GET; what a form asks is a POST that must come from a page of ours: a browser
// sends the operator's password along with every request to us, whoever's page has made it ask (cross-site request
// forgery), so the request must say that it comes from our own origin. After a POST the browser is sent back to a page.
#include "gateway/console/pages.h"
#include "gateway/inbound/api.h"
#include "gateway/inbound/orders.h"

namespace lotsen::inbound {

namespace {

http::Response page(int status, std::string html) {
  auto response = http::Response::text(status, std::move(html), "text/html; charset=utf-8");
  response.fields.push_back({"Content-Security-Policy", console::kContentSecurityPolicy});
  response.fields.push_back({"X-Content-Type-Options", "nosniff"});
  response.fields.push_back({"Referrer-Policy", "same-origin"});
  response.fields.push_back({"Cache-Control", "no-store"});
  return response;
}

http::Response seeOther(std::string place) {
  http::Response response{303, {}, "", false};
  response.fields.push_back({"Location", std::move(place)});
  return response;
}

/// True if a page of ours has sent it: the browser says so (Fetch Metadata), or its Origin is the host that it asks.
bool isOurs(const http::Request& request) {
  if (const auto* site = request.find("Sec-Fetch-Site")) return *site == "same-origin";
  const auto* origin = request.find("Origin");
  const auto* host = request.find("Host");
  return origin != nullptr && host != nullptr && (*origin == "http://" + *host || *origin == "https://" + *host);
}

http::Response foreign() {
  return page(403, console::refusedPage("Formuläret kom inte från en av konsolens egna sidor."));
}

/// Word of a form; empty if it has none.
std::string word(const http::Request& request, std::string_view name) {
  std::string value;
  http::queryParameter(request.body, name, value);
  return value;
}

}  // namespace

http::Response Api::consoleList(const Call& call, const identity::Principal&) const {
  store::TransferFilter filter;
  http::queryParameter(call.request.query(), "after", filter.after);
  const auto found = parts_.store.transfers(filter);
  if (!found.ok()) return unavailable();
  return page(200, console::transfersPage(*found, filter.limit));
}

http::Response Api::consoleTransfer(const Call& call, const identity::Principal&) const {
  const auto view = parts_.store.transfer(call.parameter("id"));
  if (!view.ok() && view.error().code != Code::NotFound) return unavailable();
  return view.ok() ? page(200, console::transferPage(*view)) : page(404, console::notFoundPage());
}

http::Response Api::consoleEndpoints(const Call&, const identity::Principal&) const {
  const auto all = parts_.desk.endpoints(*parts_.configuration.get());
  return all.ok() ? page(200, console::endpointsPage(*all)) : unavailable();
}

http::Response Api::consoleOrder(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  if (!isOurs(call.request)) return foreign();
  service::Order order;
  const auto verb = verbOf(word(call.request, "verb"));
  if (!verb) return page(400, console::refusedPage("Formuläret säger inte vad som ska göras."));
  order.verb = *verb;
  order.which.deliveries = {call.parameter("id")};
  order.why = word(call.request, "why");
  const auto report = parts_.desk.run(who, order);
  if (!report.ok()) return page(422, console::refusedPage(report.error().message));
  const auto& line = report->lines.front();
  if (report->applied == 0) return page(409, console::notDonePage(line.delivery.transfer, line.outcome));
  return seeOther("/console/transfers/" + line.delivery.transfer);
}

http::Response Api::consoleReopen(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  if (!isOurs(call.request)) return foreign();
  service::ReopenOrder order;
  order.records = {call.parameter("id")};
  order.why = word(call.request, "why");
  const auto report = parts_.remaker.reopen(*parts_.configuration.get(), who, order);
  if (!report.ok()) return page(422, console::refusedPage(report.error().message));
  const auto& line = report->lines.front();
  if (report->applied > 0) return seeOther("/console/transfers/" + line.record.transfer);
  std::string outcome(line.outcome);
  if (!line.reasonNow.empty()) outcome += ": " + line.reasonNow;
  if (!line.firstFault.empty()) outcome += " (" + line.firstFault + ")";
  return page(409, console::notDonePage(line.record.transfer, outcome));
}

http::Response Api::consolePause(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  if (!isOurs(call.request)) return foreign();
  const auto& endpoint = call.parameter("endpoint");
  const std::string verb = word(call.request, "verb"), why = word(call.request, "why");
  if (verb != "pause" && verb != "resume")
    return page(400, console::refusedPage("Formuläret säger inte vad som ska göras."));
  const Status changed = verb == "pause" ? parts_.desk.pause(*parts_.configuration.get(), who, endpoint, why)
                                         : parts_.desk.resume(who, endpoint, why);
  return changed.ok() ? seeOther("/console/endpoints") : page(422, console::refusedPage(changed.error().message));
}

http::Response Api::consoleSettle(const Call& call, const identity::Principal& who) const {
  if (!parts_.accepting) return unavailable();
  if (!isOurs(call.request)) return foreign();
  const auto& transfer = call.parameter("id");
  const Status settled = parts_.remaker.settle(*parts_.configuration.get(), who, transfer, word(call.request, "why"));
  if (settled.ok()) return seeOther("/console/transfers/" + transfer);
  switch (settled.error().code) {
    case Code::Invalid: return page(422, console::refusedPage(settled.error().message));
    case Code::NotFound: return page(404, console::notFoundPage());
    case Code::Conflict: return page(409, console::notDonePage(transfer, "nothing-to-settle"));
    case Code::Busy: return page(409, console::notDonePage(transfer, service::kBusy));
    default: return unavailable();
  }
}

}  // namespace lotsen::inbound
