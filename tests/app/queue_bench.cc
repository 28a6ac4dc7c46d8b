// What a long queue costs: a claim and a finish with N deliveries waiting, and how long a delivery to a partner that is
// well takes while another is dead with M waiting. SQLite, the core as it runs, the machine's clock. Used by:
// ops/dev/bench queue. Prints one JSON line; exit 1: something could not be done.
//
//   bench_queue DIR cost N             {"claim_us", "start_us", "finish_us"}: medians of 2,000 in turn
//   bench_queue DIR neighbour M        {"delivery_ms", "p99_ms"}: from stored to done, of 1,000 one after the other
//
// DIR is a new folder. Deliveries lie ten to a transfer, each on a lane of its own; on a disk that is slow to sync,
// what is measured is the disk, so ops/dev/bench gives a RAM disk.
#include "gateway/queue/core.h"
#include "gateway/store/sqlite/sqlite_store.h"
#include "tests/store/values.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

namespace lotsen {

namespace {

using store::DeliveryState;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kLanes = 10;
constexpr std::size_t kThreads = 8;
constexpr std::size_t kBatch = 16;
constexpr std::size_t kRounds = 2'000;
constexpr std::size_t kNeighbours = 1'000;

double microseconds(SteadyClock::duration span) {
  return std::chrono::duration<double, std::micro>(span).count();
}

double percentile(std::vector<double>& values, double part) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

/// Ends the program with what went wrong: a bench that goes on would make figures up.
template <typename T>
T must(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "bench_queue: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

class Filled {
 public:
  explicit Filled(const std::string& folder)
      : store_(must(store::SqliteStore::open({folder + "/queue.db", 4, {}}, clock_.now()))),
        owner_(must(store_->openNode("bench", clock_.now()))) {}

  /// Transfers with a delivery on each of `lanes`, until there are at least `deliveries` of them.
  void fill(std::size_t deliveries, const std::vector<std::string>& lanes) {
    const std::size_t transfers = (deliveries + lanes.size() - 1) / lanes.size();
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    const std::size_t first = transfers_;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (std::size_t number = next++; number < transfers; number = next++)
          must(store_->accept(
              test::item(first + number + 1, first + number + 1, store::RecordKind::Referral, clock_.now())));
      });
    }
    for (std::thread& thread : threads) thread.join();
    transfers_ += transfers;
    while (release(lanes)) {}
  }

  /// One delivery on one lane, of a transfer of its own; returns its number.
  std::uint64_t add(const std::string& lane) {
    fill(1, {lane});
    return deliveries_;
  }

  store::Store& store() { return *store_; }
  const store::Owner& owner() const { return owner_; }
  Clock& clock() { return clock_; }

 private:
  /// Thinks about a batch of new transfers; false when there is none left.
  bool release(const std::vector<std::string>& lanes) {
    const Instant now = clock_.now();
    const auto work = must(store_->claimTransfers(owner_, kBatch, now, now + std::chrono::minutes(10)));
    std::vector<store::TransferChange> changes;
    for (const store::TransferWork& each : work) {
      store::TransferChange change;
      change.id = each.transfer.id;
      change.token = each.token;
      change.state = store::TransferState::Released;
      change.records.push_back({each.records[0].id, store::RecordState::Processed, {}, {}, "{}", "map"});
      if (each.deliveries.empty()) create(change, lanes, now);  // else one of its deliveries is done
      changes.push_back(std::move(change));
    }
    for (auto& saved : store_->saveTransfers(std::move(changes), now)) must(std::move(saved));
    return !work.empty();
  }

  void create(store::TransferChange& change, const std::vector<std::string>& lanes, Instant now) {
    for (const std::string& lane : lanes) {
      store::Delivery leg = test::leg(++deliveries_, 1, lane, now);
      leg.transfer = change.id;
      change.created.push_back(std::move(leg));
    }
  }

  SystemClock clock_;
  std::unique_ptr<store::SqliteStore> store_;
  store::Owner owner_;
  std::size_t transfers_ = 0;
  std::uint64_t deliveries_ = 0;
};

