#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

namespace lotsen::store::sqlite {

namespace {

/// The key that this envelope came with first.
std::optional<std::string> envelopeKey(Connection& db, const AcceptItem& item) {
  if (item.envelope.empty()) return std::nullopt;
  Statement statement = db.prepare("SELECT key FROM envelope WHERE partner = ?1 AND envelope = ?2");
  if (!statement.bind(item.record.partner, item.envelope).step()) return std::nullopt;
  return statement.text(0);
}

/// REPLACE: a forgotten key may come again in an envelope that is remembered still.
void rememberEnvelope(Connection& db, const AcceptItem& item) {
  db.prepare("INSERT OR REPLACE INTO envelope (partner, envelope, key, seen_at) VALUES (?1, ?2, ?3, ?4)")
      .bind(item.record.partner, item.envelope, item.record.key, item.record.receivedAt)
      .run();
}

void rememberKey(Connection& db, const AcceptItem& item, const Id& transfer) {
  const Record& record = item.record;
  std::optional<Uuid> transferId;
  if (!transfer.empty()) transferId = toUuid(transfer);
  db.prepare(
        "INSERT INTO accepted_key (partner, key, digest, record, transfer, answer_status, answer_body, accepted_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
      .bind(record.partner, record.key, record.digest, toUuid(record.id), transferId, item.answerStatus,
            item.answerBody, record.receivedAt)
      .run();
  if (!item.envelope.empty()) rememberEnvelope(db, item);
}

/// Forgets what is old among the first `limit` rows of a table whose rows are in the order of time.
std::size_t forget(Connection& db, const char* sql, Instant before, std::size_t limit) {
  db.prepare(sql).bind(before, std::uint64_t{limit}).run();
  return static_cast<std::size_t>(db.changes());
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
        "FROM delivery d JOIN transfer t ON t.row = d.transfer WHERE (d.message_id = ?1 OR (d.bundle_id = ?1 AND "
        "d.bundle_id <> '')) AND d.partner = ?2 ORDER BY d.row");
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

std::optional<Accepted> seen(Connection& db, const AcceptItem& item) {
  Statement stored = db.prepare(
      "SELECT digest, record, transfer, answer_status, answer_body FROM accepted_key WHERE partner = ?1 AND key = ?2");
  const std::string& partner = item.record.partner;
  bool known = stored.bind(partner, item.record.key).step();
  std::optional<std::string> digest;
  if (known) digest = stored.text(0);
  const std::optional<std::string> other = envelopeKey(db, item);
  Accepted found;
  found.novelty = judgeNovelty(item, digest, other);
  if (found.novelty == Novelty::New) return std::nullopt;
  if (found.novelty == Novelty::EnvelopeReused) known = stored.bind(partner, *other).step();
  if (!known) return found;
  found.record = stored.uuid(1);
  found.transfer = stored.uuid(2);
  if (!found.stands()) return found;
  found.answerStatus = static_cast<int>(stored.integer(3));
  found.answerBody = stored.text(4);
  return found;
}

std::size_t forgetKeys(Write& write, Instant before, std::size_t limit) {
  return forget(write.db,
                "DELETE FROM accepted_key WHERE row IN (SELECT row FROM accepted_key ORDER BY row LIMIT ?2) AND "
                "accepted_at < ?1",
                before, limit) +
         forget(write.db,
                "DELETE FROM envelope WHERE row IN (SELECT row FROM envelope ORDER BY row LIMIT ?2) AND seen_at < ?1",
                before, limit);
}

Result<Accepted> accept(Write& write, const AcceptItem& item) {
  Connection& db = write.db;
  const Record& record = item.record;
  if (std::optional<Accepted> known = seen(db, item)) {
    if (known->novelty == Novelty::Resent) {
      rememberEnvelope(db, item);
      const std::optional<std::int64_t> row = transferRow(db, known->transfer);
      writeAudit(write, {resentEntry(item, known->record)}, known->transfer, row);
    }
    return std::move(*known);
  }

  Accepted accepted{Novelty::New, record.id, record.transfer, item.answerStatus, item.answerBody, AckResult::None};
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
        "received_at, config_revision, state, reason, issues, map_hash) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) "
        "ON CONFLICT (id) DO NOTHING")
      .bind(toUuid(record.id), transfer, name(record.kind), record.partner, record.channel, record.key, record.digest,
            record.businessId, record.version, record.mediaType, record.receivedAt, record.configRevision,
            name(record.state), record.reason, record.issues, record.mapHash)
      .run();
  if (db.changes() == 0) return fail(Code::Invalid, "record " + record.id + " exists already");
  const std::int64_t row = db.lastRow();
  db.prepare("INSERT INTO record_body (record, body) VALUES (?1, ?2)").bind(row, Blob{record.body}).run();
  if (!record.canonical.empty()) {
    db.prepare("INSERT INTO record_canonical (record, canonical) VALUES (?1, ?2)")
        .bind(row, Blob{record.canonical})
        .run();
  }
  rememberKey(db, item, accepted.transfer);
  writeAudit(write, item.audit, accepted.transfer, transfer);
  return accepted;
}

}  // namespace lotsen::store::sqlite
