// Small values for tests of the store and of what stands on it: ids that read like numbers, records, legs. Synthetic
// throughout. Thread rule: pure.
#pragma once

#include "gateway/store/store.h"

#include <cstdio>
#include <string>

namespace lotsen::test {

/// A UUID that shows its number: id(0x2a) ends in …2a. `kind` tells records, transfers and deliveries apart.
inline store::Id id(std::uint64_t number, unsigned kind = 0) {
  char text[48];
  std::snprintf(text, sizeof text, "%08x-0000-7000-8000-%012llx", kind, static_cast<unsigned long long>(number));
  return text;
}
inline store::Id transferId(std::uint64_t number) {
  return id(number, 0xa);
}
inline store::Id recordId(std::uint64_t number) {
  return id(number, 0xb);
}
inline store::Id deliveryId(std::uint64_t number) {
  return id(number, 0xc);
}

inline constexpr Instant kStart{milliseconds(1'772'438'400'000)};  // 2026-03-02T08:00Z
inline Instant at(std::int64_t seconds) {
  return kStart + std::chrono::seconds(seconds);
}

inline store::AuditEntry audit(std::string action, store::Id subject = {}, Instant when = kStart) {
  return {when, "gateway", std::move(action), {}, std::move(subject), "{}"};
}

inline store::AcceptItem item(std::uint64_t record, std::uint64_t transfer,
                              store::RecordKind kind = store::RecordKind::Referral, Instant when = kStart) {
  store::AcceptItem item;
  item.record.id = recordId(record);
  item.record.transfer = transferId(transfer);
  item.record.kind = kind;
  item.record.partner = "pas";
  item.record.channel = "pas/" + std::string(store::name(kind));
  item.record.key = "key-" + std::to_string(record);
  item.record.digest = "digest-" + std::to_string(record);
  item.record.businessId = "R" + std::to_string(record);
  item.record.mediaType = "application/json";
  item.record.body = "{\"record\":" + std::to_string(record) + "}";
  item.record.receivedAt = when;
  item.record.configRevision = "rev1";
  item.caseKey = "case-" + std::to_string(transfer);
  item.voidsReleases = kind == store::RecordKind::Consent || kind == store::RecordKind::Btf;
  item.answerBody = "answer to " + std::to_string(record);
  item.audit.push_back(audit("record-accepted", item.record.id, when));
  return item;
}

/// A leg with bytes, ready to go.
inline store::Delivery leg(std::uint64_t delivery, std::uint64_t transfer, std::string endpoint = "provider",
                           Instant when = kStart) {
  store::Delivery leg;
  leg.id = deliveryId(delivery);
  leg.transfer = transferId(transfer);
  leg.partner = "clinic";
  leg.endpoint = std::move(endpoint);
  leg.state = store::DeliveryState::Ready;
  leg.messageId = id(delivery, 0xd);
  leg.bundleId = id(delivery, 0xe);
  leg.mediaType = "application/fhir+json";
  leg.body = "message " + std::to_string(delivery);
  leg.mapHash = "map";
  leg.dueAt = when;
  leg.deadlineAt = when + std::chrono::hours(72);
  leg.createdAt = when;
  return leg;
}

/// The same leg, still waiting for others.
inline store::Delivery held(store::Delivery leg, std::vector<store::Id> after = {}) {
  leg.state = store::DeliveryState::Held;
  leg.body.clear();
  leg.mapHash.clear();
  leg.after = std::move(after);
  return leg;
}

}  // namespace lotsen::test
