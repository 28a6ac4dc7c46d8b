#include "gateway/inbound/api.h"

#include "gateway/crypto/base64.h"
#include "gateway/fhir/outcome.h"
#include "gateway/http/media_type.h"
#include "gateway/inbound/reprocess.h"
#include "gateway/inbound/views.h"
#include "gateway/json/writer.h"

namespace lotsen::inbound {

namespace {

using identity::Permission;
using identity::Principal;
using service::Verdict;

// The one table from what service says to what HTTP says.
int verdictStatus(Verdict verdict) {
  switch (verdict) {
    case Verdict::Accepted: return 202;
    case Verdict::Malformed: return 400;
    case Verdict::Refused: return 422;
    case Verdict::Forbidden: return 403;
    case Verdict::NoChannel: return 404;
    case Verdict::Conflict:
    case Verdict::Duplicate: return 409;
    case Verdict::TooLarge: return 413;
    case Verdict::Unavailable: return 503;
  }
  return 500;
}

/// What an acknowledgement led to, in one word.
std::string_view acknowledgementResult(const service::Reception& reception) {
  if (reception.accepted.isRepeat()) return "duplicate";
  switch (reception.accepted.acknowledgement) {
    case store::AckResult::Late: return "late";
    case store::AckResult::Applied: return reception.isUnknownCode ? "unrecognised" : "applied";
    case store::AckResult::None:
    case store::AckResult::Unknown: break;
  }
  return "unsolicited";
}

std::string_view issueCode(int status) {
  switch (status) {
    case 401: return "login";
    case 403: return "forbidden";
    case 404:
    case 410: return "not-found";
    case 405:
    case 415:
    case 501: return "not-supported";
    case 408:
    case 503: return "transient";
    case 409:
    case 412: return "conflict";
    case 413:
    case 414:
    case 431: return "too-long";
    case 500: return "exception";
    default: return "invalid";
  }
}

/// What this partner's specification calls a refusal with that status.
fhir::ErrorCode errorCode(const service::Personality* personality, int status) {
  if (personality == nullptr) return {};
  const auto found = personality->errors.find(status);
  return found == personality->errors.end() ? fhir::ErrorCode{}
                                            : fhir::ErrorCode{personality->errorSystem, found->second};
}

// The token as a browser sends it: Basic, any user name, the token as password. Other schemes pass unchanged.
std::string bearerOf(std::string_view header) {
  constexpr std::string_view kBasic = "Basic ";
  if (header.substr(0, kBasic.size()) != kBasic) return std::string(header);
  const auto pair = crypto::base64Decode(header.substr(kBasic.size()));
  const auto colon = pair.ok() ? pair->find(':') : std::string::npos;
  return colon == std::string::npos ? std::string() : "Bearer " + pair->substr(colon + 1);
}

/// The answer to somebody who is not known, or is two at once.
http::Response unknown(const Error& error, std::string_view path) {
  if (error.code == Code::Forbidden) return outcome(403, "authentication", error.message);
  auto response = outcome(401, "authentication", error.message);
  if (path.substr(0, 8) == "/console") response.fields.back().value = "Basic realm=\"Lotsen\", charset=\"UTF-8\"";
  return response;
}

bool isUtf8Json(const Result<http::MediaType>& type) {
  return type.ok() && type->isJson() && type->isUtf8();
}

bool isPublic(std::string_view path) {
  return path == "/metrics" || path.substr(0, 8) == "/health/";
}

}  // namespace

http::Response outcome(int status, std::string_view rule, std::string text, const service::Personality* personality) {
  fhir::Issues issues;
  issues.error(issueCode(status), rule, std::move(text));
  auto response = http::Response::fhir(status, fhir::operationOutcome(issues, errorCode(personality, status)));
  if (status == 401) response.fields.push_back({"WWW-Authenticate", "Bearer"});
  if (status == 503) response.fields.push_back({"Retry-After", "5"});
  return response;
}

http::Response unavailable(const service::Personality* personality) {
  return outcome(503, "not-accepting", "the gateway takes nothing in at the moment; send the same request again later",
                 personality);
}

http::Response refusal(int status, std::string_view why) {
  return outcome(status, "http", std::string(why));
}

Api::Api(ApiParts parts) : parts_(std::move(parts)) {}

Result<Principal> Api::principal(const http::Request& request, const ConnectionInfo& connection) const {
  const auto* header = request.find("Authorization");
  return parts_.credentials.get()->authenticate(header == nullptr ? std::string() : bearerOf(*header),
                                                connection.certificate, parts_.clock.now());
}

std::optional<http::Response> Api::admit(const http::Request& head, const ConnectionInfo& connection) const {
  if (isPublic(head.path())) return std::nullopt;
  const auto who = principal(head, connection);
  return who.ok() ? std::nullopt : std::optional(unknown(who.error(), head.path()));
}

void Api::addTo(Router& router) {
  // Every route: who asks, what it needs. A handler gets who() from here and asks nobody again: credentials may be
  // reloaded at any moment.
  const auto guarded = [this](Permission permission, auto method) {
    return [this, permission, method](const Call& call) -> http::Response {
      const auto who = principal(call.request, call.connection);
      if (!who.ok()) return unknown(who.error(), call.request.path());
      if (const auto allowed = who->require(permission); !allowed.ok())
        return outcome(403, "permission", allowed.error().message);
      return (this->*method)(call, *who);
    };
  };
  router.add("POST", "/intake/{system}/{kind}", guarded(Permission::Intake, &Api::intake), parts_.bodyLimit);
  router.add("POST", "/fhir/$process-message", guarded(Permission::Message, &Api::processMessage), parts_.bodyLimit);
  router.add("GET", "/fhir/metadata", [this](const Call&) { return metadata(); });
  router.add("GET", "/api/v1/transfers", guarded(Permission::Read, &Api::transfers));
  router.add("GET", "/api/v1/transfers/{id}", guarded(Permission::Read, &Api::transfer));
  router.add("POST", "/api/v1/transfers/{id}/settle", guarded(Permission::Operate, &Api::settle));
  router.add("GET", "/api/v1/deliveries", guarded(Permission::Operate, &Api::deliveries));
  router.add("POST", "/api/v1/deliveries", guarded(Permission::Operate, &Api::order));
  router.add("POST", "/api/v1/deliveries/reprocess", guarded(Permission::Operate, &Api::remake));
  router.add("POST", "/api/v1/records/reprocess", guarded(Permission::Operate, &Api::reopen));
  router.add("GET", "/api/v1/endpoints", guarded(Permission::Operate, &Api::endpoints));
  router.add("POST", "/api/v1/endpoints/{endpoint}/pause", guarded(Permission::Operate, &Api::pause));
  router.add("POST", "/api/v1/endpoints/{endpoint}/resume", guarded(Permission::Operate, &Api::resume));
  router.add("GET", "/api/v1/deliveries/{id}/body", guarded(Permission::Operate, &Api::deliveryBody));
  router.add("POST", "/api/v1/reprocess", guarded(Permission::Operate, &Api::reprocess));
  router.add("GET", "/api/v1/openapi.json", [this](const Call&) { return http::Response::json(200, parts_.openApi); });
  router.add("GET", "/console/", guarded(Permission::Operate, &Api::consoleList));
  router.add("GET", "/console/endpoints", guarded(Permission::Operate, &Api::consoleEndpoints));
  router.add("POST", "/console/endpoints/{endpoint}", guarded(Permission::Operate, &Api::consolePause));
  router.add("POST", "/console/deliveries/{id}", guarded(Permission::Operate, &Api::consoleOrder));
  router.add("POST", "/console/records/{id}", guarded(Permission::Operate, &Api::consoleReopen));
  router.add("GET", "/console/transfers/{id}", guarded(Permission::Operate, &Api::consoleTransfer));
  router.add("POST", "/console/transfers/{id}", guarded(Permission::Operate, &Api::consoleSettle));
}

void Api::count(const service::Reception& reception, std::string_view kind) const {
  const auto& accepted = reception.accepted;
  if (reception.verdict == Verdict::Conflict) {
    const bool envelope = accepted.novelty == store::Novelty::EnvelopeReused;
    parts_.metrics
        .counter("lotsen_security_alerts_total", "Identities that were used a second time for something else.",
                 {{"kind", envelope ? "envelope-reused" : "key-reused"}})
        .add();
  }
  if (reception.verdict == Verdict::Accepted || reception.verdict == Verdict::Duplicate) {
    parts_.metrics
        .counter("lotsen_accepted_total", "Records and messages accepted; a repeat got its stored answer.",
                 {{"kind", std::string(kind)}, {"repeat", accepted.isRepeat() ? "yes" : "no"}})
        .add();
    if (reception.isAcknowledgement) {
      parts_.metrics
          .counter("lotsen_acknowledgements_total", "Acknowledgement messages that came in, by what they led to.",
                   {{"result", std::string(acknowledgementResult(reception))}})
          .add();
    }
    return;
  }
  parts_.metrics
      .counter("lotsen_refused_total", "Records and messages refused before the commit.",
               {{"kind", std::string(kind)}, {"status", std::to_string(verdictStatus(reception.verdict))}})
      .add();
}

http::Response Api::received(const service::Reception& reception, const service::Personality* personality) const {
  const bool message = personality != nullptr;
  count(reception, message ? "message" : "record");
  const auto& accepted = reception.accepted;
  if (reception.verdict != Verdict::Accepted) {
    const int status = verdictStatus(reception.verdict);
    if (reception.verdict == Verdict::Unavailable) return unavailable(personality);
    if (reception.verdict == Verdict::NoChannel)
      return outcome(404, "no-channel",
                     "there is no such intake channel; the configured ones are in mappings/*/channels.conf");
    if (reception.issues.empty())
      return outcome(status, "refused",
                     "this partner may not use this channel; its token names a partner that is not configured",
                     personality);
    return http::Response::fhir(status, fhir::operationOutcome(reception.issues, errorCode(personality, status)));
  }
  auto response = message ? http::Response::fhir(accepted.answerStatus, accepted.answerBody)
                          : http::Response::json(accepted.answerStatus, accepted.answerBody);
  if (!accepted.transfer.empty()) response.fields.push_back({"Location", "/api/v1/transfers/" + accepted.transfer});
  return response;
}

http::Response Api::intake(const Call& call, const Principal& who) {
  if (!parts_.accepting) return unavailable();
  const auto type = http::mediaType(call.request);
  if (!isUtf8Json(type))
    return outcome(415, "media-type", "send the record as Content-Type: application/json, in UTF-8");
  const auto* key = call.request.find("Idempotency-Key");
  if (key != nullptr && (key->empty() || key->size() > 200))
    return outcome(400, "idempotency-key", "Idempotency-Key must have 1 to 200 characters");
  const std::string channel = call.parameter("system") + "/" + call.parameter("kind");
  service::Submission submission{&who, channel, type->name,
                                 key == nullptr ? std::string_view() : std::string_view(*key), call.request.body};
  return received(parts_.receptionist.record(*parts_.configuration.get(), std::move(submission)), nullptr);
}

http::Response Api::processMessage(const Call& call, const Principal& who) {
  const auto configuration = parts_.configuration.get();
  static const service::Personality kNobody;
  const service::Partner* partner = configuration->partner(who.partner);
  const service::Personality& personality = partner == nullptr ? kNobody : partner->personality;
  if (!parts_.accepting) return unavailable(&personality);
  const auto type = http::mediaType(call.request);
  if (!isUtf8Json(type))
    return outcome(415, "media-type", "send the message as Content-Type: application/fhir+json, in UTF-8",
                   &personality);
  const auto text = [&](std::string_view field) {
    const auto* found = call.request.find(field);
    return found == nullptr ? std::string_view() : std::string_view(*found);
  };
  service::Submission submission{
      &who, {}, type->name, text("X-Request-Id"), call.request.body, text("X-Correlation-Id")};
  return received(parts_.receptionist.message(*configuration, std::move(submission)), &personality);
}

http::Response Api::metadata() const {
  const auto configuration = parts_.configuration.get();
  std::string text;
  json::Writer writer(text);
  writer.startObject()
      .member("resourceType", "CapabilityStatement")
      .member("status", "active")
      .member("date", formatInstant(configuration->loadedAt))
      .member("kind", "instance");
  // What every gateway does, published with the profiles: this one says nothing else.
  writer.key("instantiates").startArray().string("http://lotsen.se/fhir/CapabilityStatement/gateway").endArray();
  writer.key("software").startObject().member("name", "Lotsen").endObject();
  writer.key("implementation").startObject().member("description", configuration->gateway.name).endObject();
  writer.member("fhirVersion", "4.0.1").key("format").startArray().string("application/fhir+json").endArray();
  writer.key("rest").startArray().startObject().member("mode", "server").key("operation").startArray().startObject();
  writer.member("name", "process-message")
      .member("definition", "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message")
      .endObject()
      .endArray();
  writer.endObject().endArray();
  writer.key("messaging").startArray().startObject().key("endpoint").startArray().startObject();
  writer.key("protocol")
      .startObject()
      .member("system", "http://terminology.hl7.org/CodeSystem/message-transport")
      .member("code", "http")
      .endObject();
  writer.member("address", configuration->gateway.endpoint).endObject().endArray();
  writer.member("reliableCache", static_cast<std::int64_t>(400) * 24 * 60);
  writer.member(
      "documentation",
      "A repeated MessageHeader.id gets the stored answer, in a new envelope if it came in one, or 409 where the "
      "partner's specification wants that; other content under the same id, or another message in the same Bundle.id, "
      "is refused with 409.");
  if (!configuration->messages->all().empty()) {
    writer.key("supportedMessage").startArray();
    for (const auto& message : configuration->messages->all()) {
      for (const std::string_view mode : {"sender", "receiver"})
        writer.startObject().member("mode", mode).member("definition", message.url).endObject();
    }
    writer.endArray();
  }
  writer.endObject().endArray().endObject();
  return http::Response::fhir(200, text);
}

http::Response Api::transfers(const Call& call, const Principal& who) const {
  store::TransferFilter filter;
  std::string word;
  if (http::queryParameter(call.request.query(), "state", word)) {
    for (const auto state :
         {store::TransferState::Waiting, store::TransferState::Released, store::TransferState::Completed,
          store::TransferState::Withdrawn, store::TransferState::Parked}) {
      if (store::name(state) == word) filter.state = state;
    }
    if (!filter.state) return outcome(400, "state", "state must be waiting, released, completed, withdrawn or parked");
  }
  http::queryParameter(call.request.query(), "after", filter.after);
  http::queryParameter(call.request.query(), "partner", filter.partner);
  if (!who.permissions.has(Permission::Operate)) filter.partner = who.partner;  // a partner sees its own cases
  const auto found = parts_.store.transfers(filter);
  if (!found.ok()) return unavailable();
  return http::Response::json(200, transfersJson(*found, filter.limit));
}

http::Response Api::transfer(const Call& call, const Principal& who) const {
  const auto view = parts_.store.transfer(call.parameter("id"));
  const bool own = view.ok() && (who.permissions.has(Permission::Operate) || view->transfer.partner == who.partner);
  if (!view.ok() && view.error().code != Code::NotFound) return unavailable();
  if (!own) return outcome(404, "no-transfer", "there is no such transfer, or it is another partner's");
  return http::Response::json(200, transferJson(*view));
}

http::Response Api::deliveryBody(const Call& call, const Principal&) const {
  const auto delivery = parts_.store.delivery(call.parameter("id"));
  if (!delivery.ok() && delivery.error().code != Code::NotFound) return unavailable();
  if (delivery.ok() && delivery->body.empty() && delivery->sequence > 0)
    return outcome(410, "removed", "the bytes of this delivery have been removed, as [retention] says");
  if (!delivery.ok() || delivery->body.empty())
    return outcome(404, "no-delivery", "there is no such delivery, or it has no bytes yet");
  return http::Response::text(200, delivery->body, delivery->mediaType);
}

http::Response Api::reprocess(const Call& call, const Principal& who) const {
  if (!parts_.accepting) return unavailable();
  if (!isUtf8Json(http::mediaType(call.request)))
    return outcome(415, "media-type", "send the request as Content-Type: application/json, in UTF-8");
  fhir::Issues issues;
  auto asked = readReprocess(call.request.body, issues);
  if (!asked) return http::Response::fhir(400, fhir::operationOutcome(issues));
  if (!asked->dryRun)
    return outcome(501, "dry-run-only",
                   "other maps are tried only: send \"dryRun\": true; nothing was looked at or changed");
  fhir::Issues mapIssues;
  const auto answer = parts_.whatIf.run(*parts_.configuration.get(), who, std::move(asked->request), mapIssues);
  if (answer.ok()) return http::Response::json(200, reprocessJson(*answer));
  switch (answer.error().code) {
    case Code::Invalid: return http::Response::fhir(422, fhir::operationOutcome(mapIssues));
    case Code::Busy: return outcome(503, "busy", answer.error().message);
    default: return unavailable();
  }
}

}  // namespace lotsen::inbound
