// A store between a caller and the real one, where a test can step in: fail a verb before it happens, let something
// happen just before it, or fail it although it has happened. Thread rule: as the store behind it.
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
  /// Called with the verb after it has succeeded; an error is what the caller gets, and the effect stays.
  std::function<Status(std::string_view verb)> after;

  Result<store::Owner> openNode(std::string_view node, Instant now) override {
    return through("openNode", [&] { return behind_.openNode(node, now); });
  }
  Result<store::Accepted> accept(store::AcceptItem item) override {
    return through("accept", [&] { return behind_.accept(std::move(item)); });
  }
  Result<std::optional<store::Accepted>> seen(const store::AcceptItem& item) override {
    return through("seen", [&] { return behind_.seen(item); });
  }
  Result<std::size_t> forgetKeys(Instant acceptedBefore, std::size_t limit) override {
    return through("forgetKeys", [&] { return behind_.forgetKeys(acceptedBefore, limit); });
  }
  Results<store::TransferWork> claimTransfers(const store::Owner& owner, std::size_t limit, Instant now,
                                              Instant leaseUntil) override {
    return through("claimTransfers", [&] { return behind_.claimTransfers(owner, limit, now, leaseUntil); });
  }
  std::vector<Result<store::Saved>> saveTransfers(std::vector<store::TransferChange> changes, Instant now) override {
    using Saved = std::vector<Result<store::Saved>>;
    const std::size_t count = changes.size();
    const auto saved =
        through("saveTransfers", [&]() -> Result<Saved> { return behind_.saveTransfers(std::move(changes), now); });
    return saved.ok() ? *saved : Saved(count, saved.error());
  }
  Result<store::TransferWork> claimTransfer(const store::Owner& owner, const Id& transfer, Instant now,
                                            Instant leaseUntil) override {
    return through("claimTransfers", [&] { return behind_.claimTransfer(owner, transfer, now, leaseUntil); });
  }
  Status returnTransfer(const Id& transfer, std::uint64_t token, Instant dueAt) override {
    return through("returnTransfer", [&] { return behind_.returnTransfer(transfer, token, dueAt); });
  }
  Results<store::Claimed> claim(const store::Owner& owner, std::string_view endpoint, std::size_t limit, Instant now,
                                Instant leaseUntil) override {
    return through("claim", [&] { return behind_.claim(owner, endpoint, limit, now, leaseUntil); });
  }
  Result<store::Turned> turn(std::vector<store::AttemptEnd> ends, const std::vector<store::Lease>& starts,
                             Instant now) override {
    return through("turn", [&] { return behind_.turn(std::move(ends), starts, now); });
  }
  Result<std::size_t> expireLeases(Instant now) override {
    return through("expireLeases", [&] { return behind_.expireLeases(now); });
  }
  Result<std::size_t> promoteOrphans(Instant now) override {
    return through("promoteOrphans", [&] { return behind_.promoteOrphans(now); });
  }
  Result<std::size_t> noticeOverdue(Instant now) override {
    return through("noticeOverdue", [&] { return behind_.noticeOverdue(now); });
  }
  Status pauseEndpoint(store::Pause pause, store::AuditEntry audit) override {
    return through("pauseEndpoint", [&] { return behind_.pauseEndpoint(std::move(pause), std::move(audit)); });
  }
  Status resumeEndpoint(std::string_view endpoint, store::AuditEntry audit) override {
    return through("resumeEndpoint", [&] { return behind_.resumeEndpoint(endpoint, std::move(audit)); });
  }
  Results<store::Intervened> intervene(std::vector<store::Intervention> interventions, Instant now) override {
    return through("intervene", [&] { return behind_.intervene(std::move(interventions), now); });
  }
  Results<std::string> dueEndpoints(Instant now, std::optional<Instant>& nextDue) override {
    return through("dueEndpoints", [&] { return behind_.dueEndpoints(now, nextDue); });
  }
  Result<store::TransferView> transfer(const Id& id) override { return behind_.transfer(id); }
  Results<store::Transfer> transfers(const store::TransferFilter& filter) override { return behind_.transfers(filter); }
  Result<store::Record> record(const Id& id) override { return behind_.record(id); }
  Result<store::RecordPage> records(const store::RecordFilter& filter) override {
    return through("records", [&] { return behind_.records(filter); });
  }
  Result<store::Delivery> delivery(const Id& id) override { return behind_.delivery(id); }
  Result<store::DeliveryPage> deliveries(const store::DeliveryFilter& filter) override {
    return behind_.deliveries(filter);
  }
  Results<store::EndpointFigures> endpoints() override { return behind_.endpoints(); }
  Result<store::Counts> counts() override { return behind_.counts(); }
  Result<store::Alarms> alarms(Instant now) override { return behind_.alarms(now); }
  Status note(std::vector<store::AuditEntry> entries) override {
    return through("note", [&] { return behind_.note(std::move(entries)); });
  }
  Status verifyAudit() override { return behind_.verifyAudit(); }
  Result<store::Purged> purge(const store::Retention& retention, const Id& from, Instant now) override {
    return through("purge", [&] { return behind_.purge(retention, from, now); });
  }

 private:
  template <typename Call>
  auto through(std::string_view verb, Call call) -> decltype(call()) {
    if (before) LOTSEN_TRY_DO(before(verb));
    auto result = call();
    if (after && result.ok()) LOTSEN_TRY_DO(after(verb));
    return result;
  }

  store::Store& behind_;
};

}  // namespace lotsen::test
