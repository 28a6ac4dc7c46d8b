// SQLite against the executable specification: the same random operations on both, the same results, the same contents,
// also after restarts. The seed is printed on failure; LOTSEN_SEED replays one.
#include "gateway/base/random.h"
#include "tests/store/backends.h"

namespace lotsen::store {
namespace {

using test::deliveryId;
using test::item;
using test::leg;
using test::recordId;
using test::transferId;

constexpr std::uint64_t kTransfers = 5;
const char* const kLanes[] = {"provider", "mediator", "pas"};

std::string text(const Status& result) {
  return result.ok() ? "done" : std::string(codeName(result.error().code));
}

class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed) { openNode(); }

  void step() {
    switch (random_.below(17)) {
      case 0:
      case 1:
      case 2: return acceptRecord();
      case 3: return acknowledge();
      case 4:
      case 5: return work();
      case 6:
      case 7:
      case 8: return claim();
      case 9:
      case 10: return start();
      case 11:
      case 12:
      case 13: return finish();
      case 14: return intervene();
      case 15: now_ += milliseconds(random_.below(40'000)); return;
      default: return sweep();
    }
  }

  void compare() {
    EXPECT_EQ(test::describe(sqlite_.store(), now_), test::describe(memory_.store(), now_));
    EXPECT_TRUE(sqlite_.store().verifyAudit().ok());
  }

  void reopen() { sqlite_.reopen(); }

  std::array<std::uint64_t, 9> seen{};  // deliveries found in each state
  std::uint64_t purged = 0;
  std::array<std::uint64_t, 5> novelties{};  // of what was handed in

  void look() {
    const Counts counts = *memory_.store().counts();
    for (std::size_t i = 0; i < seen.size(); ++i) seen[i] += counts.deliveries[i].second;
  }

 private:
  std::uint64_t pick(std::uint64_t bound) { return random_.below(bound); }
  bool oneIn(std::uint64_t bound) { return random_.below(bound) == 0; }

  void openNode() {
    const auto a = memory_.store().openNode("node", now_), b = sqlite_.store().openNode("node", now_);
    EXPECT_EQ(a->epoch, b->epoch);
    owner_ = *a;
  }

  void acceptRecord() {
    const RecordKind kinds[] = {RecordKind::Referral, RecordKind::Consent, RecordKind::Btf};
    AcceptItem each = item(++records_, 1 + pick(kTransfers), kinds[pick(3)], now_);
    if (oneIn(4)) each.record.key = "key-" + std::to_string(1 + pick(records_));
    if (oneIn(2)) each.record.digest = "digest-" + each.record.key.substr(4);
    if (oneIn(8)) each.record.state = RecordState::Processed;
    accept(each);
  }

  void acknowledge() {
    AcceptItem ack = item(++records_, 0, RecordKind::Acknowledgement, now_);
    ack.record.transfer.clear();
    ack.record.partner = oneIn(5) ? "stranger" : "clinic";
    if (oneIn(2)) ack.record.state = RecordState::Processed;
    const DeliveryState to[] = {DeliveryState::Done, DeliveryState::Ready, DeliveryState::Parked};
    ack.acknowledgement =
        AckEffect{test::id(1 + pick(legs_ + 1), 0xd), to[pick(3)], now_ + milliseconds(pick(9'000)), "why"};
    accept(ack);
  }

  void accept(AcceptItem each) {
    if (oneIn(3)) each.envelope = "envelope-" + std::to_string(oneIn(2) ? records_ : 1 + pick(records_));
    const auto before = memory_.store().seen(each), same = sqlite_.store().seen(each);
    ASSERT_EQ(before->has_value(), same->has_value());
    if (*before) { EXPECT_EQ((*before)->answerBody, (*same)->answerBody); }
    const auto a = memory_.store().accept(each), b = sqlite_.store().accept(each);
    ASSERT_EQ(a.ok(), b.ok());
    if (!a.ok()) {
      EXPECT_EQ(a.error().code, b.error().code);
      return;
    }
    EXPECT_EQ(a->novelty, b->novelty);
    ++novelties[static_cast<std::size_t>(a->novelty)];
    EXPECT_EQ(a->answerStatus, b->answerStatus);
    EXPECT_EQ(a->record, b->record);
    EXPECT_EQ(a->transfer, b->transfer);
    EXPECT_EQ(a->answerBody, b->answerBody);
    EXPECT_EQ(a->acknowledgement, b->acknowledgement);
  }

  void work() {
    const std::size_t limit = 1 + pick(3);
    const Instant until = now_ + milliseconds(20'000);
    const auto a = memory_.store().claimTransfers(owner_, limit, now_, until);
    const auto b = sqlite_.store().claimTransfers(owner_, limit, now_, until);
    ASSERT_EQ(a->size(), b->size());
    for (std::size_t i = 0; i < a->size(); ++i) {
      const TransferWork &x = (*a)[i], &y = (*b)[i];
      EXPECT_EQ(x.token, y.token);
      ASSERT_EQ(test::describe(x.transfer), test::describe(y.transfer));
      ASSERT_EQ(x.records.size(), y.records.size());
      for (std::size_t k = 0; k < x.records.size(); ++k)
        EXPECT_EQ(test::describe(x.records[k]), test::describe(y.records[k]));
      ASSERT_EQ(x.deliveries.size(), y.deliveries.size());
      for (std::size_t k = 0; k < x.deliveries.size(); ++k) {
        EXPECT_EQ(test::describe(x.deliveries[k]), test::describe(y.deliveries[k]));
      }
      if (oneIn(3)) acceptRecord();
      if (oneIn(6)) continue;  // the lease runs out
      const std::uint64_t token = oneIn(10) ? x.token + 1 : x.token;
      if (oneIn(6)) {
        const Instant due = now_ + milliseconds(pick(9'000));
        EXPECT_EQ(text(memory_.store().returnTransfer(x.transfer.id, token, due)),
                  text(sqlite_.store().returnTransfer(x.transfer.id, token, due)));
        continue;
      }
      save(change(x, token));
    }
  }

  TransferChange change(const TransferWork& work, std::uint64_t token) {
    TransferChange change;
    change.id = work.transfer.id;
    change.token = token;
    change.state = kTransferStates[pick(std::size(kTransferStates))];
    change.reasons = "[" + std::to_string(pick(9)) + "]";
    if (oneIn(3)) change.dueAt = now_ + milliseconds(pick(60'000));
    for (const Record& each : work.records) {
      if (oneIn(2))
        change.records.push_back({each.id, RecordState::Processed, "", "i", oneIn(2) ? "canonical" : "", "h"});
    }
    for (const Delivery& each : work.deliveries) {
      if (oneIn(2)) change.releases.push_back(release(each.id));
      if (!oneIn(3)) continue;
      DeliveryChange edit{each.id, DeliveryState::Ready, "", "", "", "edited"};
      const std::uint64_t what = pick(4);
      if (what == 0) edit.to = DeliveryState::Cancelled;
      if (what == 1) edit.to = DeliveryState::Parked;
      if ((edit.to == DeliveryState::Ready) != oneIn(12)) edit.body = "late bytes";
      change.changed.push_back(edit);
    }
    if (oneIn(6)) {  // the end of it
      change.state = TransferState::Completed;
      change.dueAt.reset();
      change.changed.clear();
      for (const Delivery& each : work.deliveries) {
        change.changed.push_back({each.id, DeliveryState::Cancelled, "", "", "", "over"});
      }
      change.records.clear();
      for (const Record& each : work.records) {
        change.records.push_back({each.id, RecordState::Processed, "", "", "canonical", "h"});
      }
      return change;
    }
    std::vector<Id> known;
    for (const Delivery& each : work.deliveries) known.push_back(each.id);
    for (std::uint64_t n = pick(3); n > 0 && legs_ < 400; --n) {
      const auto transfer = static_cast<std::uint64_t>(std::stoull(work.transfer.id.substr(24), nullptr, 16));
      Delivery each = leg(++legs_, transfer, kLanes[pick(3)], now_);
      each.needsRelease = oneIn(2);
      each.dueAt = now_ + milliseconds(pick(5'000));
      if (oneIn(3))
        each = test::held(each,
                          known.empty() || oneIn(2) ? std::vector<Id>{} : std::vector<Id>{known[pick(known.size())]});
      if (oneIn(10)) {
        each = test::held(each);
        each.state = DeliveryState::Parked;
      }
      if (each.needsRelease && !oneIn(4)) change.releases.push_back(release(each.id));
      known.push_back(each.id);
      change.created.push_back(std::move(each));
    }
    change.audit.push_back(test::audit("thought", {}, now_));
    return change;
  }

  Release release(const Id& delivery) {
    return {delivery,
            oneIn(2) ? recordId(1) : Id(),
            oneIn(2) ? recordId(2) : Id(),
            now_ + milliseconds(pick(9'000)) - milliseconds(5'000),
            now_ + milliseconds(pick(60'000)),
            "consent"};
  }

  void save(const TransferChange& change) {
    const auto a = memory_.store().saveTransfer(change, now_), b = sqlite_.store().saveTransfer(change, now_);
    ASSERT_EQ(a.ok(), b.ok()) << (a.ok() ? b.error().message : a.error().message);
    if (a.ok()) {
      EXPECT_EQ(a->skipped, b->skipped);
    } else {
      EXPECT_EQ(a.error().code, b.error().code);
    }
  }

  void claim() {
    const char* lane = kLanes[pick(3)];
    const std::size_t limit = 1 + pick(4);
    const Instant until = now_ + milliseconds(1 + pick(40'000));
    const auto a = memory_.store().claim(owner_, lane, limit, now_, until);
    const auto b = sqlite_.store().claim(owner_, lane, limit, now_, until);
    ASSERT_EQ(a->size(), b->size());
    for (std::size_t i = 0; i < a->size(); ++i) {
      EXPECT_EQ((*a)[i].resolving, (*b)[i].resolving);
      EXPECT_EQ((*a)[i].lastSentAt, (*b)[i].lastSentAt);
      EXPECT_EQ((*a)[i].firstSentAt, (*b)[i].firstSentAt);
      EXPECT_EQ((*a)[i].sends, (*b)[i].sends);
      EXPECT_EQ(test::describe((*a)[i].delivery), test::describe((*b)[i].delivery));
      leases_.emplace_back((*a)[i].delivery.id, (*a)[i].delivery.token);
    }
  }

  void start() {
    std::vector<std::pair<Id, std::uint64_t>> some;
    for (const auto& each : leases_) {
      if (oneIn(2)) some.push_back(each);
    }
    const auto a = memory_.store().startSending(some, now_), b = sqlite_.store().startSending(some, now_);
    EXPECT_EQ(*a, *b);
  }

  void finish() {
    std::vector<AttemptEnd> ends;
    for (std::size_t i = 0; i < leases_.size();) {
      if (!oneIn(2)) {
        ++i;
        continue;
      }
      const DeliveryState to[] = {DeliveryState::Done, DeliveryState::Ready, DeliveryState::Awaiting,
                                  DeliveryState::Resolving, DeliveryState::Parked};
      AttemptEnd end;
      std::tie(end.delivery, end.token) = leases_[i];
      end.to = to[pick(5)];
      end.dueAt = now_ + milliseconds(pick(20'000));
      end.reason = "because";
      end.outcome = "outcome";
      end.httpStatus = static_cast<int>(pick(600));
      end.phase = oneIn(3) ? "connect" : "answer";
      if (oneIn(2)) end.audit.push_back(test::audit("ended", end.delivery, now_));
      ends.push_back(std::move(end));
      if (!oneIn(8)) leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(i));  // a few end twice
    }
    const auto a = memory_.store().finish(ends, now_), b = sqlite_.store().finish(ends, now_);
    EXPECT_EQ(*a, *b);
  }

  void pause() {
    const char* lane = kLanes[pick(3)];
    if (oneIn(3)) {
      const Pause pause{lane, "why", "operator:anna", now_};
      EXPECT_EQ(text(memory_.store().pauseEndpoint(pause, test::audit("paused", {}, now_))),
                text(sqlite_.store().pauseEndpoint(pause, test::audit("paused", {}, now_))));
    } else {
      EXPECT_EQ(text(memory_.store().resumeEndpoint(lane, test::audit("resumed", {}, now_))),
                text(sqlite_.store().resumeEndpoint(lane, test::audit("resumed", {}, now_))));
    }
  }

  void intervene() {
    constexpr Verb kVerbs[] = {Verb::Resend, Verb::Park, Verb::Release, Verb::Cancel, Verb::Confirm};
    std::vector<Intervention> wishes;
    for (std::uint64_t n = pick(6); n > 0; --n) {
      const Id delivery = deliveryId(1 + pick(legs_ + 1));
      wishes.push_back({delivery, kVerbs[pick(5)], now_ + milliseconds(pick(9'000)), now_ + milliseconds(pick(99'000)),
                        test::audit("asked", delivery, now_)});
    }
    EXPECT_EQ(*memory_.store().intervene(wishes, now_), *sqlite_.store().intervene(wishes, now_));
  }

  void purge() {
    const auto before = [&]() -> std::optional<Instant> {
      if (oneIn(4)) return std::nullopt;
      return now_ - milliseconds(pick(20'000));
    };
    const Retention retention{before(), before(), before(), before()};
    const auto a = memory_.store().purge(retention, walk_, now_), b = sqlite_.store().purge(retention, walk_, now_);
    EXPECT_EQ(a->records, b->records);
    EXPECT_EQ(a->deliveries, b->deliveries);
    EXPECT_EQ(a->attempts, b->attempts);
    EXPECT_EQ(a->audit, b->audit);
    EXPECT_EQ(a->next, b->next);
    EXPECT_EQ(a->more, b->more);
    purged += a->records + a->deliveries + a->attempts + a->audit;
    walk_ = a->more ? a->next : Id();
  }

  void sweep() {
    if (oneIn(5)) return openNode();
    if (oneIn(4)) return pause();
    if (oneIn(4)) return purge();
    if (oneIn(3)) {
      const Instant before = now_ - milliseconds(pick(600'000));
      const std::size_t limit = 1 + pick(8);
      EXPECT_EQ(*memory_.store().forgetKeys(before, limit), *sqlite_.store().forgetKeys(before, limit));
    }
    EXPECT_EQ(*memory_.store().noticeOverdue(now_), *sqlite_.store().noticeOverdue(now_));
    EXPECT_EQ(*memory_.store().expireLeases(now_), *sqlite_.store().expireLeases(now_));
    EXPECT_EQ(*memory_.store().promoteOrphans(now_), 0u);
    EXPECT_EQ(*sqlite_.store().promoteOrphans(now_), 0u);
  }

  SeededRandom random_;
  MemoryBackend memory_;
  SqliteBackend sqlite_;
  Instant now_ = test::kStart;
  Owner owner_;
  std::uint64_t records_ = 0, legs_ = 0;
  Id walk_;
  std::vector<std::pair<Id, std::uint64_t>> leases_;
};

TEST(Model, SqliteDoesWhatTheSpecificationDoes) {
  const char* asked = std::getenv("LOTSEN_SEED");
  const std::uint64_t first = asked == nullptr ? 1 : std::strtoull(asked, nullptr, 10);
  std::array<std::uint64_t, 9> seen{};
  std::uint64_t purged = 0;
  std::array<std::uint64_t, 5> novelties{};
  for (std::uint64_t seed = first; seed < first + (asked == nullptr ? 6 : 1); ++seed) {
    SCOPED_TRACE("LOTSEN_SEED=" + std::to_string(seed));
    Pair pair(seed);
    for (int i = 1; i <= 400 && !testing::Test::HasFailure(); ++i) {
      pair.step();
      if (i % 20 == 0) pair.compare();
      if (i % 20 == 0) pair.look();
      if (i % 100 == 0) pair.reopen();
    }
    if (testing::Test::HasFailure()) return;
    for (std::size_t i = 0; i < seen.size(); ++i) seen[i] += pair.seen[i];
    purged += pair.purged;
    for (std::size_t i = 0; i < novelties.size(); ++i) novelties[i] += pair.novelties[i];
  }
  if (asked != nullptr) return;
  EXPECT_GT(purged, 0u);
  for (std::size_t i = 0; i < seen.size(); ++i)
    EXPECT_GT(seen[i], 0u) << "no delivery was ever " << name(kDeliveryStates[i]);
  for (std::size_t i = 0; i < novelties.size(); ++i) EXPECT_GT(novelties[i], 0u) << "novelty " << i << " never came";
}

}  // namespace
}  // namespace lotsen::store
