// The delivery core in a simulated world: several nodes on one memory store, receivers that lose, repeat and delay,
// nodes that stop in the middle of a verb, clocks that jump, power that goes; one scheduler, one seed. Everything that
// happens follows from the seed: a failing one replays step by step, and digest() shows that it did.
//
// A node is a process: a core, a little service, a clock of its own, its own door to the store. It stands still (Pause)
// inside a verb while the world goes on, as a stalled machine does; it falls (Crash, an ambiguous commit, PowerLoss)
// and comes back as a new incarnation. The world's own clock is the scheduler's.
//
// Thread rule: one thread. Failure rule: breaches are collected, not thrown.
#pragma once

#include "gateway/queue/core.h"
#include "gateway/store/memory/memory_store.h"
#include "tests/queue/hooked_store.h"
#include "tests/queue/invariants.h"
#include "tests/store/power_loss.h"
#include "tests/store/values.h"
#include "tests/support/fake_clock.h"

#include <array>
#include <map>

namespace lotsen::test {

/// What may go wrong or come in between; each seed switches on a part of it (frequent faults mask rare ones).
enum class Fault : std::uint8_t {
  Unreachable,     // no byte leaves
  LostRequest,     // bytes leave and never arrive
  LostAnswer,      // the receiver acts, its answer is lost
  Busy,            // 503
  ServerError,     // 500 after acting
  LateAnswer,      // the answer comes after the lease has ended
  LateArrival,     // the bytes arrive long after
  ArrivesTwice,    // the network repeats the request
  UnclearAnswer,   // asked whether it has a message, a receiver says what nobody understands
  Pause,           // a node stands still in the middle of a verb, often for longer than its leases
  ClockStep,       // a node's clock jumps
  Crash,           // a node stops in the middle and starts again
  PowerLoss,       // everything stops; what was not on the disk may be gone
  CommitLost,      // a verb is Ambiguous, and it did not happen
  AnswerLost,      // a verb is Ambiguous, and it happened
  StoreBusy,       // a verb is refused for the moment
  Repeat,          // the sender of a record repeats it
  GivesUp,         // the sender of a record never learns whether it arrived
  Withdrawal,      // a consent record comes while deliveries are under way
  RepeatedAck,     // an acknowledgement comes twice, and once too late
  NegativeAck,     // an acknowledgement says: again later, or never
  ShortRelease,    // a release that is not valid yet, or not for long
  NoBytes,         // the service cannot make the bytes of a leg, and can when a person asks again
  Cancel,          // the transfer is withdrawn: its unfinished legs are cancelled
  PersonResends,   // somebody sends a parked delivery again
  PersonPauses,    // somebody stops an endpoint for a while
  PersonParks,     // somebody stops a delivery,
  PersonLetsGo,    // and lets it go again
  PersonCancels,   // somebody cancels one
  PersonConfirms,  // somebody has heard that one arrived
  Retention        // what is over loses its bytes at once
};
inline constexpr std::size_t kFaults = 31;
std::string_view name(Fault fault);

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);

  /// Runs until everything has come to rest.
  void run();
  /// Changes with everything that happened and when.
  std::uint64_t digest() const { return digest_; }

  using Transitions = std::array<std::array<std::uint64_t, 9>, 9>;  // by DeliveryState: from, to

  Invariants invariants;
  std::array<std::uint64_t, kFaults> fired{};  // how often each fault happened
  Transitions transitions{};                   // how often a delivery went this way
  std::uint64_t delivered = 0;

 private:
  struct Node final : queue::Transport, Clock {
    Node(Simulation& world, std::string node, std::size_t position)
        : simulation(world), name(std::move(node)), index(position), store(world.store_) {}
    void start(queue::Sending sending) override { simulation.send(*this, std::move(sending)); }
    std::vector<queue::Answer> take(milliseconds) override { return std::exchange(answers, {}); }
    void wake() override {}
    Instant now() override { return simulation.clock_.now() + offset; }
    bool free() const { return core != nullptr && !working; }

    Simulation& simulation;
    std::string name;
    std::size_t index;
    HookedStore store;       // its door: verbs may fail here, and the node may stand still in them
    std::uint64_t life = 0;  // answers to an earlier life are lost
    bool working = false;    // on the stack: in a step, or thinking
    bool doomed = false;     // falls as soon as it notices
    bool heldUp = false;     // stood still between startSending and the first byte
    milliseconds offset{0};  // of its clock
    store::Owner owner;
    std::unique_ptr<queue::Core> core;  // null: it is down
    std::vector<queue::Answer> answers;
    Instant next;  // of the world
  };
  struct Event {
    enum class Kind : std::uint8_t {
      Arrive,
      Answer,
      HandIn,
      Submit,
      Crash,
      Restart,
      ArmPower,
      StepClock,
      Pause,
      Resume,
      Person,
      Purge
    };
    Kind kind = Kind::Submit;
    std::size_t node = 0;
    std::uint64_t life = 0;
    queue::Sending sending;
    queue::Answer answer;
    store::AcceptItem item;
    std::uint64_t number = 0;  // of the transfer
  };

  bool happens(Fault fault, std::uint64_t oneIn);
  void at(Instant when, Event event) { events_.emplace(when, std::move(event)); }
  void schedule(Event::Kind kind, std::size_t node, std::int64_t fromMs, std::int64_t toMs);
  Instant after(std::int64_t fromMs, std::int64_t toMs);
  void breach(std::string what) { invariants.breaches.push_back(std::move(what)); }
  void mix(std::uint64_t value);
  void mix(std::string_view text);

  // nodes
  void open(Node& node);
  void fall(Node& node);
  void step(Node& node);
  void pause(Node& node);
  void powerFails();
  void pauseEndpoint();
  void resumeEndpoints();
  Status before(Node& node, std::string_view verb);
  Status after(Node& node, std::string_view verb);
  Node* freeNode();

  // receivers
  void send(Node& node, queue::Sending sending);
  void ask(Node& node, const queue::Sending& question);
  void arrive(const queue::Sending& sending);
  void acknowledge(const queue::Sending& sending);
  void checkConsent(const queue::Sending& sending);

  // senders, and the service of a node (simulation_service.cc)
  void submit(std::uint64_t transfer, store::RecordKind kind);
  void handIn(const store::AcceptItem& item);
  void think(Node& node);
  store::TransferChange thought(Node& node, const store::TransferWork& work);
  void firstLegs(Node& node, const store::TransferWork& work, store::TransferChange& change);
  void furtherLegs(Node& node, const store::TransferWork& work, store::TransferChange& change);
  void person();
  void purge();
  std::optional<store::Verb> wish(const store::Delivery& delivery);
  bool mayResend(const store::Delivery& delivery);

  // the world
  void runUntil(Instant end);
  void handle(const Event& event);
  void watch();
  bool atRest();

  SeededRandom random_;
  FakeClock clock_;
  store::MemoryStore store_;
  PowerLoss power_{store_};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::multimap<Instant, Event> events_;
  std::array<bool, kFaults> enabled_{};
  bool faultsOn_ = true;
  bool resting_ = false;
  int pauses_ = 0;  // nodes that stand still
  std::uint64_t records_ = 0;
  store::Id walk_;  // where retention stands
  std::uint64_t digest_ = 14'695'981'039'346'656'037ULL;
  std::vector<store::AcceptItem> sent_;                      // for repeating
  std::vector<std::optional<store::DeliveryState>> states_;  // as last seen, by ordinal of the delivery
  std::map<std::string, Instant> lastLeft_;                  // by message id
};

inline bool acknowledges(const std::string& endpoint) {
  return endpoint == "mediator";
}
inline bool dropsRepeats(const std::string& endpoint) {
  return endpoint != "careless" && endpoint != "readable";
}
/// Does not drop repeats, but can be asked what it has.
inline bool canBeAsked(const std::string& endpoint) {
  return endpoint == "readable";
}
/// The basis of a release: how many consent records the thought knew that decided it.
inline std::string consentsKnown(std::int64_t count) {
  return "consents-" + std::to_string(count);
}
inline constexpr std::uint64_t kSimulatedTransfers = 6;

}  // namespace lotsen::test