int cost(const std::string& folder, std::size_t waiting) {
  std::vector<std::string> lanes;
  for (std::size_t lane = 0; lane < kLanes; ++lane) lanes.push_back("endpoint" + std::to_string(lane));
  Filled filled(folder);
  filled.fill(std::max(waiting, kRounds + kLanes), lanes);
  std::vector<double> claims, starts, finishes;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const Instant now = filled.clock().now();
    const auto begin = SteadyClock::now();
    const auto claimed =
        must(filled.store().claim(filled.owner(), lanes[round % kLanes], 1, now, now + milliseconds(60'000)));
    const auto afterClaim = SteadyClock::now();
    if (claimed.size() != 1) return 1;
    const store::Delivery& delivery = claimed[0].delivery;
    must(filled.store().startSending({{delivery.id, delivery.token}}, now));
    const auto afterStart = SteadyClock::now();
    store::AttemptEnd end;
    end.delivery = delivery.id;
    end.token = delivery.token;
    end.outcome = "done";
    end.audit.push_back(test::audit("delivery-done", delivery.id, now));
    if (!must(filled.store().finish({std::move(end)}, now)).empty()) return 1;
    claims.push_back(microseconds(afterClaim - begin));
    starts.push_back(microseconds(afterStart - afterClaim));
    finishes.push_back(microseconds(SteadyClock::now() - afterStart));
  }
  std::printf("{\"bench\":\"queue\",\"waiting\":%zu,\"claim_us\":%.1f,\"start_us\":%.1f,\"finish_us\":%.1f}\n", waiting,
              percentile(claims, 0.5), percentile(starts, 0.5), percentile(finishes, 0.5));
  return 0;
}

/// Answers at once: the one that is well with 200, the dead one not at all.
class InstantTransport final : public queue::Transport {
 public:
  void start(queue::Sending sending) override {
    queue::Answer answer;
    answer.delivery = sending.delivery;
    answer.token = sending.token;
    if (sending.endpoint == "well") {
      answer.phase = queue::Phase::Answered;
      answer.status = 200;
    }
    answers_.push_back(std::move(answer));
  }
  std::vector<queue::Answer> take(milliseconds) override { return std::exchange(answers_, {}); }
  void wake() override {}

 private:
  std::vector<queue::Answer> answers_;
};

int neighbour(const std::string& folder, std::size_t waiting) {
  Filled filled(folder);
  if (waiting > 0) filled.fill(waiting, {"dead"});
  InstantTransport transport;
  SystemRandom random;
  queue::Endpoint well, dead;
  well.id = "well";
  dead.id = "dead";
  queue::Core core(filled.store(), transport, filled.clock(), random, filled.owner(), {well, dead},
                   [](const store::Claimed&, const queue::Answer& answer) { return queue::classifyHttp(answer); });
  std::vector<double> spans;
  for (std::size_t round = 0; round < kNeighbours; ++round) {
    const std::string id = test::deliveryId(filled.add("well"));
    const auto begin = SteadyClock::now();
    while (must(filled.store().delivery(id)).state != DeliveryState::Done)
      must(core.step(transport.take(milliseconds(0))));
    spans.push_back(microseconds(SteadyClock::now() - begin) / 1'000);
  }
  const double middle = percentile(spans, 0.5);
  std::printf("{\"bench\":\"queue\",\"dead\":%zu,\"delivery_ms\":%.3f,\"p99_ms\":%.3f}\n", waiting, middle,
              percentile(spans, 0.99));
  return 0;
}

}  // namespace

}  // namespace lotsen

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.size() != 3 || (arguments[1] != "cost" && arguments[1] != "neighbour")) {
    std::fprintf(stderr, "usage: bench_queue DIR cost|neighbour N\n");
    return 2;
  }
  const std::size_t number = std::strtoul(arguments[2].c_str(), nullptr, 10);
  return arguments[1] == "cost" ? lotsen::cost(arguments[0], number) : lotsen::neighbour(arguments[0], number);
}
