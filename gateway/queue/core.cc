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
constexpr const char* kResendLimit = "resend-limit";
constexpr const char* kNodeStalled = "node-stalled";
constexpr const char* kReadBackUnclear = "read-back-unclear";
constexpr const char* kReadBackFailed = "read-back-failed";
constexpr const char* kNotArrived = "not-arrived";
constexpr const char* kArrived = "arrived";
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

/// The time has come; or the clock was set back, and it would not come for long.
bool isOver(Instant next, milliseconds every, Instant now) {
  return now >= next || next - now > every;
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

/// What is the same of every attempt that the receiver, or the way to it, has answered.
AttemptEnd endOf(const Claimed& claimed, const Answer& answer, std::string_view outcome) {
  AttemptEnd end;
  end.delivery = claimed.delivery.id;
  end.token = claimed.delivery.token;
  end.outcome = outcome;
  end.httpStatus = answer.phase == Phase::Answered ? answer.status : 0;
  end.phase = phaseName(answer.phase);
  if (!answer.body.empty()) end.responseDigest = crypto::sha256Hex(answer.body);
  return end;
}

}  // namespace

DeliveryState stateAfter(Verdict& verdict, const Endpoint& endpoint, std::uint32_t attempts, bool resolving) {
  const bool enough = verdict.parkAfter != 0 && attempts >= verdict.parkAfter;
  switch (verdict.outcome) {
    case Outcome::Done: return DeliveryState::Done;
    case Outcome::Awaiting: return DeliveryState::Awaiting;
    case Outcome::Park: return DeliveryState::Parked;
    case Outcome::Ambiguous:
      if (endpoint.idempotent || endpoint.readBack) return enough ? DeliveryState::Parked : DeliveryState::Resolving;
      verdict.reason = kNeedsPerson;
      return DeliveryState::Parked;
    case Outcome::Retry:
    case Outcome::Conflict:
    case Outcome::PauseEndpoint: break;
  }
  return enough ? DeliveryState::Parked : resolving ? DeliveryState::Resolving : DeliveryState::Ready;
}

Core::Core(store::Store& store, Transport& transport, Clock& clock, Random& random, store::Owner owner,
           std::vector<Endpoint> endpoints, Classifier classify, ReadBack readBack)
    : store_(store),
      transport_(transport),
      clock_(clock),
      random_(random),
      owner_(std::move(owner)),
      classify_(std::move(classify)),
      readBack_(std::move(readBack)) {
  for (Endpoint& endpoint : endpoints) {
    LOTSEN_CHECK(!endpoint.readBack || readBack_);
    std::string id = endpoint.id;
    lanes_.emplace(std::move(id), Lane(std::move(endpoint)));
  }
}

Result<Core::Step> Core::step(const std::vector<Answer>& answers) {
  const Instant now = clock_.now();
  Step step{now + kSweepEvery, 0, 0};
  for (const Answer& answer : answers) settle(answer, now);
  LOTSEN_TRY(const bool written, round(step, now));
  LOTSEN_TRY(const bool found, sweep(now));  // not before the answers are written: theirs are no lost leases
  // For what the first round made way for, and for what stood still or was parked instead of being sent.
  if (written || found) LOTSEN_TRY_DO(round(step, now));
  step.inFlight = inFlight_.size();
  return step;
}

void Core::settle(const Answer& answer, Instant now) {
  const auto found = inFlight_.find({answer.delivery, answer.token});
  if (found == inFlight_.end()) return;
  InFlight flight = std::move(found->second);
  inFlight_.erase(found);
  Lane& lane = *flight.lane;
  --lane.inFlight;
  if (flight.purpose == Purpose::ReadBack) {
    learn(lane, answer, false, now);
    return ended_.push_back(judgeFinding(flight.claimed, lane, answer, now));
  }
  const Verdict verdict = classify_(flight.claimed, answer);
  learn(lane, answer, verdict.outcome == Outcome::PauseEndpoint, now);
  ended_.push_back(judge(flight.claimed, lane, answer, verdict, now));
}

