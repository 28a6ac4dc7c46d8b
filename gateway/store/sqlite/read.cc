#include "gateway/base/random.h"
#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

namespace lotsen::store::sqlite {

namespace {

constexpr auto kTransferByRow = join(kTransfer, "WHERE row = ?1");
constexpr auto kTransferById = join(kTransfer, "WHERE id = ?1");
constexpr auto kRecordById = join(kRecord, "WHERE r.id = ?1");
constexpr auto kRecordsAfter = join(kRecord, "WHERE r.id > ?1 ORDER BY r.id LIMIT ?2");
constexpr auto kRecordsOfTransfer = join(kRecord, "WHERE r.transfer = ?1 ORDER BY r.row");
constexpr auto kDeliveryById = join(kDelivery, "WHERE d.id = ?1");
constexpr auto kDeliveriesOfTransfer = join(kDelivery, "WHERE d.transfer = ?1 ORDER BY d.row");
// The filters are optional, so each has its own text and its own index.
constexpr auto kNewest = join(kTransfer, "WHERE row < ?1 AND (?2 = '' OR partner = ?2) ORDER BY row DESC LIMIT ?3");
constexpr auto kNewestInState =
    join(kTransfer, "WHERE state = ?4 AND row < ?1 AND (?2 = '' OR partner = ?2) ORDER BY row DESC LIMIT ?3");

constexpr std::int64_t kAuditStretch = 1000;  // rows a read: none is held open for long

bool any(Statement& statement) {
  return statement.step();
}

std::string readBlob(Connection& db, const char* sql, std::int64_t row) {
  Statement statement = db.prepare(sql);
  return statement.bind(row).step() ? statement.text(0) : std::string();
}

std::string recordBody(Connection& db, std::int64_t row) {
  return readBlob(db, "SELECT body FROM record_body WHERE record = ?1", row);
}

std::string recordCanonical(Connection& db, std::int64_t row) {
  return readBlob(db, "SELECT canonical FROM record_canonical WHERE record = ?1", row);
}

std::vector<Record> recordsOf(Connection& db, std::int64_t transfer, bool withBodies) {
  std::vector<Record> records;
  Statement statement = db.prepare(kRecordsOfTransfer.data());
  for (statement.bind(transfer); statement.step();) {
    Record record = readRecord(statement);
    if (withBodies) {
      record.body = recordBody(db, statement.integer(0));
      record.canonical = recordCanonical(db, statement.integer(0));
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Delivery> deliveriesOf(Connection& db, std::int64_t transfer) {
  std::vector<Delivery> deliveries;
  Statement statement = db.prepare(kDeliveriesOfTransfer.data());
  for (statement.bind(transfer); statement.step();) {
    Delivery delivery = readDelivery(statement);
    delivery.after = readAfter(db, statement.integer(0));
    deliveries.push_back(std::move(delivery));
  }
  return deliveries;
}

std::vector<Release> releasesOf(Connection& db, std::int64_t transfer) {
  std::vector<Release> releases;
  Statement statement = db.prepare(
      "SELECT d.id, r.consent_record, r.btf_record, r.valid_from, r.valid_until, r.basis FROM delivery d "
      "JOIN release r ON r.delivery = d.row AND r.voided_at IS NULL WHERE d.transfer = ?1 ORDER BY d.row");
  for (statement.bind(transfer); statement.step();) {
    releases.push_back({statement.uuid(0), statement.uuid(1), statement.uuid(2), statement.instant(3),
                        statement.instant(4), statement.text(5)});
  }
  return releases;
}

std::vector<Attempt> attemptsOf(Connection& db, std::int64_t transfer) {
  std::vector<Attempt> attempts;
  Statement statement = db.prepare(
      "SELECT d.id, a.number, a.node, a.claimed_at, a.sent_at, a.ended_at, a.outcome, a.http_status, a.phase, "
      "a.response_digest FROM delivery d JOIN attempt a ON a.delivery = d.row WHERE d.transfer = ?1 "
      "ORDER BY d.row, a.number");
  for (statement.bind(transfer); statement.step();) {
    Attempt attempt;
    attempt.delivery = statement.uuid(0);
    attempt.number = static_cast<std::uint32_t>(statement.integer(1));
    attempt.node = statement.text(2);
    attempt.claimedAt = statement.instant(3);
    attempt.sentAt = statement.maybeInstant(4);
    attempt.endedAt = statement.maybeInstant(5);
    attempt.outcome = statement.text(6);
    attempt.httpStatus = static_cast<int>(statement.integer(7));
    attempt.phase = statement.text(8);
    attempt.responseDigest = statement.text(9);
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

constexpr char kAudit[] =
    "SELECT a.number, a.at, a.actor, a.action, t.id, a.subject, a.detail, a.hash FROM audit a "
    "LEFT JOIN transfer t ON t.row = a.transfer ";
constexpr auto kAuditOfTransfer = join(kAudit, "WHERE a.transfer = ?1 ORDER BY a.number");
constexpr auto kAuditAfter = join(kAudit, "WHERE a.number > ?1 ORDER BY a.number LIMIT ?2");

AuditEntry readAudit(const Statement& statement) {
  return {statement.instant(1), statement.text(2), statement.text(3),
          statement.uuid(4),    statement.uuid(5), statement.text(6)};
}

std::vector<AuditEntry> timelineOf(Connection& db, std::int64_t transfer) {
  std::vector<AuditEntry> timeline;
  Statement statement = db.prepare(kAuditOfTransfer.data());
  for (statement.bind(transfer); statement.step();) timeline.push_back(readAudit(statement));
  return timeline;
}

}  // namespace

bool anyExpiredLease(Connection& db, Instant now) {
  Statement deliveries = db.prepare("SELECT 1 FROM delivery WHERE lease_until <= ?1 LIMIT 1");
  if (any(deliveries.bind(now))) return true;
  Statement transfers = db.prepare("SELECT 1 FROM transfer WHERE lease_until <= ?1 LIMIT 1");
  return any(transfers.bind(now));
}

bool anyOrphan(Connection& db) {
  Statement statement = db.prepare(
      "SELECT 1 FROM delivery q WHERE q.state = 'queued' AND NOT EXISTS (SELECT 1 FROM delivery h WHERE "
      "h.transfer = q.transfer AND h.endpoint = q.endpoint AND h.head) LIMIT 1");
  return any(statement.bind());
}

TransferWork readWork(Connection& db, const TransferClaim& claim) {
  TransferWork work;
  work.token = claim.token;
  {
    Statement statement = db.prepare(kTransferByRow.data());
    if (statement.bind(claim.row).step()) work.transfer = readTransfer(statement);
  }
  work.records = recordsOf(db, claim.row, true);
  work.deliveries = deliveriesOf(db, claim.row);
  return work;
}

std::string readBody(Connection& db, std::int64_t delivery) {
  return readBlob(db, "SELECT body FROM delivery_body WHERE delivery = ?1", delivery);
}

// A skip scan over the claim index: its cost is the number of endpoints, not of deliveries.
Result<std::vector<std::string>> dueEndpoints(Connection& db, Instant now, std::optional<Instant>& nextDue) {
  Statement statement = db.prepare(
      "WITH RECURSIVE e (name) AS (SELECT min(endpoint) FROM delivery WHERE claimable UNION ALL "
      "SELECT (SELECT min(endpoint) FROM delivery WHERE claimable AND endpoint > e.name) FROM e WHERE e.name IS NOT "
      "NULL) "
      "SELECT name, (SELECT min(due_at) FROM delivery WHERE claimable AND endpoint = name), "
      "(SELECT min(due_at) FROM delivery WHERE claimable AND endpoint = name AND due_at > ?1) FROM e "
      "WHERE name IS NOT NULL AND name NOT IN (SELECT endpoint FROM endpoint_pause) ORDER BY name");
  nextDue.reset();
  std::vector<std::string> due;
  for (statement.bind(now); statement.step();) {
    if (statement.instant(1) <= now) due.push_back(statement.text(0));
    const std::optional<Instant> next = statement.maybeInstant(2);
    if (next && (!nextDue || *next < *nextDue)) nextDue = next;
  }
  return due;
}

Result<TransferView> transferView(Connection& db, const Id& id) {
  const std::optional<std::int64_t> row = transferRow(db, id);
  if (!row) return fail(Code::NotFound, "no transfer " + id);
  TransferView view;
  {
    Statement statement = db.prepare(kTransferById.data());
    statement.bind(toUuid(id)).step();
    view.transfer = readTransfer(statement);
  }
  view.records = recordsOf(db, *row, false);
  view.deliveries = deliveriesOf(db, *row);
  view.releases = releasesOf(db, *row);
  view.attempts = attemptsOf(db, *row);
  view.timeline = timelineOf(db, *row);
  return view;
}

Result<std::vector<Transfer>> transfers(Connection& db, const TransferFilter& filter) {
  std::int64_t before = INT64_MAX;
  if (!filter.after.empty()) {
    const std::optional<std::int64_t> row = transferRow(db, filter.after);
    if (!row) return fail(Code::NotFound, "no transfer " + filter.after);
    before = *row;
  }
  const auto limit = static_cast<std::int64_t>(filter.limit);
  std::vector<Transfer> page;
  Statement statement = db.prepare(filter.state ? kNewestInState.data() : kNewest.data());
  if (filter.state) {
    statement.bind(before, filter.partner, limit, name(*filter.state));
  } else {
    statement.bind(before, filter.partner, limit);
  }
  while (statement.step()) page.push_back(readTransfer(statement));
  return page;
}

Result<Record> record(Connection& db, const Id& id) {
  Statement statement = db.prepare(kRecordById.data());
  if (!isUuid(id) || !statement.bind(toUuid(id)).step()) return fail(Code::NotFound, "no record " + id);
  Record record = readRecord(statement);
  record.body = recordBody(db, statement.integer(0));
  record.canonical = recordCanonical(db, statement.integer(0));
  return record;
}

Result<RecordPage> records(Connection& db, const RecordFilter& filter) {
  RecordPage page;
  std::size_t rows = 0, bytes = 0;
  Statement statement = db.prepare(kRecordsAfter.data());
  // One row more than may be looked at: it tells that there are more, and its columns are not read.
  constexpr auto kRows = static_cast<std::int64_t>(kPageRows) + 1;
  if (filter.after.empty()) {
    statement.bind(Blob{""}, kRows);
  } else {
    statement.bind(toUuid(filter.after), kRows);
  }
  while (statement.step()) {
    if (rows == kPageRows || page.records.size() == filter.limit || bytes >= kPageBytes) return page;
    Record record = readRecord(statement);
    ++rows;
    page.next = record.id;
    if (!fits(filter, record)) continue;
    record.body = recordBody(db, statement.integer(0));
    if (record.body.empty()) continue;  // retention
    record.canonical = recordCanonical(db, statement.integer(0));
    bytes += record.body.size() + record.canonical.size();
    page.records.push_back(std::move(record));
  }
  page.next.clear();
  return page;
}

Result<Delivery> delivery(Connection& db, const Id& id) {
  Statement statement = db.prepare(kDeliveryById.data());
  if (!isUuid(id) || !statement.bind(toUuid(id)).step()) return fail(Code::NotFound, "no delivery " + id);
  Delivery delivery = readDelivery(statement);
  delivery.body = readBody(db, statement.integer(0));
  delivery.after = readAfter(db, statement.integer(0));
  return delivery;
}

Result<Counts> counts(Connection& db) {
  Counts counts;
  for (const TransferState state : kTransferStates) counts.transfers.emplace_back(name(state), 0);
  for (const DeliveryState state : kDeliveryStates) counts.deliveries.emplace_back(name(state), 0);
  {
    Statement statement = db.prepare("SELECT kind, state, n FROM tally");
    for (statement.bind(); statement.step();) {
      const auto n = static_cast<std::uint64_t>(statement.integer(2));
      if (statement.view(0) == "record") {
        counts.records = n;
      } else if (statement.view(0) == "transfer") {
        counts.transfers[static_cast<std::size_t>(transferState(statement.view(1)))].second = n;
      } else {
        counts.deliveries[static_cast<std::size_t>(deliveryState(statement.view(1)))].second = n;
      }
    }
  }
  Statement statement = db.prepare(
      "WITH RECURSIVE e (name) AS (SELECT min(endpoint) FROM delivery WHERE claimable UNION ALL "
      "SELECT (SELECT min(endpoint) FROM delivery WHERE claimable AND endpoint > e.name) FROM e WHERE e.name IS NOT "
      "NULL) "
      "SELECT min((SELECT min(due_at) FROM delivery WHERE claimable AND endpoint = name)) FROM e WHERE name IS NOT "
      "NULL");
  if (statement.bind().step()) counts.oldestReady = statement.maybeInstant(0);
  return counts;
}

Result<bool> verifyAudit(Connection& db, std::int64_t& from, crypto::Digest256& chain) {
  std::int64_t head = 0;
  {
    Statement statement = db.prepare("SELECT min(number) FROM audit");
    if (statement.bind().step()) head = statement.integer(0);
  }
  Statement statement = db.prepare(kAuditAfter.data());
  std::int64_t seen = 0;
  for (statement.bind(from, kAuditStretch); statement.step(); ++seen) {
    from = statement.integer(0);
    const AuditEntry entry = readAudit(statement);
    const std::string_view expected = statement.view(7);
    if (from == head && entry.action == kAuditAnchor) {
      std::copy_n(expected.begin(), std::min(expected.size(), chain.size()), chain.begin());
      Statement cut = db.prepare("SELECT detail FROM audit WHERE action = 'audit-cut' ORDER BY number DESC LIMIT 1");
      LOTSEN_TRY_DO(checkAnchor(chain, cut.bind().step() ? cut.view(0) : std::string_view()));
      continue;
    }
    chain = auditHash(chain, entry);
    if (expected != std::string_view(reinterpret_cast<const char*>(chain.data()), chain.size())) {
      return fail(Code::Corrupt, "audit row " + std::to_string(from) + " does not match its hash");
    }
  }
  return seen < kAuditStretch;
}

crypto::Digest256 newestAuditHash(Connection& db) {
  crypto::Digest256 hash{};
  Statement statement = db.prepare("SELECT hash FROM audit ORDER BY number DESC LIMIT 1");
  if (statement.bind().step()) {
    const std::string_view bytes = statement.view(0);
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
  }
  return hash;
}

}  // namespace lotsen::store::sqlite
