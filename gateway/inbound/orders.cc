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

store::Id readId(const Body& body, const Element* at) {
  std::string text(at->value());
  if (!isUuid(text)) body.fault(at, "id", "this must be the id of a delivery, record or transfer, a UUID");
  return text;
}

std::vector<store::Id> readIds(const Body& body, const Element* root, std::string_view name) {
  std::vector<store::Id> ids;
  const Element* first = fhir::child(body.document(), root, name);
  for (const Element* each = first; each != nullptr && each->name == first->name; each = each->next)
    ids.push_back(readId(body, each));
  return ids;
}

store::Id readTransfer(const Body& body, const Element* filter) {
  const Element* transfer = body.member(filter, "transfer", fhir::Token::String);
  return transfer == nullptr ? store::Id() : readId(body, transfer);
}

/// The filter, if there is one, as an object of these members.
const Element* filterOf(const Body& body, const Element* root, const std::vector<std::string_view>& names) {
  const Element* given = fhir::child(body.document(), root, "filter");
  if (given == nullptr) return nullptr;
  if (given->hasValue() || given->listed) body.fault(given, "member-form", "this must be an object");
  body.allow(given, names);
  return given;
}

void meansEverything(const Body& body, const Element* filter) {
  body.fault(filter, "filter", "a filter without a condition means everything; give at least one");
}

void readFilter(const Body& body, const Element* given, store::DeliveryFilter& filter) {
  filter.partner = body.word(given, "partner");
  filter.endpoint = body.word(given, "endpoint");
  filter.reason = body.word(given, "reason");
  filter.createdBefore = body.instant(given, "createdBefore");
  filter.transfer = readTransfer(body, given);
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
    meansEverything(body, given);
}

void readHowMany(const Body& body, const Element* root, std::optional<std::uint64_t>& expected, std::size_t& most) {
  if (body.member(root, "expect", fhir::Token::Number) != nullptr)
    expected = body.number(root, "expect", 0, 0, service::Operator::kMost);
  most = static_cast<std::size_t>(body.number(root, "most", most, 1, service::Operator::kMost));
}

void readSelection(const Body& body, const Element* root, service::Selection& which) {
  which.deliveries = readIds(body, root, "deliveries");
  if (const Element* filter =
          filterOf(body, root, {"state", "partner", "endpoint", "role", "reason", "transfer", "createdBefore"}))
    readFilter(body, filter, which.filter.emplace());
  readHowMany(body, root, which.expected, which.most);
}

void readFilter(const Body& body, const Element* given, service::ParkedFilter& filter) {
  filter.reason = body.word(given, "reason");
  filter.partner = body.word(given, "partner");
  filter.channel = body.word(given, "channel");
  filter.transfer = readTransfer(body, given);
  filter.receivedBefore = body.instant(given, "receivedBefore");
  if (filter.reason.empty() && filter.partner.empty() && filter.channel.empty() && filter.transfer.empty() &&
      !filter.receivedBefore)
    meansEverything(body, given);
}

void writeIds(json::Writer& writer, std::string_view name, const std::vector<store::Id>& ids) {
  if (ids.empty()) return;
  writer.key(name).startArray();
  for (const auto& id : ids) writer.string(id);
  writer.endArray();
}

void writeIfAny(json::Writer& writer, std::string_view name, std::string_view value) {
  if (!value.empty()) writer.member(name, value);
}

void writeHowMany(json::Writer& writer, const std::optional<std::uint64_t>& expected, std::size_t most) {
  if (expected) writer.member("expect", static_cast<std::int64_t>(*expected));
  writer.member("most", static_cast<std::int64_t>(most));
}

