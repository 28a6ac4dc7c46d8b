// A message comes in at $process-message: reception.h for messages.
#include "gateway/service/acknowledgement.h"
#include "gateway/service/notes.h"
#include "gateway/service/reasons.h"
#include "gateway/service/reception_steps.h"

namespace lotsen::service {

namespace {

constexpr auto kSendAgainAfter = std::chrono::seconds(30);

using fhir::Document;
using fhir::Element;

void checkFocus(const Document& bundle, const Element* header, std::string_view wanted, fhir::Issues& issues) {
  const Element* first = child(bundle, header, "focus");
  bool fits = first != nullptr;
  for (const Element* focus = first; focus != nullptr && focus->name == first->name; focus = focus->next) {
    const Element* found = fhir::resolve(bundle, focus, fhir::valueAt(bundle, focus, "reference"));
    fits = fits && found != nullptr && found->type == bundle.schema().findType(wanted);
  }
  if (fits) return;
  issues.error("business-rule", "focus", "MessageHeader.focus must be a " + std::string(wanted) + " of this message",
               "Bundle.entry[0].resource.focus");
}

/// What an acknowledgement does to the delivery that it names. `unknown`: the partner's dictionary has no word for it.
store::AckEffect effectOf(const Personality& personality, const Acknowledgement& acknowledgement, Instant now,
                          bool& unknown) {
  store::AckEffect effect{acknowledgement.request, store::DeliveryState::Parked, now, {}};
  const auto outcome = meaningOf(personality, acknowledgement);
  unknown = !outcome;
  if (!outcome) {
    effect.reason = reason::kUnknownAcknowledgement;
  } else if (*outcome == queue::Outcome::Done) {
    effect.to = store::DeliveryState::Done;
  } else if (*outcome == queue::Outcome::Park) {
    effect.reason = reason::kFatalAcknowledgement;
  } else {
    effect.to = store::DeliveryState::Ready;
    effect.dueAt = now + kSendAgainAfter;
    effect.reason = reason::kTransientAcknowledgement;
  }
  return effect;
}

void removeAll(Document& document, Element* parent, std::string_view name) {
  if (Element* found = child(parent, document.schema().findName(name))) document.remove(found);
}

/// The digest of what the message says: of the Bundle without its id and time, which are the envelope's; for those who
/// tell the time of sending in the Provenance of the MessageHeader, without that too. Takes these out of `bundle`.
std::string contentDigest(Document& bundle, std::string_view headerId, bool sentTimeInProvenance) {
  removeAll(bundle, bundle.root(), "id");
  removeAll(bundle, bundle.root(), "timestamp");
  const auto provenance = bundle.schema().findType("Provenance");
  Element* first = child(bundle.root(), bundle.schema().findName("entry"));
  for (Element* entry = first; sentTimeInProvenance && entry != nullptr && entry->name == first->name;
       entry = entry->next) {
    Element* resource = child(entry, bundle.schema().findName("resource"));
    if (resource == nullptr || resource->type != provenance) continue;
    if (!fhir::valueAt(bundle, resource, "target.reference").ends_with(headerId)) continue;
    removeAll(bundle, resource, "occurred");
    removeAll(bundle, resource, "recorded");
  }
  return fhir::canonicalDigest(bundle);
}

AnswerHeader answerTo(const Document& bundle, const Element* header, Random& random, Instant now) {
  AnswerHeader answer;
  answer.messageId = uuidV7(now, random);
  answer.bundleId = uuidV7(now, random);
  answer.request = fhir::valueAt(bundle, header, "id");
  answer.requestEndpoint = fhir::valueAt(bundle, header, "source.endpoint");
  answer.eventSystem = fhir::valueAt(bundle, header, "event.system");
  answer.eventCode = fhir::valueAt(bundle, header, "event.code");
  answer.eventUri = fhir::valueAt(bundle, header, "event");
  answer.at = now;
  return answer;
}

/// What can be refused without reading the message; true if it was.
bool refusedUnread(const Personality& personality, const Submission& submission, Reception& reception) {
  if (submission.body.size() > personality.sizeLimit) {
    reception.verdict = Verdict::TooLarge;
    reception.issues.error(
        "too-long", "message-size",
        "this partner's messages may have " + std::to_string(personality.sizeLimit >> 20) + " MiB at most");
    return true;
  }
  if (!personality.demandsIds || (isUuid(submission.key) && isUuid(submission.correlation))) return false;
  reception.verdict = Verdict::Malformed;
  reception.issues.error("required", "request-ids",
                         "the headers X-Request-Id and X-Correlation-Id are needed, each a UUID");
  return true;
}

/// What the header must have beside what validation asks of every message; true if it may not come from this partner.
bool refusedByHeader(const Partner& partner, const Document& bundle, const Element* header, bool isAcknowledgement,
                     Reception& reception) {
  if (fhir::valueAt(bundle, header, "id").empty()) {
    reception.issues.error("required", "message-id", "MessageHeader.id is needed: it is the identity of the message",
                           "Bundle.entry[0].resource.id");
  }
  const std::string& focus = partner.personality.focus;
  if (!focus.empty() && !isAcknowledgement) checkFocus(bundle, header, focus, reception.issues);
  if (reception.issues.hasErrors()) return false;
  const auto endpoint = fhir::valueAt(bundle, header, "source.endpoint");
  const auto sender = fhir::valueAt(bundle, header, "sender.identifier.value");
  if (mayName(partner, endpoint) && (sender.empty() || mayName(partner, sender))) return false;
  refuseSender(reception, "Bundle.entry[0].resource.source.endpoint");
  return true;
}

store::AcceptItem itemOf(const Partner& partner, const Document& bundle, std::string headerId,
                         const Submission& submission, const Configuration& configuration, Instant now) {
  store::AcceptItem item;
  item.record.kind = store::RecordKind::Message;
  item.record.partner = partner.id;
  item.record.channel = "process-message";
  item.record.businessId = headerId;
  item.record.key = headerId;
  item.record.mediaType = std::string(submission.mediaType);
  item.record.receivedAt = now;
  item.record.configRevision = configuration.revision;
  item.caseKey = std::move(headerId);
  item.envelope = fhir::valueAt(bundle, bundle.root(), "id");
  item.answerStatus = 200;
  return item;
}

}  // namespace

Reception Receptionist::message(const Configuration& configuration, Submission submission) {
  Reception reception;
  const Partner* partner = configuration.partner(submission.principal->partner);
  if (partner == nullptr) {
    reception.verdict = Verdict::Forbidden;
    return reception;
  }
  const Personality& personality = partner->personality;
  if (refusedUnread(personality, submission, reception)) return reception;
  fhir::ReadOptions options;
  options.type = configuration.schema()->findType("Bundle");
  options.maxBytes = personality.sizeLimit;
  auto read = fhir::readJson(submission.body, configuration.schema(), options, reception.issues);
  if (!read.ok()) {
    reception.verdict = verdictOf(reception.issues, read.error());
    return reception;
  }
  Document& bundle = *read;
  const auto judgement =
      judge(configuration, bundle, Direction::In, partner, messageKind(configuration, bundle), {}, reception.issues);
  judged_(judgement);
  const Element* header = fhir::firstResource(bundle, bundle.root(), "MessageHeader");
  if (header == nullptr || fhir::valueAt(bundle, bundle.root(), "type") != "message") {
    reception.issues.error("structure", "not-a-message",
                           "$process-message takes a Bundle of type message whose first entry is a MessageHeader",
                           "Bundle");
    reception.verdict = Verdict::Refused;
    return reception;
  }
  const auto acknowledgement = acknowledgementIn(bundle);
  if (refusedByHeader(*partner, bundle, header, acknowledgement.has_value(), reception)) return reception;

  const std::string headerId(fhir::valueAt(bundle, header, "id"));
  const Instant now = clock_.now();
  store::AcceptItem item = itemOf(*partner, bundle, headerId, submission, configuration, now);
  item.record.id = uuidV7(now, random_);
  if (acknowledgement) {
    // The case of an acknowledgement is that of the delivery it names; the store binds the two (partner and message
    // id).
    item.record.kind = store::RecordKind::Acknowledgement;
    item.acknowledgement = effectOf(personality, *acknowledgement, now, reception.isUnknownCode);
    item.answerStatus = 202;  // an acknowledgement is never acknowledged
    reception.isAcknowledgement = true;
  } else {
    item.record.transfer = transferIdOf(partner->id, headerId);
    item.answerBody = positiveAnswer(configuration, answerTo(bundle, header, random_, now));
  }
  item.record.digest = contentDigest(bundle, headerId, personality.sentTimeInProvenance);
  if (reception.issues.hasErrors()) return refuse(item, personality, std::move(reception));

  item.audit.push_back({now, partner->id, item.acknowledgement ? "acknowledgement-received" : "message-accepted",
                        item.record.transfer, item.record.id, members({{"messageId", headerId}})});
  if (!reception.issues.empty()) item.record.issues = fhir::operationOutcome(reception.issues);
  if (judgement.judged == Judged::Warned) {
    item.audit.push_back({now, "gateway", "validation-warned", item.record.transfer, item.record.id,
                          auditDetail(judgement.kind, &judgement.found)});
  }
  item.record.body = std::move(submission.body);
  return commit(std::move(item), personality, std::move(reception));
}

}  // namespace lotsen::service
