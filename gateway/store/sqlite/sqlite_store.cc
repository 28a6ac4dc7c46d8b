#include "gateway/store/sqlite/sqlite_store.h"

#include "gateway/store/rules.h"
#include "gateway/store/sqlite/lock_file.h"
#include "gateway/store/sqlite/readers.h"
#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/verbs.h"
#include "gateway/store/sqlite/writer.h"

#include <fcntl.h>
#include <unistd.h>

namespace lotsen::store {

using sqlite::Connection;
using sqlite::Durable;
using sqlite::Write;

/// Destroyed from the bottom: readers first, so that the writer is the last to close and empties the log.
struct SqliteStore::Parts {
  sqlite::LockFile lock;
  std::unique_ptr<sqlite::Writer> writer;
  std::unique_ptr<sqlite::Readers> readers;
};

namespace {

std::size_t sizeOf(const TransferChange& change) {
  std::size_t bytes = 512;
  for (const RecordChange& each : change.records) bytes += each.canonical.size() + each.issues.size();
  for (const Delivery& each : change.created) bytes += each.body.size() + 512;
  for (const DeliveryChange& each : change.changed) bytes += each.body.size() + 256;
  return bytes;
}

constexpr std::size_t kSmall = 512;  // bytes that a change of state writes, about

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Options options, Instant now) {
  LOTSEN_TRY(sqlite::LockFile lock, sqlite::LockFile::take(options.path + ".lock"));
  // Made here, not by SQLite, so that nobody else may read it; the log and its index get the same mode.
  if (const int file = ::open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); file >= 0) ::close(file);
  try {
    auto connection = std::make_unique<Connection>(options.path, Connection::Mode::Write);
    LOTSEN_TRY_DO(sqlite::migrate(*connection, sqlite::migrations(), now));
    const crypto::Digest256 chain = sqlite::newestAuditHash(*connection);
    sqlite::Writer::Options writing;
    writing.onFatal = std::move(options.onFatal);
    auto writer = std::make_unique<sqlite::Writer>(std::move(connection), chain, std::move(writing));
    auto readers = std::make_unique<sqlite::Readers>(options.path, options.readers);
    auto parts = std::make_unique<Parts>(Parts{std::move(lock), std::move(writer), std::move(readers)});
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
  } catch (const sqlite::Fault& fault) {
    Error error = fault.error();
    error.message += " (" + options.path + ")";
    return error;
  }
}

Result<Owner> SqliteStore::openNode(std::string_view node, Instant now) {
  return parts_->writer->submit<Owner>(Durable::Now, kSmall,
                                       [&](Write& write) { return sqlite::openNode(write, node, now); });
}

Result<Accepted> SqliteStore::accept(AcceptItem item) {
  LOTSEN_TRY_DO(checkAccept(item));
  const std::size_t bytes = item.record.body.size() + item.answerBody.size() + 1024;
  return parts_->writer->submit<Accepted>(Durable::Now, bytes,
                                          [&](Write& write) { return sqlite::accept(write, item); });
}

Result<std::optional<Accepted>> SqliteStore::seen(const AcceptItem& item) {
  using Found = std::optional<Accepted>;
  return parts_->readers->read<Found>([&](Connection& db) -> Result<Found> { return sqlite::seen(db, item); });
}

Result<std::size_t> SqliteStore::forgetKeys(Instant before, std::size_t limit) {
  return parts_->writer->submit<std::size_t>(Durable::Now, kSmall * limit, [&](Write& write) -> Result<std::size_t> {
    return sqlite::forgetKeys(write, before, limit);
  });
}

// The lease is written by the writer; what was leased is read beside it, so that bodies do not pass through the one
// thread that everybody waits for. What comes between the two is in the reading too, and makes the transfer due again.
Result<std::vector<TransferWork>> SqliteStore::claimTransfers(const Owner& owner, std::size_t limit, Instant now,
                                                              Instant leaseUntil) {
  using Claims = std::vector<sqlite::TransferClaim>;
  LOTSEN_TRY(const Claims claims, parts_->writer->submit<Claims>(Durable::WithNext, kSmall * limit, [&](Write& write) {
    return sqlite::claimTransfers(write, owner, limit, now, leaseUntil);
  }));
  if (claims.empty()) return std::vector<TransferWork>{};
  return parts_->readers->read<std::vector<TransferWork>>([&](Connection& db) -> Result<std::vector<TransferWork>> {
    std::vector<TransferWork> works;
    for (const sqlite::TransferClaim& claim : claims) works.push_back(sqlite::readWork(db, claim));
    return works;
  });
}

