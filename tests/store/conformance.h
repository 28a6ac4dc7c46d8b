// The storage contract, verb by verb, on every back end. A back end is done when this passes unchanged; store.h says
// why.
#include "tests/store/backends.h"

#include <map>

namespace lotsen::store {

using test::at;
using test::audit;
using test::deliveryId;
using test::held;
using test::id;
using test::item;
using test::kStart;
using test::leg;
using test::recordId;
using test::transferId;

template <typename Backend>
class Conformance : public testing::Test {
 protected:
  Conformance() { owner_ = *store().openNode("node", kStart); }

  Store& store() { return backend_.store(); }

  Accepted accept(const AcceptItem& each) {
    Result<Accepted> accepted = store().accept(each);
    EXPECT_TRUE(accepted.ok()) << (accepted.ok() ? "" : accepted.error().message);
    return accepted.ok() ? *accepted : Accepted{};
  }

  TransferWork claimOne(Instant now = kStart) {
    Result<std::vector<TransferWork>> works = store().claimTransfers(owner_, 1, now, now + std::chrono::minutes(1));
    EXPECT_TRUE(works.ok());
    EXPECT_EQ(works->size(), 1u);
    return works->empty() ? TransferWork{} : works->front();
  }

  static TransferChange change(const TransferWork& work) {
    TransferChange change;
    change.id = work.transfer.id;
    change.token = work.token;
    change.state = TransferState::Released;
    return change;
  }

  /// A transfer with these legs, thought about and saved.
  void create(std::uint64_t transfer, std::vector<Delivery> legs, std::vector<Release> releases = {}) {
    accept(item(1000 + transfer, transfer));
    TransferChange saved = change(claimOne());
    ASSERT_EQ(saved.id, transferId(transfer));
    saved.created = std::move(legs);
    saved.releases = std::move(releases);
    const Result<Saved> result = store().saveTransfer(saved, kStart);
    ASSERT_TRUE(result.ok()) << result.error().message;
  }

  std::vector<Claimed> claim(Instant now, std::size_t limit = 10, std::string_view endpoint = "provider") {
    Result<std::vector<Claimed>> claimed = store().claim(owner_, endpoint, limit, now, now + std::chrono::seconds(60));
    EXPECT_TRUE(claimed.ok());
    return claimed.ok() ? *claimed : std::vector<Claimed>{};
  }

  /// Claims the one due head and marks it as sending.
  Claimed send(Instant now, std::string_view endpoint = "provider") {
    std::vector<Claimed> claimed = claim(now, 10, endpoint);
    EXPECT_EQ(claimed.size(), 1u);
    if (claimed.empty()) return {};
    const Result<std::vector<Lease>> started =
        store().startSending({{claimed[0].delivery.id, claimed[0].delivery.token}}, now);
    EXPECT_EQ(started->size(), 1u);
    return claimed[0];
  }

  std::vector<Lease> finish(const Claimed& claimed, DeliveryState to, Instant now, Instant dueAt = kStart) {
    AttemptEnd end;
    end.delivery = claimed.delivery.id;
    end.token = claimed.delivery.token;
    end.to = to;
    end.dueAt = dueAt;
    end.reason = "test";
    end.outcome = "test";
    end.httpStatus = 200;
    end.phase = "answer";
    end.audit.push_back(audit("delivery-finished", claimed.delivery.id, now));
    const Result<std::vector<Lease>> stale = store().finish({end}, now);
    EXPECT_TRUE(stale.ok());
    return *stale;
  }

  Delivery delivery(std::uint64_t number) { return *store().delivery(deliveryId(number)); }
  DeliveryState state(std::uint64_t number) { return delivery(number).state; }

  AckResult acknowledge(std::uint64_t number, DeliveryState to, std::string partner = "clinic", Instant when = kStart) {
    AcceptItem ack = item(5000 + ++acknowledgements_, 0, RecordKind::Acknowledgement, when);
    ack.record.transfer.clear();
    ack.record.partner = std::move(partner);
    ack.record.state = RecordState::Processed;
    ack.acknowledgement = AckEffect{id(number, 0xd), to, when + std::chrono::seconds(30), "refused"};
    return accept(ack).acknowledgement;
  }

  std::vector<std::string> dueEndpoints(Instant now) {
    std::optional<Instant> next;
    return *store().dueEndpoints(now, next);
  }

  std::size_t dueTransfers(Instant now) {
    const auto works = store().claimTransfers(owner_, 100, now, now);
    for (const TransferWork& work : *works) EXPECT_TRUE(store().returnTransfer(work.transfer.id, work.token, now).ok());
    return works->size();
  }

  Backend backend_;
  Owner owner_;
  std::uint64_t acknowledgements_ = 0;
};

using Backends = testing::Types<MemoryBackend, SqliteBackend>;
class BackendNames {
 public:
  template <typename T>
  static std::string GetName(int) {
    return std::is_same_v<T, MemoryBackend> ? "memory" : "sqlite";
  }
};

inline Release release(std::uint64_t delivery, Instant from = at(-1000), Instant until = at(100000)) {
  return {deliveryId(delivery), recordId(1), recordId(2), from, until, "consent"};
}

inline Delivery released(Delivery leg) {
  leg.needsRelease = true;
  return leg;
}

}  // namespace lotsen::store
