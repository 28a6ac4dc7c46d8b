#include "gateway/store/memory/memory_store.h"

#include "gateway/base/random.h"
#include "gateway/store/memory/state.h"
#include "gateway/store/rules.h"

#include <algorithm>

namespace lotsen::store {

namespace {

Record withoutBodies(Record record) {
  record.body.clear();
  record.canonical.clear();
  return record;
}

Delivery withoutBody(Delivery delivery) {
  delivery.body.clear();
  return delivery;
}

}  // namespace

MemoryStore::MemoryStore() : state_(std::make_unique<State>()) {}
MemoryStore::~MemoryStore() = default;

std::shared_ptr<const MemoryStore::State> MemoryStore::snapshot() const {
  std::lock_guard lock(mutex_);
  return std::make_shared<const State>(*state_);
}

void MemoryStore::restore(const std::shared_ptr<const State>& state) {
  std::lock_guard lock(mutex_);
  *state_ = *state;
}

void MemoryStore::inspect(const std::function<void(const State&)>& look) const {
  std::lock_guard lock(mutex_);
  look(*state_);
}

Result<Owner> MemoryStore::openNode(std::string_view node, Instant now) {
  std::lock_guard lock(mutex_);
  Owner owner{std::string(node), ++state_->epochs[std::string(node)]};
  for (auto& [id, row] : state_->deliveries) {
    if (row.lease && row.lease->owner.node == node) state_->loseLease(row, kLeaseLost, now);
  }
  for (auto& [id, row] : state_->transfers) {
    if (row.lease && row.lease->owner.node == node) row.lease.reset();
  }
  return owner;
}

Result<Accepted> MemoryStore::accept(AcceptItem item) {
  LOTSEN_TRY_DO(checkAccept(item));
  std::lock_guard lock(mutex_);
  Record& record = item.record;
  if (const auto found = state_->keys.find({record.partner, record.key}); found != state_->keys.end()) {
    const State::StoredRecord& stored = state_->records.at(found->second);
    if (stored.record.digest != record.digest) { return otherContent(record.partner, stored.record.id); }
    return Accepted{true, stored.record.id, stored.record.transfer, stored.answerStatus, stored.answerBody, {}};
  }
  if (state_->records.contains(record.id)) return fail(Code::Invalid, "record " + record.id + " exists already");

  Accepted accepted{false, record.id, {}, item.answerStatus, item.answerBody, AckResult::None};
  if (item.acknowledgement) {
    accepted.acknowledgement =
        state_->acknowledge(*item.acknowledgement, record.partner, record.receivedAt, record.transfer);
  }
  accepted.transfer = record.transfer;
  state_->write(record.transfer, std::move(item.audit));
  state_->keys[{record.partner, record.key}] = record.id;
  if (!record.transfer.empty()) {
    auto [found, created] = state_->transfers.try_emplace(record.transfer);
    State::StoredTransfer& row = found->second;
    if (created) {
      row.ordinal = ++state_->ordinals;
      row.transfer.id = record.transfer;
      row.transfer.partner = record.partner;
      row.transfer.caseKey = item.caseKey;
      row.transfer.createdAt = row.transfer.changedAt = record.receivedAt;
    }
    row.records.push_back(record.id);
    if (record.state == RecordState::Accepted) state_->markDue(record.transfer, record.receivedAt);
    if (item.voidsReleases) {
      row.voidedSinceClaim = true;
      for (const Id& id : row.deliveries) state_->deliveries.at(id).release.reset();
    }
  }
  const Id id = record.id;
  state_->records[id] = {std::move(record), item.answerStatus, std::move(item.answerBody)};
  return accepted;
}

Result<std::vector<TransferWork>> MemoryStore::claimTransfers(const Owner& owner, std::size_t limit, Instant now,
                                                              Instant leaseUntil) {
  std::lock_guard lock(mutex_);
  if (!state_->isCurrent(owner)) return oldIncarnation(owner);
  std::vector<State::StoredTransfer*> due;
  for (auto& [id, row] : state_->transfers) {
    if (row.due && *row.due <= now && !row.lease) due.push_back(&row);
  }
  std::sort(due.begin(), due.end(), [](const State::StoredTransfer* a, const State::StoredTransfer* b) {
    return std::tie(*a->due, a->ordinal) < std::tie(*b->due, b->ordinal);
  });
  if (due.size() > limit) due.resize(limit);

  std::vector<TransferWork> works;
  for (State::StoredTransfer* row : due) {
    row->lease = State::Lease{owner, leaseUntil};
    row->arrivalsAtClaim = row->arrivals;
    row->voidedSinceClaim = false;
    TransferWork work{row->transfer, {}, {}, ++row->token};
    for (const Id& id : row->records) work.records.push_back(state_->records.at(id).record);
    for (const Id& id : row->deliveries) work.deliveries.push_back(withoutBody(state_->deliveries.at(id).delivery));
    works.push_back(std::move(work));
  }
  return works;
}

Result<Saved> MemoryStore::saveTransfer(TransferChange change, Instant now) {
  LOTSEN_TRY_DO(checkChange(change));
  std::lock_guard lock(mutex_);
  const auto found = state_->transfers.find(change.id);
  if (found == state_->transfers.end() || !found->second.lease || found->second.token != change.token) {
    return staleWork(change.id);
  }
  LOTSEN_TRY_DO(state_->check(change));
  State::StoredTransfer& row = found->second;
  const bool arrived = row.arrivals != row.arrivalsAtClaim;
  const std::optional<Instant> dueBefore = row.due;

  Saved saved;
  for (RecordChange& each : change.records) {
    Record& record = state_->records.at(each.id).record;
    record.state = each.state;
    record.reason = std::move(each.reason);
    record.issues = std::move(each.issues);
    record.canonical = std::move(each.canonical);
    record.mapHash = std::move(each.mapHash);
  }
  for (const DeliveryChange& each : change.changed) state_->apply(each, now, saved);
  for (Delivery& each : change.created) {
    const Id id = each.id;
    State::StoredDelivery& stored = state_->deliveries[id];
    stored.ordinal = ++state_->ordinals;
    stored.delivery = std::move(each);
    stored.delivery.sequence = 0;
    stored.delivery.attempts = 0;
    stored.delivery.token = 0;
    stored.delivery.sending = false;
    if (stored.delivery.state == DeliveryState::Ready) state_->enterLane(stored);
    row.deliveries.push_back(id);
  }
  for (const Release& each : change.releases) state_->apply(each, row.voidedSinceClaim);
  state_->write(change.id, std::move(change.audit));

  row.transfer.state = change.state;
  row.transfer.reasons = std::move(change.reasons);
  row.transfer.agreement = std::move(change.agreement);
  row.transfer.changedAt = now;
  row.due = arrived ? dueBefore : change.dueAt;
  row.lease.reset();
  return saved;
}

Status MemoryStore::returnTransfer(const Id& transfer, std::uint64_t token, Instant dueAt) {
  std::lock_guard lock(mutex_);
  const auto found = state_->transfers.find(transfer);
  if (found == state_->transfers.end() || !found->second.lease || found->second.token != token) {
    return staleWork(transfer);
  }
  State::StoredTransfer& row = found->second;
  if (row.arrivals == row.arrivalsAtClaim) row.due = dueAt;
  row.lease.reset();
  return done();
}

Result<std::vector<Claimed>> MemoryStore::claim(const Owner& owner, std::string_view endpoint, std::size_t limit,
                                                Instant now, Instant leaseUntil) {
  std::lock_guard lock(mutex_);
  if (!state_->isCurrent(owner)) return oldIncarnation(owner);
  std::vector<State::StoredDelivery*> due;
  for (auto& [id, row] : state_->deliveries) {
    if (row.delivery.endpoint == endpoint && row.delivery.dueAt <= now && state_->claimable(row)) due.push_back(&row);
  }
  std::sort(due.begin(), due.end(), [](const State::StoredDelivery* a, const State::StoredDelivery* b) {
    return std::tie(a->delivery.dueAt, a->ordinal) < std::tie(b->delivery.dueAt, b->ordinal);
  });

  std::vector<Claimed> claimed;
  for (State::StoredDelivery* row : due) {
    if (claimed.size() == limit) break;
    Delivery& delivery = row->delivery;
    if (delivery.needsRelease && now >= row->release->validUntil) {
      row->release.reset();
      state_->markDue(delivery.transfer, now);
      continue;
    }
    if (delivery.needsRelease && now < row->release->validFrom) {
      delivery.dueAt = row->release->validFrom;
      continue;
    }
    row->resolving = delivery.state == DeliveryState::Resolving;
    delivery.state = DeliveryState::Leased;
    delivery.sending = false;
    ++delivery.attempts;
    ++delivery.token;
    row->lease = State::Lease{owner, leaseUntil};
    Attempt attempt;
    attempt.delivery = delivery.id;
    attempt.number = delivery.attempts;
    attempt.node = owner.node;
    attempt.claimedAt = now;
    row->attempts.push_back(std::move(attempt));
    claimed.push_back({delivery, row->resolving});
  }
  return claimed;
}

Result<std::vector<Id>> MemoryStore::startSending(const std::vector<std::pair<Id, std::uint64_t>>& claimed,
                                                  Instant now) {
  std::lock_guard lock(mutex_);
  std::vector<Id> started;
  for (const auto& [id, token] : claimed) {
    const auto found = state_->deliveries.find(id);
    if (found == state_->deliveries.end()) continue;
    State::StoredDelivery& row = found->second;
    Delivery& delivery = row.delivery;
    if (delivery.state != DeliveryState::Leased || delivery.token != token || delivery.sending) continue;
    if (delivery.needsRelease) {
      const bool expired = row.release && now >= row.release->validUntil;
      if (!row.release || expired || now < row.release->validFrom) {
        if (expired) {
          row.release.reset();
          state_->markDue(delivery.transfer, now);
        }
        state_->loseLease(row, kReleaseVoid, now);
        continue;
      }
    }
    delivery.sending = true;
    row.everSent = true;
    row.attempts.back().sentAt = now;
    started.push_back(id);
  }
  return started;
}

Result<std::vector<Id>> MemoryStore::finish(std::vector<AttemptEnd> ends, Instant now) {
  LOTSEN_TRY_DO(checkEnds(ends));
  std::lock_guard lock(mutex_);
  std::vector<Id> stale;
  for (AttemptEnd& end : ends) {
    const auto found = state_->deliveries.find(end.delivery);
    if (found == state_->deliveries.end() || found->second.delivery.state != DeliveryState::Leased ||
        found->second.delivery.token != end.token) {
      stale.push_back(end.delivery);
      continue;
    }
    State::StoredDelivery& row = found->second;
    Attempt& attempt = row.attempts.back();
    attempt.endedAt = now;
    attempt.outcome = std::move(end.outcome);
    attempt.httpStatus = end.httpStatus;
    attempt.phase = std::move(end.phase);
    attempt.responseDigest = std::move(end.responseDigest);
    row.delivery.reason = end.to == DeliveryState::Done ? "" : std::move(end.reason);
    if (end.to == DeliveryState::Ready || end.to == DeliveryState::Resolving) row.delivery.dueAt = end.dueAt;
    state_->write(row.delivery.transfer, std::move(end.audit));
    state_->go(row, end.to, now);
  }
  return stale;
}

Result<std::size_t> MemoryStore::expireLeases(Instant now) {
  std::lock_guard lock(mutex_);
  std::size_t expired = 0;
  for (auto& [id, row] : state_->deliveries) {
    if (!row.lease || row.lease->until > now) continue;
    state_->loseLease(row, kLeaseLost, now);
    ++expired;
  }
  for (auto& [id, row] : state_->transfers) {
    if (!row.lease || row.lease->until > now) continue;
    row.lease.reset();
    ++expired;
  }
  return expired;
}

Result<std::size_t> MemoryStore::promoteOrphans(Instant) {
  std::lock_guard lock(mutex_);
  std::size_t promoted = 0;
  for (auto& [id, row] : state_->deliveries) {
    if (row.delivery.state == DeliveryState::Queued && state_->promote(row.delivery.transfer, row.delivery.endpoint)) {
      ++promoted;
    }
  }
  return promoted;
}

Result<std::vector<std::string>> MemoryStore::dueEndpoints(Instant now, std::optional<Instant>& nextDue) {
  std::lock_guard lock(mutex_);
  nextDue.reset();
  std::vector<std::string> due;
  for (const auto& [id, row] : state_->deliveries) {
    if (!state_->claimable(row)) continue;
    if (row.delivery.dueAt <= now) {
      due.push_back(row.delivery.endpoint);
    } else if (!nextDue || row.delivery.dueAt < *nextDue) {
      nextDue = row.delivery.dueAt;
    }
  }
  std::sort(due.begin(), due.end());
  due.erase(std::unique(due.begin(), due.end()), due.end());
  return due;
}

Result<TransferView> MemoryStore::transfer(const Id& id) {
  std::lock_guard lock(mutex_);
  const auto found = state_->transfers.find(id);
  if (found == state_->transfers.end()) return fail(Code::NotFound, "no transfer " + id);
  TransferView view;
  view.transfer = found->second.transfer;
  for (const Id& each : found->second.records) view.records.push_back(withoutBodies(state_->records.at(each).record));
  for (const Id& each : found->second.deliveries) {
    const State::StoredDelivery& row = state_->deliveries.at(each);
    view.deliveries.push_back(withoutBody(row.delivery));
    if (row.release) view.releases.push_back(*row.release);
    view.attempts.insert(view.attempts.end(), row.attempts.begin(), row.attempts.end());
  }
  for (const State::StoredAudit& row : state_->audit) {
    if (row.entry.transfer == id) view.timeline.push_back(row.entry);
  }
  return view;
}

Result<std::vector<Transfer>> MemoryStore::transfers(const TransferFilter& filter) {
  std::lock_guard lock(mutex_);
  std::uint64_t before = state_->ordinals + 1;
  if (!filter.after.empty()) {
    const auto found = state_->transfers.find(filter.after);
    if (found == state_->transfers.end()) return fail(Code::NotFound, "no transfer " + filter.after);
    before = found->second.ordinal;
  }
  std::vector<const State::StoredTransfer*> rows;
  for (const auto& [id, row] : state_->transfers) {
    if (row.ordinal >= before || (filter.state && row.transfer.state != *filter.state)) continue;
    if (filter.partner.empty() || row.transfer.partner == filter.partner) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->ordinal > b->ordinal; });
  if (rows.size() > filter.limit) rows.resize(filter.limit);
  std::vector<Transfer> page;
  page.reserve(rows.size());
  for (const State::StoredTransfer* row : rows) page.push_back(row->transfer);
  return page;
}

