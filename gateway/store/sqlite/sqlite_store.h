// The storage contract in one SQLite file: the embedded default. One writer thread with group commit (writer.h), a few
// read-only connections (readers.h), one process a file (lock_file.h). Used by: app.
// Thread rule: as store.h. Failure rule: as store.h; after Ambiguous, Unavailable or Corrupt from a writing verb the
// store refuses all writes and `onFatal` has been called: end the process, the next start recovers.
#pragma once

#include "gateway/store/store.h"

#include <functional>
#include <memory>

namespace lotsen::store {

class SqliteStore final : public Store {
 public:
  struct Options {
    std::string path;                           // of the database file, on a local disk; created if missing
    std::size_t readers = 4;                    // connections for reading
    std::function<void(const Error&)> onFatal;  // called once, on the writer's thread; must not call the store
  };

  /// Busy: another process has it open. Invalid: the file is another program's, or a newer version's. Corrupt,
  /// Unavailable: as the message says.
  static Result<std::unique_ptr<SqliteStore>> open(Options options, Instant now);
  /// Finishes the writes that wait, copies the log into the database and closes it.
  ~SqliteStore() override;

  Result<Owner> openNode(std::string_view node, Instant now) override;
  Result<Accepted> accept(AcceptItem item) override;
  Result<std::optional<Accepted>> seen(const AcceptItem& item) override;
  Result<std::size_t> forgetKeys(Instant before, std::size_t limit) override;
  Result<std::vector<TransferWork>> claimTransfers(const Owner& owner, std::size_t limit, Instant now,
                                                   Instant leaseUntil) override;
  std::vector<Result<Saved>> saveTransfers(std::vector<TransferChange> changes, Instant now) override;
  Result<TransferWork> claimTransfer(const Owner& owner, const Id& transfer, Instant now, Instant leaseUntil) override;
  Status returnTransfer(const Id& transfer, std::uint64_t token, Instant dueAt) override;
  Result<std::vector<Claimed>> claim(const Owner& owner, std::string_view endpoint, std::size_t limit, Instant now,
                                     Instant leaseUntil) override;
  Result<Turned> turn(std::vector<AttemptEnd> ends, const std::vector<Lease>& starts, Instant now) override;
  Result<std::size_t> expireLeases(Instant now) override;
  Result<std::size_t> promoteOrphans(Instant now) override;
  Result<std::size_t> noticeOverdue(Instant now) override;
  Status pauseEndpoint(Pause pause, AuditEntry audit) override;
  Status resumeEndpoint(std::string_view endpoint, AuditEntry audit) override;
  Result<std::vector<Intervened>> intervene(std::vector<Intervention> interventions, Instant now) override;
  Result<std::vector<std::string>> dueEndpoints(Instant now, std::optional<Instant>& nextDue) override;
  Result<TransferView> transfer(const Id& id) override;
  Result<std::vector<Transfer>> transfers(const TransferFilter& filter) override;
  Result<Record> record(const Id& id) override;
  Result<RecordPage> records(const RecordFilter& filter) override;
  Result<Delivery> delivery(const Id& id) override;
  Result<DeliveryPage> deliveries(const DeliveryFilter& filter) override;
  Result<std::vector<EndpointFigures>> endpoints() override;
  Result<Counts> counts() override;
  Result<Alarms> alarms(Instant now) override;
  Status note(std::vector<AuditEntry> entries) override;
  Status verifyAudit() override;
  Result<Purged> purge(const Retention& retention, const Id& after, Instant now) override;

 private:
  struct Parts;
  explicit SqliteStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lotsen::store
