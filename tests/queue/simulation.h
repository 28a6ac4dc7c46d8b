// The delivery core in a simulated world: several nodes on one memory store, receivers that lose, repeat and delay, a
// clock that only the scheduler moves, one seed. Everything that happens follows from the seed: a failing one replays.
// Thread rule: one thread. Failure rule: breaches are collected, not thrown.
#pragma once

#include "gateway/queue/core.h"
#include "gateway/store/memory/memory_store.h"
#include "tests/queue/hooked_store.h"
#include "tests/queue/invariants.h"
#include "tests/store/values.h"
#include "tests/support/fake_clock.h"

#include <array>
#include <map>

namespace lotsen::test {

/// What may go wrong; each seed switches on a part of it (frequent faults mask rare ones).
enum class Fault : std::uint8_t {
  Unreachable,  // no byte leaves
  LostRequest,  // bytes leave and never arrive
  LostAnswer,   // the receiver acts, its answer is lost
  Busy,         // 503
  ServerError,  // 500 after acting
  LateAnswer,   // the answer comes after the lease has ended
  LateArrival,  // the bytes arrive long after
  Crash,        // a node stops in the middle and starts again
  Repeat,       // the sender of a record repeats it
  Withdrawal,   // a consent record comes while deliveries are under way
  RepeatedAck,  // an acknowledgement comes twice, and once too late
  StoreBusy,    // a verb is refused for the moment
};
inline constexpr std::size_t kFaults = 12;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);

  /// Runs until everything has come to rest.
  void run();

  Invariants invariants;
  std::array<std::uint64_t, kFaults> fired{};  // how often each fault happened
  std::uint64_t delivered = 0;

 private:
  struct Node final : queue::Transport {
    Node(Simulation& world, std::string node, std::size_t position)
        : simulation(world), name(std::move(node)), index(position) {}
    void start(queue::Sending sending) override { simulation.send(*this, std::move(sending)); }
    std::vector<queue::Answer> take(milliseconds) override { return std::exchange(answers, {}); }
    void wake() override {}

    Simulation& simulation;
    std::string name;
    std::size_t index;
    std::uint64_t life = 0;  // answers to an earlier life are lost
    store::Owner owner;
    std::unique_ptr<queue::Core> core;
    std::vector<queue::Answer> answers;
    Instant next;
  };
  struct Event {
    enum class Kind : std::uint8_t { Arrive, Answer, Acknowledge, Submit, Crash } kind = Kind::Submit;
    std::size_t node = 0;
    std::uint64_t life = 0;
    queue::Sending sending;
    queue::Answer answer;
    std::uint64_t number = 0;  // of the transfer or record
  };

  bool happens(Fault fault, std::uint64_t oneIn);
  void at(Instant when, Event event) { events_.emplace(when, std::move(event)); }
  Instant after(std::int64_t fromMs, std::int64_t toMs);

  void open(Node& node);
  void send(Node& node, queue::Sending sending);
  void handle(const Event& event);
  void submit(std::uint64_t transfer, store::RecordKind kind);
  void acknowledge(const queue::Sending& sending);
  void think();
  void checkConsent(const queue::Sending& sending);
  bool atRest();

  static bool acknowledges(const std::string& endpoint) { return endpoint == "mediator"; }
  static bool dropsRepeats(const std::string& endpoint) { return endpoint != "careless"; }

  SeededRandom random_;
  FakeClock clock_;
  store::MemoryStore store_;
  HookedStore hooked_{store_};  // what the cores see
  std::vector<std::unique_ptr<Node>> nodes_;
  std::multimap<Instant, Event> events_;
  std::array<bool, kFaults> enabled_{};
  bool faultsOn_ = true;
  std::uint64_t records_ = 0, transfers_ = 0;
  std::vector<store::AcceptItem> sent_;  // for repeating
  // Consent records accepted for a transfer, and how many of them the thought knew that released a delivery.
  std::map<store::Id, std::uint64_t> consents_, knownAtRelease_;
};

}  // namespace lotsen::test
