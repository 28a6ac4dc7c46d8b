// What has been kept for long enough goes, in small steps.
#include "gateway/store/memory/state.h"
#include "gateway/store/rules.h"

#include <algorithm>

namespace lotsen::store {

namespace {

bool isPast(const std::optional<Instant>& end, const std::optional<Instant>& before) {
  return end && before && *end < *before;
}

}  // namespace

std::optional<Instant> MemoryStore::State::endOf(const StoredTransfer& row) const {
  Standstill stands{row.transfer.state, row.due.has_value(), row.lease.has_value(), row.transfer.changedAt};
  for (const Id& id : row.records) {
    const Record& record = records.at(id);
    stands.unfinished = stands.unfinished || record.state == RecordState::Accepted;
    stands.last = std::max(stands.last, record.receivedAt);
  }
  for (const Id& id : row.deliveries) {
    const Delivery& delivery = deliveries.at(id).delivery;
    stands.unfinished = stands.unfinished || !isFinished(delivery.state);
    stands.last = std::max(stands.last, delivery.finishedAt);
  }
  return endOfTransfer(stands);
}

/// False: the step is full, and something is left.
bool MemoryStore::State::purge(StoredTransfer& row, const Retention& retention, PurgeBudget& budget, Purged& purged) {
  const std::optional<Instant> end = endOf(row);
  if (isPast(end, retention.records)) {
    for (const Id& id : row.records) {
      Record& record = records.at(id);
      const std::size_t bytes = record.body.size() + record.canonical.size();
      if (bytes == 0) continue;
      if (!budget.take(bytes)) return false;
      record.body.clear();
      record.canonical.clear();
      ++purged.records;
    }
  }
  if (isPast(end, retention.deliveries)) {
    for (const Id& id : row.deliveries) {
      std::string& body = deliveries.at(id).delivery.body;
      if (body.empty()) continue;
      if (!budget.take(body.size())) return false;
      body.clear();
      ++purged.deliveries;
    }
  }
  if (isPast(end, retention.attempts)) {
    for (const Id& id : row.deliveries) {
      std::vector<Attempt>& attempts = deliveries.at(id).attempts;
      if (attempts.empty()) continue;
      if (!budget.take(0)) return false;
      purged.attempts += attempts.size();
      attempts.clear();
    }
  }
  return true;
}

std::uint64_t MemoryStore::State::cutAudit(const std::optional<Instant>& before, Instant now) {
  const std::size_t from = !audit.empty() && audit.front().entry.action == kAuditAnchor ? 1 : 0;
  if (!before || audit.size() < from + kPurgeAudit) return 0;
  for (std::size_t i = from; i < from + kPurgeAudit; ++i) {
    const AuditEntry& entry = audit[i].entry;
    if (entry.at >= *before) return 0;
    const auto found = transfers.find(entry.transfer);
    if (found != transfers.end() && !isPast(endOf(found->second), before)) return 0;
  }
  StoredAudit& last = audit[from + kPurgeAudit - 1];
  last.entry = auditAnchor(last.entry.at);
  write({}, {auditCut(last.hash, kPurgeAudit, now)});
  audit.erase(audit.begin(), audit.begin() + static_cast<std::ptrdiff_t>(from + kPurgeAudit - 1));
  return kPurgeAudit;
}

Result<Purged> MemoryStore::purge(const Retention& retention, const Id& after, Instant now) {
  LOTSEN_TRY_DO(checkCursor(after));
  std::lock_guard lock(mutex_);
  Purged purged;
  purged.next = after;
  PurgeBudget budget;
  std::size_t rows = 0;
  for (auto row = state_->transfers.upper_bound(after); row != state_->transfers.end(); ++row) {
    purged.more = rows == kPurgeTransfers || !state_->purge(row->second, retention, budget, purged);
    if (purged.more) break;
    ++rows;
    purged.next = row->first;
  }
  purged.audit = state_->cutAudit(retention.audit, now);
  return purged;
}

Status MemoryStore::verifyAudit() {
  std::lock_guard lock(mutex_);
  crypto::Digest256 previous{};
  std::string newestCut;
  for (std::size_t i = 0; i < state_->audit.size(); ++i) {
    const State::StoredAudit& row = state_->audit[i];
    const bool anchor = i == 0 && row.entry.action == kAuditAnchor;
    if (!anchor && auditHash(previous, row.entry) != row.hash) {
      return fail(Code::Corrupt, "audit row " + std::to_string(i + 1) + " does not match its hash");
    }
    if (row.entry.action == kAuditCut) newestCut = row.entry.detail;
    previous = row.hash;
  }
  if (state_->audit.empty() || state_->audit.front().entry.action != kAuditAnchor) return done();
  return checkAnchor(state_->audit.front().hash, newestCut);
}

}  // namespace lotsen::store
