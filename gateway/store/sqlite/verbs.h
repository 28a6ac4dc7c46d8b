// The verbs of the contract in SQL. Those that write run inside the writer's savepoint, those that read on a connection
// of the pool. Used by sqlite_store.cc. Failure rule: an Error is a refusal of the contract (the savepoint is rolled
// back); a broken database throws Fault. Input has passed the checks of store/rules.h.
#pragma once

#include "gateway/store/sqlite/rows.h"

namespace lotsen::store::sqlite {

// accept.cc
Result<Accepted> accept(Write& write, const AcceptItem& item);
std::optional<Accepted> seen(Connection& db, const AcceptItem& item);
std::size_t forgetKeys(Write& write, Instant before, std::size_t limit);

// work.cc
struct TransferClaim {
  std::int64_t row = 0;
  std::uint64_t token = 0;
};
Result<std::vector<TransferClaim>> claimTransfers(Write& write, const Owner& owner, std::size_t limit, Instant now,
                                                  Instant leaseUntil);
Result<TransferClaim> claimTransfer(Write& write, const Owner& owner, const Id& transfer, Instant leaseUntil);
/// In a savepoint of its own: a change that is refused leaves nothing.
Result<Saved> saveOne(Write& write, const TransferChange& change, Instant now);
Status returnTransfer(Write& write, const Id& transfer, std::uint64_t token, Instant dueAt);
Status note(Write& write, const std::vector<AuditEntry>& entries);

// leases.cc
struct DeliveryClaim {
  std::int64_t row = 0;
  Claimed claimed;  // without body
};
Result<Owner> openNode(Write& write, std::string_view node, Instant now);
Result<std::vector<DeliveryClaim>> claim(Write& write, const Owner& owner, std::string_view endpoint, std::size_t limit,
                                         Instant now, Instant leaseUntil);
void startSending(Write& write, const std::vector<Lease>& claimed, Instant now, Turned& turned);
std::vector<Lease> finish(Write& write, const std::vector<AttemptEnd>& ends, Instant now);
Result<std::size_t> expireLeases(Write& write, Instant now);
Result<std::size_t> promoteOrphans(Write& write, Instant now);

// alarms.cc
bool anyOverdue(Connection& db, Instant now);
Result<std::size_t> noticeOverdue(Write& write, Instant now);
Status pauseEndpoint(Write& write, const Pause& pause, const AuditEntry& audit);
Status resumeEndpoint(Write& write, std::string_view endpoint, const AuditEntry& audit);
Result<Alarms> alarms(Connection& db, Instant now);

// operations.cc
Intervened intervene(Write& write, const Intervention& intervention, Instant now);
Result<DeliveryPage> deliveries(Connection& db, const DeliveryFilter& filter);
Result<std::vector<EndpointFigures>> endpoints(Connection& db);

// retention.cc
/// What one step of retention would remove: row numbers.
struct PurgePlan {
  std::vector<std::int64_t> records = {}, deliveries = {}, attempts = {};
  std::int64_t audit = -1;  // the last row of the cut; -1: none
  Id next = {};
  bool more = false;
  bool isEmpty() const;
};
PurgePlan planPurge(Connection& db, const Retention& retention, const Id& after);
Purged purge(Write& write, const Retention& retention, const Id& after, Instant now);

// read.cc
bool anyExpiredLease(Connection& db, Instant now);
bool anyOrphan(Connection& db);
TransferWork readWork(Connection& db, const TransferClaim& claim);
std::string readBody(Connection& db, std::int64_t delivery);
Result<std::vector<std::string>> dueEndpoints(Connection& db, Instant now, std::optional<Instant>& nextDue);
Result<TransferView> transferView(Connection& db, const Id& id);
Result<std::vector<Transfer>> transfers(Connection& db, const TransferFilter& filter);
Result<Record> record(Connection& db, const Id& id);
Result<RecordPage> records(Connection& db, const RecordFilter& filter);
Result<Delivery> delivery(Connection& db, const Id& id);
Result<Counts> counts(Connection& db);

/// Checks one stretch of the audit chain after row `from`, whose hash is `chain`; both move on. True: the end is
/// reached, and the head, if it was cut, is where the audit says.
Result<bool> verifyAudit(Connection& db, std::int64_t& from, crypto::Digest256& chain);
crypto::Digest256 newestAuditHash(Connection& db);

}  // namespace lotsen::store::sqlite
