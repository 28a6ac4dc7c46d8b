#include "gateway/store/rules.h"

#include "gateway/base/random.h"

#include <algorithm>
#include <unordered_set>

namespace lotsen::store {

namespace {

Error invalid(std::string what) {
  return fail(Code::Invalid, std::move(what));
}

Status checkCreated(const Delivery& delivery, const Id& transfer) {
  if (!isUuid(delivery.id)) return invalid("delivery id is not a UUID: " + delivery.id);
  if (delivery.transfer != transfer) return invalid("delivery " + delivery.id + " names another transfer");
  if (delivery.endpoint.empty() || delivery.partner.empty()) {
    return invalid("delivery " + delivery.id + " has no endpoint or no partner");
  }
  const bool ready = delivery.state == DeliveryState::Ready;
  if (!ready && delivery.state != DeliveryState::Held && delivery.state != DeliveryState::Parked) {
    return invalid("delivery " + delivery.id + " cannot be created as " + std::string(name(delivery.state)));
  }
  if (ready == delivery.body.empty()) {
    return invalid("delivery " + delivery.id + ": Ready needs a body, Held and Parked may not have one");
  }
  for (const Id& before : delivery.after) {
    if (!isUuid(before)) return invalid("delivery " + delivery.id + " waits for something that is not a UUID");
  }
  return done();
}

}  // namespace

bool isFinished(DeliveryState state) {
  return state == DeliveryState::Done || state == DeliveryState::Cancelled;
}

bool isHead(DeliveryState state) {
  switch (state) {
    case DeliveryState::Ready:
    case DeliveryState::Leased:
    case DeliveryState::Awaiting:
    case DeliveryState::Resolving:
    case DeliveryState::Parked: return true;
    default: return false;
  }
}

bool hasDueTime(DeliveryState state) {
  return state == DeliveryState::Ready || state == DeliveryState::Resolving || state == DeliveryState::Awaiting;
}

DeliveryState afterLostLease(bool sending, bool resolving) {
  return sending || resolving ? DeliveryState::Resolving : DeliveryState::Ready;
}

Novelty judgeNovelty(const AcceptItem& item, const std::optional<std::string>& digest,
                     const std::optional<std::string>& envelopeKey) {
  if (digest && !digest->empty() && *digest != item.record.digest) return Novelty::KeyReused;
  if (envelopeKey && *envelopeKey != item.record.key) return Novelty::EnvelopeReused;
  if (!digest) return Novelty::New;
  return item.envelope.empty() || envelopeKey ? Novelty::Repeat : Novelty::Resent;
}

AckResult judgeAcknowledgement(DeliveryState state, bool everSent, DeliveryState to) {
  if (!everSent) return AckResult::Unknown;
  if (state == DeliveryState::Parked && to != DeliveryState::Done) return AckResult::Late;
  // Ready after a lost or negative answer: the transient acknowledgement only moves the next attempt.
  if (state == DeliveryState::Ready && to == DeliveryState::Ready) return AckResult::Applied;
  return mayGo(state, to) ? AckResult::Applied : AckResult::Late;
}

bool mayChange(DeliveryState to, DeliveryState state, bool dependenciesFinished) {
  if (to == DeliveryState::Cancelled) return mayGo(state, to);
  return state == DeliveryState::Held && (to == DeliveryState::Parked || dependenciesFinished);
}

namespace {

Intervening judgeRelease(const Standing& standing) {
  const bool byPerson = standing.reason == kParkedByPerson;
  if (standing.state == DeliveryState::Queued && byPerson) return {Intervened::Applied, DeliveryState::Queued};
  if (standing.state != DeliveryState::Parked) return {Intervened::UnderWay};
  if (standing.reason == kParkedUnresolved) return {Intervened::Applied, DeliveryState::Resolving};
  if (!byPerson) return {Intervened::ParkedByGateway};
  return {Intervened::Applied, standing.hasPlace ? DeliveryState::Ready : DeliveryState::Held};
}

Intervening judgePark(const Standing& standing) {
  switch (standing.state) {
    case DeliveryState::Parked: return {Intervened::ParkedAlready};
    case DeliveryState::Resolving: return {Intervened::Applied, DeliveryState::Parked, kParkedUnresolved};
    case DeliveryState::Queued:
      if (standing.reason == kParkedByPerson) return {Intervened::ParkedAlready};
      return {Intervened::Applied, DeliveryState::Queued, kParkedByPerson};
    default: return {Intervened::Applied, DeliveryState::Parked, kParkedByPerson};
  }
}

}  // namespace

Intervening judgeIntervention(Verb verb, const Standing& standing) {
  switch (standing.state) {
    case DeliveryState::Done: return {Intervened::HasIt};
    case DeliveryState::Cancelled: return {Intervened::Ended};
    case DeliveryState::Leased: return {Intervened::Leased};
    case DeliveryState::Awaiting:
      if (verb == Verb::Confirm) break;
      return {Intervened::HasIt};
    default: break;
  }
  switch (verb) {
    case Verb::Resend:
      if (standing.state != DeliveryState::Parked) return {Intervened::UnderWay};
      return {Intervened::Applied, standing.hasPlace ? DeliveryState::Ready : DeliveryState::Held};
    case Verb::Release: return judgeRelease(standing);
    case Verb::Park: return judgePark(standing);
    case Verb::Cancel:
      if (standing.state == DeliveryState::Resolving) return {Intervened::Unresolved};
      return {Intervened::Applied, DeliveryState::Cancelled, kCancelledByPerson};
    case Verb::Confirm: break;
  }
  if (!standing.everSent) return {Intervened::NeverSent};
  return {Intervened::Applied, DeliveryState::Done};
}

DeliveryState promotedTo(std::string_view reason) {
  return reason == kParkedByPerson ? DeliveryState::Parked : DeliveryState::Ready;
}

Status checkAudit(const std::vector<AuditEntry>& entries) {
  for (const AuditEntry& entry : entries) {
    if (!entry.subject.empty() && !isUuid(entry.subject)) {
      return invalid("the subject of audit entry " + entry.action + " is not a UUID");
    }
  }
  return done();
}

Status checkAccept(const AcceptItem& item) {
  const Record& record = item.record;
  if (!isUuid(record.id)) return invalid("record id is not a UUID: " + record.id);
  if (record.transfer.empty() ? !item.acknowledgement : !isUuid(record.transfer)) {
    return invalid("record " + record.id + ": transfer id is not a UUID: " + record.transfer);
  }
  if (record.partner.empty() || record.key.empty()) return invalid("record " + record.id + " has no partner or no key");
  LOTSEN_TRY_DO(checkAudit(item.audit));
  if (item.acknowledgement) {
    const DeliveryState to = item.acknowledgement->to;
    if (to != DeliveryState::Done && to != DeliveryState::Ready && to != DeliveryState::Parked) {
      return invalid("an acknowledgement cannot lead to " + std::string(name(to)));
    }
  }
  return done();
}

Status checkChange(const TransferChange& change) {
  LOTSEN_TRY_DO(checkAudit(change.audit));
  std::unordered_set<std::string_view> ids;
  for (const Delivery& delivery : change.created) {
    LOTSEN_TRY_DO(checkCreated(delivery, change.id));
    if (!ids.insert(delivery.id).second) return invalid("delivery " + delivery.id + " is created twice");
  }
  for (const DeliveryChange& each : change.changed) {
    if (!ids.insert(each.id).second) return invalid("delivery " + each.id + " is changed twice");
    if (each.to != DeliveryState::Ready && each.to != DeliveryState::Parked && each.to != DeliveryState::Cancelled) {
      return invalid("delivery " + each.id + " cannot be changed to " + std::string(name(each.to)));
    }
    if ((each.to == DeliveryState::Ready) == each.body.empty()) {
      return invalid("delivery " + each.id + " gets its bytes when it becomes Ready, and only then");
    }
  }
  for (const Release& release : change.releases) {
    if ((!release.consentRecord.empty() && !isUuid(release.consentRecord)) ||
        (!release.btfRecord.empty() && !isUuid(release.btfRecord))) {
      return invalid("the release of delivery " + release.delivery + " names a record that is not a UUID");
    }
  }
  return done();
}

Status checkEnds(const std::vector<AttemptEnd>& ends) {
  for (const AttemptEnd& end : ends) {
    LOTSEN_TRY_DO(checkAudit(end.audit));
    if (!mayGo(DeliveryState::Leased, end.to)) {
      return invalid("an attempt of delivery " + end.delivery + " cannot end as " + std::string(name(end.to)));
    }
  }
  return done();
}

Status checkCursor(const Id& after) {
  if (!after.empty() && !isUuid(after)) return invalid("the cursor is not a UUID: " + after);
  return done();
}

Status checkFilter(const RecordFilter& filter) {
  return checkCursor(filter.after);
}

Status checkFilter(const DeliveryFilter& filter) {
  return checkCursor(filter.after);
}

Status checkInterventions(const std::vector<Intervention>& interventions) {
  for (const Intervention& each : interventions) LOTSEN_TRY_DO(checkAudit({each.audit}));
  return done();
}

bool fits(const DeliveryFilter& filter, const Delivery& delivery) {
  const auto& states = filter.states;
  return (states.empty() || std::find(states.begin(), states.end(), delivery.state) != states.end()) &&
         (filter.partner.empty() || delivery.partner == filter.partner) &&
         (filter.endpoint.empty() || delivery.endpoint == filter.endpoint) &&
         (filter.reason.empty() || delivery.reason == filter.reason) &&
         (!filter.role || delivery.role == *filter.role) &&
         (filter.transfer.empty() || delivery.transfer == filter.transfer) &&
         (!filter.createdBefore || delivery.createdAt < *filter.createdBefore);
}

bool fits(const RecordFilter& filter, const Record& record) {
  return (filter.channel.empty() || record.channel == filter.channel) &&
         (!filter.state || record.state == *filter.state) &&
         (filter.mapHash.empty() || record.mapHash == filter.mapHash) &&
         (!filter.from || record.receivedAt >= *filter.from) && (!filter.until || record.receivedAt < *filter.until);
}

AuditEntry resentEntry(const AcceptItem& item, const Id& record) {
  return {item.record.receivedAt, item.record.partner, "message-resent", {}, record, "{}"};
}

std::optional<Instant> endOfTransfer(const Standstill& stands) {
  const bool ended = stands.state == TransferState::Completed || stands.state == TransferState::Withdrawn;
  if (!ended || stands.due || stands.leased || stands.unfinished) return std::nullopt;
  return stands.last;
}

namespace {

std::string hexOf(const crypto::Digest256& hash) {
  return crypto::hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace

AuditEntry auditAnchor(Instant at) {
  return {at, "", std::string(kAuditAnchor), {}, {}, ""};
}

AuditEntry auditCut(const crypto::Digest256& anchor, std::size_t rows, Instant now) {
  return {now, "gateway", std::string(kAuditCut),
          {},  {},        "{\"rows\":" + std::to_string(rows) + ",\"hash\":\"" + hexOf(anchor) + "\"}"};
}

Status checkAnchor(const crypto::Digest256& anchor, std::string_view newestCut) {
  if (newestCut.find("\"" + hexOf(anchor) + "\"") != std::string_view::npos) return done();
  return fail(Code::Corrupt, "the head of the audit was cut, and the audit does not tell of it");
}

AuditEntry overdueEntry(const Id& delivery, Instant now) {
  return {now, "gateway", "acknowledgement-overdue", {}, delivery, "{}"};
}

Error notPaused(std::string_view endpoint) {
  return fail(Code::NotFound, "endpoint " + std::string(endpoint) + " is not paused");
}

Error beingThoughtAbout(const Id& transfer) {
  return fail(Code::Busy, "transfer " + transfer + " is being thought about; try again in a moment");
}

Error staleWork(const Id& transfer) {
  return fail(Code::Conflict, "transfer " + transfer + " is not claimed under this token any more; drop the work");
}

Error oldIncarnation(const Owner& owner) {
  return fail(Code::Conflict, "node " + owner.node + " has a newer incarnation than " + std::to_string(owner.epoch) +
                                  "; this one must stop");
}

}  // namespace lotsen::store
