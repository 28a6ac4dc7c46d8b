#include "gateway/service/reception.h"

#include "gateway/crypto/digest.h"
#include "gateway/json/writer.h"
#include "gateway/service/acknowledgement.h"
#include "gateway/service/identifiers.h"
#include "gateway/service/notes.h"
#include "gateway/service/reasons.h"

#include <charconv>

namespace lotsen::service {

namespace {

// Namespace of transfer ids: any fixed UUID will do, and it must never change.
constexpr std::string_view kTransferSpace = "6f1f3f64-0a0e-5a3b-9d0a-5c1d3f0e7a10";

std::string members(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::string text;
  json::Writer writer(text);
  writer.startObject();
  for (const auto& [key, value] : pairs) writer.member(key, value);
  writer.endObject();
  return text;
}

Verdict verdictOf(const fhir::Issues& issues, const Error& error) {
  if (error.code == Code::TooLarge) return Verdict::TooLarge;
  for (const auto& issue : issues.list()) {
    if (issue.severity == fhir::Severity::Fatal) return Verdict::Malformed;
  }
  return Verdict::Refused;
}

// A required scalar of the record: its text, or an issue.
std::string scalar(const fhir::Document& record, const std::string& path, std::string_view what, fhir::Issues& issues) {
  if (path.empty()) return {};
  const auto value = fhir::valueAt(record, record.root(), path);
  if (value.empty()) {
    issues.error("required", "record-identity",
                 "the record needs " + std::string(what) + " in " + path + "; send it again with it", path);
  }
  return std::string(value);
}

std::string ackBody(const store::Record& record) {
  std::string body;
  json::Writer writer(body);
  writer.startObject().member("transfer", record.transfer).member("record", record.id).member("status", "accepted");
  writer.member("receivedAt", formatInstant(record.receivedAt)).endObject();
  return body;
}

std::string_view strip(std::string_view uuid) {
  constexpr std::string_view kPrefix = "urn:uuid:";
  return uuid.substr(0, kPrefix.size()) == kPrefix ? uuid.substr(kPrefix.size()) : uuid;
}

bool mayName(const Partner& partner, std::string_view sender) {
  if (sender == partner.contact.hsaId || sender == partner.contact.endpoint) return true;
  for (const auto& allowed : partner.senders) {
    if (allowed == sender) return true;
  }
  return false;
}

// "<HSA-id of the source system>#<local id>" (RIVTA TKB 2.2): the first part.
std::string_view sourceOf(std::string_view id) {
  return id.substr(0, id.find('#'));
}

const Error kForbiddenSender =
    fail(Code::Forbidden,
         "the sender named in the payload is not the authenticated partner; send with that partner's own token");

}  // namespace

store::Id transferIdOf(std::string_view partner, std::string_view caseKey) {
  return crypto::uuidV5(kTransferSpace, std::string(partner) + '\n' + std::string(caseKey));
}

Receptionist::Receptionist(store::Store& store, Clock& clock, Random& random, std::function<void()> accepted,
                           std::function<void(const Judgement&)> judged)
    : store_(store), clock_(clock), random_(random), accepted_(std::move(accepted)), judged_(std::move(judged)) {}

Reception Receptionist::record(const Configuration& configuration, Submission submission) {
  Reception reception;
  const auto found = configuration.channels.find(std::string(submission.channel));
  if (found == configuration.channels.end()) {
    reception.verdict = Verdict::NoChannel;
    return reception;
  }
  const Channel& channel = found->second;
  const Partner* partner = configuration.partner(submission.principal->partner);
  if (partner == nullptr) {
    reception.verdict = Verdict::Forbidden;
    return reception;
  }

  fhir::ReadOptions options;
  options.type = channel.model;
  auto read = fhir::readJson(submission.body, configuration.schema(), options, reception.issues);
  if (!read.ok()) {
    reception.verdict = verdictOf(reception.issues, read.error());
    return reception;
  }
  const fhir::Document& record = *read;
  configuration.validator->validate(record, reception.issues, configuration.validation);
  checkIdentifiers(record, channel, sweden::civilDate(clock_.now()), reception.issues);
  const auto businessId = scalar(record, channel.idPath, "its id", reception.issues);
  const auto versionText = scalar(record, channel.versionPath, "its version", reception.issues);
  const auto caseKey = scalar(record, channel.casePath, "the referral's id", reception.issues);
  if (reception.issues.hasErrors()) {
    reception.verdict = Verdict::Refused;
    return reception;
  }
  if (!channel.senderPath.empty() &&
      !mayName(*partner, sourceOf(fhir::valueAt(record, record.root(), channel.senderPath)))) {
    reception.verdict = Verdict::Forbidden;
    reception.issues.error("forbidden", "sender-not-authenticated", kForbiddenSender.message, channel.senderPath);
    return reception;
  }

  store::AcceptItem item;
  item.record.id = uuidV7(clock_.now(), random_);
  item.record.transfer = transferIdOf(partner->id, caseKey);
  item.record.kind = channel.kind;
  item.record.partner = partner->id;
  item.record.channel = channel.id;
  item.record.digest = fhir::canonicalDigest(record);
  item.record.businessId = businessId;
  std::from_chars(versionText.data(), versionText.data() + versionText.size(), item.record.version);
  item.record.key =
      submission.key.empty() ? channel.id + "|" + businessId + "|" + versionText : std::string(submission.key);
  item.record.mediaType = std::string(submission.mediaType);
  item.record.body = std::move(submission.body);
  item.record.receivedAt = clock_.now();
  item.record.configRevision = configuration.revision;
  item.caseKey = caseKey;
  item.voidsReleases = channel.voidsReleases;
  item.answerStatus = 202;
  item.answerBody = ackBody(item.record);
  item.audit.push_back(
      {item.record.receivedAt, partner->id, "record-accepted", item.record.transfer, item.record.id,
       members({{"kind", store::name(channel.kind)}, {"channel", channel.id}, {"version", versionText}})});
  return commit(std::move(item), std::move(reception));
}

Reception Receptionist::message(const Configuration& configuration, Submission submission) {
  Reception reception;
  const Partner* partner = configuration.partner(submission.principal->partner);
  if (partner == nullptr) {
    reception.verdict = Verdict::Forbidden;
    return reception;
  }
  fhir::ReadOptions options;
  options.type = configuration.schema()->findType("Bundle");
  auto read = fhir::readJson(submission.body, configuration.schema(), options, reception.issues);
  if (!read.ok()) {
    reception.verdict = verdictOf(reception.issues, read.error());
    return reception;
  }
  const fhir::Document& bundle = *read;
  const auto judgement =
      judge(configuration, bundle, Direction::In, partner, messageKind(configuration, bundle), {}, reception.issues);
  judged_(judgement);
  const fhir::Element* header = fhir::firstResource(bundle, bundle.root(), "MessageHeader");
  if (header == nullptr || fhir::valueAt(bundle, bundle.root(), "type") != "message") {
    reception.issues.error("structure", "not-a-message",
                           "$process-message takes a Bundle of type message whose first entry is a MessageHeader",
                           "Bundle");
  }
  if (reception.issues.hasErrors()) {
    reception.verdict = Verdict::Refused;
    return reception;
  }
  const auto endpoint = fhir::valueAt(bundle, header, "source.endpoint");
  const auto sender = fhir::valueAt(bundle, header, "sender.identifier.value");
  if (!mayName(*partner, endpoint) || (!sender.empty() && !mayName(*partner, sender))) {
    reception.verdict = Verdict::Forbidden;
    reception.issues.error("forbidden", "sender-not-authenticated", kForbiddenSender.message,
                           "Bundle.entry[0].resource.source.endpoint");
    return reception;
  }
  const std::string headerId(fhir::valueAt(bundle, header, "id"));
  if (headerId.empty()) {
    reception.verdict = Verdict::Refused;
    reception.issues.error("required", "message-id", "MessageHeader.id is needed: it is the identity of the message",
                           "Bundle.entry[0].resource.id");
    return reception;
  }

  store::AcceptItem item;
  const Instant now = clock_.now();
  item.record.id = uuidV7(now, random_);
  item.record.kind = store::RecordKind::Message;
  item.record.partner = partner->id;
  item.record.channel = "process-message";
  item.record.digest = fhir::canonicalDigest(bundle);
  item.record.businessId = headerId;
  item.record.key = headerId;
  item.record.mediaType = std::string(submission.mediaType);
  item.record.receivedAt = now;
  item.record.configRevision = configuration.revision;
  item.caseKey = headerId;
  item.answerStatus = 200;

  if (const auto acknowledgement = acknowledgementIn(bundle)) {
    // The case of an acknowledgement is that of the delivery it names; the store binds the two (partner and message
    // id).
    item.record.kind = store::RecordKind::Acknowledgement;
    item.acknowledgement =
        store::AckEffect{std::string(strip(acknowledgement->request)), store::DeliveryState::Done, now, {}};
    if (acknowledgement->code == AckCode::TransientError) {
      item.acknowledgement->to = store::DeliveryState::Ready;
      item.acknowledgement->dueAt = now + std::chrono::seconds(30);
      item.acknowledgement->reason = reason::kTransientAcknowledgement;
    } else if (acknowledgement->code == AckCode::FatalError) {
      item.acknowledgement->to = store::DeliveryState::Parked;
      item.acknowledgement->reason = reason::kFatalAcknowledgement;
    }
    item.answerStatus = 202;  // an acknowledgement is never acknowledged
  } else {
    item.record.transfer = transferIdOf(partner->id, headerId);
    AnswerHeader answer;
    answer.messageId = uuidV7(now, random_);
    answer.bundleId = uuidV7(now, random_);
    answer.request = headerId;
    answer.requestEndpoint = std::string(endpoint);
    answer.eventSystem = std::string(fhir::valueAt(bundle, header, "event.system"));
    answer.eventCode = std::string(fhir::valueAt(bundle, header, "event.code"));
    answer.eventUri = std::string(fhir::valueAt(bundle, header, "event"));
    answer.at = now;
    item.answerBody = positiveAnswer(configuration, answer);
  }
  item.audit.push_back({now, partner->id, item.acknowledgement ? "acknowledgement-received" : "message-accepted",
                        item.record.transfer, item.record.id, members({{"messageId", headerId}})});
  if (!reception.issues.empty()) item.record.issues = fhir::operationOutcome(reception.issues);
  if (judgement.judged == Judged::Warned) {
    item.audit.push_back({now, "gateway", "validation-warned", item.record.transfer, item.record.id,
                          auditDetail(judgement.kind, &judgement.found)});
  }
  item.record.body = std::move(submission.body);
  return commit(std::move(item), std::move(reception));
}

Reception Receptionist::commit(store::AcceptItem item, Reception reception) {
  auto accepted = store_.accept(std::move(item));
  if (!accepted.ok()) {
    reception.verdict = Verdict::Unavailable;
    return reception;
  }
  if (!accepted->stands()) {
    reception.verdict = Verdict::Conflict;
    reception.issues.error("duplicate", "key-reused",
                           "this idempotency key was used before with other content; use a new key or version");
    return reception;
  }
  reception.accepted = std::move(*accepted);
  if (!reception.accepted.isRepeat()) accepted_();
  return reception;
}

}  // namespace lotsen::service
