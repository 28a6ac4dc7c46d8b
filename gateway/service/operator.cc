#include "gateway/service/operator.h"

#include "gateway/json/writer.h"
#include "gateway/service/arrival.h"
#include "gateway/store/rules.h"

#include <algorithm>
#include <map>

namespace lotsen::service {

namespace {

using store::DeliveryState;
using store::Intervened;
using store::Verb;

constexpr auto kDeadline = std::chrono::hours(72);  // as for a new leg
constexpr std::size_t kTogether = 100;              // changes in one transaction: nobody waits long behind them

std::string_view past(Verb verb) {
  switch (verb) {
    case Verb::Resend: return "delivery-resent";
    case Verb::Park: return "delivery-parked-by-person";
    case Verb::Release: return "delivery-released";
    case Verb::Cancel: return "delivery-cancelled";
    case Verb::Confirm: return "delivery-confirmed";
  }
  return "";
}

/// Where what a verb means can be found at all; keeps walks short.
std::vector<DeliveryState> statesFor(Verb verb) {
  using enum DeliveryState;
  switch (verb) {
    case Verb::Resend:
    case Verb::Cancel: return {Parked};
    case Verb::Release: return {Parked, Queued};
    case Verb::Park: return {Held, Queued, Ready, Resolving};
    case Verb::Confirm: return {Parked, Awaiting};
  }
  return {};
}

/// What the verb would come to now.
Intervened judge(Verb verb, const store::Delivery& delivery) {
  return store::judgeIntervention(verb, {delivery.state, delivery.reason, delivery.sequence > 0, delivery.everSent})
      .outcome;
}

}  // namespace

Status checkWhy(std::string_view why) {
  if (why.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return fail(Code::Invalid, "say why: the reason stands in the timeline beside your name");
  if (why.size() > Operator::kLongestWhy)
    return fail(Code::Invalid, "the reason has more than " + std::to_string(Operator::kLongestWhy) + " bytes");
  return done();
}

Status checkSelection(std::string_view what, std::size_t named, bool byFilter, std::size_t most, std::size_t limit) {
  if (byFilter != (named == 0))
    return fail(Code::Invalid, "name " + std::string(what) + ", or give a filter: one of the two");
  if (named > limit || most > limit)
    return fail(Code::Invalid, "at most " + std::to_string(limit) + " " + std::string(what) + " at once");
  return done();
}

Status checkCount(std::string_view what, std::optional<std::uint64_t> expected, std::uint64_t meant) {
  const std::string name(what);
  if (!expected)
    return fail(Code::Invalid, "a filter needs the number of " + name + " that it must mean; a dry run tells it");
  if (*expected != meant)
    return fail(Code::Conflict, "the filter means " + std::to_string(meant) + " " + name + " now, not " +
                                    std::to_string(*expected) + "; nothing was done, look again");
  return done();
}

std::string whyDetail(std::string_view why, std::string_view name, std::string_view value) {
  std::string detail;
  json::Writer writer(detail);
  writer.startObject().member("why", why);
  if (!name.empty()) writer.member(name, value);
  writer.endObject();
  return detail;
}

Result<std::vector<store::Delivery>> find(store::Store& store, store::DeliveryFilter filter, std::size_t most,
                                          const std::function<bool(const store::Delivery&)>& wanted) {
  std::vector<store::Delivery> found;
  filter.limit = 500;
  do {
    LOTSEN_TRY(store::DeliveryPage page, store.deliveries(filter));
    for (store::Delivery& each : page.deliveries) {
      if (!wanted(each)) continue;
      if (found.size() == most)
        return fail(Code::Invalid,
                    "the filter means more than " + std::to_string(most) + " deliveries; narrow it, or allow more");
      found.push_back(std::move(each));
    }
    filter.after = page.next;
  } while (!filter.after.empty());
  return found;
}

Result<OrderReport> Operator::choose(const Order& order) {
  OrderReport report;
  report.dryRun = order.dryRun;
  for (const store::Id& id : order.which.deliveries) {
    auto delivery = store_.delivery(id);
    if (!delivery.ok() && delivery.error().code != Code::NotFound) return delivery.error();
    OrderLine line;
    line.delivery.id = id;
    line.outcome = name(Intervened::Unknown);
    if (delivery.ok()) {
      line.delivery = std::move(*delivery);
      line.delivery.body.clear();
      line.outcome = name(judge(order.verb, line.delivery));
    }
    report.lines.push_back(std::move(line));
  }
  if (order.which.filter) {
    store::DeliveryFilter filter = *order.which.filter;
    if (filter.states.empty()) filter.states = statesFor(order.verb);
    const auto wanted = [&](const store::Delivery& each) { return judge(order.verb, each) == Intervened::Applied; };
    LOTSEN_TRY(auto found, find(store_, filter, order.which.most, wanted));
    for (store::Delivery& each : found) {
      const bool ask = order.verb == Verb::Resend && filter.reason.empty() && mayHaveArrived(each);
      report.lines.push_back({std::move(each), ask ? kMayHaveArrived : name(Intervened::Applied)});
    }
  }
  for (const OrderLine& each : report.lines) report.applied += each.outcome == name(Intervened::Applied) ? 1 : 0;
  return report;
}

Result<OrderReport> Operator::run(const identity::Principal& who, const Order& order) {
  const bool byFilter = order.which.filter.has_value();
  LOTSEN_TRY_DO(checkSelection("deliveries", order.which.deliveries.size(), byFilter, order.which.most, kMost));
  if (order.perSecond == 0) return fail(Code::Invalid, "a rate of 0 a second never ends; pause the endpoint instead");
  if (!order.dryRun) LOTSEN_TRY_DO(checkWhy(order.why));
  LOTSEN_TRY(OrderReport report, choose(order));
  if (order.dryRun) return report;
  if (byFilter) LOTSEN_TRY_DO(checkCount("deliveries", order.which.expected, report.applied));
  LOTSEN_TRY_DO(apply(who, order, report));
  wake_();
  return report;
}

Status Operator::apply(const identity::Principal& who, const Order& order, OrderReport& report) {
  std::vector<OrderLine*> meant;
  for (OrderLine& each : report.lines) {
    if (each.outcome == name(Intervened::Applied)) meant.push_back(&each);
  }
  report.applied = 0;
  for (std::size_t from = 0; from < meant.size(); from += kTogether) {
    const std::size_t to = std::min(from + kTogether, meant.size());
    const Instant now = clock_.now();
    std::vector<store::Intervention> wishes;
    for (std::size_t i = from; i < to; ++i) {
      const store::Delivery& delivery = meant[i]->delivery;
      const auto wait = order.which.filter ? milliseconds(1'000 * i / order.perSecond) : milliseconds(0);
      store::AuditEntry entry{now,
                              "operator:" + who.partner,
                              std::string(past(order.verb)),
                              {},
                              delivery.id,
                              whyDetail(order.why, "was", delivery.reason)};
      wishes.push_back({delivery.id, order.verb, now + wait, now + wait + kDeadline, std::move(entry)});
    }
    LOTSEN_TRY(const auto outcomes, store_.intervene(std::move(wishes), now));
    for (std::size_t i = from; i < to; ++i) {
      meant[i]->outcome = name(outcomes[i - from]);  // it may have moved meanwhile
      report.applied += outcomes[i - from] == Intervened::Applied ? 1 : 0;
    }
  }
  return done();
}

Status Operator::pause(const Configuration& configuration, const identity::Principal& who, std::string endpoint,
                       std::string why) {
  LOTSEN_TRY_DO(checkWhy(why));
  const auto known = std::any_of(configuration.partners.begin(), configuration.partners.end(),
                                 [&](const auto& entry) { return entry.second.endpoint == endpoint; });
  if (endpoint.empty() || !known) return fail(Code::NotFound, "no endpoint " + endpoint + " is configured");
  const Instant now = clock_.now();
  const std::string actor = "operator:" + who.partner;
  store::AuditEntry entry{now, actor, "endpoint-paused", {}, {}, whyDetail(why, "endpoint", endpoint)};
  return store_.pauseEndpoint({std::move(endpoint), std::move(why), actor, now}, std::move(entry));
}

Status Operator::resume(const identity::Principal& who, std::string_view endpoint, std::string_view why) {
  LOTSEN_TRY_DO(checkWhy(why));
  LOTSEN_TRY_DO(store_.resumeEndpoint(
      endpoint,
      {clock_.now(), "operator:" + who.partner, "endpoint-resumed", {}, {}, whyDetail(why, "endpoint", endpoint)}));
  wake_();
  return done();
}

Result<std::vector<EndpointState>> Operator::endpoints(const Configuration& configuration) {
  LOTSEN_TRY(const auto figures, store_.endpoints());
  LOTSEN_TRY(const auto alarms, store_.alarms(clock_.now()));
  std::map<std::string, EndpointState> states;
  for (const auto& [id, partner] : configuration.partners) {
    if (!partner.endpoint.empty()) states[partner.endpoint];
  }
  for (const auto& each : figures) states[each.endpoint].figures = each;
  for (const auto& each : alarms.paused) states[each.endpoint].pause = each;
  std::vector<EndpointState> all;
  for (auto& [endpoint, state] : states) {
    state.figures.endpoint = endpoint;
    all.push_back(std::move(state));
  }
  return all;
}

}  // namespace lotsen::service