Result<TransferWork> SqliteStore::claimTransfer(const Owner& owner, const Id& transfer, Instant, Instant leaseUntil) {
  using sqlite::TransferClaim;
  LOTSEN_TRY(const TransferClaim claim,
             parts_->writer->submit<TransferClaim>(Durable::WithNext, kSmall, [&](Write& write) {
               return sqlite::claimTransfer(write, owner, transfer, leaseUntil);
             }));
  return parts_->readers->read<TransferWork>(
      [&](Connection& db) -> Result<TransferWork> { return sqlite::readWork(db, claim); });
}

std::vector<Result<Saved>> SqliteStore::saveTransfers(std::vector<TransferChange> changes, Instant now) {
  using Results = std::vector<Result<Saved>>;
  std::size_t bytes = 0;
  for (const TransferChange& each : changes) bytes += sizeOf(each);
  Result<Results> saved = parts_->writer->submit<Results>(Durable::Now, bytes, [&](Write& write) -> Result<Results> {
    Results results;
    results.reserve(changes.size());
    for (const TransferChange& each : changes) results.push_back(sqlite::saveOne(write, each, now));
    return results;
  });
  return saved.ok() ? std::move(*saved) : Results(changes.size(), saved.error());
}

Status SqliteStore::returnTransfer(const Id& transfer, std::uint64_t token, Instant dueAt) {
  return parts_->writer->submit<Done>(
      Durable::WithNext, kSmall, [&](Write& write) { return sqlite::returnTransfer(write, transfer, token, dueAt); });
}

Result<std::vector<Claimed>> SqliteStore::claim(const Owner& owner, std::string_view endpoint, std::size_t limit,
                                                Instant now, Instant leaseUntil) {
  using Claims = std::vector<sqlite::DeliveryClaim>;
  LOTSEN_TRY(Claims claims, parts_->writer->submit<Claims>(Durable::WithNext, kSmall * limit, [&](Write& write) {
    return sqlite::claim(write, owner, endpoint, limit, now, leaseUntil);
  }));
  if (claims.empty()) return std::vector<Claimed>{};
  return parts_->readers->read<std::vector<Claimed>>([&](Connection& db) -> Result<std::vector<Claimed>> {
    std::vector<Claimed> claimed;
    for (sqlite::DeliveryClaim& claim : claims) {
      claim.claimed.delivery.body = sqlite::readBody(db, claim.row);
      claimed.push_back(std::move(claim.claimed));
    }
    return claimed;
  });
}

Result<Turned> SqliteStore::turn(std::vector<AttemptEnd> ends, const std::vector<Lease>& starts, Instant now) {
  LOTSEN_TRY_DO(checkEnds(ends));
  return parts_->writer->submit<Turned>(Durable::Now, kSmall * (ends.size() + starts.size()), [&](Write& write) {
    Turned turned;
    turned.stale = sqlite::finish(write, ends, now);
    sqlite::startSending(write, starts, now, turned);
    return Result<Turned>(std::move(turned));
  });
}

// The sweeps look first on a reader: mostly there is nothing to do, and nobody shall wait for that.
Result<std::size_t> SqliteStore::expireLeases(Instant now) {
  LOTSEN_TRY(const bool any, parts_->readers->read<bool>(
                                 [&](Connection& db) -> Result<bool> { return sqlite::anyExpiredLease(db, now); }));
  if (!any) return std::size_t{0};
  return parts_->writer->submit<std::size_t>(Durable::WithNext, kSmall,
                                             [&](Write& write) { return sqlite::expireLeases(write, now); });
}

Result<std::size_t> SqliteStore::promoteOrphans(Instant now) {
  LOTSEN_TRY(const bool any,
             parts_->readers->read<bool>([&](Connection& db) -> Result<bool> { return sqlite::anyOrphan(db); }));
  if (!any) return std::size_t{0};
  return parts_->writer->submit<std::size_t>(Durable::WithNext, kSmall,
                                             [&](Write& write) { return sqlite::promoteOrphans(write, now); });
}

Result<std::size_t> SqliteStore::noticeOverdue(Instant now) {
  LOTSEN_TRY(const bool any,
             parts_->readers->read<bool>([&](Connection& db) -> Result<bool> { return sqlite::anyOverdue(db, now); }));
  if (!any) return std::size_t{0};
  return parts_->writer->submit<std::size_t>(Durable::WithNext, kSmall * kOverdueRows,
                                             [&](Write& write) { return sqlite::noticeOverdue(write, now); });
}

