// Eight threads at once on one SQLite store, random operations against the specification: each thread has transfers,
// keys, lanes and a node of its own, and a memory store that does the same alone. Whatever the others do, both must
// answer the same and hold the same. What touches everybody's rows (sweeps, leases on any transfer that is due) is in
// concurrency_test.cc and model_test.cc. LOTSEN_SEED replays the choices; the interleaving is the machine's.
#include "gateway/base/random.h"
#include "tests/store/backends.h"

#include <atomic>
#include <map>
#include <thread>

namespace lotsen::store {
namespace {

constexpr std::size_t kThreads = 8;
constexpr int kSteps = 500;
constexpr std::uint64_t kTransfers = 4;

template <typename T>
std::string told(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(codeName(result.error().code));
}

class Area {
 public:
  Area(std::uint64_t number, std::uint64_t seed, SqliteBackend& shared)
      : random_(seed * kThreads + number), first_(number * 1'000'000), name_(std::to_string(number)), shared_(shared) {
    openNode();
  }

  void step() {
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2: return accept();
      case 3: return acknowledge();
      case 4:
      case 5:
      case 6: return work();
      case 7:
      case 8: return claim();
      case 9:
      case 10: return start();
      case 11:
      case 12:
      case 13: return finish();
      case 14: return intervene();
      default: return oneIn(6) ? openNode() : void(now_ += milliseconds(random_.below(40'000)));
    }
  }

  void compare() {
    for (std::uint64_t n = 1; n <= kTransfers; ++n) {
      const Result<TransferView> a = alone_.transfer(transferId(n)), b = shared_.store().transfer(transferId(n));
      ASSERT_EQ(told(a), told(b));
      if (!a.ok()) continue;
      ASSERT_EQ(test::describe(*a), test::describe(*b));
      for (const Delivery& each : a->deliveries) ++seen[std::string(store::name(each.state))];
    }
  }

  Store& alone() { return alone_; }
  std::map<std::string, std::uint64_t> seen;  // how often a delivery was found in a state

 private:
  bool oneIn(std::uint64_t bound) { return random_.below(bound) == 0; }
  std::uint64_t pick(std::uint64_t bound) { return random_.below(bound); }
  Id transferId(std::uint64_t number) const { return test::transferId(first_ + number); }
  std::string lane(std::uint64_t number) const { return "lane-" + name_ + "-" + std::to_string(number); }

  void openNode() {
    const auto a = alone_.openNode("node-" + name_, now_), b = shared_.store().openNode("node-" + name_, now_);
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(a->epoch, b->epoch);
    owner_ = *a;
  }

  void accept() {
    const RecordKind kinds[] = {RecordKind::Referral, RecordKind::Consent, RecordKind::Btf};
    AcceptItem each = test::item(first_ + ++records_, first_ + 1 + pick(kTransfers), kinds[pick(3)], now_);
    if (oneIn(4)) each.record.key = "key-" + std::to_string(first_ + 1 + pick(records_));
    if (oneIn(2)) each.record.digest = "digest-" + each.record.key;
    if (oneIn(3)) each.envelope = "envelope-" + name_ + "-" + std::to_string(1 + pick(records_));
    accept(each);
  }

  void acknowledge() {
    AcceptItem ack = test::item(first_ + ++records_, 0, RecordKind::Acknowledgement, now_);
    ack.record.transfer.clear();
    ack.record.partner = "clinic";
    const DeliveryState to[] = {DeliveryState::Done, DeliveryState::Ready, DeliveryState::Parked};
    ack.acknowledgement = AckEffect{test::id(first_ + 1 + pick(legs_ + 1), 0xd), to[pick(3)], now_, "why"};
    accept(ack);
  }

  void accept(const AcceptItem& each) {
    const auto a = alone_.accept(each), b = shared_.store().accept(each);
    ASSERT_EQ(told(a), told(b));
    if (!a.ok()) return;
    EXPECT_EQ(a->novelty, b->novelty);
    EXPECT_EQ(a->record, b->record);
    EXPECT_EQ(a->transfer, b->transfer);
    EXPECT_EQ(a->acknowledgement, b->acknowledgement);
  }

  void work() {
    const Id id = transferId(1 + pick(kTransfers));
    const Instant until = now_ + milliseconds(60'000);
    const auto a = alone_.claimTransfer(owner_, id, now_, until),
               b = shared_.store().claimTransfer(owner_, id, now_, until);
    ASSERT_EQ(told(a), told(b));
    if (!a.ok() || oneIn(8)) return;  // else it stays leased until the node starts again
    EXPECT_EQ(a->token, b->token);
    const TransferChange save = change(*a);
    const auto x = alone_.saveTransfer(save, now_), y = shared_.store().saveTransfer(save, now_);
    ASSERT_EQ(told(x), told(y));
    if (x.ok()) { EXPECT_EQ(x->skipped, y->skipped); }
  }

  TransferChange change(const TransferWork& work) {
    TransferChange change;
    change.id = work.transfer.id;
    change.token = oneIn(10) ? work.token + 1 : work.token;
    change.state = TransferState::Released;
    for (const Delivery& each : work.deliveries) {
      if (!oneIn(4)) continue;
      DeliveryChange edit{each.id, oneIn(3) ? DeliveryState::Cancelled : DeliveryState::Ready, {}, {}, {}, "edited"};
      if (edit.to == DeliveryState::Ready) edit.body = "late bytes";
      change.changed.push_back(std::move(edit));
    }
    for (std::uint64_t n = pick(3); n > 0; --n) {
      Delivery leg = test::leg(first_ + ++legs_, 1, lane(pick(3)), now_);
      leg.transfer = work.transfer.id;
      if (oneIn(4)) leg = test::held(leg);
      leg.needsRelease = oneIn(3);
      if (leg.needsRelease)
        change.releases.push_back({leg.id, {}, {}, now_, now_ + milliseconds(pick(90'000)), "consent"});
      change.created.push_back(std::move(leg));
    }
    change.audit.push_back(test::audit("thought", {}, now_));
    return change;
  }

  void claim() {
    const std::string from = lane(pick(3));
    const std::size_t limit = 1 + pick(4);
    const Instant until = now_ + milliseconds(60'000);
    const auto a = alone_.claim(owner_, from, limit, now_, until),
               b = shared_.store().claim(owner_, from, limit, now_, until);
    ASSERT_EQ(told(a), told(b));
    if (!a.ok()) return;
    ASSERT_EQ(a->size(), b->size());
    for (std::size_t i = 0; i < a->size(); ++i) {
      EXPECT_EQ(test::describe((*a)[i].delivery), test::describe((*b)[i].delivery));
      leases_.emplace_back((*a)[i].delivery.id, (*a)[i].delivery.token);
    }
  }

  void start() {
    std::vector<Lease> some;
    for (const Lease& each : leases_) {
      if (oneIn(2)) some.push_back(each);
    }
    EXPECT_EQ(*alone_.startSending(some, now_), *shared_.store().startSending(some, now_));
  }

  void finish() {
    const DeliveryState to[] = {DeliveryState::Done, DeliveryState::Ready, DeliveryState::Awaiting,
                                DeliveryState::Resolving, DeliveryState::Parked};
    std::vector<AttemptEnd> ends;
    while (!leases_.empty() && !oneIn(3)) {
      AttemptEnd end;
      std::tie(end.delivery, end.token) = leases_.back();
      leases_.pop_back();
      end.to = to[pick(5)];
      end.dueAt = now_ + milliseconds(pick(20'000));
      end.reason = "because";
      end.outcome = "outcome";
      end.audit.push_back(test::audit("ended", end.delivery, now_));
      ends.push_back(std::move(end));
    }
    EXPECT_EQ(*alone_.finish(ends, now_), *shared_.store().finish(ends, now_));
  }

  void intervene() {
    constexpr Verb kVerbs[] = {Verb::Resend, Verb::Park, Verb::Release, Verb::Cancel, Verb::Confirm};
    std::vector<Intervention> wishes;
    for (std::uint64_t n = pick(4); n > 0; --n) {
      const Id delivery = test::deliveryId(first_ + 1 + pick(legs_ + 1));
      wishes.push_back(
          {delivery, kVerbs[pick(5)], now_, now_ + milliseconds(pick(99'000)), test::audit("asked", delivery, now_)});
    }
    EXPECT_EQ(*alone_.intervene(wishes, now_), *shared_.store().intervene(wishes, now_));
  }

  SeededRandom random_;
  const std::uint64_t first_;  // before the numbers of our ids
  const std::string name_;
  MemoryStore alone_;
  SqliteBackend& shared_;
  Instant now_ = test::kStart;
  Owner owner_;
  std::uint64_t records_ = 0, legs_ = 0;
  std::vector<Lease> leases_;
};

TEST(Threads, EightDoWhatEachWouldDoAlone) {
  const char* asked = std::getenv("LOTSEN_SEED");
  const std::uint64_t seed = asked == nullptr ? 1 : std::strtoull(asked, nullptr, 10);
  SCOPED_TRACE("LOTSEN_SEED=" + std::to_string(seed));
  SqliteBackend shared;
  std::vector<std::unique_ptr<Area>> areas;
  for (std::size_t i = 0; i < kThreads; ++i) areas.push_back(std::make_unique<Area>(i + 1, seed, shared));
  std::vector<std::thread> threads;
  for (const auto& area : areas) {
    threads.emplace_back([&area] {
      for (int i = 1; i <= kSteps && !testing::Test::HasFailure(); ++i) {
        area->step();
        if (i % 50 == 0) area->compare();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (testing::Test::HasFailure()) return;

  shared.reopen();
  std::map<std::string, std::uint64_t> wanted, found, seen;
  std::uint64_t records = 0;
  for (const auto& area : areas) {
    area->compare();
    const Counts counts = *area->alone().counts();
    for (const auto& [state, n] : counts.deliveries) wanted[state] += n;
    records += counts.records;
    for (const auto& [state, n] : area->seen) seen[state] += n;
  }
  const Counts counts = *shared.store().counts();
  for (const auto& [state, n] : counts.deliveries) found[state] += n;
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(counts.records, records);
  EXPECT_EQ(seen.size(), std::size(kDeliveryStates)) << "some state never came";
  EXPECT_TRUE(shared.store().verifyAudit().ok());
  EXPECT_EQ(*shared.store().promoteOrphans(test::kStart), 0u);
}

}  // namespace
}  // namespace lotsen::store
