#include "gateway/service/acknowledgement.h"

#include "gateway/base/text.h"
#include "gateway/json/writer.h"
#include "gateway/service/reasons.h"

namespace lotsen::service {

namespace {

constexpr std::string_view kUuidPrefix = "urn:uuid:";
constexpr std::uint32_t kIntermediaryTries = 5;
constexpr std::size_t kUuidSize = 36;

struct Body {
  std::optional<Acknowledgement> acknowledgement;
  bool hasOutcome = false;
  std::vector<std::string> details;
};

/// A response body, as far as it is a Bundle or an OperationOutcome; anything else says nothing.
Body readBody(const Configuration& configuration, std::string_view text) {
  Body body;
  const std::string_view type = fhir::peekResourceType(text);
  if (type != "Bundle" && type != "OperationOutcome") return body;
  fhir::Issues issues;
  const auto document = fhir::readJson(text, configuration.schema(), {}, issues);
  if (!document.ok() || document->root() == nullptr) return body;
  if (type == "OperationOutcome") {
    body.hasOutcome = true;
    body.details = errorCodes(*document, document->root());
  } else {
    body.acknowledgement = acknowledgementIn(*document);
    body.hasOutcome = fhir::firstResource(*document, document->root(), "OperationOutcome") != nullptr;
  }
  return body;
}

bool isField(const queue::Answer& answer, std::string_view name, std::string_view value) {
  for (const auto& [field, text] : answer.fields) {
    if (equalsIgnoreCase(field, name)) return equalsIgnoreCase(trim(text), value);
  }
  return false;
}

/// The receiver itself has answered: it gives our ids back, and says in FHIR what is wrong.
bool isReceivers(const store::Delivery& delivery, const queue::Answer& answer, const Body& body) {
  return isField(answer, "X-Request-Id", delivery.messageId) &&
         isField(answer, "X-Correlation-Id", delivery.transfer) && (answer.status < 400 || body.hasOutcome);
}

bool isUnsettled(queue::Outcome outcome) {
  return outcome == queue::Outcome::Retry || outcome == queue::Outcome::Ambiguous ||
         outcome == queue::Outcome::PauseEndpoint;
}

queue::Verdict byAcknowledgement(const Personality& personality, const Acknowledgement& acknowledgement) {
  const auto outcome = meaningOf(personality, acknowledgement);
  if (!outcome) return {queue::Outcome::Park, std::string(reason::kUnknownAcknowledgement), 0};
  switch (*outcome) {
    case queue::Outcome::Done: return {*outcome, {}, 0};
    case queue::Outcome::Park: return {*outcome, std::string(reason::kFatalAcknowledgement), 0};
    default: return {*outcome, std::string(reason::kTransientAcknowledgement), 0};
  }
}

/// Without an acknowledgement: by the errors that the body names, else by the status.
queue::Verdict byStatus(const Personality& personality, const queue::Answer& answer, const Body& body) {
  queue::Verdict verdict = queue::classifyHttp(answer);
  auto meaning = personality.meaning(std::to_string(answer.status));
  for (const auto& code : body.details) {
    const auto said = personality.meaning(code);
    if (!said) continue;
    meaning = said;
    break;
  }
  if (meaning && *meaning != verdict.outcome) verdict = {*meaning, verdict.reason, 0};
  if (verdict.outcome == queue::Outcome::Done) {
    verdict.reason.clear();
    if (personality.acknowledges) verdict.outcome = queue::Outcome::Awaiting;
  } else if (verdict.reason.empty()) {
    verdict.reason = "unexpected-status";
  }
  return verdict;
}

}  // namespace

std::optional<Acknowledgement> acknowledgementIn(const fhir::Document& bundle) {
  if (bundle.root() == nullptr) return std::nullopt;
  const fhir::Element* header = fhir::firstResource(bundle, bundle.root(), "MessageHeader");
  if (header == nullptr || child(bundle, header, "response") == nullptr) return std::nullopt;
  Acknowledgement found;
  found.request = fhir::valueAt(bundle, header, "response.identifier");
  if (found.request.rfind(kUuidPrefix, 0) == 0) found.request.erase(0, kUuidPrefix.size());
  found.code = fhir::valueAt(bundle, header, "response.code");
  const auto* outcome = fhir::firstResource(bundle, bundle.root(), "OperationOutcome");
  if (outcome != nullptr) found.details = errorCodes(bundle, outcome);
  return found;
}

std::vector<std::string> errorCodes(const fhir::Document& document, const fhir::Element* outcome) {
  std::vector<std::string> codes;
  const fhir::Element* first = child(document, outcome, "issue");
  for (const auto* issue = first; issue != nullptr && issue->name == first->name; issue = issue->next) {
    const auto severity = fhir::valueAt(document, issue, "severity");
    const auto code = fhir::valueAt(document, issue, "details.coding.code");
    if ((severity != "error" && severity != "fatal") || code.empty()) continue;
    codes.push_back(std::string(code) + "/" + std::string(fhir::valueAt(document, issue, "code")));
    codes.emplace_back(code);
  }
  return codes;
}

std::optional<queue::Outcome> meaningOf(const Personality& personality, const Acknowledgement& acknowledgement) {
  const auto byCode = personality.meaning(acknowledgement.code);
  if (byCode == queue::Outcome::Done) return byCode;
  for (const auto& code : acknowledgement.details) {
    if (const auto said = personality.meaning(code)) return said;
  }
  return byCode;
}

queue::Verdict classifyAnswer(const Configuration& configuration, const store::Claimed& claimed,
                              const queue::Answer& answer) {
  if (answer.phase != queue::Phase::Answered) return queue::classifyHttp(answer);
  static const Personality kNobody = [] {  // a partner that is not configured any more
    Personality nobody;
    nobody.acknowledges = false;
    return nobody;
  }();
  const Partner* partner = configuration.partner(claimed.delivery.partner);
  const Personality& personality = partner == nullptr ? kNobody : partner->personality;
  const store::Delivery& delivery = claimed.delivery;
  const Body body = readBody(configuration, answer.body);
  queue::Verdict verdict;
  if (!body.acknowledgement || body.acknowledgement->request.empty()) {
    verdict = byStatus(personality, answer, body);
  } else if (body.acknowledgement->request == delivery.messageId ||
             (!delivery.bundleId.empty() && body.acknowledgement->request == delivery.bundleId)) {
    verdict = byAcknowledgement(personality, *body.acknowledgement);
  } else {
    return {queue::Outcome::Ambiguous, std::string(reason::kForeignAcknowledgement), 0};
  }
  if (personality.echoesIds && !isUnsettled(verdict.outcome) && !isReceivers(delivery, answer, body)) {
    return {queue::Outcome::Ambiguous, std::string(reason::kIntermediaryAnswered), kIntermediaryTries};
  }
  return verdict;
}

std::string positiveAnswer(const Configuration& configuration, const AnswerHeader& header) {
  std::string text;
  json::Writer writer(text);
  const std::string at = formatInstant(header.at);
  writer.startObject().member("resourceType", "Bundle").member("id", header.bundleId);
  writer.key("identifier")
      .startObject()
      .member("system", "urn:ietf:rfc:3986")
      .member("value", std::string(kUuidPrefix) + header.messageId)
      .endObject();
  writer.member("type", "message").member("timestamp", at);
  writer.key("entry").startArray().startObject().member("fullUrl", std::string(kUuidPrefix) + header.messageId);
  writer.key("resource").startObject().member("resourceType", "MessageHeader").member("id", header.messageId);
  if (!header.eventUri.empty()) {
    writer.member("eventUri", header.eventUri);
  } else {
    writer.key("eventCoding")
        .startObject()
        .member("system", header.eventSystem)
        .member("code", header.eventCode)
        .endObject();
  }
  writer.key("destination")
      .startArray()
      .startObject()
      .member("endpoint", header.requestEndpoint)
      .endObject()
      .endArray();
  writer.key("source")
      .startObject()
      .member("name", configuration.gateway.name)
      .member("endpoint", configuration.gateway.endpoint)
      .endObject();
  writer.key("response").startObject().member("identifier", header.request).member("code", "ok").endObject();
  writer.endObject().endObject().endArray().endObject();
  return text;
}

std::string inNewEnvelope(std::string answer, std::string_view bundleId, Instant at) {
  // The first of each is the Bundle's: positiveAnswer() writes them before any entry, and both have a fixed size.
  constexpr std::string_view kId = "\"id\":\"", kTimestamp = "\"timestamp\":\"";
  const std::string time = formatInstant(at);
  const auto id = answer.find(kId), timestamp = answer.find(kTimestamp);
  LOTSEN_CHECK(id != answer.npos && timestamp != answer.npos && bundleId.size() == kUuidSize);
  answer.replace(id + kId.size(), kUuidSize, bundleId);
  answer.replace(timestamp + kTimestamp.size(),
                 answer.find('"', timestamp + kTimestamp.size()) - timestamp - kTimestamp.size(), time);
  return answer;
}

}  // namespace lotsen::service
