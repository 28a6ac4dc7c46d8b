// Eight threads on one store: one winner among duplicates, no lease twice, no lane out of order.
#include "tests/store/conformance.h"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace lotsen::store {
namespace {

constexpr std::uint64_t kTransfers = 40;
constexpr std::size_t kThreads = 8;

template <typename Backend>
class Concurrency : public Conformance<Backend> {};
TYPED_TEST_SUITE(Concurrency, Backends, BackendNames);

void runThreads(const std::function<void(std::size_t)>& body) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

TYPED_TEST(Concurrency, OneWinnerAmongDuplicates) {
  std::vector<std::atomic<int>> winners(kTransfers);
  std::atomic<int> wrong{0};
  runThreads([&](std::size_t thread) {
    for (std::uint64_t i = 0; i < kTransfers; ++i) {
      AcceptItem each = item(i * kThreads + thread + 1, i * kThreads + thread + 1);  // own ids, common key
      each.record.key = "common-" + std::to_string(i);
      each.record.digest = "digest";
      const Result<Accepted> accepted = this->store().accept(each);
      if (!accepted.ok()) {
        ++wrong;
      } else if (!accepted->isRepeat()) {
        ++winners[i];
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  for (const std::atomic<int>& each : winners) EXPECT_EQ(each, 1);
  EXPECT_EQ(this->store().counts()->records, kTransfers);
}

TYPED_TEST(Concurrency, EverythingIsDeliveredOnceAndInOrder) {
  std::mutex mutex;
  std::map<std::string, std::vector<std::int64_t>> order;  // by (transfer, endpoint)
  std::set<std::pair<Id, std::uint64_t>> tokens;
  std::atomic<std::uint64_t> finished{0};
  std::atomic<int> wrong{0};
  std::atomic<std::uint64_t> submitted{0};
  const std::uint64_t legs = kTransfers * 3;
  const auto work = [&] {
    const auto works = this->store().claimTransfers(this->owner_, 2, at(1), at(100));
    if (!works.ok()) return ++wrong, void();
    for (const TransferWork& each : *works) {
      TransferChange save = this->change(each);
      const auto number = static_cast<std::uint64_t>(std::stoull(each.transfer.id.substr(24), nullptr, 16));
      if (each.deliveries.empty()) {
        save.created = {leg(number * 10 + 1, number), leg(number * 10 + 2, number),
                        leg(number * 10 + 3, number, "other")};
      }
      if (!this->store().saveTransfer(save, at(1)).ok()) ++wrong;
    }
  };
  const auto deliver = [&](std::string_view endpoint) {
    const auto claimed = this->store().claim(this->owner_, endpoint, 4, at(1), at(100));
    if (!claimed.ok()) return ++wrong, void();
    std::vector<std::pair<Id, std::uint64_t>> ids;
    std::vector<AttemptEnd> ends;
    for (const Claimed& each : *claimed) {
      ids.emplace_back(each.delivery.id, each.delivery.token);
      AttemptEnd end;
      end.delivery = each.delivery.id;
      end.token = each.delivery.token;
      end.audit.push_back(audit("delivered", end.delivery));
      ends.push_back(end);
    }
    if (this->store().startSending(ids, at(1))->size() != ids.size()) ++wrong;
    {
      const std::lock_guard lock(mutex);
      for (const Claimed& each : *claimed) {
        order[each.delivery.transfer + each.delivery.endpoint].push_back(each.delivery.sequence);
        if (!tokens.emplace(each.delivery.id, each.delivery.token).second) ++wrong;
      }
    }
    if (!this->store().finish(ends, at(2))->empty()) ++wrong;
    finished += ends.size();
  };
  runThreads([&](std::size_t thread) {
    while (finished < legs && wrong == 0) {
      const std::uint64_t next = ++submitted;
      if (next <= kTransfers && !this->store().accept(item(next, next)).ok()) ++wrong;
      work();
      deliver(thread % 2 == 0 ? "provider" : "other");
      if (thread == 0) deliver("other");
      if (!this->store().expireLeases(at(1)).ok()) ++wrong;
      std::optional<Instant> due;
      if (!this->store().dueEndpoints(at(1), due).ok() || !this->store().counts().ok()) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(finished, legs);
  EXPECT_EQ(order.size(), kTransfers * 2);
  for (const auto& [lane, sequences] : order) {
    for (std::size_t i = 0; i < sequences.size(); ++i)
      EXPECT_EQ(sequences[i], static_cast<std::int64_t>(i + 1)) << lane;
  }
  EXPECT_TRUE(this->store().verifyAudit().ok());
  EXPECT_EQ(*this->store().promoteOrphans(at(2)), 0u);
}

}  // namespace
}  // namespace lotsen::store
