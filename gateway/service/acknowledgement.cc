#include "gateway/service/acknowledgement.h"

#include "gateway/json/writer.h"
#include "gateway/service/reasons.h"

namespace lotsen::service {

namespace {

constexpr std::string_view kUuidPrefix = "urn:uuid:";

// Reads a response body that claims to be a Bundle; anything else is not an acknowledgement.
std::optional<Acknowledgement> readBody(const Configuration& configuration, std::string_view body) {
  if (body.empty()) return std::nullopt;
  fhir::Issues issues;
  fhir::ReadOptions options;
  options.type = configuration.schema()->findType("Bundle");
  const auto bundle = fhir::readJson(body, configuration.schema(), options, issues);
  return bundle.ok() ? acknowledgementIn(*bundle) : std::nullopt;
}

}  // namespace

std::optional<Acknowledgement> acknowledgementIn(const fhir::Document& bundle) {
  if (bundle.root() == nullptr) return std::nullopt;
  const fhir::Element* header = fhir::firstResource(bundle, bundle.root(), "MessageHeader");
  if (header == nullptr) return std::nullopt;
  Acknowledgement found;
  found.request = fhir::valueAt(bundle, header, "response.identifier");
  if (found.request.rfind(kUuidPrefix, 0) == 0) found.request.erase(0, kUuidPrefix.size());
  if (found.request.empty()) return std::nullopt;
  const auto code = fhir::valueAt(bundle, header, "response.code");
  if (code == "ok") {
    found.code = AckCode::Ok;
  } else if (code == "transient-error") {
    found.code = AckCode::TransientError;
  } else if (code == "fatal-error") {
    found.code = AckCode::FatalError;
  } else {
    return std::nullopt;
  }
  return found;
}

queue::Verdict classifyAnswer(const Configuration& configuration, const store::Claimed& claimed,
                              const queue::Answer& answer) {
  queue::Verdict verdict = queue::classifyHttp(answer);
  if (answer.phase != queue::Phase::Answered) return verdict;
  const auto acknowledgement = readBody(configuration, answer.body);
  if (!acknowledgement) {
    // A positive status without an acknowledgement: the transport has it, the business answer comes as a message of its
    // own.
    const Partner* partner = configuration.partner(claimed.delivery.partner);
    if (verdict.outcome == queue::Outcome::Done && partner != nullptr && partner->acknowledges)
      verdict.outcome = queue::Outcome::Awaiting;
    return verdict;
  }
  if (acknowledgement->request != claimed.delivery.messageId) {
    verdict.outcome = queue::Outcome::Ambiguous;
    verdict.reason = reason::kForeignAcknowledgement;
    return verdict;
  }
  switch (acknowledgement->code) {
    case AckCode::Ok: verdict.outcome = queue::Outcome::Done; break;
    case AckCode::TransientError:
      verdict.outcome = queue::Outcome::Retry;
      verdict.reason = reason::kTransientAcknowledgement;
      break;
    case AckCode::FatalError:
      verdict.outcome = queue::Outcome::Park;
      verdict.reason = reason::kFatalAcknowledgement;
      break;
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

}  // namespace lotsen::service