Status SqliteStore::pauseEndpoint(Pause pause, AuditEntry audit) {
  LOTSEN_TRY_DO(checkAudit({audit}));
  return parts_->writer->submit<Done>(Durable::Now, kSmall,
                                      [&](Write& write) { return sqlite::pauseEndpoint(write, pause, audit); });
}

Status SqliteStore::resumeEndpoint(std::string_view endpoint, AuditEntry audit) {
  LOTSEN_TRY_DO(checkAudit({audit}));
  return parts_->writer->submit<Done>(Durable::Now, kSmall,
                                      [&](Write& write) { return sqlite::resumeEndpoint(write, endpoint, audit); });
}

Result<std::vector<Intervened>> SqliteStore::intervene(std::vector<Intervention> interventions, Instant now) {
  LOTSEN_TRY_DO(checkInterventions(interventions));
  using Outcomes = std::vector<Intervened>;
  return parts_->writer->submit<Outcomes>(Durable::Now, kSmall * interventions.size(),
                                          [&](Write& write) -> Result<Outcomes> {
                                            Outcomes outcomes;
                                            outcomes.reserve(interventions.size());
                                            for (const Intervention& each : interventions)
                                              outcomes.push_back(sqlite::intervene(write, each, now));
                                            return outcomes;
                                          });
}

Result<std::vector<std::string>> SqliteStore::dueEndpoints(Instant now, std::optional<Instant>& nextDue) {
  return parts_->readers->read<std::vector<std::string>>(
      [&](Connection& db) { return sqlite::dueEndpoints(db, now, nextDue); });
}

Result<TransferView> SqliteStore::transfer(const Id& id) {
  return parts_->readers->read<TransferView>([&](Connection& db) { return sqlite::transferView(db, id); });
}

Result<std::vector<Transfer>> SqliteStore::transfers(const TransferFilter& filter) {
  return parts_->readers->read<std::vector<Transfer>>([&](Connection& db) { return sqlite::transfers(db, filter); });
}

Result<Record> SqliteStore::record(const Id& id) {
  return parts_->readers->read<Record>([&](Connection& db) { return sqlite::record(db, id); });
}

Result<RecordPage> SqliteStore::records(const RecordFilter& filter) {
  LOTSEN_TRY_DO(checkFilter(filter));
  return parts_->readers->read<RecordPage>([&](Connection& db) { return sqlite::records(db, filter); });
}

Result<Delivery> SqliteStore::delivery(const Id& id) {
  return parts_->readers->read<Delivery>([&](Connection& db) { return sqlite::delivery(db, id); });
}

Result<DeliveryPage> SqliteStore::deliveries(const DeliveryFilter& filter) {
  LOTSEN_TRY_DO(checkFilter(filter));
  return parts_->readers->read<DeliveryPage>([&](Connection& db) { return sqlite::deliveries(db, filter); });
}

Result<std::vector<EndpointFigures>> SqliteStore::endpoints() {
  return parts_->readers->read<std::vector<EndpointFigures>>([&](Connection& db) { return sqlite::endpoints(db); });
}

Result<Counts> SqliteStore::counts() {
  return parts_->readers->read<Counts>([&](Connection& db) { return sqlite::counts(db); });
}

Result<Alarms> SqliteStore::alarms(Instant now) {
  return parts_->readers->read<Alarms>([&](Connection& db) { return sqlite::alarms(db, now); });
}

Status SqliteStore::note(std::vector<AuditEntry> entries) {
  LOTSEN_TRY_DO(checkAudit(entries));
  return parts_->writer->submit<Done>(Durable::Now, kSmall * entries.size(),
                                      [&](Write& write) { return sqlite::note(write, entries); });
}

Status SqliteStore::verifyAudit() {
  std::int64_t from = 0;
  crypto::Digest256 chain{};
  for (bool finished = false; !finished;) {
    LOTSEN_TRY(finished,
               parts_->readers->read<bool>([&](Connection& db) { return sqlite::verifyAudit(db, from, chain); }));
  }
  return done();
}

Result<Purged> SqliteStore::purge(const Retention& retention, const Id& after, Instant now) {
  LOTSEN_TRY_DO(checkCursor(after));
  LOTSEN_TRY(const sqlite::PurgePlan plan,
             parts_->readers->read<sqlite::PurgePlan>(
                 [&](Connection& db) -> Result<sqlite::PurgePlan> { return sqlite::planPurge(db, retention, after); }));
  if (plan.isEmpty()) return Purged{0, 0, 0, 0, plan.next, plan.more};
  return parts_->writer->submit<Purged>(Durable::WithNext, kSmall, [&](Write& write) -> Result<Purged> {
    return sqlite::purge(write, retention, after, now);
  });
}

}  // namespace lotsen::store