/// What the answer tells about the endpoint, whatever it means for the message.
void Core::learn(Lane& lane, const Answer& answer, bool refusesUs, Instant now) {
  const bool trouble = blamesEndpoint(answer);
  lane.concurrency.answered(answer.took, trouble);
  if (refusesUs) {
    lane.breaker.pause(now);
    ++counters_.breakersOpened;
  } else if (!trouble) {
    lane.breaker.succeeded();
  } else if (lane.breaker.failed(now, random_)) {
    ++counters_.breakersOpened;
  }
}

AttemptEnd Core::judge(const Claimed& claimed, Lane& lane, const Answer& answer, const Verdict& given, Instant now) {
  const store::Delivery& delivery = claimed.delivery;
  AttemptEnd end = endOf(claimed, answer, name(given.outcome));
  Verdict verdict = given;
  end.to = stateAfter(verdict, lane.endpoint, delivery.attempts, claimed.resolving);
  end.reason = std::move(verdict.reason);
  if (end.to == DeliveryState::Awaiting) end.dueAt = now + lane.endpoint.acknowledgeWithin;
  if (end.to == DeliveryState::Ready || end.to == DeliveryState::Resolving) {
    milliseconds wait = backoff(lane.endpoint, delivery.attempts);
    if (verdict.outcome == Outcome::PauseEndpoint) wait = std::max(wait, kPause);
    if (const auto asked = retryAfter(answer, now)) wait = std::max(wait, *asked);
    const bool ask = !lane.endpoint.idempotent && lane.endpoint.readBack && end.to == DeliveryState::Resolving;
    if (ask) wait = std::max(wait, lane.endpoint.readBackAfter);
    again(end, delivery, lane, wait, now);
    if (!ask) limitResends(end, claimed, lane, answer.phase != Phase::Unsent, now);
  }
  end.audit.push_back(auditOf(end, claimed, now));
  return end;
}

AttemptEnd Core::judgeFinding(const Claimed& claimed, Lane& lane, const Answer& answer, Instant now) {
  const Finding finding = readBack_(claimed, answer);
  AttemptEnd end = endOf(claimed, answer, name(finding));
  switch (finding) {
    case Finding::Accepted:
    case Finding::Arrived:
      ++counters_.foundThere;
      end.to = finding == Finding::Accepted ? DeliveryState::Done : DeliveryState::Awaiting;
      end.reason = kArrived;
      end.dueAt = now + lane.endpoint.acknowledgeWithin;
      break;
    case Finding::Absent:
      end.to = DeliveryState::Ready;
      end.reason = kNotArrived;
      again(end, claimed.delivery, lane, kBackoffFloor, now);
      limitResends(end, claimed, lane, false, now);
      break;
    case Finding::Unclear:
      end.to = DeliveryState::Parked;
      end.reason = kReadBackUnclear;
      break;
    case Finding::NoAnswer:
      end.to = DeliveryState::Resolving;
      end.reason = kReadBackFailed;
      again(end, claimed.delivery, lane, backoff(lane.endpoint, claimed.delivery.attempts), now);
      break;
  }
  end.audit.push_back(auditOf(end, claimed, now));
  return end;
}

/// When it goes again, if its deadline allows that it does.
void Core::again(AttemptEnd& end, const store::Delivery& delivery, Lane& lane, milliseconds wait, Instant now) {
  end.dueAt = lane.retries.reserve(now, now + wait);
  if (end.dueAt < deadline(delivery, lane.endpoint)) return;
  end.to = DeliveryState::Parked;
  end.reason = kDeadlinePassed;
}

