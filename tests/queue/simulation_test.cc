#include "tests/queue/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace lotsen::test {

using queue::Answer;
using queue::Phase;
using queue::Sending;
using store::DeliveryState;
using store::RecordKind;

namespace {

constexpr std::uint64_t kTransfers = 6;
constexpr auto kFaultTime = std::chrono::minutes(20);
constexpr auto kLongest = std::chrono::hours(100);  // after the deadline of everything

std::vector<queue::Endpoint> endpoints() {
  std::vector<queue::Endpoint> all(3);
  all[0].id = "provider";
  all[1].id = "mediator";
  all[2].id = "careless";
  all[2].idempotent = false;
  for (queue::Endpoint& each : all) each.leaseTime = milliseconds(10'000);
  return all;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed) : random_(seed) {
  for (bool& each : enabled_) each = random_.below(3) != 0;
  hooked_.before = [this](std::string_view verb) -> Status {
    if (happens(Fault::StoreBusy, 20)) return fail(Code::Busy, "busy");
    // Between the claim and the first byte: the narrowest moment for a withdrawal.
    if (verb == "startSending" && happens(Fault::Withdrawal, 6))
      submit(1 + random_.below(kTransfers), RecordKind::Consent);
    return done();
  };
  const std::size_t count = 1 + random_.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    nodes_.push_back(std::make_unique<Node>(*this, "node-" + std::to_string(i), i));
    open(*nodes_.back());
  }
  for (std::uint64_t i = 1; i <= kTransfers; ++i) {
    Event event;
    event.number = i;
    at(after(0, 60'000), std::move(event));
  }
  for (int i = 0; i < 6; ++i) {
    Event crash;
    crash.kind = Event::Kind::Crash;
    crash.node = random_.below(nodes_.size());
    at(after(0, 600'000), std::move(crash));
  }
}

bool Simulation::happens(Fault fault, std::uint64_t oneIn) {
  const auto index = static_cast<std::size_t>(fault);
  if (!faultsOn_ || !enabled_[index] || random_.below(oneIn) != 0) return false;
  ++fired[index];
  return true;
}

Instant Simulation::after(std::int64_t fromMs, std::int64_t toMs) {
  return clock_.now() +
         milliseconds(fromMs + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(toMs - fromMs + 1))));
}

void Simulation::open(Node& node) {
  ++node.life;
  node.answers.clear();
  node.owner = *store_.openNode(node.name, clock_.now());
  node.core = std::make_unique<queue::Core>(
      hooked_, node, clock_, random_, node.owner, endpoints(), [](const store::Claimed& claimed, const Answer& answer) {
        queue::Verdict verdict = queue::classifyHttp(answer);
        if (verdict.outcome == queue::Outcome::Done && acknowledges(claimed.delivery.endpoint)) {
          verdict.outcome = queue::Outcome::Awaiting;
        }
        return verdict;
      });
  node.next = clock_.now();
}

void Simulation::send(Node& node, Sending sending) {
  invariants.leaves(store_, sending, clock_.now());
  checkConsent(sending);
  Event answer;
  answer.kind = Event::Kind::Answer;
  answer.node = node.index;
  answer.life = node.life;
  answer.answer = {sending.delivery, sending.token, Phase::Answered, 200, {}, {}, {}, milliseconds(5)};
  Event arrive;
  arrive.kind = Event::Kind::Arrive;
  arrive.sending = sending;

  if (happens(Fault::Unreachable, 4)) {
    answer.answer.phase = Phase::Unsent;
    return at(after(1, 5'000), std::move(answer));
  }
  if (happens(Fault::LostRequest, 6)) {
    answer.answer.phase = Phase::Sent;
    return at(after(1, 5'000), std::move(answer));
  }
  if (happens(Fault::Busy, 4)) {
    answer.answer.status = 503;
    return at(after(1, 2'000), std::move(answer));
  }
  if (happens(Fault::LateArrival, 8)) {
    at(after(10'000, 60'000), std::move(arrive));
    answer.answer.phase = Phase::Sent;
    return at(after(1, 5'000), std::move(answer));
  }
  const Instant arrival = after(1, 1'000);
  at(arrival, std::move(arrive));
  if (happens(Fault::LostAnswer, 4)) {
    answer.answer.phase = Phase::Sent;
  } else if (happens(Fault::ServerError, 8)) {
    answer.answer.status = 500;
  }
  const Instant late = happens(Fault::LateAnswer, 8) ? after(9'000, 30'000) : arrival;
  at(std::max(arrival, late) + milliseconds(1), std::move(answer));
}

/// The store's own idea of a live release is checked by Invariants; this is ours: nobody decided it without a consent
/// record that had been accepted by then.
void Simulation::checkConsent(const Sending& sending) {
  const auto known = knownAtRelease_.find(sending.delivery);
  if (known != knownAtRelease_.end() && known->second != consents_[sending.transfer]) {
    invariants.breaches.push_back("delivery " + sending.delivery +
                                  " left on a decision that did not know the last consent");
  }
}

void Simulation::handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::Submit: submit(event.number, RecordKind::Referral); break;
    case Event::Kind::Acknowledge: acknowledge(event.sending); break;
    case Event::Kind::Crash:
      if (happens(Fault::Crash, 1)) open(*nodes_[event.node]);
      break;
    case Event::Kind::Answer: {
      Node& node = *nodes_[event.node];
      if (node.life != event.life) break;
      node.answers.push_back(event.answer);
      node.next = clock_.now();
      break;
    }
    case Event::Kind::Arrive:
      delivered += invariants.arrives(event.sending, dropsRepeats(event.sending.endpoint)) ? 1 : 0;
      // A receiver acknowledges every time: it may know that its last one was lost.
      if (acknowledges(event.sending.endpoint)) {
        Event ack;
        ack.kind = Event::Kind::Acknowledge;
        ack.sending = event.sending;
        at(after(1, 20'000), ack);
        if (happens(Fault::RepeatedAck, 3)) at(after(1, 90'000), ack);
      }
      break;
  }
}

void Simulation::submit(std::uint64_t transfer, RecordKind kind) {
  store::AcceptItem record = item(++records_, transfer, kind, clock_.now());
  sent_.push_back(record);
  if (kind == RecordKind::Consent) ++consents_[transferId(transfer)];
  if (happens(Fault::Repeat, 2)) sent_.push_back(sent_[random_.below(sent_.size())]);
  for (std::size_t i = sent_.size() > 1 ? sent_.size() - 2 : 0; i < sent_.size(); ++i) {
    const Result<store::Accepted> accepted = store_.accept(sent_[i]);
    if (!accepted.ok()) invariants.breaches.push_back("an accept failed: " + accepted.error().message);
    invariants.accepted(sent_[i].record);
  }
}

void Simulation::acknowledge(const Sending& sending) {
  store::AcceptItem ack = item(++records_, 0, RecordKind::Acknowledgement, clock_.now());
  ack.record.transfer.clear();
  ack.record.partner = "clinic";
  ack.record.state = store::RecordState::Processed;
  ack.acknowledgement = store::AckEffect{sending.messageId, DeliveryState::Done, {}, ""};
  const Result<store::Accepted> accepted = store_.accept(ack);
  invariants.accepted(ack.record);
  if (accepted->acknowledgement == store::AckResult::Unknown) {
    invariants.breaches.push_back("an acknowledgement of a message that arrived is unknown");
  }
}

/// A small service: makes the legs of a transfer, gives the held one its bytes when its time has come, renews releases.
void Simulation::think() {
  const Node& node = *nodes_[random_.below(nodes_.size())];
  const Instant now = clock_.now();
  const auto works = store_.claimTransfers(node.owner, 1 + random_.below(3), now, now + milliseconds(10'000));
  for (const store::TransferWork& work : *works) {
    const std::uint64_t consents = consents_[work.transfer.id];
    // A new record may come while we think.
    const std::uint64_t transfer = static_cast<std::uint64_t>(std::stoull(work.transfer.id.substr(24), nullptr, 16));
    if (happens(Fault::Withdrawal, 6)) submit(transfer, RecordKind::Consent);
    store::TransferChange change;
    change.id = work.transfer.id;
    change.token = work.token;
    change.state = store::TransferState::Released;
    const std::uint64_t base = transfer * 10;
    const auto release = [&](const store::Id& id) {
      knownAtRelease_[id] = consents;
      change.releases.push_back({id, {}, {}, now - milliseconds(1), now + std::chrono::hours(1000), "consent"});
    };
    if (work.deliveries.empty()) {
      for (const auto& [offset, endpoint] :
           {std::pair{1, "provider"}, {2, "provider"}, {3, "mediator"}, {4, "careless"}}) {
        store::Delivery each = leg(base + static_cast<std::uint64_t>(offset), transfer, endpoint, now);
        each.needsRelease = offset != 4;
        if (each.needsRelease) release(each.id);
        change.created.push_back(std::move(each));
      }
      change.created.push_back(
          held(leg(base + 5, transfer, "careless", now), {deliveryId(base + 1), deliveryId(base + 3)}));
    }
    for (const store::Delivery& each : work.deliveries) {
      if (each.needsRelease) release(each.id);
      if (each.state != DeliveryState::Held) continue;
      const store::Delivery ready = leg(base + 5, transfer, "careless", now);
      change.changed.push_back({each.id, DeliveryState::Ready, ready.mediaType, ready.body, ready.mapHash, "", {}});
    }
    if (!store_.saveTransfer(std::move(change), now).ok()) invariants.breaches.push_back("a save failed");
  }
}

bool Simulation::atRest() {
  const store::Counts counts = *store_.counts();
  std::uint64_t moving = 0;
  for (const auto& [state, n] : counts.deliveries) {
    if (state == "ready" || state == "leased" || state == "awaiting" || state == "resolving") moving += n;
  }
  return moving == 0 && events_.empty();
}

void Simulation::run() {
  const Instant faultsEnd = clock_.now() + kFaultTime;
  const Instant end = clock_.now() + kLongest;
  while (clock_.now() < end) {
    faultsOn_ = clock_.now() < faultsEnd;
    while (!events_.empty() && events_.begin()->first <= clock_.now()) {
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      handle(event);
    }
    think();
    for (const auto& node : nodes_) {
      if (node->next > clock_.now()) continue;
      const Result<queue::Core::Step> step = node->core->step(node->take(milliseconds(0)));
      if (!step.ok()) return invariants.breaches.push_back("a step failed: " + step.error().message);
      if (step->next <= clock_.now()) invariants.breaches.push_back("a step that does not wait");
      node->next = step->next;
    }
    if (!faultsOn_ && atRest()) break;
    Instant next = end;
    for (const auto& node : nodes_) next = std::min(next, node->next);
    if (!events_.empty()) next = std::min(next, events_.begin()->first);
    clock_.set(std::max(next, clock_.now() + milliseconds(1)));
  }
  think();
  invariants.check(store_, true);
  for (const auto& node : nodes_) {
    if (node->core->counters().orphans != 0) invariants.breaches.push_back("the safety net found an orphan");
  }
}

namespace {

std::uint64_t environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// LOTSEN_SEED runs one seed, LOTSEN_SEEDS another number of them.
TEST(Simulation, NothingIsLostAndNothingHappensTwice) {
  const std::uint64_t first = environment("LOTSEN_SEED", 1);
  const std::uint64_t count = std::getenv("LOTSEN_SEED") != nullptr ? 1 : environment("LOTSEN_SEEDS", 300);
  std::array<std::uint64_t, kFaults> fired{};
  std::uint64_t delivered = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Simulation simulation(seed);
    simulation.run();
    for (const std::string& each : simulation.invariants.breaches)
      ADD_FAILURE() << "LOTSEN_SEED=" << seed << ": " << each;
    if (HasFailure()) break;
    for (std::size_t i = 0; i < kFaults; ++i) fired[i] += simulation.fired[i];
    delivered += simulation.delivered;
  }
  if (count < 100) return;
  for (std::size_t i = 0; i < kFaults; ++i) EXPECT_GT(fired[i], 0u) << "fault " << i << " never happened";
  EXPECT_GT(delivered, count * kTransfers * 2);
}

}  // namespace
}  // namespace lotsen::test
