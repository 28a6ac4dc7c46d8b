// What must hold whatever fails: one ledger of what the outside world saw, one check of the store against it. Used by
// the simulator and by every test that kills something.
//   I1 an accepted record is there once and readable, byte for byte
//   I2 one whose sender got no answer is there at most once (a repeat never makes a second)
//   I3 each receiver sees the effects of a (transfer, endpoint) in order, without gaps
//   I4 one effect for each identity
//   I5 no two leases have the same token
//   I6 when faults have stopped, everything ends Done or Parked (or was cancelled)
//   I7 the audit chain verifies
//   and: every repeat is byte-identical; nothing that needs a release is sent without one; to a receiver that does not
//   drop repeats nothing is ever sent again that may have arrived.
// Thread rule: one thread. Failure rule: every breach is a line of text in `breaches`.
#pragma once

#include "gateway/queue/transport.h"
#include "gateway/store/store.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace lotsen::test {

class Invariants {
 public:
  /// A sender hands in a record, whether it gets an answer or not.
  void tried(const store::Record& record) { tried_.insert(record.id); }
  /// An accept that was answered positively.
  void accepted(const store::Record& record) { accepted_[record.id] = record.body; }

  /// Bytes leave for a receiver. Looks into the store: that they may leave was written before, and the release is live
  /// at this moment, unless the sender was `heldUp` between the writing and the first byte.
  void leaves(store::Store& store, const queue::Sending& sending, Instant now, bool heldUp) {
    if (!tokens_.insert({sending.delivery, sending.token}).second) breach("I5 token used twice", sending);
    const Result<store::TransferView> view = store.transfer(sending.transfer);
    if (!view.ok()) return breach("sent for a transfer that is not there", sending);
    // A token is as old as the attempt that it was given for.
    const bool written = std::any_of(view->attempts.begin(), view->attempts.end(), [&](const store::Attempt& each) {
      return each.delivery == sending.delivery && each.number == sending.token && each.sentAt;
    });
    if (!written) breach("sent without being written first", sending);
    for (const store::Delivery& each : view->deliveries) {
      if (each.id != sending.delivery) continue;
      sequences_[each.id] = each.sequence;
      if (!each.needsRelease || heldUp) return;
    }
    for (const store::Release& release : view->releases) {
      if (release.delivery == sending.delivery && release.validFrom <= now && now < release.validUntil) return;
    }
    breach("sent without a release", sending);
  }

  /// A receiver gets the bytes. True: they have an effect, because it has not seen this identity or does not look.
  bool arrives(store::Store& store, const queue::Sending& sending, bool dropsRepeats) {
    const auto [known, isNew] = bytes_.emplace(sending.messageId, sending.body);
    if (known->second != sending.body) breach("a repeat with other bytes", sending);
    if (!isNew && dropsRepeats) return false;
    if (!isNew) breach("I4 a second effect", sending);
    checkOrder(store, sending);
    return true;
  }

  bool hasArrived(const std::string& messageId) const { return bytes_.contains(messageId); }

  /// After faults have stopped and the queue has run dry. `mayPark`: some deliveries may end Parked.
  void check(store::Store& store, bool mayPark) {
    for (const auto& [id, body] : accepted_) {
      const Result<store::Record> record = store.record(id);
      if (!record.ok() || record->body != body) breaches.push_back("I1 record " + id + " is lost or changed");
    }
    const store::Counts counts = *store.counts();
    if (counts.records < accepted_.size()) breaches.push_back("I1 fewer records than were accepted");
    if (counts.records > tried_.size()) breaches.push_back("I2 more records than were ever handed in");
    store::TransferFilter all;
    all.limit = 1'000'000;
    const std::vector<store::Transfer> transfers = *store.transfers(all);
    for (const store::Transfer& each : transfers) checkEnds(*store.transfer(each.id), mayPark);
    if (!store.verifyAudit().ok()) breaches.push_back("I7 the audit chain is broken");
  }

  std::vector<std::string> breaches;

 private:
  void checkEnds(const store::TransferView& view, bool mayPark) {
    using store::DeliveryState;
    std::set<std::string> blocked;  // lanes with a parked head: what stands behind it waits for a person
    for (const store::Delivery& each : view.deliveries) {
      if (each.state == DeliveryState::Parked) blocked.insert(each.endpoint);
    }
    for (const store::Delivery& each : view.deliveries) {
      const bool parked = each.state == DeliveryState::Parked ||
                          (each.state == DeliveryState::Queued && blocked.contains(each.endpoint)) ||
                          (each.state == DeliveryState::Held && !blocked.empty());
      const bool ended =
          each.state == DeliveryState::Done || each.state == DeliveryState::Cancelled || (parked && mayPark);
      if (!ended)
        breaches.push_back("I6 delivery " + each.id + " ends " + std::string(name(each.state)) + " " + each.reason);
      if (each.state == DeliveryState::Done && !hasArrived(each.messageId)) {
        breaches.push_back("delivery " + each.id + " is Done and never arrived");
      }
    }
  }

  /// What a person or a withdrawal has cancelled may be missing, and may arrive when it is too late; everything else
  /// comes in its turn.
  void checkOrder(store::Store& store, const queue::Sending& sending) {
    const Result<store::TransferView> view = store.transfer(sending.transfer);
    std::int64_t& last = effects_[{sending.transfer, sending.endpoint}];
    const std::int64_t sequence = sequences_[sending.delivery];
    std::set<std::int64_t> cancelled;
    for (const store::Delivery& each : view->deliveries) {
      if (each.state != store::DeliveryState::Cancelled || each.endpoint != sending.endpoint) continue;
      if (each.id == sending.delivery) return;
      cancelled.insert(each.sequence);
    }
    while (cancelled.contains(last + 1)) ++last;
    if (sequence != last + 1) breach("I3 out of order or a gap", sending);
    last = std::max(last, sequence);
  }

  void breach(const std::string& what, const queue::Sending& sending) {
    breaches.push_back(what + ": delivery " + sending.delivery + " token " + std::to_string(sending.token));
  }

  std::set<std::string> tried_;
  std::map<std::string, std::string> accepted_;
  std::set<std::pair<std::string, std::uint64_t>> tokens_;
  std::map<std::string, std::int64_t> sequences_;                        // by delivery
  std::map<std::string, std::string> bytes_;                             // by message id, as they first arrived
  std::map<std::pair<std::string, std::string>, std::int64_t> effects_;  // last sequence of (transfer, endpoint)
};

}  // namespace lotsen::test
