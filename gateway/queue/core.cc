#include "gateway/queue/core.h"

#include "gateway/crypto/digest.h"

#include <algorithm>

namespace lotsen::queue {

namespace {

using store::AttemptEnd;
using store::Claimed;
using store::DeliveryState;

constexpr const char* kNeedsPerson = "ambiguous-needs-person";
constexpr const char* kDeadlinePassed = "deadline-passed";
constexpr const char* kNodeStalled = "node-stalled";
// A receiver that asks for silence gets it, and the time is not counted as failure of a delivery.
constexpr milliseconds kPause = Breaker::kLongestOpen;

bool isBusy(const Error& error) {
  return error.code == Code::Busy;
}

std::string_view phaseName(Phase phase) {
  switch (phase) {
    case Phase::Unsent: return "connect";
    case Phase::Sent: return "send";
    case Phase::Answered: return "answer";
  }
  return "";
}

/// Codes and ids only have these characters; anything else would be a fault, and shall not break the JSON.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '.' || c == '_' || c == '/';
    out += fine ? c : '?';
  }
  return out;
}

store::AuditEntry auditOf(const AttemptEnd& end, const Claimed& claimed, Instant now) {
  const store::Delivery& delivery = claimed.delivery;
  store::AuditEntry entry;
  entry.at = now;
  entry.actor = "gateway";
  entry.action = "delivery-" + std::string(end.to == DeliveryState::Ready ? "retry" : store::name(end.to));
  entry.subject = delivery.id;
  entry.detail = "{\"endpoint\":\"" + plain(delivery.endpoint) + "\",\"attempt\":" + std::to_string(delivery.attempts);
  if (end.httpStatus != 0) entry.detail += ",\"status\":" + std::to_string(end.httpStatus);
  if (!end.reason.empty()) entry.detail += ",\"reason\":\"" + plain(end.reason) + '"';
  entry.detail += '}';
  return entry;
}

}  // namespace

Core::Core(store::Store& store, Transport& transport, Clock& clock, Random& random, store::Owner owner,
           std::vector<Endpoint> endpoints, Classifier classify)
    : store_(store),
      transport_(transport),
      clock_(clock),
      random_(random),
      owner_(std::move(owner)),
      classify_(std::move(classify)) {
  for (Endpoint& endpoint : endpoints) {
    const std::string id = endpoint.id;
    lanes_[id].endpoint = std::move(endpoint);
  }
}

Result<Core::Step> Core::step(const std::vector<Answer>& answers) {
  const Instant now = clock_.now();
  Step step{now + kSweepEvery, 0, 0};
  for (const Answer& answer : answers) settle(answer, now);
  LOTSEN_TRY_DO(finish(step, now));
  LOTSEN_TRY_DO(sweep(now));
  if (claiming_) LOTSEN_TRY_DO(claimDue(step, now));
  LOTSEN_TRY_DO(start(step, now));
  LOTSEN_TRY_DO(finish(step, now));  // what was parked instead of being sent
  step.inFlight = inFlight_.size();
  return step;
}

void Core::settle(const Answer& answer, Instant now) {
  const auto found = inFlight_.find({answer.delivery, answer.token});
  if (found == inFlight_.end()) return;
  InFlight flight = std::move(found->second);
  inFlight_.erase(found);
  --flight.lane->inFlight;
  const Verdict verdict = classify_(flight.claimed, answer);
  updateBreaker(*flight.lane, answer, verdict, now);
  ended_.push_back(judge(flight.claimed, *flight.lane, answer, verdict, now));
}

void Core::updateBreaker(Lane& lane, const Answer& answer, const Verdict& verdict, Instant now) {
  if (verdict.outcome == Outcome::PauseEndpoint) {
    lane.breaker.pause(now);
    ++counters_.breakersOpened;
  } else if (!blamesEndpoint(answer)) {
    lane.breaker.succeeded();
  } else if (lane.breaker.failed(now, random_)) {
    ++counters_.breakersOpened;
  }
}

