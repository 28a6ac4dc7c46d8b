// The delivery core: decides what goes when, and what an answer leads to. No I/O of its own, no threads, no waiting:
// the store, the transport, time and chance come in by the doors, so a simulator drives it as production does. Used by:
// runner.h (one thread), app (wiring), tests. Thread rule: step() from one thread; counters() from any. Failure rule:
// Busy of the store is waited out; every other error of the store is returned and the core must not be used again: end
// the process, the next start recovers from the store.
//
// ## One step
//   answers → verdicts                           what came back is judged first: it frees slots
//   for each endpoint with something due: claim as many as its slots and its breaker allow
//   one turn(): ends what was judged, marks what was claimed as sending; one wait for the disk
//   transport.start() for those that may go
//   lost leases, orphans, overdue acknowledgements, now and then
//   once more from the claim, if something was written or found: it may have made way for the next of its lane
// A node that stood still between the claim and the first byte (a stalled disk, a suspended machine) does not send: its
// lease may be another's by now, and what it sends would come on top of that. It looks at the clock once more after
// turn() and goes on only within kStartWithin of the claim, while the release is valid; the transport's hardest timeout
// fits into the rest.
//
// The attempt row is written by claim(), "bytes may leave" by turn(), both durable before the first byte: a
// crash at any point leaves either an attempt that was certainly unsent or one that is ambiguous, never an unknown one.
//
// ## What an outcome leads to
//   Done, Awaiting     settled, or waiting for the acknowledgement message
//   Retry              Ready after backoff with full jitter, or what Retry-After asks for
//                      Resolving if an earlier attempt is ambiguous (a 503 now says nothing about then)
//   Ambiguous          to an idempotent endpoint: Resolving, which sends the same bytes again
//                      to one that can be asked: Resolving, which looks whether it is there (below)
//                      to any other: parked for a person, at once
//   Conflict           as Retry, three times
//   PauseEndpoint      the delivery waits, the endpoint's breaker opens for its longest time
//   Park               parked
// Whatever would be tried again after the delivery's deadline is parked ("deadline-passed"): age decides, not a count;
// unless the receiver's specification has a limit of its own for resends ("resend-limit").
//
// ## Reading back
// A delivery that may have arrived at a receiver which does not drop repeats is claimed like any other, but what goes
// is a question (Purpose::ReadBack): there → Done or Awaiting, not there → Ready, unclear → a person, no answer → asked
// again. It is not asked before `readBackAfter` has passed since bytes could last have left: "not there" must mean "and
// not under way". How long bytes can be under way nobody can know for certain; this is the one place where the promise
// rests on a configured time.
//
// ## How hard an endpoint is worked
// The breaker (breaker.h) says whether and how many after a recovery, Concurrency (pace.h) how many at once,
// RetryBudget when a repeat may go. All three are this process's own opinion, gone with it.
//
// Rejected: a worker thread an endpoint (a dead partner holds threads), one commit an attempt (the sync is the price:
// answers and starts are batched over all endpoints).
#pragma once

#include "gateway/base/random.h"
#include "gateway/queue/breaker.h"
#include "gateway/queue/outcome.h"
#include "gateway/queue/pace.h"
#include "gateway/queue/transport.h"
#include "gateway/store/store.h"

#include <atomic>
#include <functional>
#include <map>

