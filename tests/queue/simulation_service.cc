// Senders, and what a node does beside delivering: it takes records in and thinks about transfers.
#include "gateway/store/memory/state.h"
#include "tests/queue/simulation.h"

namespace lotsen::test {

using store::Delivery;
using store::DeliveryState;
using store::RecordKind;

namespace {

std::uint64_t numberOf(const store::Id& id) {
  return static_cast<std::uint64_t>(std::stoull(id.substr(24), nullptr, 16));
}

constexpr auto kQuiet = std::chrono::minutes(2);  // nothing is under way for longer

}  // namespace

void Simulation::submit(std::uint64_t transfer, RecordKind kind) {
  store::AcceptItem record = item(++records_, transfer, kind, clock_.now());
  sent_.push_back(record);
  handIn(record);
  if (happens(Fault::Repeat, 2)) handIn(sent_[random_.below(sent_.size())]);
}

/// A sender hands in a record, and again until it has an answer, or until it loses patience.
void Simulation::handIn(const store::AcceptItem& record) {
  const auto again = [&] {
    if (!record.acknowledgement && happens(Fault::GivesUp, 4)) return;
    Event event;
    event.kind = Event::Kind::HandIn;
    event.item = record;
    at(after(500, 30'000), std::move(event));
  };
  const auto doomNode = [&] {
    Node* node = freeNode();
    if (node == nullptr) return;
    node->doomed = true;
    fall(*node);
  };
  invariants.tried(record.record);
  if (happens(Fault::StoreBusy, 20)) return again();
  if (happens(Fault::CommitLost, 40)) {
    doomNode();
    return again();
  }
  const Result<store::Accepted> accepted = store_.accept(record);
  power_.after("accept");
  watch();
  if (!accepted.ok()) return breach("an accept failed: " + accepted.error().message);
  if (!accepted->stands()) return breach("an accept was refused");
  if (happens(Fault::AnswerLost, 40)) {
    doomNode();
    return again();
  }
  invariants.accepted(record.record);
  if (!accepted->isRepeat() && accepted->acknowledgement == store::AckResult::Unknown) {
    breach("an acknowledgement of a message that arrived is unknown");
  }
}

void Simulation::think(Node& node) {
  node.working = true;
  const Instant now = node.now();
  const auto works = node.store.claimTransfers(node.owner, 1 + random_.below(3), now, now + milliseconds(10'000));
  if (works.ok()) {
    for (const store::TransferWork& work : *works) {
      if (node.doomed) break;
      store::TransferChange change = thought(node, work);
      const Result<store::Saved> saved = node.store.saveTransfer(std::move(change), node.now());
      // Conflict: the lease ran out while the node stood still.
      if (!saved.ok() && !node.doomed && saved.error().code != Code::Busy && saved.error().code != Code::Conflict) {
        breach("a save failed: " + saved.error().message);
      }
    }
  } else if (!node.doomed && works.error().code != Code::Busy) {
    breach("claiming transfers failed: " + works.error().message);
  }
  node.working = false;
  if (node.doomed) fall(node);
}

/// A small service: makes the legs of a transfer, gives the held one its bytes when its time has come, renews releases,
/// and does what people ask for.
store::TransferChange Simulation::thought(Node& node, const store::TransferWork& work) {
  // A new record may come while we think.
  if (happens(Fault::Withdrawal, 6)) submit(numberOf(work.transfer.id), RecordKind::Consent);
  store::TransferChange change;
  change.id = work.transfer.id;
  change.token = work.token;
  change.state = store::TransferState::Released;
  for (const store::Record& each : work.records) {
    if (each.state != store::RecordState::Accepted) continue;
    change.records.push_back({each.id, store::RecordState::Processed, "", "", "canonical", "map"});
  }
  const bool over = std::all_of(work.deliveries.begin(), work.deliveries.end(), [](const Delivery& each) {
    return each.state == DeliveryState::Done || each.state == DeliveryState::Cancelled;
  });
  if (work.deliveries.empty()) {
    firstLegs(node, work, change);
  } else if (over) {
    change.state = store::TransferState::Completed;
  } else if (happens(Fault::Cancel, 12)) {
    change.state = store::TransferState::Withdrawn;
    for (const Delivery& each : work.deliveries) {
      change.changed.push_back({each.id, DeliveryState::Cancelled, "", "", "", "withdrawn"});
    }
  } else {
    furtherLegs(node, work, change);
  }
  const auto consents = std::count_if(work.records.begin(), work.records.end(),
                                      [](const store::Record& each) { return each.kind == RecordKind::Consent; });
  for (store::Release& each : change.releases) {
    each.basis = consentsKnown(consents);
    if (!happens(Fault::ShortRelease, 4)) continue;
    each.validFrom = node.now() + milliseconds(random_.below(10'000));
    each.validUntil = each.validFrom + milliseconds(1 + random_.below(60'000));
  }
  return change;
}

void Simulation::firstLegs(Node& node, const store::TransferWork& work, store::TransferChange& change) {
  const std::uint64_t transfer = numberOf(work.transfer.id), base = transfer * 10;
  const Instant now = node.now();
  std::uint64_t number = base;
  for (const char* endpoint : {"provider", "provider", "mediator", "careless", "readable", "readable"}) {
    Delivery each = leg(++number, transfer, endpoint, now);
    each.needsRelease = number != base + 4;
    if (each.needsRelease) {
      change.releases.push_back({each.id, {}, {}, now - milliseconds(1), now + std::chrono::hours(1000), "consent"});
    }
    change.created.push_back(std::move(each));
  }
  change.created.push_back(
      held(leg(base + 7, transfer, "careless", now), {deliveryId(base + 1), deliveryId(base + 3)}));
  change.created.push_back(held(leg(base + 8, transfer, "provider", now), {deliveryId(base + 3)}));
}

void Simulation::furtherLegs(Node& node, const store::TransferWork& work, store::TransferChange& change) {
  const Instant now = node.now();
  for (const Delivery& each : work.deliveries) {
    if (each.needsRelease) {
      change.releases.push_back({each.id, {}, {}, now - milliseconds(1), now + std::chrono::hours(1000), "consent"});
    }
    if (each.state != DeliveryState::Held) continue;
    if (happens(Fault::NoBytes, 3)) {
      change.changed.push_back({each.id, DeliveryState::Parked, "", "", "", "no-bytes"});
    } else {
      const Delivery ready = leg(numberOf(each.id), numberOf(work.transfer.id), each.endpoint, now);
      change.changed.push_back({each.id, DeliveryState::Ready, ready.mediaType, ready.body, ready.mapHash, ""});
    }
  }
}

/// Somebody at the console looks at everything and steps in here and there.
void Simulation::person() {
  std::vector<store::Intervention> wishes;
  store::DeliveryFilter all;
  all.limit = 1'000;
  const Result<store::DeliveryPage> page = store_.deliveries(all);
  const Instant now = clock_.now();
  for (const Delivery& each : page->deliveries) {
    const std::optional<store::Verb> verb = wish(each);
    if (!verb) continue;
    wishes.push_back({each.id, *verb, now + milliseconds(random_.below(20'000)), now + std::chrono::hours(72),
                      audit("asked", each.id, now)});
  }
  if (wishes.empty()) return;
  const auto outcomes = store_.intervene(std::move(wishes), now);
  if (!outcomes.ok()) breach("a person is refused: " + outcomes.error().message);
  power_.after("intervene");
  watch();
}

std::optional<store::Verb> Simulation::wish(const Delivery& delivery) {
  using store::Verb;
  if (delivery.state == DeliveryState::Parked && (delivery.sequence == 0 || mayResend(delivery)) &&
      happens(Fault::PersonResends, 3)) {
    return Verb::Resend;
  }
  if (!invariants.hasArrived(delivery.messageId)) {
    if (happens(Fault::PersonCancels, 40)) return Verb::Cancel;
  } else if (happens(Fault::PersonConfirms, 10)) {
    return Verb::Confirm;
  }
  if (happens(Fault::PersonLetsGo, 3)) return Verb::Release;
  if (happens(Fault::PersonParks, 6)) return Verb::Park;
  return std::nullopt;
}

/// What is over loses its bytes, attempts and audit; what is not over loses nothing.
void Simulation::purge() {
  if (!faultsOn_ || !enabled_[static_cast<std::size_t>(Fault::Retention)]) return;
  const Instant now = clock_.now();
  power_.before("purge");
  const Result<store::Purged> purged = store_.purge({{}, now, now, now}, walk_, now);
  power_.after("purge");
  if (!purged.ok()) return breach("retention is refused: " + purged.error().message);
  walk_ = purged->more ? purged->next : store::Id();
  fired[static_cast<std::size_t>(Fault::Retention)] += purged->deliveries;
  mix(purged->deliveries);
  store_.inspect([this](const store::MemoryStore::State& state) {
    for (const auto& [id, row] : state.deliveries) {
      const Delivery& each = row.delivery;
      const bool over = each.state == DeliveryState::Done || each.state == DeliveryState::Cancelled;
      if (!over && each.sequence > 0 && each.body.empty()) breach("retention took the bytes of delivery " + id);
    }
  });
}

/// Nobody sends again what a careless receiver may have: one asks there first, and waits until nothing is under way.
bool Simulation::mayResend(const Delivery& delivery) {
  if (dropsRepeats(delivery.endpoint)) return true;
  return !invariants.hasArrived(delivery.messageId) && lastLeft_[delivery.messageId] + kQuiet < clock_.now();
}

}  // namespace lotsen::test
