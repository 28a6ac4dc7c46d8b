#include "gateway/base/random.h"
#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

namespace lotsen::store::sqlite {

namespace {

std::vector<DeliveryRow> readDeliveryRows(Statement& statement) {
  std::vector<DeliveryRow> rows;
  while (statement.step()) rows.push_back(readDeliveryRow(statement));
  return rows;
}

constexpr auto kLeasedByNode = join(kDeliveryRow, "WHERE lease_until IS NOT NULL AND lease_node = ?1 ORDER BY row");
constexpr auto kLeaseOver = join(kDeliveryRow, "WHERE lease_until <= ?1 ORDER BY row");
constexpr auto kLeasedByToken = join(kDeliveryRow, "WHERE id = ?1 AND state = 'leased' AND token = ?2");

constexpr auto kDueHeads =
    join(kDelivery, "WHERE d.claimable AND d.endpoint = ?1 AND d.due_at <= ?2 ORDER BY d.due_at, d.row LIMIT ?3");

bool isPaused(Connection& db, std::string_view endpoint) {
  Statement statement = db.prepare("SELECT 1 FROM endpoint_pause WHERE endpoint = ?1");
  return statement.bind(endpoint).step();
}

enum class Permission : std::uint8_t { Given, Expired, NotYet, Missing };

struct Permit {
  Permission permission = Permission::Missing;
  Instant validFrom;
  Instant validUntil;
};

/// Whether the live release of a delivery allows sending now.
Permit readPermit(Connection& db, std::int64_t delivery, Instant now) {
  Statement statement =
      db.prepare("SELECT valid_from, valid_until FROM release WHERE delivery = ?1 AND voided_at IS NULL");
  if (!statement.bind(delivery).step()) return {};
  Permit permit{Permission::Given, statement.instant(0), statement.instant(1)};
  if (now < permit.validFrom) permit.permission = Permission::NotYet;
  if (now >= permit.validUntil) permit.permission = Permission::Expired;
  return permit;
}

void expireRelease(Connection& db, std::int64_t delivery, std::int64_t transfer, Instant now) {
  voidRelease(db, delivery, now);
  markDue(db, transfer, now);
}

std::int64_t transferOf(Connection& db, std::int64_t delivery) {
  Statement statement = db.prepare("SELECT transfer FROM delivery WHERE row = ?1");
  statement.bind(delivery).step();
  return statement.integer(0);
}

/// True if the head may be leased; otherwise it has been moved out of the way.
bool isReleased(Connection& db, const DeliveryClaim& head, Instant now) {
  if (!head.claimed.delivery.needsRelease) return true;
  const Permit permit = readPermit(db, head.row, now);
  switch (permit.permission) {
    case Permission::Given: return true;
    case Permission::NotYet:
      db.prepare("UPDATE delivery SET due_at = ?2 WHERE row = ?1").bind(head.row, permit.validFrom).run();
      return false;
    case Permission::Expired:
    case Permission::Missing: break;
  }
  expireRelease(db, head.row, transferOf(db, head.row), now);
  return false;
}

void lease(Connection& db, DeliveryClaim& head, const Owner& owner, Instant now, Instant leaseUntil) {
  Delivery& delivery = head.claimed.delivery;
  head.claimed.resolving = delivery.state == DeliveryState::Resolving;
  delivery.state = DeliveryState::Leased;
  ++delivery.attempts;
  ++delivery.token;
  db.prepare(
        "UPDATE delivery SET state = 'leased', resolving = ?2, attempts = ?3, token = ?4, lease_node = ?5, "
        "lease_epoch = ?6, lease_until = ?7 WHERE row = ?1")
      .bind(head.row, head.claimed.resolving, delivery.attempts, delivery.token, owner.node, owner.epoch, leaseUntil)
      .run();
  if (delivery.attempts > 1) {
    Statement statement = db.prepare(
        "SELECT max(sent_at), count(*) FILTER (WHERE phase <> 'connect'), min(sent_at) FILTER (WHERE phase <> "
        "'connect') FROM attempt WHERE delivery = ?1 AND sent_at IS NOT NULL");
    statement.bind(head.row).step();
    if (head.claimed.resolving) head.claimed.lastSentAt = statement.maybeInstant(0);
    head.claimed.sends = static_cast<std::uint32_t>(statement.integer(1));
    head.claimed.firstSentAt = statement.maybeInstant(2);
  }
  db.prepare("INSERT INTO attempt (delivery, number, node, claimed_at) VALUES (?1, ?2, ?3, ?4)")
      .bind(head.row, delivery.attempts, owner.node, now)
      .run();
}

}  // namespace

Result<Owner> openNode(Write& write, std::string_view node, Instant now) {
  Connection& db = write.db;
  Owner owner{std::string(node), 0};
  {
    Statement statement = db.prepare(
        "INSERT INTO node (name, epoch, opened_at) VALUES (?1, 1, ?2) ON CONFLICT (name) DO UPDATE SET "
        "epoch = epoch + 1, opened_at = ?2 RETURNING epoch");
    statement.bind(node, now).step();
    owner.epoch = static_cast<std::uint64_t>(statement.integer(0));
  }
  std::vector<DeliveryRow> leased;
  {
    Statement statement = db.prepare(kLeasedByNode.data());
    leased = readDeliveryRows(statement.bind(node));
  }
  for (const DeliveryRow& row : leased) loseLease(db, row, kLeaseLost, now);
  db.prepare(
        "UPDATE transfer SET lease_node = NULL, lease_epoch = NULL, lease_until = NULL WHERE lease_until IS NOT NULL "
        "AND lease_node = ?1")
      .bind(node)
      .run();
  return owner;
}

Result<std::vector<DeliveryClaim>> claim(Write& write, const Owner& owner, std::string_view endpoint, std::size_t limit,
                                         Instant now, Instant leaseUntil) {
  Connection& db = write.db;
  if (!isCurrent(db, owner)) return oldIncarnation(owner);
  std::vector<DeliveryClaim> claimed;
  if (isPaused(db, endpoint)) return claimed;
  // A head that may not go is moved out of the index, so every round either claims or shrinks what is left.
  while (claimed.size() < limit) {
    std::vector<DeliveryClaim> heads;
    {
      Statement statement = db.prepare(kDueHeads.data());
      for (statement.bind(endpoint, now, static_cast<std::int64_t>(limit - claimed.size())); statement.step();) {
        DeliveryClaim& head = heads.emplace_back();
        head.row = statement.integer(0);
        head.claimed.delivery = readDelivery(statement);
      }
    }
    if (heads.empty()) break;
    for (DeliveryClaim& head : heads) {
      if (!isReleased(db, head, now)) continue;
      head.claimed.delivery.after = readAfter(db, head.row);
      lease(db, head, owner, now, leaseUntil);
      claimed.push_back(std::move(head));
    }
  }
  return claimed;
}

void startSending(Write& write, const std::vector<Lease>& claimed, Instant now, Turned& turned) {
  Connection& db = write.db;
  for (const auto& [id, token] : claimed) {
    if (!isUuid(id)) continue;
    DeliveryRow row;
    {
      Statement statement = db.prepare(kLeasedByToken.data());
      if (!statement.bind(toUuid(id), token).step()) continue;
      row = readDeliveryRow(statement);
    }
    if (row.sending) continue;
    bool needsRelease = false;
    {
      Statement statement = db.prepare("SELECT needs_release FROM delivery WHERE row = ?1");
      needsRelease = statement.bind(row.row).step() && statement.integer(0) != 0;
    }
    Permit permit{Permission::Given, {}, Instant::max()};
    if (needsRelease) permit = readPermit(db, row.row, now);
    if (permit.permission != Permission::Given) {
      if (permit.permission == Permission::Expired) expireRelease(db, row.row, row.transfer, now);
      loseLease(db, row, kReleaseVoid, now);
      continue;
    }
    db.prepare("UPDATE delivery SET sending = 1, ever_sent = 1 WHERE row = ?1").bind(row.row).run();
    db.prepare("UPDATE attempt SET sent_at = ?3 WHERE delivery = ?1 AND number = ?2")
        .bind(row.row, row.attempts, now)
        .run();
    turned.started.emplace_back(id, token);
    turned.until.push_back(permit.validUntil);
  }
}

std::vector<Lease> finish(Write& write, const std::vector<AttemptEnd>& ends, Instant now) {
  Connection& db = write.db;
  std::vector<Lease> stale;
  for (const AttemptEnd& end : ends) {
    std::optional<DeliveryRow> row;
    if (isUuid(end.delivery)) {
      Statement statement = db.prepare(kLeasedByToken.data());
      if (statement.bind(toUuid(end.delivery), end.token).step()) row = readDeliveryRow(statement);
    }
    if (!row) {
      stale.emplace_back(end.delivery, end.token);
      continue;
    }
    db.prepare(
          "UPDATE attempt SET ended_at = ?3, outcome = ?4, http_status = ?5, phase = ?6, response_digest = ?7 "
          "WHERE delivery = ?1 AND number = ?2")
        .bind(row->row, row->attempts, now, end.outcome, end.httpStatus, end.phase, end.responseDigest)
        .run();
    std::optional<Instant> dueAt;
    if (hasDueTime(end.to)) dueAt = end.dueAt;
    go(db, *row, end.to, end.to == DeliveryState::Done ? "" : std::string_view(end.reason), dueAt, now);
    if (end.audit.empty()) continue;
    Id transfer;
    {
      Statement statement = db.prepare("SELECT id FROM transfer WHERE row = ?1");
      if (statement.bind(row->transfer).step()) transfer = statement.uuid(0);
    }
    writeAudit(write, end.audit, transfer, row->transfer);
  }
  return stale;
}

Result<std::size_t> expireLeases(Write& write, Instant now) {
  Connection& db = write.db;
  std::vector<DeliveryRow> over;
  {
    Statement statement = db.prepare(kLeaseOver.data());
    over = readDeliveryRows(statement.bind(now));
  }
  for (const DeliveryRow& row : over) loseLease(db, row, kLeaseLost, now);
  db.prepare("UPDATE transfer SET lease_node = NULL, lease_epoch = NULL, lease_until = NULL WHERE lease_until <= ?1")
      .bind(now)
      .run();
  return over.size() + static_cast<std::size_t>(db.changes());
}

Result<std::size_t> promoteOrphans(Write& write, Instant now) {
  std::vector<std::pair<std::int64_t, std::string>> lanes;
  {
    Statement statement = write.db.prepare("SELECT DISTINCT transfer, endpoint FROM delivery WHERE state = 'queued'");
    for (statement.bind(); statement.step();) lanes.emplace_back(statement.integer(0), statement.text(1));
  }
  std::size_t promoted = 0;
  for (const auto& [transfer, endpoint] : lanes) promoted += promote(write.db, transfer, endpoint, now) ? 1 : 0;
  return promoted;
}

}  // namespace lotsen::store::sqlite
