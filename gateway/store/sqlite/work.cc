#include "gateway/base/random.h"
#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

#include <map>

namespace lotsen::store::sqlite {

namespace {

/// The transfer under work and what the change may refer to.
struct Scope {
  Write& write;
  std::int64_t transfer = 0;
  Instant now;
  bool voided = false;                           // a consent or BTF record came since the claim
  std::map<Uuid, std::int64_t> records = {};     // rows by id
  std::map<Uuid, std::int64_t> deliveries = {};  // stored and created ones
};

std::map<Uuid, std::int64_t> readIds(Statement& statement) {
  std::map<Uuid, std::int64_t> ids;
  while (statement.step()) {
    Uuid id{};
    const std::string_view bytes = statement.view(0);
    std::copy_n(bytes.begin(), std::min(bytes.size(), id.size()), id.begin());
    ids.emplace(id, statement.integer(1));
  }
  return ids;
}

std::optional<std::int64_t> find(const std::map<Uuid, std::int64_t>& ids, const Id& id) {
  if (!isUuid(id)) return std::nullopt;
  const auto found = ids.find(toUuid(id));
  if (found == ids.end()) return std::nullopt;
  return found->second;
}

Status saveRecord(Scope& scope, const RecordChange& change, const Id& transfer) {
  const std::optional<std::int64_t> row = find(scope.records, change.id);
  if (!row) return fail(Code::Invalid, "record " + change.id + " is not of transfer " + transfer);
  Connection& db = scope.write.db;
  db.prepare("UPDATE record SET state = ?2, reason = ?3, issues = ?4, map_hash = ?5 WHERE row = ?1")
      .bind(*row, name(change.state), change.reason, change.issues, change.mapHash)
      .run();
  if (change.canonical.empty()) {
    db.prepare("DELETE FROM record_canonical WHERE record = ?1").bind(*row).run();
  } else {
    db.prepare(
          "INSERT INTO record_canonical (record, canonical) VALUES (?1, ?2) ON CONFLICT (record) DO UPDATE SET "
          "canonical = ?2")
        .bind(*row, Blob{change.canonical})
        .run();
  }
  return done();
}

DeliveryRow readRow(Connection& db, std::int64_t row) {
  static constexpr auto kByRow = join(kDeliveryRow, "WHERE row = ?1");
  Statement statement = db.prepare(kByRow.data());
  statement.bind(row).step();
  return readDeliveryRow(statement);
}

bool dependenciesFinished(Connection& db, std::int64_t row) {
  Statement statement = db.prepare(
      "SELECT 1 FROM delivery_after a JOIN delivery d ON d.row = a.after WHERE a.delivery = ?1 AND d.state NOT IN "
      "('done', 'cancelled')");
  return !statement.bind(row).step();
}

void writeBody(Connection& db, std::int64_t row, std::string_view body) {
  db.prepare("INSERT INTO delivery_body (delivery, body) VALUES (?1, ?2)").bind(row, Blob{body}).run();
}

void giveBytes(Scope& scope, const DeliveryRow& row, const DeliveryChange& change) {
  Connection& db = scope.write.db;
  const Place place = nextPlace(db, row.transfer, row.endpoint);
  LOTSEN_CHECK(mayGo(row.state, place.state));
  db.prepare(
        "UPDATE delivery SET state = ?2, sequence = ?3, media_type = ?4, map_hash = ?5, reason = ?6, due_at = ?7, "
        "placed_at = ?7 WHERE row = ?1")
      .bind(row.row, name(place.state), place.sequence, change.mediaType, change.mapHash, change.reason, scope.now)
      .run();
  writeBody(db, row.row, change.body);
}

Status changeDelivery(Scope& scope, const DeliveryChange& change, const Id& transfer, Saved& saved) {
  Connection& db = scope.write.db;
  const std::optional<std::int64_t> id = find(scope.deliveries, change.id);
  if (!id) return fail(Code::Invalid, "delivery " + change.id + " is not of transfer " + transfer);
  const DeliveryRow row = readRow(db, *id);
  if (!mayChange(change.to, row.state, dependenciesFinished(db, row.row))) {
    if (row.state == DeliveryState::Leased) {
      db.prepare("UPDATE delivery SET recheck = 1 WHERE row = ?1").bind(row.row).run();
    }
    saved.skipped.push_back(change.id);
    return done();
  }
  if (change.to != DeliveryState::Ready) {
    go(db, row, change.to, change.reason, std::nullopt, scope.now);
    return done();
  }
  db.prepare("UPDATE delivery SET deadline_at = deadline_at + (?2 - created_at) WHERE row = ?1 AND deadline_at <> 0")
      .bind(row.row, scope.now)
      .run();
  giveBytes(scope, row, change);
  return done();
}

Status createDelivery(Scope& scope, const Delivery& delivery) {
  Connection& db = scope.write.db;
  std::optional<std::int64_t> sequence;
  DeliveryState state = delivery.state;
  if (state == DeliveryState::Ready) {
    const Place place = nextPlace(db, scope.transfer, delivery.endpoint);
    sequence = place.sequence;
    state = place.state;
  }
  db.prepare(
        "INSERT INTO delivery (id, transfer, role, partner, endpoint, sequence, state, message_id, bundle_id, "
        "media_type, map_hash, needs_release, due_at, deadline_at, reason, created_at, placed_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT (id) DO "
        "NOTHING")
      .bind(toUuid(delivery.id), scope.transfer, name(delivery.role), delivery.partner, delivery.endpoint, sequence,
            name(state), delivery.messageId, delivery.bundleId, delivery.mediaType, delivery.mapHash,
            delivery.needsRelease, delivery.dueAt, delivery.deadlineAt, delivery.reason, delivery.createdAt,
            sequence ? std::optional(scope.now) : std::nullopt)
      .run();
  if (db.changes() == 0) return fail(Code::Invalid, "delivery " + delivery.id + " exists already");
  const std::int64_t row = db.lastRow();
  scope.deliveries.emplace(toUuid(delivery.id), row);
  if (!delivery.body.empty()) writeBody(db, row, delivery.body);
  return done();
}

/// After all are created: a delivery may wait for one that comes later in the list.
Status linkDependencies(Scope& scope, const Delivery& delivery) {
  Connection& db = scope.write.db;
  const std::int64_t row = scope.deliveries.at(toUuid(delivery.id));
  std::int64_t ordinal = 0;
  for (const Id& before : delivery.after) {
    const std::optional<std::int64_t> after = find(scope.deliveries, before);
    if (!after) {
      return fail(Code::Invalid, "delivery " + delivery.id + " waits for " + before + ", which is not of its transfer");
    }
    db.prepare("INSERT INTO delivery_after (delivery, ordinal, after) VALUES (?1, ?2, ?3)")
        .bind(row, ++ordinal, *after)
        .run();
  }
  if (delivery.state == DeliveryState::Ready && !dependenciesFinished(db, row)) {
    return fail(Code::Invalid, "delivery " + delivery.id + " cannot be Ready: what it waits for is not Done");
  }
  return done();
}

Status saveRelease(Scope& scope, const Release& release) {
  Connection& db = scope.write.db;
  const std::optional<std::int64_t> delivery = find(scope.deliveries, release.delivery);
  if (!delivery) {
    return fail(Code::Invalid, "a release names delivery " + release.delivery + ", which is not of its transfer");
  }
  if (isFinished(readRow(db, *delivery).state)) return done();
  voidRelease(db, *delivery, scope.now);
  const auto blob = [](const Id& id) { return id.empty() ? std::nullopt : std::optional(toUuid(id)); };
  std::optional<Instant> voidedAt;
  if (scope.voided) voidedAt = scope.now;
  db.prepare(
        "INSERT INTO release (delivery, consent_record, btf_record, valid_from, valid_until, basis, voided_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
      .bind(*delivery, blob(release.consentRecord), blob(release.btfRecord), release.validFrom, release.validUntil,
            release.basis, voidedAt)
      .run();
  db.prepare("UPDATE delivery SET released = ?2 WHERE row = ?1").bind(*delivery, !scope.voided).run();
  return done();
}

Status apply(Scope& scope, const TransferChange& change, Saved& saved) {
  for (const RecordChange& each : change.records) LOTSEN_TRY_DO(saveRecord(scope, each, change.id));
  for (const DeliveryChange& each : change.changed) LOTSEN_TRY_DO(changeDelivery(scope, each, change.id, saved));
  for (const Delivery& each : change.created) LOTSEN_TRY_DO(createDelivery(scope, each));
  for (const Delivery& each : change.created) LOTSEN_TRY_DO(linkDependencies(scope, each));
  for (const Release& each : change.releases) LOTSEN_TRY_DO(saveRelease(scope, each));
  writeAudit(scope.write, change.audit, change.id, scope.transfer);
  return done();
}

struct Lease {
  std::int64_t row = 0;
  bool arrived = false;  // something new since the claim
  bool voided = false;
  std::optional<Instant> dueAt;
};

std::optional<Lease> readLease(Connection& db, const Id& transfer, std::uint64_t token) {
  if (!isUuid(transfer)) return std::nullopt;
  Statement statement = db.prepare(
      "SELECT row, arrivals <> arrivals_at_claim, voided_since_claim, due_at FROM transfer WHERE id = ?1 AND token = "
      "?2 "
      "AND lease_until IS NOT NULL");
  if (!statement.bind(toUuid(transfer), token).step()) return std::nullopt;
  return Lease{statement.integer(0), statement.integer(1) != 0, statement.integer(2) != 0, statement.maybeInstant(3)};
}

void lease(Connection& db, const TransferClaim& claim, const Owner& owner, Instant leaseUntil) {
  db.prepare(
        "UPDATE transfer SET token = ?2, lease_node = ?3, lease_epoch = ?4, lease_until = ?5, "
        "arrivals_at_claim = arrivals, voided_since_claim = 0 WHERE row = ?1")
      .bind(claim.row, claim.token, owner.node, owner.epoch, leaseUntil)
      .run();
}

}  // namespace

Result<std::vector<TransferClaim>> claimTransfers(Write& write, const Owner& owner, std::size_t limit, Instant now,
                                                  Instant leaseUntil) {
  Connection& db = write.db;
  if (!isCurrent(db, owner)) return oldIncarnation(owner);
  std::vector<TransferClaim> claims;
  {
    Statement statement = db.prepare(
        "SELECT row, token + 1 FROM transfer WHERE due_at <= ?1 AND lease_until IS NULL ORDER BY due_at, row LIMIT ?2");
    for (statement.bind(now, static_cast<std::int64_t>(limit)); statement.step();) {
      claims.push_back({statement.integer(0), static_cast<std::uint64_t>(statement.integer(1))});
    }
  }
  for (const TransferClaim& claim : claims) lease(db, claim, owner, leaseUntil);
  return claims;
}

Result<TransferClaim> claimTransfer(Write& write, const Owner& owner, const Id& transfer, Instant leaseUntil) {
  if (!isCurrent(write.db, owner)) return oldIncarnation(owner);
  TransferClaim claim;
  {
    Statement statement =
        write.db.prepare("SELECT row, token + 1, lease_until IS NOT NULL FROM transfer WHERE id = ?1");
    if (!isUuid(transfer) || !statement.bind(toUuid(transfer)).step())
      return fail(Code::NotFound, "no transfer " + transfer);
    if (statement.integer(2) != 0) return beingThoughtAbout(transfer);
    claim = {statement.integer(0), static_cast<std::uint64_t>(statement.integer(1))};
  }
  lease(write.db, claim, owner, leaseUntil);
  return claim;
}

namespace {

Result<Saved> saveTransfer(Write& write, const TransferChange& change, Instant now) {
  Connection& db = write.db;
  const std::optional<Lease> lease = readLease(db, change.id, change.token);
  if (!lease) return staleWork(change.id);

  Scope scope{write, lease->row, now, lease->voided};
  if (!change.records.empty()) {
    Statement statement = db.prepare("SELECT id, row FROM record WHERE transfer = ?1");
    scope.records = readIds(statement.bind(lease->row));
  }
  {
    Statement statement = db.prepare("SELECT id, row FROM delivery WHERE transfer = ?1");
    scope.deliveries = readIds(statement.bind(lease->row));
  }
  Saved saved;
  LOTSEN_TRY_DO(apply(scope, change, saved));
  db.prepare(
        "UPDATE transfer SET state = ?2, reasons = ?3, agreement = ?4, changed_at = ?5, due_at = ?6, lease_node = "
        "NULL, "
        "lease_epoch = NULL, lease_until = NULL WHERE row = ?1")
      .bind(lease->row, name(change.state), change.reasons, change.agreement, now,
            lease->arrived ? lease->dueAt : change.dueAt)
      .run();
  return saved;
}

}  // namespace

Result<Saved> saveOne(Write& write, const TransferChange& change, Instant now) {
  LOTSEN_TRY_DO(checkChange(change));
  const crypto::Digest256 chainBefore = write.chain;
  write.db.prepare("SAVEPOINT change").run();
  Result<Saved> saved = saveTransfer(write, change, now);
  if (!saved.ok()) {
    write.chain = chainBefore;
    write.db.prepare("ROLLBACK TO change").run();
  }
  write.db.prepare("RELEASE change").run();
  return saved;
}

Status returnTransfer(Write& write, const Id& transfer, std::uint64_t token, Instant dueAt) {
  const std::optional<Lease> lease = readLease(write.db, transfer, token);
  if (!lease) return staleWork(transfer);
  write.db
      .prepare(
          "UPDATE transfer SET due_at = ?2, lease_node = NULL, lease_epoch = NULL, lease_until = NULL WHERE row = ?1")
      .bind(lease->row, lease->arrived ? lease->dueAt : std::optional(dueAt))
      .run();
  return done();
}

Status note(Write& write, const std::vector<AuditEntry>& entries) {
  writeAudit(write, entries, {}, std::nullopt);
  return done();
}

}  // namespace lotsen::store::sqlite
