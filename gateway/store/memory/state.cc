#include "gateway/store/memory/state.h"

#include "gateway/base/random.h"
#include "gateway/store/rules.h"

#include <algorithm>

namespace lotsen::store {

void MemoryStore::State::write(const Id& transfer, std::vector<AuditEntry> entries) {
  for (AuditEntry& entry : entries) {
    entry.transfer = transfer;
    const crypto::Digest256 previous = audit.empty() ? crypto::Digest256{} : audit.back().hash;
    const crypto::Digest256 hash = auditHash(previous, entry);
    audit.push_back({std::move(entry), hash});
  }
}

bool MemoryStore::State::isCurrent(const Owner& owner) const {
  const auto found = epochs.find(owner.node);
  return found != epochs.end() && found->second == owner.epoch;
}

std::optional<Accepted> MemoryStore::State::seen(const AcceptItem& item) const {
  const auto key = keys.find({item.record.partner, item.record.key});
  const auto envelope = envelopes.find({item.record.partner, item.envelope});
  std::optional<std::string> digest, envelopeKey;
  if (key != keys.end()) digest = key->second.digest;
  if (envelope != envelopes.end()) envelopeKey = envelope->second.key;
  Accepted found;
  found.novelty = judgeNovelty(item, digest, envelopeKey);
  if (found.novelty == Novelty::New) return std::nullopt;
  const auto first = found.novelty == Novelty::EnvelopeReused ? keys.find({item.record.partner, *envelopeKey}) : key;
  if (first == keys.end()) return found;
  found.record = first->second.record;
  found.transfer = first->second.transfer;
  if (!found.stands()) return found;
  found.answerStatus = first->second.answerStatus;
  found.answerBody = first->second.answerBody;
  return found;
}

void MemoryStore::State::markDue(const Id& id, Instant at) {
  StoredTransfer& row = transfers.at(id);
  row.due = row.due ? std::min(*row.due, at) : at;
  ++row.arrivals;
}

bool MemoryStore::State::claimable(const StoredDelivery& row) const {
  const DeliveryState state = row.delivery.state;
  return (state == DeliveryState::Ready || state == DeliveryState::Resolving) &&
         (!row.delivery.needsRelease || row.release);
}

std::vector<MemoryStore::State::StoredDelivery*> MemoryStore::State::lane(const Id& transfer,
                                                                          std::string_view endpoint) {
  std::vector<StoredDelivery*> found;
  for (const Id& id : transfers.at(transfer).deliveries) {
    StoredDelivery& row = deliveries.at(id);
    if (row.delivery.endpoint == endpoint && row.delivery.sequence > 0) found.push_back(&row);
  }
  std::sort(found.begin(), found.end(), [](const StoredDelivery* a, const StoredDelivery* b) {
    return a->delivery.sequence < b->delivery.sequence;
  });
  return found;
}

void MemoryStore::State::enterLane(StoredDelivery& row, Instant now) {
  std::int64_t last = 0;
  bool busy = false;
  for (const StoredDelivery* other : lane(row.delivery.transfer, row.delivery.endpoint)) {
    last = other->delivery.sequence;
    busy = busy || !isFinished(other->delivery.state);
  }
  row.delivery.sequence = last + 1;
  row.delivery.placedAt = now;
  row.delivery.state = busy ? DeliveryState::Queued : DeliveryState::Ready;
}

bool MemoryStore::State::promote(const Id& transfer, std::string_view endpoint, Instant now) {
  for (StoredDelivery* row : lane(transfer, endpoint)) {
    if (isHead(row->delivery.state)) return false;
    if (row->delivery.state == DeliveryState::Queued) {
      row->delivery.state = promotedTo(row->delivery.reason);
      if (row->delivery.state == DeliveryState::Parked) markDue(transfer, now);
      return true;
    }
  }
  return false;
}

void MemoryStore::State::go(StoredDelivery& row, DeliveryState to, Instant now) {
  Delivery& delivery = row.delivery;
  LOTSEN_CHECK(delivery.state == to || mayGo(delivery.state, to));
  delivery.state = to;
  delivery.sending = false;
  delivery.overdue = false;
  const bool tell = std::exchange(row.recheck, false) || to == DeliveryState::Done || to == DeliveryState::Parked;
  row.resolving = false;
  row.lease.reset();
  if (tell) markDue(delivery.transfer, now);
  if (isFinished(to)) {
    delivery.finishedAt = now;
    promote(delivery.transfer, delivery.endpoint, now);
  }
}

void MemoryStore::State::endAttempt(StoredDelivery& row, std::string_view outcome, Instant now) {
  Attempt& attempt = row.attempts.back();
  attempt.endedAt = now;
  attempt.outcome = outcome;
  attempt.phase = row.delivery.sending ? "send" : "connect";
}

void MemoryStore::State::loseLease(StoredDelivery& row, std::string_view outcome, Instant now) {
  endAttempt(row, outcome, now);
  row.delivery.reason = outcome;
  go(row, afterLostLease(row.delivery.sending, row.resolving), now);
}

AckResult MemoryStore::State::acknowledge(const AckEffect& effect, const std::string& partner, Instant now,
                                          Id& transfer) {
  AckResult best = AckResult::Unknown;
  StoredDelivery* chosen = nullptr;
  for (auto& [id, row] : deliveries) {
    const bool named = row.delivery.messageId == effect.messageId ||
                       (!row.delivery.bundleId.empty() && row.delivery.bundleId == effect.messageId);
    if (row.delivery.partner != partner || !named) continue;
    const AckResult verdict = judgeAcknowledgement(row.delivery.state, row.delivery.everSent, effect.to);
    if (verdict == AckResult::Unknown) continue;
    const bool better = best == AckResult::Unknown || (verdict == AckResult::Applied && best == AckResult::Late);
    if (better || (verdict == best && row.ordinal < chosen->ordinal)) {
      best = verdict;
      chosen = &row;
    }
  }
  if (chosen == nullptr) return best;
  transfer = chosen->delivery.transfer;
  if (best != AckResult::Applied) return best;
  if (chosen->delivery.state == DeliveryState::Leased) endAttempt(*chosen, kAcknowledged, now);
  if (effect.to == DeliveryState::Ready) chosen->delivery.dueAt = effect.dueAt;
  chosen->delivery.reason = effect.to == DeliveryState::Done ? "" : effect.reason;
  go(*chosen, effect.to, now);
  return best;
}

bool MemoryStore::State::dependenciesFinished(const std::vector<Id>& after) const {
  return std::all_of(after.begin(), after.end(), [this](const Id& id) {
    const auto found = deliveries.find(id);
    return found != deliveries.end() && (found->second.delivery.state == DeliveryState::Done ||
                                         found->second.delivery.state == DeliveryState::Cancelled);
  });
}

Status MemoryStore::State::check(const TransferChange& change) const {
  const auto belongs = [&](const Id& id) {
    const auto found = deliveries.find(id);
    return found != deliveries.end() && found->second.delivery.transfer == change.id;
  };
  const auto isCreated = [&](const Id& id) {
    return std::any_of(change.created.begin(), change.created.end(), [&](const Delivery& d) { return d.id == id; });
  };
  for (const RecordChange& each : change.records) {
    const auto found = records.find(each.id);
    if (found == records.end() || found->second.transfer != change.id) {
      return fail(Code::Invalid, "record " + each.id + " is not of transfer " + change.id);
    }
  }
  for (const DeliveryChange& each : change.changed) {
    if (!belongs(each.id)) return fail(Code::Invalid, "delivery " + each.id + " is not of transfer " + change.id);
  }
  for (const Delivery& each : change.created) {
    if (deliveries.contains(each.id)) return fail(Code::Invalid, "delivery " + each.id + " exists already");
    for (const Id& before : each.after) {
      if (!belongs(before) && !isCreated(before)) {
        return fail(Code::Invalid, "delivery " + each.id + " waits for " + before + ", which is not of its transfer");
      }
    }
    if (each.state == DeliveryState::Ready && !dependenciesFinished(each.after)) {
      return fail(Code::Invalid, "delivery " + each.id + " cannot be Ready: what it waits for is not Done");
    }
  }
  for (const Release& each : change.releases) {
    if (!belongs(each.delivery) && !isCreated(each.delivery)) {
      return fail(Code::Invalid, "a release names delivery " + each.delivery + ", which is not of its transfer");
    }
  }
  return done();
}

void MemoryStore::State::apply(const DeliveryChange& change, Instant now, Saved& saved) {
  StoredDelivery& row = deliveries.at(change.id);
  Delivery& delivery = row.delivery;
  if (!mayChange(change.to, delivery.state, dependenciesFinished(delivery.after))) {
    saved.skipped.push_back(change.id);
    row.recheck = delivery.state == DeliveryState::Leased;
    return;
  }
  delivery.reason = change.reason;
  if (change.to != DeliveryState::Ready) {
    go(row, change.to, now);
    return;
  }
  delivery.dueAt = now;
  if (delivery.deadlineAt != Instant{}) delivery.deadlineAt += now - delivery.createdAt;
  delivery.mediaType = change.mediaType;
  delivery.body = change.body;
  delivery.mapHash = change.mapHash;
  enterLane(row, now);
}

void MemoryStore::State::apply(const Release& release, bool voided) {
  StoredDelivery& row = deliveries.at(release.delivery);
  if (isFinished(row.delivery.state)) return;
  row.release = voided ? std::nullopt : std::optional(release);
}

Result<Saved> MemoryStore::State::save(TransferChange& change, Instant now) {
  LOTSEN_TRY_DO(checkChange(change));
  const auto found = transfers.find(change.id);
  if (found == transfers.end() || !found->second.lease || found->second.token != change.token) {
    return staleWork(change.id);
  }
  LOTSEN_TRY_DO(check(change));
  StoredTransfer& row = found->second;
  const bool arrived = row.arrivals != row.arrivalsAtClaim;
  const std::optional<Instant> dueBefore = row.due;

  Saved saved;
  for (RecordChange& each : change.records) {
    Record& record = records.at(each.id);
    record.state = each.state;
    record.reason = std::move(each.reason);
    record.issues = std::move(each.issues);
    record.canonical = std::move(each.canonical);
    record.mapHash = std::move(each.mapHash);
  }
  for (const DeliveryChange& each : change.changed) apply(each, now, saved);
  for (Delivery& each : change.created) {
    const Id id = each.id;
    StoredDelivery& stored = deliveries[id];
    stored.ordinal = ++ordinals;
    stored.delivery = std::move(each);
    stored.delivery.sequence = 0;
    stored.delivery.attempts = 0;
    stored.delivery.token = 0;
    stored.delivery.sending = stored.delivery.overdue = stored.delivery.everSent = false;
    stored.delivery.placedAt = {};
    if (stored.delivery.state == DeliveryState::Ready) enterLane(stored, now);
    row.deliveries.push_back(id);
  }
  for (const Release& each : change.releases) apply(each, row.voidedSinceClaim);
  write(change.id, std::move(change.audit));

  row.transfer.state = change.state;
  row.transfer.reasons = std::move(change.reasons);
  row.transfer.agreement = std::move(change.agreement);
  row.transfer.changedAt = now;
  row.due = arrived ? dueBefore : change.dueAt;
  row.lease.reset();
  return saved;
}

std::optional<Instant> MemoryStore::State::startOne(const Id& id, std::uint64_t token, Instant now) {
  const auto found = deliveries.find(id);
  if (found == deliveries.end()) return std::nullopt;
  StoredDelivery& row = found->second;
  Delivery& delivery = row.delivery;
  if (delivery.state != DeliveryState::Leased || delivery.token != token || delivery.sending) return std::nullopt;
  if (delivery.needsRelease) {
    const bool expired = row.release && now >= row.release->validUntil;
    if (!row.release || expired || now < row.release->validFrom) {
      if (expired) {
        row.release.reset();
        markDue(delivery.transfer, now);
      }
      loseLease(row, kReleaseVoid, now);
      return std::nullopt;
    }
  }
  delivery.sending = true;
  delivery.everSent = true;
  row.attempts.back().sentAt = now;
  return delivery.needsRelease ? row.release->validUntil : Instant::max();
}

/// False: the token is stale.
bool MemoryStore::State::endOne(AttemptEnd& end, Instant now) {
  const auto found = deliveries.find(end.delivery);
  if (found == deliveries.end() || found->second.delivery.state != DeliveryState::Leased ||
      found->second.delivery.token != end.token) {
    return false;
  }
  StoredDelivery& row = found->second;
  Attempt& attempt = row.attempts.back();
  attempt.endedAt = now;
  attempt.outcome = std::move(end.outcome);
  attempt.httpStatus = end.httpStatus;
  attempt.phase = std::move(end.phase);
  attempt.responseDigest = std::move(end.responseDigest);
  row.delivery.reason = end.to == DeliveryState::Done ? "" : std::move(end.reason);
  if (hasDueTime(end.to)) row.delivery.dueAt = end.dueAt;
  write(row.delivery.transfer, std::move(end.audit));
  go(row, end.to, now);
  return true;
}

}  // namespace lotsen::store
