// What has been kept for long enough goes, in small steps. What a step would remove is looked up on a reader first:
// mostly it is nothing, and nobody shall wait for that. The writer looks again, for it may have changed meanwhile.
#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

#include <map>

namespace lotsen::store::sqlite {

namespace {

constexpr std::int64_t kNoAudit = -1;

/// When a transfer came to its end; none: it has not.
std::optional<Instant> endOf(Connection& db, std::int64_t transfer) {
  Standstill stands;
  {
    Statement statement = db.prepare(
        "SELECT state, due_at IS NOT NULL, lease_until IS NOT NULL, changed_at FROM transfer WHERE row = ?1");
    statement.bind(transfer).step();
    stands = {transferState(statement.view(0)), statement.integer(1) != 0, statement.integer(2) != 0,
              statement.instant(3)};
  }
  if (!endOfTransfer(stands)) return std::nullopt;
  for (const char* sql : {"SELECT max(received_at), total(state = 'accepted') > 0 FROM record WHERE transfer = ?1",
                          "SELECT max(finished_at), total(state NOT IN ('done', 'cancelled')) > 0 FROM delivery WHERE "
                          "transfer = ?1"}) {
    Statement statement = db.prepare(sql);
    statement.bind(transfer).step();
    if (const auto last = statement.maybeInstant(0)) stands.last = std::max(stands.last, *last);
    stands.unfinished = stands.unfinished || statement.integer(1) != 0;
  }
  return endOfTransfer(stands);
}

bool isPast(const std::optional<Instant>& end, const std::optional<Instant>& before) {
  return end && before && *end < *before;
}

/// Adds what can go of one transfer; false: the step is full, and something is left.
bool planOne(Connection& db, std::int64_t transfer, const Retention& retention, PurgeBudget& budget, PurgePlan& plan) {
  const std::optional<Instant> end = endOf(db, transfer);
  const auto add = [&](const char* sql, std::vector<std::int64_t>& rows) {
    Statement statement = db.prepare(sql);
    for (statement.bind(transfer); statement.step();) {
      if (!budget.take(static_cast<std::size_t>(statement.integer(1)))) return false;
      rows.push_back(statement.integer(0));
    }
    return true;
  };
  if (isPast(end, retention.records) &&
      !add("SELECT r.row, coalesce(length(b.body), 0) + coalesce(length(c.canonical), 0) FROM record r "
           "LEFT JOIN record_body b ON b.record = r.row LEFT JOIN record_canonical c ON c.record = r.row "
           "WHERE r.transfer = ?1 AND (b.record IS NOT NULL OR c.record IS NOT NULL) ORDER BY r.row",
           plan.records)) {
    return false;
  }
  if (isPast(end, retention.deliveries) &&
      !add("SELECT d.row, length(b.body) FROM delivery d JOIN delivery_body b ON b.delivery = d.row WHERE d.transfer = "
           "?1 ORDER BY d.row",
           plan.deliveries)) {
    return false;
  }
  return !isPast(end, retention.attempts) ||
         add("SELECT d.row, 0 FROM delivery d WHERE d.transfer = ?1 AND EXISTS (SELECT 1 FROM attempt a WHERE "
             "a.delivery = d.row) ORDER BY d.row",
             plan.attempts);
}

/// The last of the audit rows that a cut would take; kNoAudit: there is no whole stretch of old ones.
std::int64_t planAudit(Connection& db, const std::optional<Instant>& before) {
  if (!before) return kNoAudit;
  std::map<std::int64_t, bool> past;  // by transfer
  Statement statement = db.prepare("SELECT number, at, transfer, action FROM audit ORDER BY number LIMIT ?1");
  std::size_t rows = 0;
  std::int64_t last = kNoAudit;
  for (statement.bind(static_cast<std::int64_t>(kPurgeAudit) + 1); rows < kPurgeAudit && statement.step();) {
    if (last == kNoAudit && statement.view(3) == kAuditAnchor) continue;
    if (statement.instant(1) >= *before) return kNoAudit;
    if (!statement.isNull(2)) {
      const auto [found, isNew] = past.try_emplace(statement.integer(2));
      if (isNew) found->second = isPast(endOf(db, statement.integer(2)), before);
      if (!found->second) return kNoAudit;
    }
    last = statement.integer(0);
    ++rows;
  }
  return rows == kPurgeAudit ? last : kNoAudit;
}

void cutAudit(Write& write, std::int64_t last, Instant now) {
  crypto::Digest256 hash{};
  Instant at;
  {
    Statement statement = write.db.prepare("SELECT hash, at FROM audit WHERE number = ?1");
    statement.bind(last).step();
    const std::string_view bytes = statement.view(0);
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
    at = statement.instant(1);
  }
  write.db.prepare("DELETE FROM audit WHERE number < ?1").bind(last).run();
  const AuditEntry anchor = auditAnchor(at);
  write.db
      .prepare(
          "UPDATE audit SET actor = ?2, action = ?3, transfer = NULL, subject = NULL, detail = ?4 WHERE number = ?1")
      .bind(last, anchor.actor, anchor.action, anchor.detail)
      .run();
  writeAudit(write, {auditCut(hash, kPurgeAudit, now)}, {}, std::nullopt);
}

}  // namespace

PurgePlan planPurge(Connection& db, const Retention& retention, const Id& after) {
  PurgePlan plan;
  plan.next = after;
  PurgeBudget budget;
  std::vector<std::pair<std::int64_t, Id>> window;
  {
    // One more than may be looked at: it tells that there are more.
    Statement statement = db.prepare("SELECT row, id FROM transfer WHERE id > ?1 ORDER BY id LIMIT ?2");
    const Uuid from = after.empty() ? Uuid{} : toUuid(after);
    for (statement.bind(from, static_cast<std::int64_t>(kPurgeTransfers) + 1); statement.step();)
      window.emplace_back(statement.integer(0), statement.uuid(1));
  }
  for (std::size_t i = 0; i < window.size(); ++i) {
    plan.more = i == kPurgeTransfers || !planOne(db, window[i].first, retention, budget, plan);
    if (plan.more) break;
    plan.next = window[i].second;
  }
  plan.audit = planAudit(db, retention.audit);
  return plan;
}

bool PurgePlan::isEmpty() const {
  return records.empty() && deliveries.empty() && attempts.empty() && audit == kNoAudit;
}

Purged purge(Write& write, const Retention& retention, const Id& after, Instant now) {
  Connection& db = write.db;
  const PurgePlan plan = planPurge(db, retention, after);
  Purged purged{plan.records.size(), plan.deliveries.size(), 0, 0, plan.next, plan.more};
  for (const std::int64_t row : plan.records) {
    db.prepare("DELETE FROM record_body WHERE record = ?1").bind(row).run();
    db.prepare("DELETE FROM record_canonical WHERE record = ?1").bind(row).run();
  }
  for (const std::int64_t row : plan.deliveries) {
    db.prepare("DELETE FROM delivery_body WHERE delivery = ?1").bind(row).run();
  }
  for (const std::int64_t row : plan.attempts) {
    db.prepare("DELETE FROM attempt WHERE delivery = ?1").bind(row).run();
    purged.attempts += static_cast<std::uint64_t>(db.changes());
  }
  if (plan.audit != kNoAudit) {
    cutAudit(write, plan.audit, now);
    purged.audit = kPurgeAudit;
  }
  return purged;
}

}  // namespace lotsen::store::sqlite
