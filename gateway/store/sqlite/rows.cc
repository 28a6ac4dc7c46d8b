#include "gateway/store/sqlite/rows.h"

#include "gateway/base/random.h"
#include "gateway/store/rules.h"

namespace lotsen::store::sqlite {

namespace {

constexpr int kCorruptCode = 11;  // SQLITE_CORRUPT

/// The enum value of that name; enums of the contract count from 0 without gaps.
template <typename Enum>
Enum fromName(std::string_view text) {
  for (int i = 0;; ++i) {
    const auto value = static_cast<Enum>(i);
    const std::string_view candidate = name(value);
    if (candidate.empty()) throw Fault{kCorruptCode, "database: unknown name in a row: " + std::string(text)};
    if (candidate == text) return value;
  }
}

}  // namespace

DeliveryState deliveryState(std::string_view text) {
  return fromName<DeliveryState>(text);
}
TransferState transferState(std::string_view text) {
  return fromName<TransferState>(text);
}

DeliveryRow readDeliveryRow(const Statement& statement) {
  DeliveryRow row;
  row.row = statement.integer(0);
  row.transfer = statement.integer(1);
  row.endpoint = statement.text(2);
  row.state = deliveryState(statement.view(3));
  row.attempts = static_cast<std::uint32_t>(statement.integer(4));
  row.sending = statement.integer(5) != 0;
  row.resolving = statement.integer(6) != 0;
  row.recheck = statement.integer(7) != 0;
  row.reason = statement.text(8);
  return row;
}

Transfer readTransfer(const Statement& statement) {
  Transfer transfer;
  transfer.id = statement.uuid(1);
  transfer.partner = statement.text(2);
  transfer.caseKey = statement.text(3);
  transfer.state = transferState(statement.view(4));
  transfer.reasons = statement.text(5);
  transfer.agreement = statement.text(6);
  transfer.createdAt = statement.instant(7);
  transfer.changedAt = statement.instant(8);
  return transfer;
}

Record readRecord(const Statement& statement) {
  Record record;
  record.id = statement.uuid(1);
  record.transfer = statement.uuid(2);
  record.kind = fromName<RecordKind>(statement.view(3));
  record.partner = statement.text(4);
  record.channel = statement.text(5);
  record.key = statement.text(6);
  record.digest = statement.text(7);
  record.businessId = statement.text(8);
  record.version = statement.integer(9);
  record.mediaType = statement.text(10);
  record.receivedAt = statement.instant(11);
  record.configRevision = statement.text(12);
  record.state = fromName<RecordState>(statement.view(13));
  record.reason = statement.text(14);
  record.issues = statement.text(15);
  record.mapHash = statement.text(16);
  return record;
}

Delivery readDelivery(const Statement& statement) {
  Delivery delivery;
  delivery.id = statement.uuid(1);
  delivery.transfer = statement.uuid(2);
  delivery.role = fromName<Role>(statement.view(3));
  delivery.partner = statement.text(4);
  delivery.endpoint = statement.text(5);
  delivery.sequence = statement.integer(6);
  delivery.state = deliveryState(statement.view(7));
  delivery.messageId = statement.text(8);
  delivery.bundleId = statement.text(9);
  delivery.mediaType = statement.text(10);
  delivery.mapHash = statement.text(11);
  delivery.needsRelease = statement.integer(12) != 0;
  delivery.sending = statement.integer(13) != 0;
  delivery.attempts = static_cast<std::uint32_t>(statement.integer(14));
  delivery.token = static_cast<std::uint64_t>(statement.integer(15));
  delivery.dueAt = statement.instant(16);
  delivery.deadlineAt = statement.instant(17);
  delivery.reason = statement.text(18);
  delivery.createdAt = statement.instant(19);
  delivery.finishedAt = statement.instant(20);
  delivery.overdue = statement.integer(21) != 0;
  delivery.placedAt = statement.instant(22);
  delivery.everSent = statement.integer(23) != 0;
  return delivery;
}

std::vector<Id> readAfter(Connection& db, std::int64_t delivery) {
  Statement statement = db.prepare(
      "SELECT d.id FROM delivery_after a JOIN delivery d ON d.row = a.after WHERE a.delivery = ?1 ORDER BY a.ordinal");
  std::vector<Id> after;
  for (statement.bind(delivery); statement.step();) after.push_back(statement.uuid(0));
  return after;
}

std::optional<std::int64_t> transferRow(Connection& db, const Id& id) {
  if (!isUuid(id)) return std::nullopt;
  Statement statement = db.prepare("SELECT row FROM transfer WHERE id = ?1");
  if (!statement.bind(toUuid(id)).step()) return std::nullopt;
  return statement.integer(0);
}

void writeAudit(Write& write, const std::vector<AuditEntry>& entries, const Id& transfer,
                std::optional<std::int64_t> row) {
  if (entries.empty()) return;
  Statement insert = write.db.prepare(
      "INSERT INTO audit (at, actor, action, transfer, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  for (AuditEntry entry : entries) {
    entry.transfer = transfer;
    write.chain = auditHash(write.chain, entry);
    std::optional<Uuid> subject;
    if (!entry.subject.empty()) subject = toUuid(entry.subject);
    const auto* hash = reinterpret_cast<const char*>(write.chain.data());
    insert.bind(entry.at, entry.actor, entry.action, row, subject, entry.detail, Blob{{hash, write.chain.size()}})
        .run();
  }
}

void markDue(Connection& db, std::int64_t transfer, Instant at) {
  db.prepare("UPDATE transfer SET due_at = min(coalesce(due_at, ?2), ?2), arrivals = arrivals + 1 WHERE row = ?1")
      .bind(transfer, at)
      .run();
}

void go(Connection& db, const DeliveryRow& delivery, DeliveryState to, std::string_view reason,
        std::optional<Instant> dueAt, Instant now) {
  LOTSEN_CHECK(delivery.state == to || mayGo(delivery.state, to));
  const bool finished = isFinished(to);
  db.prepare(
        "UPDATE delivery SET state = ?2, reason = ?3, due_at = coalesce(?4, due_at), finished_at = ?5, sending = 0, "
        "overdue = 0, "
        "resolving = 0, recheck = 0, lease_node = NULL, lease_epoch = NULL, lease_until = NULL WHERE row = ?1")
      .bind(delivery.row, name(to), reason, dueAt, finished ? std::optional(now) : std::nullopt)
      .run();
  if (delivery.recheck || to == DeliveryState::Done || to == DeliveryState::Parked) markDue(db, delivery.transfer, now);
  if (finished) promote(db, delivery.transfer, delivery.endpoint, now);
}

bool promote(Connection& db, std::int64_t transfer, std::string_view endpoint, Instant now) {
  std::int64_t row = 0;
  DeliveryState to = DeliveryState::Ready;
  {
    Statement statement = db.prepare(
        "SELECT row, reason FROM delivery WHERE transfer = ?1 AND endpoint = ?2 AND state = 'queued' AND NOT EXISTS "
        "(SELECT 1 FROM delivery WHERE transfer = ?1 AND endpoint = ?2 AND head) ORDER BY sequence LIMIT 1");
    if (!statement.bind(transfer, endpoint).step()) return false;
    row = statement.integer(0);
    to = promotedTo(statement.view(1));
  }
  db.prepare("UPDATE delivery SET state = ?2 WHERE row = ?1").bind(row, name(to)).run();
  if (to == DeliveryState::Parked) markDue(db, transfer, now);
  return true;
}

Place nextPlace(Connection& db, std::int64_t transfer, std::string_view endpoint) {
  Statement statement = db.prepare(
      "SELECT coalesce((SELECT max(sequence) FROM delivery WHERE transfer = ?1 AND endpoint = ?2), 0) + 1, "
      "EXISTS (SELECT 1 FROM delivery WHERE transfer = ?1 AND endpoint = ?2 AND head) OR "
      "EXISTS (SELECT 1 FROM delivery WHERE transfer = ?1 AND endpoint = ?2 AND state = 'queued')");
  statement.bind(transfer, endpoint).step();
  return {statement.integer(0), statement.integer(1) != 0 ? DeliveryState::Queued : DeliveryState::Ready};
}

void endAttempt(Connection& db, const DeliveryRow& delivery, std::string_view outcome, Instant now) {
  db.prepare("UPDATE attempt SET ended_at = ?3, outcome = ?4, phase = ?5 WHERE delivery = ?1 AND number = ?2")
      .bind(delivery.row, delivery.attempts, now, outcome, delivery.sending ? "send" : "connect")
      .run();
}

void loseLease(Connection& db, const DeliveryRow& delivery, std::string_view outcome, Instant now) {
  endAttempt(db, delivery, outcome, now);
  go(db, delivery, afterLostLease(delivery.sending, delivery.resolving), outcome, std::nullopt, now);
}

void voidRelease(Connection& db, std::int64_t delivery, Instant now) {
  db.prepare("UPDATE release SET voided_at = ?2 WHERE delivery = ?1 AND voided_at IS NULL").bind(delivery, now).run();
  db.prepare("UPDATE delivery SET released = 0 WHERE row = ?1").bind(delivery).run();
}

bool isCurrent(Connection& db, const Owner& owner) {
  Statement statement = db.prepare("SELECT 1 FROM node WHERE name = ?1 AND epoch = ?2");
  return statement.bind(owner.node, owner.epoch).step();
}

}  // namespace lotsen::store::sqlite