void writeSelection(json::Writer& writer, const service::Selection& which) {
  writeIds(writer, "deliveries", which.deliveries);
  if (which.filter) {
    const auto& filter = *which.filter;
    writer.key("filter").startObject();
    if (!filter.states.empty()) writer.member("state", store::name(filter.states.front()));
    writeIfAny(writer, "partner", filter.partner);
    writeIfAny(writer, "endpoint", filter.endpoint);
    if (filter.role) writer.member("role", store::name(*filter.role));
    writeIfAny(writer, "reason", filter.reason);
    writeIfAny(writer, "transfer", filter.transfer);
    if (filter.createdBefore) writer.member("createdBefore", formatInstant(*filter.createdBefore));
    writer.endObject();
  }
  writeHowMany(writer, which.expected, which.most);
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

void writeRecord(json::Writer& writer, const store::Record& record) {
  writer.member("id", record.id);
  if (record.partner.empty()) return;  // there is none of that id
  writer.member("transfer", record.transfer)
      .member("kind", store::name(record.kind))
      .member("channel", record.channel)
      .member("partner", record.partner)
      .member("version", record.version)
      .member("state", store::name(record.state));
  writeIfAny(writer, "reason", record.reason);
  writer.member("receivedAt", formatInstant(record.receivedAt));
}

/// What a verb has done, or would do, with `what`; `writeLine` writes the members of a line.
template <typename Report, typename WriteLine>
std::string reportJson(std::string_view what, const Report& report, const WriteLine& writeLine) {
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("dryRun", report.dryRun).member("applied", static_cast<std::int64_t>(report.applied));
  writer.key(what).startArray();
  for (const auto& line : report.lines) {
    writer.startObject();
    writeLine(writer, line);
    writer.endObject();
  }
  writer.endArray().endObject();
  return text;
}

/// The root of such a report, told the number of what was done; `visit` is given each line of `what`.
template <typename Answer, typename Visit>
Result<Answer> readReport(std::string_view text, std::string_view what, const Visit& visit) {
  fhir::Issues issues;
  LOTSEN_TRY(const auto document, fhir::readJson(text, fhir::Schema::r4(), {}, issues));
  const Element* root = document.root();
  if (root->type != fhir::kNone || fhir::child(document, root, "applied") == nullptr)
    return fail(Code::Invalid, "this is no report of an operator's verb");
  Answer answer;
  answer.dryRun = fhir::valueAt(document, root, "dryRun") == "true";
  const auto applied = fhir::valueAt(document, root, "applied");
  std::from_chars(applied.data(), applied.data() + applied.size(), answer.applied);
  const Element* first = fhir::child(document, root, what);
  for (const Element* each = first; each != nullptr && each->name == first->name; each = each->next) {
    const auto word = [&](std::string_view path) { return std::string(fhir::valueAt(document, each, path)); };
    visit(answer, document, each, word);
  }
  return answer;
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
  return reportJson("deliveries", report, [](json::Writer& writer, const service::OrderLine& line) {
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
  return reportJson("deliveries", report, [&report](json::Writer& writer, const service::RemakeLine& line) {
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
  return readReport<OrderAnswer>(
      text, "deliveries", [](auto& answer, const auto& document, const Element* each, const auto& word) {
        answer.lines.push_back({word("id"),
                                word("transfer"),
                                word("role"),
                                word("partner"),
                                word("state"),
                                word("reason"),
                                word("outcome"),
                                word("made"),
                                word("parked"),
                                {}});
        const Element* difference = fhir::child(document, each, "differences");
        for (const auto name = difference == nullptr ? fhir::kNone : difference->name;
             difference != nullptr && difference->name == name; difference = difference->next) {
          answer.lines.back().differences.push_back(std::string(fhir::valueAt(document, difference, "kind")) + " " +
                                                    std::string(fhir::valueAt(document, difference, "path")));
        }
      });
}

std::optional<service::ReopenOrder> readReopen(std::string_view text, fhir::Issues& issues) {
  const auto document = readBody(text, issues);
  if (!document) return std::nullopt;
  const Element* root = document->root();
  const Body body(*document, issues);
  body.allow(root, {"records", "filter", "dryRun", "expect", "most", "why"});
  service::ReopenOrder order;
  order.records = readIds(body, root, "records");
  if (const Element* filter = filterOf(body, root, {"reason", "partner", "channel", "transfer", "receivedBefore"}))
    readFilter(body, filter, order.filter.emplace());
  readHowMany(body, root, order.expected, order.most);
  order.dryRun = body.flag(root, "dryRun");
  order.why = body.word(root, "why", service::Operator::kLongestWhy);
  if (issues.hasErrors()) return std::nullopt;
  return order;
}

std::string reopenBody(const service::ReopenOrder& order) {
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("dryRun", order.dryRun);
  writeIds(writer, "records", order.records);
  if (order.filter) {
    writer.key("filter").startObject();
    writeIfAny(writer, "reason", order.filter->reason);
    writeIfAny(writer, "partner", order.filter->partner);
    writeIfAny(writer, "channel", order.filter->channel);
    writeIfAny(writer, "transfer", order.filter->transfer);
    if (order.filter->receivedBefore) writer.member("receivedBefore", formatInstant(*order.filter->receivedBefore));
    writer.endObject();
  }
  writeHowMany(writer, order.expected, order.most);
  writer.member("why", order.why).endObject();
  return text;
}

std::string reopenJson(const service::ReopenReport& report) {
  return reportJson("records", report, [](json::Writer& writer, const service::ReopenLine& line) {
    writeRecord(writer, line.record);
    writer.member("outcome", line.outcome);
    writeIfAny(writer, "reasonNow", line.reasonNow);
    writeIfAny(writer, "firstFault", line.firstFault);
  });
}

Result<ReopenAnswer> readReopenJson(std::string_view text) {
  return readReport<ReopenAnswer>(text, "records", [](auto& answer, const auto&, const Element*, const auto& word) {
    answer.lines.push_back({word("id"), word("transfer"), word("channel"), word("version"), word("reason"),
                            word("outcome"), word("reasonNow"), word("firstFault")});
  });
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
