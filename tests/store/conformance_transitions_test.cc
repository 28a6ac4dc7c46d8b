// The transition table against a back end: a delivery is brought into each state, everything that can be done to it is
// done, and what comes out is exactly what the table allows, no row less.
#include "tests/store/conformance.h"

#include <functional>
#include <set>

namespace lotsen::store {
namespace {

using enum DeliveryState;
using Pair = std::pair<DeliveryState, DeliveryState>;

template <typename Backend>
class Transitions : public Conformance<Backend> {
 protected:
  /// A transfer whose delivery number `n` is in `state`; `busy`: something else of its lane is not finished.
  void bring(std::uint64_t n, DeliveryState state, bool byteless, bool busy) {
    // What earlier ones left to think about is thought about.
    const auto left = this->store().claimTransfers(this->owner_, 100, at(20'000), at(20'060));
    for (const TransferWork& each : *left) {
      ASSERT_TRUE(this->store().saveTransfer(Conformance<Backend>::change(each), at(3)).ok());
    }
    lane_ = "lane-" + std::to_string(n);
    std::vector<Delivery> legs;
    if (busy || state == Queued) legs.push_back(leg(5'000 + n, n, lane_));
    Delivery each = leg(n, n, lane_);
    if (state == Held || byteless) each = held(each);
    if (byteless && state == Parked) each.state = Parked;
    legs.push_back(each);
    this->create(n, legs);
    if (state == Held || state == Queued || state == Ready || byteless) return;
    if (state == Cancelled) return alter(n, Cancelled);
    attempt_ = this->send(at(1), lane_);
    if (state != Leased) this->finish(attempt_, state, at(2), at(2));
  }

  void alter(std::uint64_t n, DeliveryState to) {
    AcceptItem record = item(20'000 + ++records_, n);
    ASSERT_TRUE(this->store().accept(record).ok());
    const auto works = *this->store().claimTransfers(this->owner_, 100, at(3), at(60));
    for (const TransferWork& work : works) {
      TransferChange saved = Conformance<Backend>::change(work);
      if (work.transfer.id == transferId(n)) {
        saved.changed.push_back({deliveryId(n), to, "", to == Ready ? "bytes" : "", "", "test"});
      }
      static_cast<void>(this->store().saveTransfer(saved, at(3)));
    }
  }

  void ask(std::uint64_t n, Verb verb) {
    ASSERT_TRUE(this->store().intervene({{deliveryId(n), verb, at(4), at(9'000), audit("asked")}}, at(4)).ok());
  }

  std::string lane_;
  Claimed attempt_;
  std::uint64_t records_ = 0;
};
TYPED_TEST_SUITE(Transitions, Backends, BackendNames);

TYPED_TEST(Transitions, WhatHappensIsWhatTheTableAllows) {
  using Act = std::function<void(std::uint64_t)>;
  std::vector<Act> acts;
  for (const DeliveryState to : {Done, Ready, Parked}) {
    acts.push_back([this, to](std::uint64_t n) { this->acknowledge(n, to); });
  }
  for (const DeliveryState to : {Ready, Parked, Cancelled}) {
    acts.push_back([this, to](std::uint64_t n) { this->alter(n, to); });
  }
  for (const DeliveryState to : {Done, Ready, Awaiting, Resolving, Parked}) {
    acts.push_back([this, to](std::uint64_t) { this->finish(this->attempt_, to, at(4)); });
  }
  acts.push_back([this](std::uint64_t) { this->claim(at(4), 10, this->lane_); });
  acts.push_back([this](std::uint64_t) { static_cast<void>(this->store().expireLeases(at(10'000))); });
  acts.push_back([this](std::uint64_t n) {  // the one before it ends
    if (this->state(n) == Queued) this->finish(this->send(at(4), this->lane_), Done, at(5));
  });
  for (const Verb verb : {Verb::Resend, Verb::Park, Verb::Release, Verb::Cancel, Verb::Confirm}) {
    acts.push_back([this, verb](std::uint64_t n) { this->ask(n, verb); });
  }

  std::set<Pair> seen;
  std::uint64_t n = 0;
  for (const DeliveryState from : kDeliveryStates) {
    for (const bool byteless : {false, true}) {
      for (const bool busy : {false, true}) {
        if ((byteless && from != Parked) || (busy && from != Held && !byteless)) continue;
        for (const Act& act : acts) {
          this->bring(++n, from, byteless, busy);
          ASSERT_EQ(this->state(n), from) << name(from);
          act(n);
          const DeliveryState to = this->state(n);
          if (to != from) seen.insert({from, to});
        }
      }
    }
  }
  // Ready after an attempt that could have arrived: what its acknowledgement does.
  for (const DeliveryState to : {Done, Parked}) {
    this->bring(++n, Ready, false, false);
    this->finish(this->send(at(1), this->lane_), Ready, at(2), at(9));
    this->acknowledge(n, to);
    seen.insert({Ready, this->state(n)});
  }
  // What a person has parked, and lets go again.
  for (const DeliveryState from : {Held, Resolving}) {
    this->bring(++n, from, false, false);
    this->ask(n, Verb::Park);
    ASSERT_EQ(this->state(n), Parked);
    this->ask(n, Verb::Release);
    seen.insert({Parked, this->state(n)});
  }
  this->bring(++n, Queued, false, false);
  this->ask(n, Verb::Park);
  this->finish(this->send(at(4), this->lane_), Done, at(5));
  seen.insert({Queued, this->state(n)});
  for (const DeliveryState from : kDeliveryStates) {
    for (const DeliveryState to : kDeliveryStates) {
      if (from == to) continue;
      EXPECT_EQ(seen.contains({from, to}), mayGo(from, to)) << name(from) << " to " << name(to);
    }
  }
}

}  // namespace
}  // namespace lotsen::store
