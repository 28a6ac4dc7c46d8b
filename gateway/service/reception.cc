#include "gateway/service/reception.h"

#include "gateway/crypto/digest.h"
#include "gateway/json/writer.h"
#include "gateway/service/acknowledgement.h"
#include "gateway/service/identifiers.h"
#include "gateway/service/reception_steps.h"

#include <charconv>

namespace lotsen::service {

namespace {

// Namespace of transfer ids: any fixed UUID will do, and it must never change.
constexpr std::string_view kTransferSpace = "6f1f3f64-0a0e-5a3b-9d0a-5c1d3f0e7a10";

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

// "<HSA-id of the source system>#<local id>" (RIVTA TKB 2.2): the first part.
std::string_view sourceOf(std::string_view id) {
  return id.substr(0, id.find('#'));
}

}  // namespace

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

bool mayName(const Partner& partner, std::string_view sender) {
  if (sender == partner.contact.hsaId || sender == partner.contact.endpoint) return true;
  for (const auto& allowed : partner.senders) {
    if (allowed == sender) return true;
  }
  return false;
}

void refuseSender(Reception& reception, std::string_view place) {
  reception.verdict = Verdict::Forbidden;
  reception.issues.error(
      "forbidden", "sender-not-authenticated",
      "the sender named in the payload is not the authenticated partner; send with that partner's own token",
      std::string(place));
}

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
  static const Personality kRecords;  // habits are for messages: a record's repeat always gets its answer
  if (reception.issues.hasErrors()) return refuse(item, kRecords, std::move(reception));
  if (!channel.senderPath.empty() &&
      !mayName(*partner, sourceOf(fhir::valueAt(record, record.root(), channel.senderPath)))) {
    refuseSender(reception, channel.senderPath);
    return reception;
  }
  return commit(std::move(item), kRecords, std::move(reception));
}

Reception Receptionist::commit(store::AcceptItem item, const Personality& personality, Reception reception) {
  const std::string partner = item.record.partner;
  auto accepted = store_.accept(std::move(item));
  if (accepted.ok()) return settle(partner, personality, std::move(*accepted), std::move(reception));
  reception.verdict = Verdict::Unavailable;
  return reception;
}

/// For what would not be taken today: if it was taken before, a repeat must hear so, never the opposite.
Reception Receptionist::refuse(const store::AcceptItem& item, const Personality& personality, Reception reception) {
  if (!item.record.key.empty()) {
    auto seen = store_.seen(item);
    if (!seen.ok()) {
      reception.verdict = Verdict::Unavailable;
      return reception;
    }
    if (*seen && (*seen)->isRepeat()) {
      reception.issues = {};
      return settle(item.record.partner, personality, std::move(**seen), std::move(reception));
    }
  }
  reception.verdict = Verdict::Refused;
  return reception;
}

/// Somebody uses an identity that is taken: in the audit, for a person to look at. What cannot be written now is
/// counted all the same.
void Receptionist::alert(const std::string& partner, const store::Accepted& accepted, Instant now) {
  const bool envelope = accepted.novelty == store::Novelty::EnvelopeReused;
  (void)store_.note({{now,
                      partner,
                      envelope ? "envelope-reused" : "key-reused",
                      {},
                      accepted.record,
                      members({{"security", "alert"}})}});
}

/// From what the store says of a submission to what its sender hears.
Reception Receptionist::settle(const std::string& partner, const Personality& personality, store::Accepted accepted,
                               Reception reception) {
  const Instant now = clock_.now();
  const bool takes = accepted.stands() && !(accepted.isRepeat() && personality.refusesRepeats);
  if (!takes) reception.issues = {};  // what else is to be said of it does not matter
  switch (accepted.novelty) {
    case store::Novelty::New: accepted_(); break;
    case store::Novelty::Repeat:
    case store::Novelty::Resent:
      if (!takes) {
        reception.verdict = Verdict::Duplicate;
        reception.issues.error("duplicate", "taken-before", "this message was taken before; there is nothing to do");
      } else if (accepted.novelty == store::Novelty::Resent && !accepted.answerBody.empty()) {
        accepted.answerBody = inNewEnvelope(std::move(accepted.answerBody), uuidV7(now, random_), now);
      }
      break;
    case store::Novelty::KeyReused:
      reception.verdict = Verdict::Conflict;
      reception.issues.error(
          "conflict", "key-reused",
          "this key or MessageHeader.id was used before with other content; what is new needs a new one");
      break;
    case store::Novelty::EnvelopeReused:
      reception.verdict = Verdict::Conflict;
      reception.issues.error("conflict", "envelope-reused",
                             "this Bundle.id was used before for another message; each envelope needs a new one",
                             "Bundle.id");
      break;
  }
  if (!accepted.stands()) alert(partner, accepted, now);
  reception.accepted = std::move(accepted);
  return reception;
}

}  // namespace lotsen::service
