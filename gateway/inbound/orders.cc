#include "gateway/inbound/orders.h"

#include "gateway/base/random.h"
#include "gateway/inbound/body.h"
#include "gateway/json/writer.h"

namespace lotsen::inbound {

namespace {

using fhir::Element;

constexpr store::Verb kVerbs[] = {store::Verb::Resend, store::Verb::Park, store::Verb::Release, store::Verb::Cancel,
                                  store::Verb::Confirm};
constexpr store::Role kRoles[] = {store::Role::Provider, store::Role::Mediator,      store::Role::Pas,
                                  store::Role::Receipt,  store::Role::PatientLetter, store::Role::ClinicianLetter,
                                  store::Role::Recall,   store::Role::Local};

template <typename Enum, std::size_t N>
std::optional<Enum> named(const Enum (&all)[N], std::string_view name) {
  for (const Enum each : all) {
    if (store::name(each) == name) return each;
  }
  return std::nullopt;
}

store::Id readId(const Body& body, const Element* at, std::string text) {
  if (!isUuid(text)) body.fault(at, "id", "this must be the id of a delivery or transfer, a UUID");
  return text;
}

void readFilter(const Body& body, const Element* given, store::DeliveryFilter& filter) {
  if (given->hasValue() || given->listed) body.fault(given, "member-form", "this must be an object");
  body.allow(given, {"state", "partner", "endpoint", "role", "reason", "transfer", "createdBefore"});
  filter.partner = body.word(given, "partner");
  filter.endpoint = body.word(given, "endpoint");
  filter.reason = body.word(given, "reason");
  filter.createdBefore = body.instant(given, "createdBefore");
  if (const Element* transfer = body.member(given, "transfer", fhir::Token::String))
    filter.transfer = readId(body, transfer, std::string(transfer->value()));
  if (const Element* state = body.member(given, "state", fhir::Token::String)) {
    const auto known = deliveryStateOf(state->value());
    if (known) filter.states = {*known};
    if (!known) body.fault(state, "state", "there is no such state of a delivery");
  }
  if (const Element* role = body.member(given, "role", fhir::Token::String)) {
    filter.role = roleOf(role->value());
    if (!filter.role) body.fault(role, "role", "there is no such kind of leg");
  }
  if (filter.partner.empty() && filter.endpoint.empty() && filter.reason.empty() && filter.transfer.empty() &&
      !filter.role && !filter.createdBefore && filter.states.empty())
    body.fault(given, "filter", "a filter without a condition means everything; give at least one");
}

void readSelection(const Body& body, const Element* root, service::Selection& which) {
  const Element* first = fhir::child(body.document(), root, "deliveries");
  for (const Element* each = first; each != nullptr && each->name == first->name; each = each->next)
    which.deliveries.push_back(readId(body, each, std::string(each->value())));
  if (const Element* filter = fhir::child(body.document(), root, "filter"))
    readFilter(body, filter, which.filter.emplace());
  if (body.member(root, "expect", fhir::Token::Number) != nullptr)
    which.expected = body.number(root, "expect", 0, 0, service::Operator::kMost);
  which.most = static_cast<std::size_t>(body.number(root, "most", which.most, 1, service::Operator::kMost));
}

void writeSelection(json::Writer& writer, const service::Selection& which) {
  if (!which.deliveries.empty()) {
    writer.key("deliveries").startArray();
    for (const auto& id : which.deliveries) writer.string(id);
    writer.endArray();
  }
  if (which.filter) {
    const auto& filter = *which.filter;
    const auto text = [&](std::string_view name, std::string_view value) {
      if (!value.empty()) writer.member(name, value);
    };
    writer.key("filter").startObject();
    if (!filter.states.empty()) writer.member("state", store::name(filter.states.front()));
    text("partner", filter.partner);
    text("endpoint", filter.endpoint);
    if (filter.role) writer.member("role", store::name(*filter.role));
    text("reason", filter.reason);
    text("transfer", filter.transfer);
    if (filter.createdBefore) writer.member("createdBefore", formatInstant(*filter.createdBefore));
    writer.endObject();
  }
  if (which.expected) writer.member("expect", static_cast<std::int64_t>(*which.expected));
  writer.member("most", static_cast<std::int64_t>(which.most));
}

void writeDelivery(json::Writer& writer, const store::Delivery& delivery) {
  writer.member("id", delivery.id);
  if (delivery.transfer.empty()) return;  // there is none of that id
  writer.member("transfer", delivery.transfer)
      .member("role", store::name(delivery.role))
      .member("partner", delivery.partner)
      .member("endpoint", delivery.endpoint)
      .member("state", store::name(delivery.state));
  if (!delivery.reason.empty()) writer.member("reason", delivery.reason);
  writer.member("createdAt", formatInstant(delivery.createdAt));
  writer.member("attemptCount", static_cast<std::int64_t>(delivery.attempts));
  if (delivery.overdue) writer.member("acknowledgementOverdue", true);
}

/// What a verb has done, or would do; `writeLine` writes the members of a line.
template <typename Report, typename WriteLine>
std::string reportJson(const Report& report, const WriteLine& writeLine) {
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("dryRun", report.dryRun).member("applied", static_cast<std::int64_t>(report.applied));
  writer.key("deliveries").startArray();
  for (const auto& line : report.lines) {
    writer.startObject();
    writeLine(writer, line);
    writer.endObject();
  }
  writer.endArray().endObject();
  return text;
}

}  // namespace

std::optional<store::DeliveryState> deliveryStateOf(std::string_view name) {
  return named(store::kDeliveryStates, name);
}
std::optional<store::Role> roleOf(std::string_view name) {
  return named(kRoles, name);
}
std::optional<store::Verb> verbOf(std::string_view name) {
  return named(kVerbs, name);
}

std::optional<service::Order> readOrder(std::string_view text, fhir::Issues& issues) {
  const auto document = readBody(text, issues);
  if (!document) return std::nullopt;
  const Element* root = document->root();
  const Body body(*document, issues);
  body.allow(root, {"verb", "deliveries", "filter", "dryRun", "expect", "most", "perSecond", "why"});
  service::Order order;
  const auto verb = verbOf(body.word(root, "verb"));
  if (verb) order.verb = *verb;
  if (!verb) body.fault(root, "verb", "`verb` must be resend, park, release, cancel or confirm");
  readSelection(body, root, order.which);
  order.dryRun = body.flag(root, "dryRun");
  order.perSecond = static_cast<std::uint32_t>(body.number(root, "perSecond", order.perSecond, 1, 10'000));
  order.why = body.word(root, "why", service::Operator::kLongestWhy);
  if (issues.hasErrors()) return std::nullopt;
  return order;
}

std::string orderBody(const service::Order& order) {
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("verb", store::name(order.verb)).member("dryRun", order.dryRun);
  writeSelection(writer, order.which);
  writer.member("perSecond", static_cast<std::int64_t>(order.perSecond)).member("why", order.why).endObject();
  return text;
}

std::string orderJson(const service::OrderReport& report) {
  return reportJson(report, [](json::Writer& writer, const service::OrderLine& line) {
    writeDelivery(writer, line.delivery);
    writer.member("outcome", line.outcome);
  });
}

std::optional<service::RemakeOrder> readRemake(std::string_view text, fhir::Issues& issues) {
  const auto document = readBody(text, issues);
  if (!document) return std::nullopt;
  const Element* root = document->root();
  const Body body(*document, issues);
  body.allow(root, {"deliveries", "filter", "dryRun", "expect", "most", "delivered", "why"});
  service::RemakeOrder order;
  readSelection(body, root, order.which);
  order.dryRun = body.flag(root, "dryRun");
  order.delivered = body.flag(root, "delivered");
  order.why = body.word(root, "why", service::Operator::kLongestWhy);
  if (issues.hasErrors()) return std::nullopt;
  return order;
}

std::string remakeBody(const service::RemakeOrder& order) {
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("dryRun", order.dryRun).member("delivered", order.delivered);
  writeSelection(writer, order.which);
  writer.member("why", order.why).endObject();
  return text;
}

std::string remakeJson(const service::RemakeReport& report) {
  return reportJson(report, [&report](json::Writer& writer, const service::RemakeLine& line) {
    writeDelivery(writer, line.old);
    writer.member("outcome", line.outcome);
    if (!line.made.empty() && !report.dryRun) writer.member("made", line.made);
    if (!line.parked.empty()) writer.member("parked", line.parked);
    writer.key("differences").startArray();
    for (const auto& each : line.differences)
      writer.startObject().member("kind", service::name(each.change)).member("path", each.path).endObject();
    writer.endArray();
  });
}

Result<OrderAnswer> readOrderJson(std::string_view text) {
  fhir::Issues issues;
  LOTSEN_TRY(const auto document, fhir::readJson(text, fhir::Schema::r4(), {}, issues));
  const Element* root = document.root();
  if (root->type != fhir::kNone || fhir::child(document, root, "applied") == nullptr)
    return fail(Code::Invalid, "this is no report of an operator's verb");
  const auto word = [&](const Element* from, std::string_view path) {
    return std::string(fhir::valueAt(document, from, path));
  };
  OrderAnswer answer;
  answer.dryRun = word(root, "dryRun") == "true";
  const std::string applied = word(root, "applied");
  std::from_chars(applied.data(), applied.data() + applied.size(), answer.applied);
  const Element* first = fhir::child(document, root, "deliveries");
  for (const Element* each = first; each != nullptr && each->name == first->name; each = each->next) {
    answer.lines.push_back({word(each, "id"),
                            word(each, "transfer"),
                            word(each, "role"),
                            word(each, "partner"),
                            word(each, "state"),
                            word(each, "reason"),
                            word(each, "outcome"),
                            word(each, "made"),
                            word(each, "parked"),
                            {}});
    const Element* difference = fhir::child(document, each, "differences");
    for (const auto name = difference == nullptr ? fhir::kNone : difference->name;
         difference != nullptr && difference->name == name; difference = difference->next) {
      if (difference->first == nullptr) continue;  // an empty list
      answer.lines.back().differences.push_back(word(difference, "kind") + " " + word(difference, "path"));
    }
  }
  return answer;
}

std::optional<std::string> readWhy(std::string_view text, fhir::Issues& issues) {
  const auto document = readBody(text, issues);
  if (!document) return std::nullopt;
  const Body body(*document, issues);
  body.allow(document->root(), {"why"});
  std::string why = body.word(document->root(), "why", service::Operator::kLongestWhy);
  if (issues.hasErrors()) return std::nullopt;
  return why;
}

std::string whyBody(std::string_view why) {
  std::string text;
  json::Writer(text).startObject().member("why", why).endObject();
  return text;
}

std::string endpointsJson(const std::vector<service::EndpointState>& endpoints) {
  std::string text;
  json::Writer writer(text);
  writer.startObject().key("endpoints").startArray();
  for (const auto& each : endpoints) {
    const auto& figures = each.figures;
    writer.startObject()
        .member("endpoint", figures.endpoint)
        .member("ready", static_cast<std::int64_t>(figures.ready))
        .member("inFlight", static_cast<std::int64_t>(figures.inFlight))
        .member("acknowledgementsOverdue", static_cast<std::int64_t>(figures.overdue))
        .member("parked", static_cast<std::int64_t>(figures.parked));
    if (each.pause) {
      writer.key("paused")
          .startObject()
          .member("by", each.pause->actor)
          .member("why", each.pause->reason)
          .member("since", formatInstant(each.pause->since))
          .endObject();
    }
    writer.endObject();
  }
  writer.endArray().endObject();
  return text;
}

std::string deliveriesJson(const store::DeliveryPage& page) {
  std::string text;
  json::Writer writer(text);
  writer.startObject().key("deliveries").startArray();
  for (const auto& each : page.deliveries) {
    writer.startObject();
    writeDelivery(writer, each);
    writer.endObject();
  }
  writer.endArray();
  if (!page.next.empty()) writer.member("next", page.next);
  writer.endObject();
  return text;
}

}  // namespace lotsen::inbound
