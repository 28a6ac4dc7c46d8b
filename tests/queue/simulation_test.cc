#include "tests/queue/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace lotsen::test {
namespace {

using store::DeliveryState;
using store::kDeliveryStates;

std::uint64_t environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// LOTSEN_SEED=n replays one seed; with LOTSEN_SEEDS=m it is the first of m.
TEST(Simulation, NothingIsLostAndNothingHappensTwice) {
  const std::uint64_t first = environment("LOTSEN_SEED", 1);
  const std::uint64_t count = environment("LOTSEN_SEEDS", std::getenv("LOTSEN_SEED") != nullptr ? 1 : 2'000);
  std::array<std::uint64_t, kFaults> fired{};
  Simulation::Transitions gone{};
  std::uint64_t delivered = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Simulation simulation(seed);
    simulation.run();
    for (const std::string& each : simulation.invariants.breaches)
      ADD_FAILURE() << "LOTSEN_SEED=" << seed << ": " << each;
    if (HasFailure()) break;
    for (std::size_t i = 0; i < kFaults; ++i) fired[i] += simulation.fired[i];
    for (std::size_t i = 0; i < gone.size(); ++i) {
      for (std::size_t k = 0; k < gone.size(); ++k) gone[i][k] += simulation.transitions[i][k];
    }
    delivered += simulation.delivered;
  }
  std::cout << "deliveries " << delivered << '\n';
  for (std::size_t i = 0; i < kFaults; ++i) std::cout << name(static_cast<Fault>(i)) << ' ' << fired[i] << '\n';
  for (const DeliveryState from : kDeliveryStates) {
    for (const DeliveryState to : kDeliveryStates) {
      if (!mayGo(from, to)) continue;
      const std::uint64_t times = gone[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
      std::cout << name(from) << " -> " << name(to) << ' ' << times << '\n';
      if (count >= 2'000) { EXPECT_GT(times, 0u) << "nobody ever went from " << name(from) << " to " << name(to); }
    }
  }
  if (count < 2'000) return;
  for (std::size_t i = 0; i < kFaults; ++i) {
    EXPECT_GT(fired[i], 0u) << name(static_cast<Fault>(i)) << " never happened";
  }
  EXPECT_GT(delivered, count * kSimulatedTransfers * 2);
}

TEST(Simulation, ASeedReplaysStepByStep) {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Simulation one(seed), two(seed);
    one.run();
    two.run();
    EXPECT_EQ(one.digest(), two.digest()) << "seed " << seed;
    digests.insert(one.digest());
  }
  EXPECT_EQ(digests.size(), 20u) << "the digest sees what differs";
}

}  // namespace
}  // namespace lotsen::test
