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
  if (auto known = state_->seen(item)) {
    if (known->novelty == Novelty::Resent) {
      state_->write(known->transfer, {resentEntry(item, known->record)});
      state_->envelopes[{record.partner, item.envelope}] = {record.key, record.receivedAt, ++state_->ordinals};
    }
    return std::move(*known);
  }
  if (state_->records.contains(record.id)) return fail(Code::Invalid, "record " + record.id + " exists already");

  Accepted accepted{Novelty::New, record.id, {}, item.answerStatus, item.answerBody, AckResult::None};
  if (item.acknowledgement) {
    accepted.acknowledgement =
        state_->acknowledge(*item.acknowledgement, record.partner, record.receivedAt, record.transfer);
  }
  accepted.transfer = record.transfer;
  state_->write(record.transfer, std::move(item.audit));
  state_->keys[{record.partner, record.key}] = {record.digest,     record.id,       record.transfer,
                                                item.answerStatus, item.answerBody, record.receivedAt,
                                                ++state_->ordinals};
  if (!item.envelope.empty()) {
    state_->envelopes[{record.partner, item.envelope}] = {record.key, record.receivedAt, ++state_->ordinals};
  }
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
  state_->records[id] = std::move(record);
  return accepted;
}

Result<std::optional<Accepted>> MemoryStore::seen(const AcceptItem& item) {
  std::lock_guard lock(mutex_);
  return state_->seen(item);
}

Result<std::size_t> MemoryStore::forgetKeys(Instant before, std::size_t limit) {
  std::lock_guard lock(mutex_);
  const auto forget = [&](auto& rows) {
    std::vector<typename std::decay_t<decltype(rows)>::iterator> oldest;
    for (auto row = rows.begin(); row != rows.end(); ++row) oldest.push_back(row);
    std::sort(oldest.begin(), oldest.end(),
              [](const auto& a, const auto& b) { return a->second.ordinal < b->second.ordinal; });
    if (oldest.size() > limit) oldest.resize(limit);
    std::size_t forgotten = 0;
    for (const auto& row : oldest) {
      if (row->second.at >= before) continue;
      rows.erase(row);
      ++forgotten;
    }
    return forgotten;
  };
  return forget(state_->keys) + forget(state_->envelopes);
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
  works.reserve(due.size());
  for (State::StoredTransfer* row : due) { works.push_back(state_->lease(*row, owner, leaseUntil)); }
  return works;
}

std::vector<Result<Saved>> MemoryStore::saveTransfers(std::vector<TransferChange> changes, Instant now) {
  std::lock_guard lock(mutex_);
  std::vector<Result<Saved>> results;
  results.reserve(changes.size());
  for (TransferChange& each : changes) results.push_back(state_->save(each, now));
  return results;
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
  if (state_->pauses.contains(endpoint)) return std::vector<Claimed>{};
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
    Claimed& given = claimed.emplace_back();
    for (const Attempt& each : row->attempts) {
      if (!each.sentAt) continue;
      if (row->resolving) given.lastSentAt = std::max(given.lastSentAt.value_or(*each.sentAt), *each.sentAt);
      if (each.phase == "connect") continue;
      given.firstSentAt = std::min(given.firstSentAt.value_or(*each.sentAt), *each.sentAt);
      ++given.sends;
    }
    row->attempts.push_back(std::move(attempt));
    given.delivery = delivery;
    given.resolving = row->resolving;
  }
  return claimed;
}

