// The storage contract on plain maps under one mutex: the executable specification that the other back ends are
// compared with, and the store of the simulator and of quick tests. Linear searches on purpose: easy to believe, slow
// beyond some thousand rows. Used by: app (a gateway that forgets), tests. Thread rule: as store.h. Failure rule: as
// store.h; never Busy, Ambiguous, Unavailable or Corrupt.
#pragma once

#include "gateway/store/store.h"

#include <functional>
#include <memory>
#include <mutex>

namespace lotsen::store {

class MemoryStore final : public Store {
 public:
  /// Everything that is stored; a value that can be copied.
  struct State;

  MemoryStore();
  ~MemoryStore() override;

  /// What is stored now, to be put back with restore(): the simulator's crash that loses what came after.
  std::shared_ptr<const State> snapshot() const;
  void restore(const std::shared_ptr<const State>& state);
  /// Shows what is stored now, without a copy: for tests that watch every change of state. REQUIRES: `look` calls no
  /// verb.
  void inspect(const std::function<void(const State&)>& look) const;

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
  mutable std::mutex mutex_;
  std::unique_ptr<State> state_;  // never null; guarded by mutex_
};

}  // namespace lotsen::store
