#include "tests/queue/simulation.h"

#include "gateway/store/memory/state.h"

namespace lotsen::test {

using queue::Answer;
using queue::Phase;
using queue::Sending;
using store::DeliveryState;

namespace {

constexpr auto kFaultTime = std::chrono::minutes(10);
constexpr auto kLongest = std::chrono::hours(100);  // after the deadline of everything
constexpr milliseconds kLease{10'000};
constexpr int kMostPauses = 2;
constexpr milliseconds kLongestUnderWay{60'000};
constexpr milliseconds kClocksDiffer{120'000};

std::vector<queue::Endpoint> endpoints() {
  std::vector<queue::Endpoint> all(4);
  all[0].id = "provider";
  all[1].id = "mediator";
  all[2].id = "careless";
  all[3].id = "readable";
  all[2].idempotent = all[3].idempotent = false;
  all[3].readBack = true;
  all[3].readBackAfter = kLongestUnderWay + 2 * kClocksDiffer;
  for (queue::Endpoint& each : all) each.leaseTime = kLease;
  return all;
}

Status dead() {
  return fail(Code::Unavailable, "the node is dead");
}

queue::Verdict classify(const store::Claimed& claimed, const Answer& answer) {
  queue::Verdict verdict = queue::classifyHttp(answer);
  if (verdict.outcome == queue::Outcome::Done && acknowledges(claimed.delivery.endpoint)) {
    verdict.outcome = queue::Outcome::Awaiting;
  }
  return verdict;
}

/// What a question came to stands in the answer's status.
queue::Finding understand(const store::Claimed&, const Answer& answer) {
  if (answer.phase != Phase::Answered) return queue::Finding::NoAnswer;
  if (answer.status == 404) return queue::Finding::Absent;
  return answer.status == 200 ? queue::Finding::Accepted : queue::Finding::Unclear;
}

}  // namespace

std::string_view name(Fault fault) {
  constexpr std::string_view kNames[kFaults] = {
      "unreachable",    "lost request",  "lost answer",    "busy",           "server error",   "late answer",
      "late arrival",   "arrives twice", "unclear answer", "pause",          "clock step",     "crash",
      "power loss",     "commit lost",   "answer lost",    "store busy",     "repeat",         "gives up",
      "withdrawal",     "repeated ack",  "negative ack",   "short release",  "no bytes",       "cancel",
      "person resends", "person pauses", "person parks",   "person lets go", "person cancels", "person confirms",
      "retention"};
  return kNames[static_cast<std::size_t>(fault)];
}

Simulation::Simulation(std::uint64_t seed) : random_(seed) {
  for (bool& each : enabled_) each = random_.below(2) != 0;
  const std::size_t count = 3 + random_.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    nodes_.push_back(std::make_unique<Node>(*this, "node-" + std::to_string(i), i));
    Node& node = *nodes_.back();
    node.store.before = [this, &node](std::string_view verb) { return before(node, verb); };
    node.store.after = [this, &node](std::string_view verb) { return after(node, verb); };
    open(node);
  }
  for (std::uint64_t i = 1; i <= kSimulatedTransfers; ++i) {
    Event event;
    event.number = i;
    at(after(0, 60'000), std::move(event));
  }
  for (int i = 0; i < 4; ++i) {
    schedule(Event::Kind::Crash, random_.below(count), 0, 240'000);
    schedule(Event::Kind::ArmPower, 0, 0, 240'000);
    schedule(Event::Kind::StepClock, random_.below(count), 0, 240'000);
    schedule(Event::Kind::Pause, 0, 0, 240'000);
    schedule(Event::Kind::Person, 0, 0, 120'000);
    schedule(Event::Kind::Person, 0, 120'000, 400'000);
    schedule(Event::Kind::Purge, 0, 60'000, 590'000);
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

void Simulation::schedule(Event::Kind kind, std::size_t node, std::int64_t fromMs, std::int64_t toMs) {
  Event event;
  event.kind = kind;
  event.node = node;
  at(after(fromMs, toMs), std::move(event));
}

void Simulation::mix(std::uint64_t value) {
  digest_ = (digest_ ^ value) * 1'099'511'628'211ULL;
}
void Simulation::mix(std::string_view text) {
  for (const char each : text) mix(static_cast<std::uint64_t>(static_cast<unsigned char>(each)));
}

// --- nodes

void Simulation::open(Node& node) {
  node.doomed = false;
  node.owner = *store_.openNode(node.name, node.now());
  power_.after("openNode");
  watch();
  node.core =
      std::make_unique<queue::Core>(node.store, node, node, random_, node.owner, endpoints(), classify, understand);
  node.next = clock_.now();
}

/// The process is gone. REQUIRES: it is not on the stack.
void Simulation::fall(Node& node) {
  node.core.reset();
  node.answers.clear();
  ++node.life;
  schedule(Event::Kind::Restart, node.index, 100, 20'000);
}

void Simulation::step(Node& node) {
  node.working = true;
  node.heldUp = false;
  const Instant began = node.now(), beganHere = clock_.now();
  const Result<queue::Core::Step> step = node.core->step(node.take(milliseconds(0)));
  node.working = false;
  if (!step.ok() && !node.doomed) breach("a step failed: " + step.error().message);
  if (node.doomed) return fall(node);
  if (step->next <= began) breach("a step that does not wait");
  node.next = std::max(beganHere + (step->next - began), clock_.now() + milliseconds(1));
}

/// The node stands still where it is while the world goes on.
void Simulation::pause(Node& node) {
  if (pauses_ >= kMostPauses || !happens(Fault::Pause, 200)) return;
  ++pauses_;
  node.heldUp = true;
  runUntil(after(1'000, 4 * kLease.count()));
  --pauses_;
}

void Simulation::pauseEndpoint() {
  if (!happens(Fault::PersonPauses, 2)) return;
  const std::vector<queue::Endpoint> all = endpoints();
  store::AuditEntry paused = audit("endpoint-paused", {}, clock_.now());
  const store::Pause pause{all[random_.below(all.size())].id, "why", "operator:anna", clock_.now()};
  if (!store_.pauseEndpoint(pause, std::move(paused)).ok()) breach("an endpoint cannot be paused");
  power_.after("pauseEndpoint");
  schedule(Event::Kind::Resume, 0, 1'000, 120'000);
}

void Simulation::resumeEndpoints() {
  const store::Alarms alarms = *store_.alarms(clock_.now());
  for (const store::Pause& each : alarms.paused) {
    if (!store_.resumeEndpoint(each.endpoint, audit("endpoint-resumed", {}, clock_.now())).ok()) {
      breach("an endpoint cannot be resumed");
    }
    power_.after("resumeEndpoint");
  }
}

void Simulation::powerFails() {
  ++fired[static_cast<std::size_t>(Fault::PowerLoss)];
  mix(power_.strike(random_));
  // What has gone back has not gone a way.
  states_.clear();
  watch();
  for (const auto& node : nodes_) {
    if (node->core == nullptr) continue;
    node->doomed = true;
    if (!node->working) fall(*node);
  }
}

Status Simulation::before(Node& node, std::string_view verb) {
  pause(node);
  if (node.doomed) return dead();
  if (happens(Fault::StoreBusy, 20)) return fail(Code::Busy, "busy");
  if (verb == "dueEndpoints") return done();
  // Between the claim and the first byte: the narrowest moment for a withdrawal.
  if (verb == "turn" && happens(Fault::Withdrawal, 6)) {
    submit(1 + random_.below(kSimulatedTransfers), store::RecordKind::Consent);
    if (node.doomed) return dead();
  }
  node.heldUp = false;
  if (happens(Fault::CommitLost, 400)) {
    node.doomed = true;
    return fail(Code::Ambiguous, "the commit was lost");
  }
  power_.before(verb);
  return done();
}

Status Simulation::after(Node& node, std::string_view verb) {
  mix(verb);
  if (verb == "dueEndpoints") return done();
  watch();
  power_.after(verb);
  if (power_.unsynced() > 0 && random_.below(3) == 0) powerFails();
  if (!node.doomed && happens(Fault::AnswerLost, 400)) {
    node.doomed = true;
    return fail(Code::Ambiguous, "the answer to the commit was lost");
  }
  pause(node);
  return node.doomed ? dead() : done();
}

Simulation::Node* Simulation::freeNode() {
  const std::size_t first = random_.below(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = *nodes_[(first + i) % nodes_.size()];
    if (node.free()) return &node;
  }
  return nullptr;
}

// --- receivers

void Simulation::ask(Node& node, const Sending& question) {
  Event answer;
  answer.kind = Event::Kind::Answer;
  answer.node = node.index;
  answer.life = node.life;
  answer.answer = {question.delivery, question.token, Phase::Answered, 200, {}, {}, {}, milliseconds(5)};
  if (!invariants.hasArrived(question.messageId)) answer.answer.status = 404;
  if (happens(Fault::Unreachable, 4)) answer.answer.phase = Phase::Unsent;
  if (happens(Fault::LostAnswer, 4)) answer.answer.phase = Phase::Sent;
  if (happens(Fault::UnclearAnswer, 6)) answer.answer.status = 400;
  const std::int64_t longest = happens(Fault::LateAnswer, 8) ? 30'000 : 2'000;
  at(after(1, longest), std::move(answer));
}

void Simulation::send(Node& node, Sending sending) {
  if (sending.purpose == queue::Purpose::ReadBack) return ask(node, sending);
  invariants.leaves(store_, sending, node.now(), node.heldUp);
  if (!node.heldUp) checkConsent(sending);
  mix(sending.delivery);
  lastLeft_[sending.messageId] = clock_.now();
  Event answer;
  answer.kind = Event::Kind::Answer;
  answer.node = node.index;
  answer.life = node.life;
  answer.answer = {sending.delivery, sending.token, Phase::Answered, 200, {}, {}, {}, milliseconds(5)};
  Event arriving;
  arriving.kind = Event::Kind::Arrive;
  arriving.sending = sending;

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
    at(after(10'000, kLongestUnderWay.count()), std::move(arriving));
    answer.answer.phase = Phase::Sent;
    return at(after(1, 5'000), std::move(answer));
  }
  const Instant arrival = after(1, 1'000);
  if (dropsRepeats(sending.endpoint) && happens(Fault::ArrivesTwice, 6)) at(after(1, 60'000), arriving);
  at(arrival, std::move(arriving));
  if (happens(Fault::LostAnswer, 4)) {
    answer.answer.phase = Phase::Sent;
  } else if (happens(Fault::ServerError, 8)) {
    answer.answer.status = 500;
  }
  const Instant late = happens(Fault::LateAnswer, 8) ? after(9'000, 30'000) : arrival;
  at(std::max(arrival, late) + milliseconds(1), std::move(answer));
}

void Simulation::arrive(const Sending& sending) {
  delivered += invariants.arrives(store_, sending, dropsRepeats(sending.endpoint)) ? 1 : 0;
  // A receiver acknowledges every time: it may know that its last one was lost.
  if (!acknowledges(sending.endpoint)) return;
  acknowledge(sending);
  if (happens(Fault::RepeatedAck, 3)) acknowledge(sending);
}

void Simulation::acknowledge(const Sending& sending) {
  Event ack;
  ack.kind = Event::Kind::HandIn;
  ack.item = item(++records_, 0, store::RecordKind::Acknowledgement, clock_.now());
  ack.item.record.transfer.clear();
  ack.item.record.partner = "clinic";
  ack.item.record.state = store::RecordState::Processed;
  ack.item.acknowledgement = store::AckEffect{sending.messageId, DeliveryState::Done, {}, ""};
  if (happens(Fault::NegativeAck, 4)) {
    ack.item.acknowledgement->to = random_.below(3) == 0 ? DeliveryState::Parked : DeliveryState::Ready;
    ack.item.acknowledgement->reason = "refused";
    ack.item.acknowledgement->dueAt = after(1'000, 30'000);
  }
  at(after(1, 90'000), std::move(ack));
}

/// The store's own idea of a live release is checked by Invariants; this is ours: nobody decided it without a consent
/// record that had been accepted by then.
void Simulation::checkConsent(const Sending& sending) {
  const store::TransferView view = *store_.transfer(sending.transfer);
  const auto there = std::count_if(view.records.begin(), view.records.end(),
                                   [](const store::Record& each) { return each.kind == store::RecordKind::Consent; });
  for (const store::Release& each : view.releases) {
    if (each.delivery == sending.delivery && each.basis != consentsKnown(there)) {
      breach("delivery " + sending.delivery + " left on a decision that did not know the last consent");
    }
  }
}

// --- the world

void Simulation::handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::Submit: return submit(event.number, store::RecordKind::Referral);
    case Event::Kind::HandIn: return handIn(event.item);
    case Event::Kind::Arrive: return arrive(event.sending);
    case Event::Kind::Crash: {
      Node& node = *nodes_[event.node];
      if (node.core == nullptr || !happens(Fault::Crash, 1)) return;
      node.doomed = true;
      if (!node.working) fall(node);
      return;
    }
    case Event::Kind::Restart: return open(*nodes_[event.node]);
    case Event::Kind::ArmPower:
      if (faultsOn_ && enabled_[static_cast<std::size_t>(Fault::PowerLoss)]) power_.arm(true);
      return;
    case Event::Kind::StepClock:
      if (happens(Fault::ClockStep, 1)) {
        nodes_[event.node]->offset =
            milliseconds(static_cast<std::int64_t>(random_.below(2 * kClocksDiffer.count()))) - kClocksDiffer;
      }
      return;
    case Event::Kind::Pause: return pauseEndpoint();
    case Event::Kind::Resume: return resumeEndpoints();
    case Event::Kind::Person: return person();
    case Event::Kind::Purge: return purge();
    case Event::Kind::Answer: {
      Node& node = *nodes_[event.node];
      if (node.core == nullptr || node.life != event.life) return;
      node.answers.push_back(event.answer);
      node.next = clock_.now();
      return;
    }
  }
}

/// Counts the ways that deliveries have gone since the last look; each must be one of the table.
void Simulation::watch() {
  store_.inspect([this](const store::MemoryStore::State& state) {
    states_.resize(state.ordinals + 1);
    for (const auto& [id, row] : state.deliveries) {
      const DeliveryState now = row.delivery.state;
      std::optional<DeliveryState>& seen = states_[row.ordinal];
      const std::optional<DeliveryState> from = std::exchange(seen, now);
      if (!from || *from == now) continue;
      if (!mayGo(*from, now)) {
        breach("delivery " + id + " went from " + std::string(name(*from)) + " to " + std::string(name(now)));
      }
      ++transitions[static_cast<std::size_t>(*from)][static_cast<std::size_t>(now)];
      mix(id);
      mix(static_cast<std::uint64_t>(now));
    }
  });
}

bool Simulation::atRest() {
  if (!events_.empty()) return false;
  bool rest = true;
  store_.inspect([&](const store::MemoryStore::State& state) {
    for (const auto& [id, row] : state.transfers) rest = rest && !row.due && !row.lease;
    for (const auto& [id, row] : state.deliveries) {
      const DeliveryState at = row.delivery.state;
      rest = rest && at != DeliveryState::Ready && at != DeliveryState::Leased && at != DeliveryState::Awaiting &&
             at != DeliveryState::Resolving;
    }
  });
  return rest;
}

void Simulation::runUntil(Instant end) {
  while (!resting_ && clock_.now() < end) {
    while (!events_.empty() && events_.begin()->first <= clock_.now()) {
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      mix(static_cast<std::uint64_t>(toMillis(clock_.now())));
      handle(event);
    }
    if (Node* node = freeNode()) think(*node);
    for (const auto& node : nodes_) {
      if (node->free() && node->next <= clock_.now()) step(*node);
    }
    if (pauses_ == 0 && atRest()) resting_ = true;
    Instant next = end;
    for (const auto& node : nodes_) {
      if (node->free()) next = std::min(next, node->next);
    }
    if (!events_.empty()) next = std::min(next, events_.begin()->first);
    clock_.set(std::max(next, clock_.now() + milliseconds(1)));
  }
}

void Simulation::run() {
  const Instant start = clock_.now();
  runUntil(start + kFaultTime);
  faultsOn_ = false;
  power_.arm(false);
  runUntil(start + kLongest);
  invariants.check(store_, true);
  for (const auto& node : nodes_) {
    if (node->core && node->core->counters().orphans != 0) breach("the safety net found an orphan");
  }
}

}  // namespace lotsen::test
