// The delivery core on the memory store with a clock that stands still, for the tests of what it does.
#pragma once

#include "gateway/queue/core.h"
#include "gateway/store/memory/memory_store.h"
#include "tests/queue/hooked_store.h"
#include "tests/queue/scripted_transport.h"
#include "tests/store/values.h"
#include "tests/support/fake_clock.h"

#include <gtest/gtest.h>

namespace lotsen::queue {

using store::Delivery;
using store::DeliveryState;
using test::answered;
using test::deliveryId;
using test::held;
using test::HookedStore;
using test::leg;
using test::lost;
using test::transferId;
using test::unsent;

class CoreTest : public testing::Test {
 protected:
  CoreTest() {
    provider_.id = "provider";
    restart();
  }

  void restart() {
    owner_ = *store_.openNode("node", clock_.now());
    Endpoint other;
    other.id = "other";
    core_ = std::make_unique<Core>(store_, transport_, clock_, random_, owner_, std::vector<Endpoint>{provider_, other},
                                   [this](const store::Claimed& claimed, const Answer& answer) {
                                     return classify_ ? classify_(claimed, answer) : classifyHttp(answer);
                                   });
  }

  /// A transfer with these legs.
  void create(std::uint64_t transfer, std::vector<Delivery> legs, std::vector<store::Release> releases = {}) {
    ASSERT_TRUE(store_.accept(test::item(1000 + transfer, transfer)).ok());
    const auto works = *store_.claimTransfers(owner_, 1, clock_.now(), clock_.now() + milliseconds(1000));
    ASSERT_EQ(works.size(), 1u);
    store::TransferChange change;
    change.id = works[0].transfer.id;
    change.token = works[0].token;
    change.created = std::move(legs);
    change.releases = std::move(releases);
    ASSERT_TRUE(store_.saveTransfer(change, clock_.now()).ok());
  }

  Core::Step step(std::vector<Answer> answers = {}) {
    const Result<Core::Step> step = core_->step(std::move(answers));
    EXPECT_TRUE(step.ok());
    return *step;
  }

  /// Steps and expects exactly one sending.
  Sending sendOne() {
    step();
    std::vector<Sending> sent = transport_.sent();
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? Sending{} : sent[0];
  }

  Delivery delivery(std::uint64_t number) { return *store_.delivery(deliveryId(number)); }
  DeliveryState state(std::uint64_t number) { return delivery(number).state; }

  /// Moves the clock to when the delivery is due.
  void untilDue(std::uint64_t number) { clock_.set(std::max(clock_.now(), delivery(number).dueAt)); }

  Endpoint provider_;
  store::MemoryStore store_;
  test::ScriptedTransport transport_;
  test::FakeClock clock_;
  SeededRandom random_{42};
  store::Owner owner_;
  Classifier classify_;
  std::unique_ptr<Core> core_;
};

}  // namespace lotsen::queue
