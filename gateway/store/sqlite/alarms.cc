// What somebody should look at: missing acknowledgements, old heads, endpoints that a person has stopped.
#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

namespace lotsen::store::sqlite {

namespace {

std::int64_t count(Statement& statement) {
  return statement.step() ? statement.integer(0) : 0;
}

}  // namespace

bool anyOverdue(Connection& db, Instant now) {
  Statement statement = db.prepare("SELECT 1 FROM delivery WHERE state = 'awaiting' AND overdue = 0 AND due_at <= ?1");
  return statement.bind(now).step();
}

Result<std::size_t> noticeOverdue(Write& write, Instant now) {
  struct Row {
    std::int64_t row, transfer;
    Id id, transferId;
  };
  std::vector<Row> rows;
  {
    Statement statement = write.db.prepare(
        "SELECT d.row, d.transfer, d.id, t.id FROM delivery d JOIN transfer t ON t.row = d.transfer WHERE d.state = "
        "'awaiting' AND d.overdue = 0 AND d.due_at <= ?1 ORDER BY d.due_at, d.id LIMIT ?2");
    for (statement.bind(now, static_cast<std::int64_t>(kOverdueRows)); statement.step();) {
      rows.push_back({statement.integer(0), statement.integer(1), statement.uuid(2), statement.uuid(3)});
    }
  }
  for (const Row& each : rows) {
    write.db.prepare("UPDATE delivery SET overdue = 1 WHERE row = ?1").bind(each.row).run();
    writeAudit(write, {overdueEntry(each.id, now)}, each.transferId, each.transfer);
  }
  return rows.size();
}

Status pauseEndpoint(Write& write, const Pause& pause, const AuditEntry& audit) {
  write.db
      .prepare(
          "INSERT INTO endpoint_pause (endpoint, reason, actor, since) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (endpoint) "
          "DO UPDATE SET reason = ?2, actor = ?3, since = ?4")
      .bind(pause.endpoint, pause.reason, pause.actor, pause.since)
      .run();
  writeAudit(write, {audit}, {}, std::nullopt);
  return done();
}

Status resumeEndpoint(Write& write, std::string_view endpoint, const AuditEntry& audit) {
  write.db.prepare("DELETE FROM endpoint_pause WHERE endpoint = ?1").bind(endpoint).run();
  if (write.db.changes() == 0) return notPaused(endpoint);
  writeAudit(write, {audit}, {}, std::nullopt);
  return done();
}

Result<Alarms> alarms(Connection& db, Instant now) {
  Alarms alarms;
  for (std::size_t i = 0; i < std::size(kHeadAges); ++i) {
    Statement statement =
        db.prepare("SELECT count(*) FROM delivery WHERE state IN ('ready', 'leased', 'resolving') AND placed_at <= ?1");
    alarms.oldHeads[i] = static_cast<std::uint64_t>(count(statement.bind(now - milliseconds(kHeadAges[i]))));
  }
  {
    Statement statement = db.prepare("SELECT count(*) FROM delivery WHERE overdue = 1");
    alarms.overdue = static_cast<std::uint64_t>(count(statement.bind()));
  }
  Statement statement = db.prepare("SELECT endpoint, reason, actor, since FROM endpoint_pause ORDER BY endpoint");
  for (statement.bind(); statement.step();) {
    alarms.paused.push_back({statement.text(0), statement.text(1), statement.text(2), statement.instant(3)});
  }
  return alarms;
}

}  // namespace lotsen::store::sqlite
