#include "tests/store/conformance.h"

namespace lotsen::store {
namespace {

template <typename Backend>
class Acknowledging : public Conformance<Backend> {};
TYPED_TEST_SUITE(Acknowledging, Backends, BackendNames);

TYPED_TEST(Acknowledging, AcknowledgementsFinishWhatAwaitsThem) {
  this->create(1, {leg(1, 1), leg(2, 1)});
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  EXPECT_TRUE(this->claim(at(2)).empty()) << "the lane waits";
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done, "clinic", at(3)), AckResult::Applied);
  EXPECT_EQ(this->state(1), DeliveryState::Done);
  EXPECT_EQ(this->delivery(1).finishedAt, at(3));
  EXPECT_EQ(this->state(2), DeliveryState::Ready);
  EXPECT_EQ(this->dueTransfers(at(3)), 1u);
  EXPECT_EQ(this->store().transfer(transferId(1))->records.size(), 2u) << "filed under the transfer of the delivery";
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Late);
}

TYPED_TEST(Acknowledging, AnAcknowledgementMayNameTheBundle) {
  this->create(1, {leg(1, 1)});
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  AcceptItem ack = item(5000, 0, RecordKind::Acknowledgement, at(2));
  ack.record.transfer.clear();
  ack.record.partner = "clinic";
  ack.acknowledgement = AckEffect{"", DeliveryState::Done, at(2), ""};
  EXPECT_EQ(this->accept(ack).acknowledgement, AckResult::Unknown) << "no name is no name";
  ack.record.id = recordId(5001);
  ack.record.key = "key-5001";
  ack.acknowledgement->messageId = id(1, 0xe);
  EXPECT_EQ(this->accept(ack).acknowledgement, AckResult::Applied);
  EXPECT_EQ(this->state(1), DeliveryState::Done);
}

TYPED_TEST(Acknowledging, AcknowledgementsOfOthersChangeNothing) {
  this->create(1, {leg(1, 1)});
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Unknown) << "never sent";
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done, "stranger"), AckResult::Unknown);
  EXPECT_EQ(this->acknowledge(9, DeliveryState::Done), AckResult::Unknown);
  EXPECT_EQ(this->state(1), DeliveryState::Awaiting);
  EXPECT_EQ(this->store().transfer(transferId(1))->records.size(), 1u);
  EXPECT_EQ(this->store().counts()->records, 4u) << "kept all the same";
}

TYPED_TEST(Acknowledging, NegativeAcknowledgements) {
  this->create(1, {leg(1, 1)});
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Ready, "clinic", at(2)), AckResult::Applied);
  EXPECT_EQ(this->delivery(1).dueAt, at(32));
  EXPECT_EQ(this->delivery(1).reason, "refused");
  this->finish(this->send(at(40)), DeliveryState::Awaiting, at(41));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Parked, "clinic", at(42)), AckResult::Applied);
  EXPECT_EQ(this->state(1), DeliveryState::Parked);
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Ready), AckResult::Late);
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Applied) << "the receiver has repaired its fault";
  EXPECT_EQ(this->state(1), DeliveryState::Done);
}

TYPED_TEST(Acknowledging, AcknowledgementsSettleLostAnswers) {
  this->create(1, {leg(1, 1)});
  this->create(2, {leg(2, 2, "other")});
  this->finish(this->send(at(1)), DeliveryState::Resolving, at(1));
  this->finish(this->send(at(1), "other"), DeliveryState::Ready, at(1), at(99));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done), AckResult::Applied);
  EXPECT_EQ(this->acknowledge(2, DeliveryState::Done), AckResult::Applied);
  EXPECT_TRUE(this->claim(at(200)).empty());
  EXPECT_TRUE(this->claim(at(200), 10, "other").empty());
}

TYPED_TEST(Acknowledging, AcknowledgementsOvertakeAnswers) {
  this->create(1, {leg(1, 1)});
  const Claimed claimed = this->send(at(1));
  EXPECT_EQ(this->acknowledge(1, DeliveryState::Done, "clinic", at(2)), AckResult::Applied);
  EXPECT_EQ(this->state(1), DeliveryState::Done);
  EXPECT_EQ(this->finish(claimed, DeliveryState::Awaiting, at(3)),
            std::vector<Lease>({{deliveryId(1), claimed.delivery.token}}));
  EXPECT_EQ(this->state(1), DeliveryState::Done);
  EXPECT_EQ(this->store().transfer(transferId(1))->attempts[0].outcome, "acknowledged");
}

TYPED_TEST(Acknowledging, RepeatedAcknowledgementsActOnce) {
  this->create(1, {leg(1, 1)});
  this->finish(this->send(at(1)), DeliveryState::Awaiting, at(1));
  AcceptItem ack = item(7000, 0, RecordKind::Acknowledgement, at(2));
  ack.record.transfer.clear();
  ack.record.partner = "clinic";
  ack.acknowledgement = AckEffect{id(1, 0xd), DeliveryState::Ready, at(3), "busy"};
  EXPECT_EQ(this->accept(ack).acknowledgement, AckResult::Applied);
  const Claimed claimed = this->send(at(4));
  EXPECT_TRUE(this->accept(ack).isRepeat());
  EXPECT_TRUE(this->finish(claimed, DeliveryState::Done, at(5)).empty());
}

}  // namespace
}  // namespace lotsen::store
