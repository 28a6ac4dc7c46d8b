// Power loss as the storage contract has it, on the memory store: what a durable verb did stays, with everything before
// it; of the verbs that only promise to be on the disk before anything durable that follows (the leasing ones), any
// tail may be gone, never one out of the middle. Used by the simulator and by tests of the contract. Thread rule: one
// thread. It takes copies only while armed, for they are not cheap.
#pragma once

#include "gateway/base/random.h"
#include "gateway/store/memory/memory_store.h"

#include <algorithm>
#include <string_view>

namespace lotsen::test {

/// True for the verbs that block until their effect is on the disk; the other writing verbs are the leasing ones.
inline bool isDurable(std::string_view verb) {
  constexpr std::string_view kDurable[] = {"openNode", "accept",        "saveTransfers",  "turn",
                                           "note",     "pauseEndpoint", "resumeEndpoint", "intervene"};
  return std::find(std::begin(kDurable), std::end(kDurable), verb) != std::end(kDurable);
}
inline bool isLeasing(std::string_view verb) {
  constexpr std::string_view kLeasing[] = {"claimTransfers", "returnTransfer", "claim", "expireLeases",
                                           "promoteOrphans", "noticeOverdue",  "purge"};
  return std::find(std::begin(kLeasing), std::end(kLeasing), verb) != std::end(kLeasing);
}

class PowerLoss {
 public:
  explicit PowerLoss(store::MemoryStore& store) : store_(store) {}

  void arm(bool armed) {
    armed_ = armed;
    unsynced_.clear();
  }
  bool armed() const { return armed_; }

  void before(std::string_view verb) {
    if (armed_ && isLeasing(verb)) unsynced_.push_back(store_.snapshot());
  }
  void after(std::string_view verb) {
    if (isDurable(verb)) unsynced_.clear();
  }
  /// How many verbs the disk may not have yet.
  std::size_t unsynced() const { return unsynced_.size(); }

  /// The power goes. All, some or none of what was not on the disk is gone; returns how many verbs.
  std::size_t strike(Random& random) {
    const std::size_t kept = random.below(unsynced_.size() + 1);
    const std::size_t lost = unsynced_.size() - kept;
    if (lost > 0) store_.restore(unsynced_[kept]);
    arm(false);
    return lost;
  }

 private:
  store::MemoryStore& store_;
  std::vector<std::shared_ptr<const store::MemoryStore::State>> unsynced_;  // before each such verb, in order
  bool armed_ = false;
};

}  // namespace lotsen::test
