// What MemoryStore keeps, and the steps that its verbs are made of. Used by memory_store.cc only (and by tests that
// break the store on purpose). Thread rule: the caller holds the store's mutex.
#pragma once

#include "gateway/store/audit_chain.h"
#include "gateway/store/memory/memory_store.h"
#include "gateway/store/rules.h"

#include <map>
#include <tuple>

namespace lotsen::store {

struct MemoryStore::State {
  struct Lease {
    Owner owner;
    Instant until;
  };
  struct StoredKey {
    std::string digest;
    Id record, transfer;
    int answerStatus = 0;
    std::string answerBody;
    Instant at;
    std::uint64_t ordinal = 0;  // of arrival
  };
  struct StoredEnvelope {
    std::string key;
    Instant at;
    std::uint64_t ordinal = 0;
  };
  struct StoredTransfer {
    Transfer transfer;
    std::uint64_t ordinal = 0;  // of creation
    std::optional<Instant> due;
    std::uint64_t arrivals = 0;         // grows whenever something new makes it due
    std::uint64_t arrivalsAtClaim = 0;  // what the holder of the work lease knows about
    bool voidedSinceClaim = false;      // a consent or BTF record came that the holder does not know
    std::optional<Lease> lease;
    std::uint64_t token = 0;
    std::vector<Id> records;
    std::vector<Id> deliveries;
  };
  struct StoredDelivery {
    Delivery delivery;  // with body
    std::uint64_t ordinal = 0;
    bool resolving = false;  // Leased: an earlier attempt is ambiguous
    bool recheck = false;    // Leased: a change was skipped because of it
    std::optional<Lease> lease;
    std::optional<Release> release;  // the live one
    std::vector<Attempt> attempts;
  };
  struct StoredAudit {
    AuditEntry entry;
    crypto::Digest256 hash{};
  };

  std::map<std::string, std::uint64_t, std::less<>> epochs;                 // by node
  std::map<std::pair<std::string, std::string>, StoredKey> keys;            // by (partner, key)
  std::map<std::pair<std::string, std::string>, StoredEnvelope> envelopes;  // by (partner, envelope)
  std::map<Id, Record> records;
  std::map<Id, StoredTransfer> transfers;
  std::map<Id, StoredDelivery> deliveries;
  std::map<std::string, Pause, std::less<>> pauses;  // by endpoint
  std::vector<StoredAudit> audit;
  std::uint64_t ordinals = 0;

  void write(const Id& transfer, std::vector<AuditEntry> entries);
  bool isCurrent(const Owner& owner) const;
  /// What is stored of it says of a submission.
  std::optional<Accepted> seen(const AcceptItem& item) const;
  void markDue(const Id& transfer, Instant at);

  /// True if the delivery may be leased but for its due time.
  bool claimable(const StoredDelivery& row) const;
  /// All deliveries of one lane that have a place in it.
  std::vector<StoredDelivery*> lane(const Id& transfer, std::string_view endpoint);
  /// Gives a delivery that has its bytes a place: Ready if the lane is empty, else Queued.
  void enterLane(StoredDelivery& row, Instant now);
  /// Makes the first Queued delivery of a lane its head (Ready, or Parked if a person has stopped it) if it has none.
  /// True if it did.
  bool promote(const Id& transfer, std::string_view endpoint, Instant now);
  /// The only writer of a delivery's state; ends the lease and its attempt with it, promotes, marks the transfer due.
  void go(StoredDelivery& row, DeliveryState to, Instant now);
  void endAttempt(StoredDelivery& row, std::string_view outcome, Instant now);
  void loseLease(StoredDelivery& row, std::string_view outcome, Instant now);
  AckResult acknowledge(const AckEffect& effect, const std::string& partner, Instant now, Id& transfer);

  /// Leases a transfer to be thought about.
  TransferWork lease(StoredTransfer& row, const Owner& owner, Instant leaseUntil);
  std::optional<Instant> endOf(const StoredTransfer& row) const;
  bool purge(StoredTransfer& row, const Retention& retention, PurgeBudget& budget, Purged& purged);
  std::uint64_t cutAudit(const std::optional<Instant>& before, Instant now);
  Intervened intervene(Intervention& intervention, Instant now);
  Result<Saved> save(TransferChange& change, Instant now);
  std::optional<Instant> startOne(const Id& id, std::uint64_t token, Instant now);
  bool endOne(AttemptEnd& end, Instant now);
  Status check(const TransferChange& change) const;
  bool dependenciesFinished(const std::vector<Id>& after) const;
  void apply(const DeliveryChange& change, Instant now, Saved& saved);
  void apply(const Release& release, bool voided);
};

}  // namespace lotsen::store