AttemptEnd Core::judge(const Claimed& claimed, const Lane& lane, const Answer& answer, const Verdict& verdict,
                       Instant now) {
  const store::Delivery& delivery = claimed.delivery;
  AttemptEnd end;
  end.delivery = delivery.id;
  end.token = delivery.token;
  end.outcome = name(verdict.outcome);
  end.reason = verdict.reason;
  end.httpStatus = answer.phase == Phase::Answered ? answer.status : 0;
  end.phase = phaseName(answer.phase);
  if (!answer.body.empty()) end.responseDigest = crypto::sha256Hex(answer.body);

  const bool given = verdict.parkAfter != 0 && delivery.attempts >= verdict.parkAfter;
  switch (verdict.outcome) {
    case Outcome::Done: end.to = DeliveryState::Done; break;
    case Outcome::Awaiting: end.to = DeliveryState::Awaiting; break;
    case Outcome::Park: end.to = DeliveryState::Parked; break;
    case Outcome::Ambiguous: end.to = given ? DeliveryState::Parked : DeliveryState::Resolving; break;
    case Outcome::Retry:
    case Outcome::Conflict:
    case Outcome::PauseEndpoint:
      end.to = given ? DeliveryState::Parked : claimed.resolving ? DeliveryState::Resolving : DeliveryState::Ready;
      break;
  }
  if (end.to == DeliveryState::Ready || end.to == DeliveryState::Resolving) {
    milliseconds wait = backoff(lane.endpoint, delivery.attempts);
    if (verdict.outcome == Outcome::PauseEndpoint) wait = std::max(wait, kPause);
    if (const auto asked = retryAfter(answer, now)) wait = std::max(wait, *asked);
    end.dueAt = now + wait;
    if (end.dueAt >= deadline(delivery, lane.endpoint)) {
      end.to = DeliveryState::Parked;
      end.reason = kDeadlinePassed;
    }
  }
  end.audit.push_back(auditOf(end, claimed, now));
  return end;
}

Instant Core::deadline(const store::Delivery& delivery, const Endpoint& endpoint) const {
  return delivery.deadlineAt == Instant{} ? delivery.createdAt + endpoint.deadline : delivery.deadlineAt;
}

/// Full jitter: anything up to the exponential, so that what failed together does not come back together.
milliseconds Core::backoff(const Endpoint& endpoint, std::uint32_t attempts) {
  const std::uint32_t doublings = std::min(attempts == 0 ? 0 : attempts - 1, 30U);
  const std::int64_t span = std::min(endpoint.backoffCap.count(), endpoint.backoffBase.count() << doublings);
  const auto drawn =
      static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(std::max<std::int64_t>(span, 1))));
  return std::max(milliseconds(drawn), kBackoffFloor);
}

void Core::count(const AttemptEnd& end) {
  switch (end.to) {
    case DeliveryState::Done: ++counters_.done; break;
    case DeliveryState::Awaiting: ++counters_.awaiting; break;
    case DeliveryState::Ready: ++counters_.retried; break;
    case DeliveryState::Resolving: ++counters_.ambiguous; break;
    default: ++counters_.parked; break;
  }
}

Status Core::finish(Step& step, Instant now) {
  if (ended_.empty()) return done();
  const Result<std::vector<store::Id>> stale = store_.finish(ended_, now);
  if (!stale.ok()) {
    if (!isBusy(stale.error())) return stale.error();
    step.next = std::min(step.next, now + kBusyWait);
    return done();
  }
  counters_.stale += stale->size();
  for (const AttemptEnd& end : ended_) {
    if (std::find(stale->begin(), stale->end(), end.delivery) != stale->end()) continue;
    count(end);
    if (end.to == DeliveryState::Done || end.to == DeliveryState::Parked) ++step.settled;
  }
  ended_.clear();
  return done();
}

Status Core::sweep(Instant now) {
  if (now >= nextSweep_) {
    const Result<std::size_t> lost = store_.expireLeases(now);
    if (!lost.ok() && !isBusy(lost.error())) return lost.error();
    if (lost.ok()) counters_.leasesLost += *lost;
    nextSweep_ = now + kSweepEvery;
  }
  if (now >= nextOrphans_) {
    const Result<std::size_t> orphans = store_.promoteOrphans(now);
    if (!orphans.ok() && !isBusy(orphans.error())) return orphans.error();
    if (orphans.ok()) counters_.orphans += *orphans;
    nextOrphans_ = now + kOrphansEvery;
  }
  return done();
}

Status Core::claimDue(Step& step, Instant now) {
  std::optional<Instant> nextDue;
  const Result<std::vector<std::string>> due = store_.dueEndpoints(now, nextDue);
  if (!due.ok()) {
    if (!isBusy(due.error())) return due.error();
    step.next = std::min(step.next, now + kBusyWait);
    return done();
  }
  if (nextDue) step.next = std::min(step.next, *nextDue);
  for (const std::string& endpoint : *due) {
    const auto found = lanes_.find(endpoint);
    if (found == lanes_.end()) {
      ++counters_.unknownEndpoints;
      continue;
    }
    LOTSEN_TRY_DO(claimFrom(found->second, step, now));
  }
  return done();
}