Result<Turned> MemoryStore::turn(std::vector<AttemptEnd> ends, const std::vector<Lease>& starts, Instant now) {
  LOTSEN_TRY_DO(checkEnds(ends));
  std::lock_guard lock(mutex_);
  Turned turned;
  for (AttemptEnd& end : ends) {
    if (!state_->endOne(end, now)) turned.stale.emplace_back(end.delivery, end.token);
  }
  for (const auto& [id, token] : starts) {
    const std::optional<Instant> until = state_->startOne(id, token, now);
    if (!until) continue;
    turned.started.emplace_back(id, token);
    turned.until.push_back(*until);
  }
  return turned;
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

Result<std::size_t> MemoryStore::promoteOrphans(Instant now) {
  std::lock_guard lock(mutex_);
  std::size_t promoted = 0;
  for (auto& [id, row] : state_->deliveries) {
    if (row.delivery.state == DeliveryState::Queued &&
        state_->promote(row.delivery.transfer, row.delivery.endpoint, now)) {
      ++promoted;
    }
  }
  return promoted;
}

Result<std::size_t> MemoryStore::noticeOverdue(Instant now) {
  std::lock_guard lock(mutex_);
  std::vector<Delivery*> overdue;
  for (auto& [id, row] : state_->deliveries) {
    Delivery& delivery = row.delivery;
    if (delivery.state == DeliveryState::Awaiting && !delivery.overdue && delivery.dueAt <= now) {
      overdue.push_back(&delivery);
    }
  }
  std::sort(overdue.begin(), overdue.end(),
            [](const Delivery* a, const Delivery* b) { return std::tie(a->dueAt, a->id) < std::tie(b->dueAt, b->id); });
  if (overdue.size() > kOverdueRows) overdue.resize(kOverdueRows);
  for (Delivery* each : overdue) {
    each->overdue = true;
    state_->write(each->transfer, {overdueEntry(each->id, now)});
  }
  return overdue.size();
}

Status MemoryStore::pauseEndpoint(Pause pause, AuditEntry audit) {
  LOTSEN_TRY_DO(checkAudit({audit}));
  std::lock_guard lock(mutex_);
  const std::string endpoint = pause.endpoint;
  state_->pauses[endpoint] = std::move(pause);
  state_->write({}, {std::move(audit)});
  return done();
}

Status MemoryStore::resumeEndpoint(std::string_view endpoint, AuditEntry audit) {
  LOTSEN_TRY_DO(checkAudit({audit}));
  std::lock_guard lock(mutex_);
  const auto found = state_->pauses.find(endpoint);
  if (found == state_->pauses.end()) return notPaused(endpoint);
  state_->pauses.erase(found);
  state_->write({}, {std::move(audit)});
  return done();
}

Result<std::vector<std::string>> MemoryStore::dueEndpoints(Instant now, std::optional<Instant>& nextDue) {
  std::lock_guard lock(mutex_);
  nextDue.reset();
  std::vector<std::string> due;
  for (const auto& [id, row] : state_->deliveries) {
    if (!state_->claimable(row) || state_->pauses.contains(row.delivery.endpoint)) continue;
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
  for (const Id& each : found->second.records) view.records.push_back(withoutBodies(state_->records.at(each)));
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
  return found->second;
}

Result<RecordPage> MemoryStore::records(const RecordFilter& filter) {
  LOTSEN_TRY_DO(checkFilter(filter));
  std::lock_guard lock(mutex_);
  RecordPage page;
  std::size_t rows = 0, bytes = 0;
  for (auto row = state_->records.upper_bound(filter.after); row != state_->records.end(); ++row) {
    if (rows == kPageRows || page.records.size() == filter.limit || bytes >= kPageBytes) return page;
    const Record& record = row->second;
    ++rows;
    page.next = record.id;
    if (!fits(filter, record) || record.body.empty()) continue;
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

Result<Alarms> MemoryStore::alarms(Instant now) {
  std::lock_guard lock(mutex_);
  Alarms alarms;
  for (const auto& [id, row] : state_->deliveries) {
    const Delivery& delivery = row.delivery;
    alarms.overdue += delivery.overdue ? 1 : 0;
    if (!isHead(delivery.state) || delivery.state == DeliveryState::Awaiting ||
        delivery.state == DeliveryState::Parked) {
      continue;
    }
    for (std::size_t i = 0; i < std::size(kHeadAges); ++i) {
      if (delivery.placedAt + kHeadAges[i] <= now) ++alarms.oldHeads[i];
    }
  }
  for (const auto& [endpoint, pause] : state_->pauses) alarms.paused.push_back(pause);
  return alarms;
}

Status MemoryStore::note(std::vector<AuditEntry> entries) {
  LOTSEN_TRY_DO(checkAudit(entries));
  std::lock_guard lock(mutex_);
  state_->write({}, std::move(entries));
  return done();
}

}  // namespace lotsen::store
