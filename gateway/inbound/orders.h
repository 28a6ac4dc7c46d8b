// POST /api/v1/deliveries, …/deliveries/reprocess and …/records/reprocess on the wire: what an operator asks of
// deliveries and records, and what came of it; and what stands at the endpoints. openapi.json describes all of it. Used
// by: api_operator.cc; app (the command line). Thread rule: pure. Failure rule: faults of a body go to `issues` with
// the member's path; none is passed over.
#pragma once

#include "gateway/service/operator.h"
#include "gateway/service/remake.h"

#include <optional>
#include <string>
#include <string_view>

namespace lotsen::inbound {

/// nullopt: `issues` says every fault. An unknown member is one: a condition that is spelled wrong must not select all.
std::optional<service::Order> readOrder(std::string_view body, fhir::Issues& issues);
/// The body that asks for it.
std::string orderBody(const service::Order& order);

/// One line of a report, as the asking side reads it.
struct OrderAnswerLine {
  std::string delivery, transfer, role, partner, state, reason, outcome;
  std::string made, parked;              // reprocess: the new delivery, and why it is parked
  std::vector<std::string> differences;  // reprocess: "value-changed Bundle.entry…"
};
struct OrderAnswer {
  bool dryRun = false;
  std::uint64_t applied = 0;
  std::vector<OrderAnswerLine> lines;
};
std::string orderJson(const service::OrderReport& report);
std::optional<service::RemakeOrder> readRemake(std::string_view body, fhir::Issues& issues);
std::string remakeBody(const service::RemakeOrder& order);
std::string remakeJson(const service::RemakeReport& report);
/// What orderJson() or remakeJson() wrote, for the asking side. Invalid: it is something else.
Result<OrderAnswer> readOrderJson(std::string_view text);

struct ReopenAnswerLine {
  std::string record, transfer, channel, version, reason, outcome;
  std::string reasonNow, firstFault;  // why it would be parked today
};
struct ReopenAnswer {
  bool dryRun = false;
  std::uint64_t applied = 0;
  std::vector<ReopenAnswerLine> lines;
};
std::optional<service::ReopenOrder> readReopen(std::string_view body, fhir::Issues& issues);
std::string reopenBody(const service::ReopenOrder& order);
std::string reopenJson(const service::ReopenReport& report);
/// What reopenJson() wrote. Invalid: it is something else.
Result<ReopenAnswer> readReopenJson(std::string_view text);

/// {"why": …}: the body of a pause, resume or settle; nullopt: `issues` says why not.
std::optional<std::string> readWhy(std::string_view body, fhir::Issues& issues);
std::string whyBody(std::string_view why);

std::string endpointsJson(const std::vector<service::EndpointState>& endpoints);
std::string deliveriesJson(const store::DeliveryPage& page);

/// The state, role or verb of that name; none: there is no such.
std::optional<store::DeliveryState> deliveryStateOf(std::string_view name);
std::optional<store::Role> roleOf(std::string_view name);
std::optional<store::Verb> verbOf(std::string_view name);

}  // namespace lotsen::inbound