Status Core::claimFrom(Lane& lane, Step& step, Instant now) {
  const std::size_t allowed = lane.breaker.allowance(now, lane.endpoint.maxInFlight);
  if (allowed == 0 && lane.breaker.state() == Breaker::State::Open) {
    step.next = std::min(step.next, lane.breaker.openUntil());
  }
  if (allowed <= lane.inFlight) return done();  // an answer will wake us
  const std::size_t slots = allowed - lane.inFlight;
  Result<std::vector<Claimed>> claimed =
      store_.claim(owner_, lane.endpoint.id, slots, now, now + lane.endpoint.leaseTime);
  if (!claimed.ok()) {
    if (!isBusy(claimed.error())) return claimed.error();
    step.next = std::min(step.next, now + kBusyWait);
    return done();
  }
  // Fewer than there is room for: what was due has moved (a release has expired), so look at the due times again.
  if (claimed->size() < slots) step.next = std::min(step.next, now + kBusyWait);
  for (Claimed& each : *claimed) {
    if (!mayBeSent(each, lane, now)) continue;
    Claimed known = each;
    known.delivery.body.clear();
    inFlight_[{each.delivery.id, each.delivery.token}] = {std::move(known), &lane, now};
    ++lane.inFlight;
    lane.breaker.sent(now);
    claimed_.push_back(std::move(each));
  }
  return done();
}

/// False: it must not go, and is parked instead.
bool Core::mayBeSent(const Claimed& claimed, const Lane& lane, Instant now) {
  const bool late = now >= deadline(claimed.delivery, lane.endpoint);
  if (!late && (!claimed.resolving || lane.endpoint.idempotent)) return true;
  AttemptEnd end;
  end.delivery = claimed.delivery.id;
  end.token = claimed.delivery.token;
  end.to = DeliveryState::Parked;
  end.reason = late ? kDeadlinePassed : kNeedsPerson;
  end.outcome = name(Outcome::Park);
  end.phase = phaseName(Phase::Unsent);
  end.audit.push_back(auditOf(end, claimed, now));
  ended_.push_back(std::move(end));
  return false;
}

Status Core::start(Step& step, Instant now) {
  if (claimed_.empty()) return done();
  std::vector<std::pair<store::Id, std::uint64_t>> ids;
  ids.reserve(claimed_.size());
  for (const Claimed& each : claimed_) ids.emplace_back(each.delivery.id, each.delivery.token);
  const Result<std::vector<store::Id>> started = store_.startSending(ids, now);
  if (!started.ok()) {
    if (!isBusy(started.error())) return started.error();
    step.next = std::min(step.next, now + kBusyWait);
    return done();
  }
  for (Claimed& each : claimed_) {
    store::Delivery& delivery = each.delivery;
    const auto flight = inFlight_.find({delivery.id, delivery.token});
    if (std::find(started->begin(), started->end(), delivery.id) == started->end()) {
      ++counters_.withheld;
      --flight->second.lane->inFlight;
      flight->second.lane->breaker.withheld();
      inFlight_.erase(flight);
      continue;
    }
    send(std::move(each));
  }
  claimed_.clear();
  return done();
}

void Core::send(Claimed claimed) {
  store::Delivery& delivery = claimed.delivery;
  const auto flight = inFlight_.find({delivery.id, delivery.token});
  Lane& lane = *flight->second.lane;
  const Instant now = clock_.now();
  const milliseconds stood = now - flight->second.claimedAt;
  if (stood >= milliseconds(0) && stood <= std::min(kStartWithin, lane.endpoint.leaseTime / 2)) {
    ++counters_.started;
    return transport_.start({delivery.id, delivery.token, delivery.endpoint, delivery.messageId, delivery.transfer,
                             delivery.mediaType, std::move(delivery.body)});
  }
  ++counters_.stalled;
  --lane.inFlight;
  lane.breaker.withheld();
  const Answer unsent{delivery.id, delivery.token, Phase::Unsent, 0, {}, {}, {}, stood};
  ended_.push_back(judge(flight->second.claimed, lane, unsent, {Outcome::Retry, kNodeStalled, 0}, now));
  inFlight_.erase(flight);
}

}  // namespace lotsen::queue
