// A store between the core and the real one, where a test can step in: fail a verb, or let something happen just before
// it. Thread rule: as the store behind it.
#pragma once

#include "gateway/store/store.h"

#include <functional>
#include <string_view>

namespace lotsen::test {

class HookedStore final : public store::Store {
 public:
  using Id = store::Id;
  template <typename T>
  using Results = Result<std::vector<T>>;

  explicit HookedStore(store::Store& behind) : behind_(behind) {}

  /// Called with the verb before it reaches the store; an error is what the caller gets instead.
  std::function<Status(std::string_view verb)> before;

  Result<store::Owner> openNode(std::string_view node, Instant now) override { return behind_.openNode(node, now); }
  Result<store::Accepted> accept(store::AcceptItem item) override { return behind_.accept(std::move(item)); }
  Results<store::TransferWork> claimTransfers(const store::Owner& owner, std::size_t limit, Instant now,
                                              Instant leaseUntil) override {
    return behind_.claimTransfers(owner, limit, now, leaseUntil);
  }
  Result<store::Saved> saveTransfer(store::TransferChange change, Instant now) override {
    return behind_.saveTransfer(std::move(change), now);
  }
  Status returnTransfer(const Id& transfer, std::uint64_t token, Instant dueAt) override {
    return behind_.returnTransfer(transfer, token, dueAt);
  }
  Results<store::Claimed> claim(const store::Owner& owner, std::string_view endpoint, std::size_t limit, Instant now,
                                Instant leaseUntil) override {
    LOTSEN_TRY_DO(stepIn("claim"));
    return behind_.claim(owner, endpoint, limit, now, leaseUntil);
  }
  Results<Id> startSending(const std::vector<std::pair<Id, std::uint64_t>>& claimed, Instant now) override {
    LOTSEN_TRY_DO(stepIn("startSending"));
    return behind_.startSending(claimed, now);
  }
  Results<Id> finish(std::vector<store::AttemptEnd> ends, Instant now) override {
    LOTSEN_TRY_DO(stepIn("finish"));
    return behind_.finish(std::move(ends), now);
  }
  Result<std::size_t> expireLeases(Instant now) override {
    LOTSEN_TRY_DO(stepIn("expireLeases"));
    return behind_.expireLeases(now);
  }
  Result<std::size_t> promoteOrphans(Instant now) override {
    LOTSEN_TRY_DO(stepIn("promoteOrphans"));
    return behind_.promoteOrphans(now);
  }
  Results<std::string> dueEndpoints(Instant now, std::optional<Instant>& nextDue) override {
    LOTSEN_TRY_DO(stepIn("dueEndpoints"));
    return behind_.dueEndpoints(now, nextDue);
  }
  Result<store::TransferView> transfer(const Id& id) override { return behind_.transfer(id); }
  Results<store::Transfer> transfers(const store::TransferFilter& filter) override { return behind_.transfers(filter); }
  Result<store::Record> record(const Id& id) override { return behind_.record(id); }
  Result<store::RecordPage> records(const store::RecordFilter& filter) override {
    LOTSEN_TRY_DO(stepIn("records"));
    return behind_.records(filter);
  }
  Result<store::Delivery> delivery(const Id& id) override { return behind_.delivery(id); }
  Result<store::Counts> counts() override { return behind_.counts(); }
  Status note(std::vector<store::AuditEntry> entries) override {
    LOTSEN_TRY_DO(stepIn("note"));
    return behind_.note(std::move(entries));
  }
  Status verifyAudit() override { return behind_.verifyAudit(); }

 private:
  Status stepIn(std::string_view verb) { return before ? before(verb) : done(); }

  store::Store& behind_;
};

}  // namespace lotsen::test
