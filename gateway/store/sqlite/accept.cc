#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

namespace lotsen::store::sqlite {

namespace {

/// The answer to the first of this key; Conflict if that one had other content; none if this is the first.
std::optional<Result<Accepted>> stored(Connection& db, const Record& record) {
  Statement statement = db.prepare(
      "SELECT r.id, t.id, r.digest, r.answer_status, r.answer_body FROM record r "
      "LEFT JOIN transfer t ON t.row = r.transfer WHERE r.partner = ?1 AND r.key = ?2");
  if (!statement.bind(record.partner, record.key).step()) return std::nullopt;
  if (statement.view(2) != record.digest) return otherContent(record.partner, statement.uuid(0));
  return Accepted{
      true,           statement.uuid(0), statement.uuid(1), static_cast<int>(statement.integer(3)), statement.text(4),
      AckResult::None};
}

struct Acknowledged {
  AckResult result = AckResult::Unknown;
  Id transfer;  // of the delivery it names
};

Acknowledged acknowledge(Connection& db, const AckEffect& effect, const Record& record) {
  Acknowledged best;
  DeliveryRow chosen;
  {
    Statement statement = db.prepare(
        "SELECT d.row, d.transfer, d.endpoint, d.state, d.attempts, d.sending, d.resolving, d.recheck, d.reason, "
        "d.ever_sent, "
        "t.id "
        "FROM delivery d JOIN transfer t ON t.row = d.transfer WHERE d.message_id = ?1 AND d.partner = ?2 ORDER BY "
        "d.row");
    statement.bind(effect.messageId, record.partner);
    while (best.result != AckResult::Applied && statement.step()) {
      const DeliveryRow row = readDeliveryRow(statement);
      const AckResult verdict = judgeAcknowledgement(row.state, statement.integer(9) != 0, effect.to);
      if (verdict == AckResult::Applied || best.result == AckResult::Unknown) {
        if (verdict == AckResult::Unknown) continue;
        best = {verdict, statement.uuid(10)};
        chosen = row;
      }
    }
  }
  if (best.result != AckResult::Applied) return best;
  if (chosen.state == DeliveryState::Leased) endAttempt(db, chosen, kAcknowledged, record.receivedAt);
  std::optional<Instant> dueAt;
  if (effect.to == DeliveryState::Ready) dueAt = effect.dueAt;
  go(db, chosen, effect.to, effect.to == DeliveryState::Done ? "" : std::string_view(effect.reason), dueAt,
     record.receivedAt);
  return best;
}

std::int64_t openTransfer(Connection& db, const Id& id, const AcceptItem& item) {
  const Record& record = item.record;
  std::optional<Instant> dueAt;
  if (record.state == RecordState::Accepted) dueAt = record.receivedAt;
  Statement statement = db.prepare(
      "INSERT INTO transfer (id, partner, case_key, state, reasons, agreement, created_at, changed_at, due_at, "
      "arrivals) "
      "VALUES (?1, ?2, ?3, 'waiting', '', '', ?4, ?4, ?5, ?5 IS NOT NULL) ON CONFLICT (id) DO UPDATE SET "
      "due_at = CASE WHEN ?5 IS NULL THEN due_at ELSE min(coalesce(due_at, ?5), ?5) END, "
      "arrivals = arrivals + (?5 IS NOT NULL) RETURNING row");
  statement.bind(toUuid(id), record.partner, item.caseKey, record.receivedAt, dueAt).step();
  return statement.integer(0);
}

void voidReleases(Connection& db, std::int64_t transfer, Instant at) {
  db.prepare("UPDATE transfer SET voided_since_claim = 1 WHERE row = ?1").bind(transfer).run();
  db.prepare(
        "UPDATE release SET voided_at = ?2 WHERE voided_at IS NULL AND delivery IN (SELECT row FROM delivery WHERE "
        "transfer = ?1)")
      .bind(transfer, at)
      .run();
  db.prepare("UPDATE delivery SET released = 0 WHERE transfer = ?1 AND released = 1").bind(transfer).run();
}

}  // namespace

Result<Accepted> accept(Write& write, const AcceptItem& item) {
  Connection& db = write.db;
  const Record& record = item.record;
  if (std::optional<Result<Accepted>> answer = stored(db, record)) return std::move(*answer);

  Accepted accepted{false, record.id, record.transfer, item.answerStatus, item.answerBody, AckResult::None};
  if (item.acknowledgement) {
    const Acknowledged acknowledged = acknowledge(db, *item.acknowledgement, record);
    accepted.acknowledgement = acknowledged.result;
    if (!acknowledged.transfer.empty()) accepted.transfer = acknowledged.transfer;
  }
  std::optional<std::int64_t> transfer;
  if (!accepted.transfer.empty()) transfer = openTransfer(db, accepted.transfer, item);
  if (transfer && item.voidsReleases) voidReleases(db, *transfer, record.receivedAt);

  db.prepare(
        "INSERT INTO record (id, transfer, kind, partner, channel, key, digest, business_id, version, media_type, "
        "received_at, config_revision, state, reason, issues, map_hash, answer_status, answer_body) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) "
        "ON CONFLICT (id) DO NOTHING")
      .bind(toUuid(record.id), transfer, name(record.kind), record.partner, record.channel, record.key, record.digest,
            record.businessId, record.version, record.mediaType, record.receivedAt, record.configRevision,
            name(record.state), record.reason, record.issues, record.mapHash, item.answerStatus, item.answerBody)
      .run();
  if (db.changes() == 0) return fail(Code::Invalid, "record " + record.id + " exists already");
  const std::int64_t row = db.lastRow();
  db.prepare("INSERT INTO record_body (record, body) VALUES (?1, ?2)").bind(row, Blob{record.body}).run();
  if (!record.canonical.empty()) {
    db.prepare("INSERT INTO record_canonical (record, canonical) VALUES (?1, ?2)")
        .bind(row, Blob{record.canonical})
        .run();
  }
  writeAudit(write, item.audit, accepted.transfer, transfer);
  return accepted;
}

}  // namespace lotsen::store::sqlite
