#include "gateway/queue/runner.h"

#include "gateway/store/memory/memory_store.h"
#include "tests/queue/scripted_transport.h"
#include "tests/store/values.h"

#include <gtest/gtest.h>

#include <future>

namespace lotsen::queue {
namespace {

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    Endpoint endpoint;
    endpoint.id = "provider";
    owner_ = *store_.openNode("node", clock_.now());
    core_ = std::make_unique<Core>(store_, transport_, clock_, random_, owner_, std::vector<Endpoint>{endpoint},
                                   [](const store::Claimed&, const Answer& answer) { return classifyHttp(answer); });
  }

  void create(std::uint64_t number) {
    store::Delivery leg = test::leg(number, number, "provider", clock_.now());
    ASSERT_TRUE(store_.accept(test::item(number, number, store::RecordKind::Referral, clock_.now())).ok());
    const auto works = *store_.claimTransfers(owner_, 1, clock_.now(), clock_.now() + std::chrono::minutes(1));
    store::TransferChange change;
    change.id = works.at(0).transfer.id;
    change.token = works.at(0).token;
    change.created.push_back(leg);
    ASSERT_TRUE(store_.saveTransfer(change, clock_.now()).ok());
    transport_.wake();
  }

  store::MemoryStore store_;
  test::ScriptedTransport transport_;
  SystemClock clock_;
  SeededRandom random_{1};
  store::Owner owner_;
  std::unique_ptr<Core> core_;
};

TEST_F(RunnerTest, DeliversAndTells) {
  std::promise<void> finished;
  Runner::Hooks hooks;
  hooks.finished = [&] { finished.set_value(); };
  Runner runner(*core_, transport_, clock_, std::move(hooks));
  runner.start();
  create(1);
  ASSERT_TRUE(transport_.waitForSending());
  transport_.answer(test::answered(transport_.sent()[0], 200));
  EXPECT_EQ(finished.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(store_.delivery(test::deliveryId(1))->state, store::DeliveryState::Done);
  runner.stop();
  runner.stop();
}

TEST_F(RunnerTest, StopWaitsForWhatIsUnderWay) {
  Runner runner(*core_, transport_, clock_, {});
  runner.start();
  create(1);
  ASSERT_TRUE(transport_.waitForSending());
  const Sending sending = transport_.sent()[0];
  std::future<void> stopped = std::async(std::launch::async, [&] { runner.stop(std::chrono::seconds(30)); });
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  transport_.answer(test::answered(sending, 200));
  stopped.get();
  EXPECT_EQ(store_.delivery(test::deliveryId(1))->state, store::DeliveryState::Done);
}

TEST_F(RunnerTest, StopIsBounded) {
  Runner runner(*core_, transport_, clock_, {});
  runner.start();
  create(1);
  ASSERT_TRUE(transport_.waitForSending());
  runner.stop(std::chrono::milliseconds(10));
  EXPECT_EQ(store_.delivery(test::deliveryId(1))->state, store::DeliveryState::Leased) << "the next start resolves it";
}

TEST_F(RunnerTest, ADeadStoreEndsTheThread) {
  ASSERT_TRUE(store_.openNode("node", clock_.now()).ok());  // another incarnation: claims are refused from here on
  std::promise<Code> code;
  Runner::Hooks hooks;
  hooks.fatal = [&](const Error& error) { code.set_value(error.code); };
  owner_.epoch = 2;
  create(1);
  Runner runner(*core_, transport_, clock_, std::move(hooks));
  runner.start();
  std::future<Code> told = code.get_future();
  ASSERT_EQ(told.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(told.get(), Code::Conflict);
}

}  // namespace
}  // namespace lotsen::queue
