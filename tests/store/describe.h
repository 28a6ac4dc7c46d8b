// What the reading verbs show of a store, as text: to compare back ends with each other, and a store with itself after
// a restart. Thread rule: as the store.
#pragma once

#include "gateway/store/store.h"

#include <sstream>
#include <string>

namespace lotsen::test {

using store::Attempt;
using store::AuditEntry;
using store::Counts;
using store::Delivery;
using store::Id;
using store::Record;
using store::Release;
using store::Store;
using store::Transfer;
using store::TransferFilter;
using store::TransferView;

inline std::string describe(const Transfer& t) {
  std::ostringstream out;
  out << t.id << ' ' << t.partner << ' ' << t.caseKey << ' ' << name(t.state) << ' ' << t.reasons << ' ' << t.agreement
      << ' ' << toMillis(t.createdAt) << ' ' << toMillis(t.changedAt);
  return out.str();
}

inline std::string describe(const Record& r) {
  std::ostringstream out;
  out << r.id << ' ' << r.transfer << ' ' << name(r.kind) << ' ' << r.partner << ' ' << r.channel << ' ' << r.key << ' '
      << r.digest << ' ' << r.businessId << ' ' << r.version << ' ' << r.mediaType << ' ' << r.body << ' '
      << toMillis(r.receivedAt) << ' ' << r.configRevision << ' ' << name(r.state) << ' ' << r.reason << ' ' << r.issues
      << ' ' << r.canonical << ' ' << r.mapHash;
  return out.str();
}

inline std::string describe(const Delivery& d) {
  std::ostringstream out;
  out << d.id << ' ' << d.transfer << ' ' << name(d.role) << ' ' << d.partner << ' ' << d.endpoint << " seq "
      << d.sequence << ' ' << name(d.state) << ' ' << d.messageId << ' ' << d.bundleId << ' ' << d.mediaType << ' '
      << d.body << ' ' << d.mapHash << " release " << d.needsRelease << " sending " << d.sending << " attempts "
      << d.attempts << " token " << d.token << " due " << toMillis(d.dueAt) << ' ' << toMillis(d.deadlineAt) << ' '
      << d.reason << " placed " << toMillis(d.placedAt) << " overdue " << d.overdue << " sent " << d.everSent << ' '
      << toMillis(d.createdAt) << ' ' << toMillis(d.finishedAt) << " after";
  for (const Id& id : d.after) out << ' ' << id;
  return out.str();
}

inline std::string describe(const TransferView& view) {
  std::ostringstream out;
  out << describe(view.transfer) << '\n';
  for (const Record& each : view.records) out << "  record " << describe(each) << '\n';
  for (const Delivery& each : view.deliveries) out << "  delivery " << describe(each) << '\n';
  for (const Release& each : view.releases) {
    out << "  release " << each.delivery << ' ' << each.consentRecord << ' ' << each.btfRecord << ' '
        << toMillis(each.validFrom) << ' ' << toMillis(each.validUntil) << ' ' << each.basis << '\n';
  }
  const auto millis = [](const std::optional<Instant>& when) { return when ? toMillis(*when) : -1; };
  for (const Attempt& each : view.attempts) {
    out << "  attempt " << each.delivery << ' ' << each.number << ' ' << each.node << ' ' << toMillis(each.claimedAt)
        << ' ' << millis(each.sentAt) << ' ' << millis(each.endedAt) << ' ' << each.outcome << ' ' << each.httpStatus
        << ' ' << each.phase << ' ' << each.responseDigest << '\n';
  }
  for (const AuditEntry& each : view.timeline) {
    out << "  audit " << toMillis(each.at) << ' ' << each.actor << ' ' << each.action << ' ' << each.transfer << ' '
        << each.subject << ' ' << each.detail << '\n';
  }
  return out.str();
}

inline std::string describe(Store& store, Instant now) {
  std::ostringstream out;
  TransferFilter all;
  all.limit = 100000;
  const Result<std::vector<Transfer>> page = store.transfers(all);
  if (!page.ok()) return page.error().message;
  for (const Transfer& each : *page) {
    const Result<TransferView> view = store.transfer(each.id);
    out << (view.ok() ? describe(*view) : view.error().message);
    if (!view.ok()) continue;
    for (const Record& record : view->records) out << "  full " << describe(*store.record(record.id)) << '\n';
    for (const Delivery& leg : view->deliveries) out << "  full " << describe(*store.delivery(leg.id)) << '\n';
  }
  store::RecordFilter walk;
  do {
    const Result<store::RecordPage> records = store.records(walk);
    if (!records.ok()) return records.error().message;
    for (const Record& each : records->records) out << "walked " << each.id << '\n';
    walk.after = records->next;
  } while (!walk.after.empty());
  for (const bool parked : {false, true}) {
    store::DeliveryFilter found;
    if (parked) found.states = {store::DeliveryState::Parked};
    do {
      const Result<store::DeliveryPage> legs = store.deliveries(found);
      if (!legs.ok()) return legs.error().message;
      for (const Delivery& each : legs->deliveries) out << "found " << describe(each) << '\n';
      found.after = legs->next;
    } while (!found.after.empty());
  }
  const Result<std::vector<store::EndpointFigures>> figures = store.endpoints();
  if (!figures.ok()) return figures.error().message;
  for (const store::EndpointFigures& each : *figures) {
    out << "endpoint " << each.endpoint << ' ' << each.ready << ' ' << each.inFlight << ' ' << each.overdue << ' '
        << each.parked << '\n';
  }
  const Result<Counts> counts = store.counts();
  if (!counts.ok()) return counts.error().message;
  for (const auto& [state, n] : counts->transfers) out << "transfers " << state << ' ' << n << '\n';
  for (const auto& [state, n] : counts->deliveries) out << "deliveries " << state << ' ' << n << '\n';
  out << "records " << counts->records << " oldest " << (counts->oldestReady ? toMillis(*counts->oldestReady) : -1);
  const Result<store::Alarms> alarms = store.alarms(now);
  if (!alarms.ok()) return alarms.error().message;
  for (const std::uint64_t n : alarms->oldHeads) out << " old " << n;
  out << " overdue " << alarms->overdue;
  for (const store::Pause& each : alarms->paused) {
    out << " paused " << each.endpoint << ' ' << each.reason << ' ' << each.actor << ' ' << toMillis(each.since);
  }
  std::optional<Instant> next;
  const Result<std::vector<std::string>> due = store.dueEndpoints(now, next);
  for (const std::string& endpoint : *due) out << " due " << endpoint;
  out << " next " << (next ? toMillis(*next) : -1) << '\n';
  return out.str();
}

}  // namespace lotsen::test