namespace lotsen::queue {

/// How the core treats one configured endpoint.
struct Endpoint {
  std::string id;
  std::size_t maxInFlight = 4;
  bool idempotent = true;               // declared by the partner: it drops repeats of the same message id
  bool readBack = false;                // it can be asked by business identifier; matters only if it is not idempotent
  milliseconds readBackAfter{120'000};  // longer than anything is under way, and than the clocks of nodes differ
  milliseconds acknowledgeWithin{std::chrono::hours(24)};  // a business acknowledgement later than this is overdue
  milliseconds slowAfter{10'000};                          // an answer that takes longer counts as trouble (pace.h)
  milliseconds backoffBase{2'000};
  milliseconds backoffCap{900'000};
  milliseconds deadline{std::chrono::hours(72)};  // for deliveries that say none
  /// How often a message may be sent again by itself after it may have arrived once, and for how long after that; what
  /// was certainly not sent does not count. None, 0: no limit but the deadline. What a person sends again goes.
  std::optional<std::uint32_t> resends;
  milliseconds resendWithin{0};
  milliseconds leaseTime{60'000};  // the transport's hardest timeout and kStartWithin fit in
};

/// Where an attempt leads that ended so, its deadline and the limits of resends apart; the verdict's reason becomes the
/// delivery's. `attempts`: with this one; `resolving`: an earlier one is ambiguous already.
store::DeliveryState stateAfter(Verdict& verdict, const Endpoint& endpoint, std::uint32_t attempts, bool resolving);

/// What an answer to this attempt means; `claimed` has no body.
using Classifier = std::function<Verdict(const store::Claimed& claimed, const Answer& answer)>;

/// What the receiver's answer to a read-back means; `claimed` has no body.
using ReadBack = std::function<Finding(const store::Claimed& claimed, const Answer& answer)>;

struct Counters {
  std::atomic<std::uint64_t> started{0}, done{0}, awaiting{0}, retried{0}, ambiguous{0}, parked{0};
  std::atomic<std::uint64_t> stale{0};       // answers whose lease was lost, or overtaken by an acknowledgement
  std::atomic<std::uint64_t> withheld{0};    // claimed, and the release was void before the first byte
  std::atomic<std::uint64_t> stalled{0};     // not sent, for the node had stood still since the claim
  std::atomic<std::uint64_t> leasesLost{0};  // taken back by the sweep
  std::atomic<std::uint64_t> overdue{0};     // acknowledgements that went missing
  std::atomic<std::uint64_t> orphans{0};     // promoted by the safety net: anything but 0 is a fault of ours
  std::atomic<std::uint64_t> breakersOpened{0};
  std::atomic<std::uint64_t> readBacks{0};   // questions asked
  std::atomic<std::uint64_t> foundThere{0};  // and answered: it had arrived
  std::atomic<std::uint64_t> unknownEndpoints{
      0};  // due deliveries of an endpoint that is not configured (seen, each look)
};

class Core {
 public:
  static constexpr milliseconds kBackoffFloor{500};
  static constexpr milliseconds kSweepEvery{1'000};     // lost leases
  static constexpr milliseconds kOrphansEvery{60'000};  // the safety net, and overdue acknowledgements
  static constexpr milliseconds kBusyWait{50};
  static constexpr milliseconds kStartWithin{15'000};  // of the claim (half the lease, if that is shorter)

  /// `classify`: classifyHttp() refined by what bodies say. `readBack` is needed if an endpoint can be asked. All
  /// references outlive the core.
  Core(store::Store& store, Transport& transport, Clock& clock, Random& random, store::Owner owner,
       std::vector<Endpoint> endpoints, Classifier classify, ReadBack readBack = {});

  struct Step {
    Instant next;             // look again then at the latest; answers and new legs come before
    std::size_t settled = 0;  // deliveries that became Done or Parked: their transfers are due
    std::size_t inFlight = 0;
  };
  /// Takes the answers, does everything that is to be done now, and says when to come back.
  Result<Step> step(const std::vector<Answer>& answers);

  /// From now on nothing new is claimed; answers are still taken.
  void stopClaiming() { claiming_ = false; }

  const Counters& counters() const { return counters_; }

 private:
  struct Lane {
    explicit Lane(Endpoint configured)
        : endpoint(std::move(configured)), concurrency(endpoint.maxInFlight, endpoint.slowAfter) {}
    Endpoint endpoint;
    Breaker breaker;
    Concurrency concurrency;
    RetryBudget retries;
    std::size_t inFlight = 0;
  };
  struct InFlight {
    store::Claimed claimed;  // without body
    Lane* lane = nullptr;
    Instant claimedAt;
    Purpose purpose = Purpose::Deliver;
  };

  using Flights = std::map<store::Lease, InFlight>;

  void settle(const Answer& answer, Instant now);
  store::AttemptEnd judge(const store::Claimed& claimed, Lane& lane, const Answer& answer, const Verdict& verdict,
                          Instant now);
  store::AttemptEnd judgeFinding(const store::Claimed& claimed, Lane& lane, const Answer& answer, Instant now);
  void again(store::AttemptEnd& end, const store::Delivery& delivery, Lane& lane, milliseconds wait, Instant now);
  static void limitResends(store::AttemptEnd& end, const store::Claimed& claimed, const Lane& lane, bool sent,
                           Instant now);
  void count(const store::AttemptEnd& end);
  void learn(Lane& lane, const Answer& answer, bool refusesUs, Instant now);
  Status turn(Step& step, Instant now);
  void ended(const std::vector<store::Lease>& stale, Step& step);
  void started(const store::Turned& turned);
  Result<bool> round(Step& step, Instant now);
  Result<bool> sweep(Instant now);
  Status claimDue(Step& step, Instant now);
  Status claimFrom(Lane& lane, Step& step, Instant now);
  bool mayGo(const store::Claimed& claimed, Lane& lane, Instant now);
  bool asks(const store::Claimed& claimed, const Lane& lane) const;
  void ask(const store::Delivery& delivery);
  void send(store::Claimed claimed, Instant until);
  void giveBack(Flights::iterator flight);
  milliseconds backoff(const Endpoint& endpoint, std::uint32_t attempts);
  Instant deadline(const store::Delivery& delivery, const Endpoint& endpoint) const;
  static bool isUsedUp(const Endpoint& endpoint, std::uint32_t sends, std::optional<Instant> firstSentAt, Instant next);

  store::Store& store_;
  Transport& transport_;
  Clock& clock_;
  Random& random_;
  const store::Owner owner_;
  const Classifier classify_;
  const ReadBack readBack_;
  std::map<std::string, Lane, std::less<>> lanes_;
  Flights inFlight_;                      // claimed or sent, not yet answered
  std::vector<store::Claimed> claimed_;   // with bodies; their sending must be written first
  std::vector<store::AttemptEnd> ended_;  // to be finished; kept while the store is Busy
  Instant nextSweep_, nextOrphans_;
  bool claiming_ = true;
  Counters counters_;
};

}  // namespace lotsen::queue