Result<Record> MemoryStore::record(const Id& id) {
  std::lock_guard lock(mutex_);
  const auto found = state_->records.find(id);
  if (found == state_->records.end()) return fail(Code::NotFound, "no record " + id);
  return found->second.record;
}

Result<RecordPage> MemoryStore::records(const RecordFilter& filter) {
  LOTSEN_TRY_DO(checkFilter(filter));
  std::lock_guard lock(mutex_);
  RecordPage page;
  std::size_t rows = 0, bytes = 0;
  for (auto row = state_->records.upper_bound(filter.after); row != state_->records.end(); ++row) {
    if (rows == kPageRows || page.records.size() == filter.limit || bytes >= kPageBytes) return page;
    const Record& record = row->second.record;
    ++rows;
    page.next = record.id;
    if (!fits(filter, record)) continue;
    bytes += record.body.size() + record.canonical.size();
    page.records.push_back(record);
  }
  page.next.clear();
  return page;
}

Result<Delivery> MemoryStore::delivery(const Id& id) {
  std::lock_guard lock(mutex_);
  const auto found = state_->deliveries.find(id);
  if (found == state_->deliveries.end()) return fail(Code::NotFound, "no delivery " + id);
  return found->second.delivery;
}

Result<Counts> MemoryStore::counts() {
  std::lock_guard lock(mutex_);
  Counts counts;
  counts.records = state_->records.size();
  for (const TransferState state : kTransferStates) counts.transfers.emplace_back(name(state), 0);
  for (const DeliveryState state : kDeliveryStates) counts.deliveries.emplace_back(name(state), 0);
  for (const auto& [id, row] : state_->transfers)
    ++counts.transfers[static_cast<std::size_t>(row.transfer.state)].second;
  for (const auto& [id, row] : state_->deliveries) {
    ++counts.deliveries[static_cast<std::size_t>(row.delivery.state)].second;
    if (state_->claimable(row) && (!counts.oldestReady || row.delivery.dueAt < *counts.oldestReady)) {
      counts.oldestReady = row.delivery.dueAt;
    }
  }
  return counts;
}

Status MemoryStore::note(std::vector<AuditEntry> entries) {
  LOTSEN_TRY_DO(checkAudit(entries));
  std::lock_guard lock(mutex_);
  state_->write({}, std::move(entries));
  return done();
}

Status MemoryStore::verifyAudit() {
  std::lock_guard lock(mutex_);
  crypto::Digest256 previous{};
  for (std::size_t i = 0; i < state_->audit.size(); ++i) {
    const State::StoredAudit& row = state_->audit[i];
    if (auditHash(previous, row.entry) != row.hash) {
      return fail(Code::Corrupt, "audit row " + std::to_string(i + 1) + " does not match its hash");
    }
    previous = row.hash;
  }
  return done();
}

}  // namespace lotsen::store