/// What would be sent again is parked if the receiver allows no more. `sent`: this attempt may have arrived.
void Core::limitResends(AttemptEnd& end, const Claimed& claimed, const Lane& lane, bool sent, Instant now) {
  if (end.to == DeliveryState::Parked) return;
  const std::optional<Instant> first = sent && !claimed.firstSentAt ? now : claimed.firstSentAt;
  if (!isUsedUp(lane.endpoint, claimed.sends + (sent ? 1 : 0), first, end.dueAt)) return;
  end.to = DeliveryState::Parked;
  end.reason = kResendLimit;
}

/// The receiver's own limit of resends forbids one at `next`.
bool Core::isUsedUp(const Endpoint& endpoint, std::uint32_t sends, std::optional<Instant> firstSentAt, Instant next) {
  if (sends == 0) return false;
  if (endpoint.resends && sends > *endpoint.resends) return true;
  return endpoint.resendWithin.count() > 0 && firstSentAt && next > *firstSentAt + endpoint.resendWithin;
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

/// Claims what may go, and writes it together with what has ended. True if there was something to write.
Result<bool> Core::round(Step& step, Instant now) {
  if (claiming_) LOTSEN_TRY_DO(claimDue(step, now));
  if (ended_.empty() && claimed_.empty()) return false;
  LOTSEN_TRY_DO(turn(step, now));
  return true;
}

Status Core::turn(Step& step, Instant now) {
  std::vector<store::Lease> starts;
  starts.reserve(claimed_.size());
  for (const Claimed& each : claimed_) starts.emplace_back(each.delivery.id, each.delivery.token);
  const Result<store::Turned> turned = store_.turn(ended_, starts, now);
  if (!turned.ok()) {
    if (!isBusy(turned.error())) return turned.error();
    step.next = std::min(step.next, now + kBusyWait);
    return done();
  }
  ended(turned->stale, step);
  started(*turned);
  return done();
}

void Core::ended(const std::vector<store::Lease>& stale, Step& step) {
  counters_.stale += stale.size();
  for (const AttemptEnd& end : ended_) {
    if (std::find(stale.begin(), stale.end(), store::Lease(end.delivery, end.token)) != stale.end()) continue;
    count(end);
    if (end.to == DeliveryState::Done || end.to == DeliveryState::Parked) ++step.settled;
  }
  ended_.clear();
}

void Core::started(const store::Turned& turned) {
  const auto& started = turned.started;
  for (Claimed& each : std::exchange(claimed_, {})) {
    const auto found = std::find(started.begin(), started.end(), store::Lease(each.delivery.id, each.delivery.token));
    if (found != started.end()) {
      send(std::move(each), turned.until[static_cast<std::size_t>(found - started.begin())]);
      continue;
    }
    ++counters_.withheld;
    giveBack(inFlight_.find({each.delivery.id, each.delivery.token}));
  }
}

/// True if something was taken back or promoted.
Result<bool> Core::sweep(Instant now) {
  bool found = false;
  if (isOver(nextSweep_, kSweepEvery, now)) {
    const Result<std::size_t> lost = store_.expireLeases(now);
    if (!lost.ok() && !isBusy(lost.error())) return lost.error();
    if (lost.ok()) {
      counters_.leasesLost += *lost;
      found = *lost > 0;
    }
    nextSweep_ = now + kSweepEvery;
  }
  if (isOver(nextOrphans_, kOrphansEvery, now)) {
    const Result<std::size_t> orphans = store_.promoteOrphans(now);
    if (!orphans.ok() && !isBusy(orphans.error())) return orphans.error();
    if (orphans.ok()) {
      counters_.orphans += *orphans;
      found = found || *orphans > 0;
    }
    const Result<std::size_t> overdue = store_.noticeOverdue(now);
    if (!overdue.ok() && !isBusy(overdue.error())) return overdue.error();
    if (overdue.ok()) counters_.overdue += *overdue;
    nextOrphans_ = now + kOrphansEvery;
  }
  return found;
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
  const std::size_t allowed = lane.breaker.allowance(now, lane.concurrency.now());
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
    if (!mayGo(each, lane, now)) continue;
    const Purpose purpose = asks(each, lane) ? Purpose::ReadBack : Purpose::Deliver;
    std::string body = std::move(each.delivery.body);
    each.delivery.body.clear();
    Claimed known = each;
    each.delivery.body = std::move(body);
    inFlight_[{each.delivery.id, each.delivery.token}] = {std::move(known), &lane, now, purpose};
    ++lane.inFlight;
    lane.breaker.sent(now);
    if (purpose == Purpose::ReadBack) {
      ask(each.delivery);
      continue;
    }
    if (each.delivery.attempts == 1) lane.retries.firstAttempt(now);
    claimed_.push_back(std::move(each));
  }
  return done();
}

/// Asks whether it has arrived. Nothing of the message leaves, so nothing has to be written first.
void Core::ask(const store::Delivery& delivery) {
  ++counters_.readBacks;
  transport_.start({delivery.id,
                    delivery.token,
                    delivery.endpoint,
                    delivery.messageId,
                    delivery.transfer,
                    delivery.mediaType,
                    {},
                    Purpose::ReadBack});
}

bool Core::asks(const Claimed& claimed, const Lane& lane) const {
  return claimed.resolving && !lane.endpoint.idempotent && lane.endpoint.readBack;
}

/// False: it must not go now. It is parked instead, or waits until what may be under way has arrived or never will.
bool Core::mayGo(const Claimed& claimed, Lane& lane, Instant now) {
  const store::Delivery& delivery = claimed.delivery;
  AttemptEnd end;
  end.delivery = delivery.id;
  end.token = delivery.token;
  end.to = DeliveryState::Parked;
  end.outcome = name(Outcome::Park);
  end.phase = phaseName(Phase::Unsent);
  if (now >= deadline(delivery, lane.endpoint)) {
    end.reason = kDeadlinePassed;
  } else if (asks(claimed, lane)) {
    if (!claimed.lastSentAt || *claimed.lastSentAt + lane.endpoint.readBackAfter <= now) return true;
    end.to = DeliveryState::Resolving;
    end.outcome = name(Outcome::Ambiguous);
    end.reason = delivery.reason;
    end.dueAt = *claimed.lastSentAt + lane.endpoint.readBackAfter;
  } else if (claimed.resolving && !lane.endpoint.idempotent) {
    end.reason = kNeedsPerson;
  } else if (!delivery.reason.empty() && isUsedUp(lane.endpoint, claimed.sends, claimed.firstSentAt, now)) {
    end.reason = kResendLimit;  // an acknowledgement asked for one more; what a person sends again has no reason
  } else {
    return true;
  }
  end.audit.push_back(auditOf(end, claimed, now));
  ended_.push_back(std::move(end));
  return false;
}

void Core::send(Claimed claimed, Instant until) {
  store::Delivery& delivery = claimed.delivery;
  const auto flight = inFlight_.find({delivery.id, delivery.token});
  Lane& lane = *flight->second.lane;
  const Instant now = clock_.now();
  const milliseconds stood = now - flight->second.claimedAt;
  const bool isPrompt = stood >= milliseconds(0) && stood <= std::min(kStartWithin, lane.endpoint.leaseTime / 2);
  if (isPrompt && now < until) {
    ++counters_.started;
    return transport_.start({delivery.id, delivery.token, delivery.endpoint, delivery.messageId, delivery.transfer,
                             delivery.mediaType, std::move(delivery.body)});
  }
  ++counters_.stalled;
  const Answer unsent{delivery.id, delivery.token, Phase::Unsent, 0, {}, {}, {}, stood};
  ended_.push_back(judge(flight->second.claimed, lane, unsent, {Outcome::Retry, kNodeStalled, 0}, now));
  giveBack(flight);
}

/// What was claimed and never sent: its slot is free, and the breaker has learnt nothing.
void Core::giveBack(Flights::iterator flight) {
  Lane& lane = *flight->second.lane;
  --lane.inFlight;
  lane.breaker.withheld();
  inFlight_.erase(flight);
}

}  // namespace lotsen::queue
