#include "tests/store/conformance.h"

namespace lotsen::store {
namespace {

template <typename Backend>
class Accept : public Conformance<Backend> {};
TYPED_TEST_SUITE(Accept, Backends, BackendNames);

TYPED_TEST(Accept, AcceptKeepsEverything) {
  const AcceptItem first = item(1, 1);
  const Accepted accepted = this->accept(first);
  EXPECT_EQ(accepted.novelty, Novelty::New);
  EXPECT_EQ(accepted.record, recordId(1));
  EXPECT_EQ(accepted.transfer, transferId(1));
  const Record stored = *this->store().record(recordId(1));
  EXPECT_EQ(test::describe(stored), test::describe(first.record));
  const TransferView view = *this->store().transfer(transferId(1));
  EXPECT_EQ(view.transfer.caseKey, "case-1");
  EXPECT_EQ(view.transfer.state, TransferState::Waiting);
  ASSERT_EQ(view.records.size(), 1u);
  EXPECT_EQ(view.records[0].body, "");
  ASSERT_EQ(view.timeline.size(), 1u);
  EXPECT_EQ(view.timeline[0].transfer, transferId(1));
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(Accept, BodiesAreBytes) {
  AcceptItem each = item(1, 1);
  each.record.body = std::string("\0\xff\r\n\0", 5);
  this->accept(each);
  EXPECT_EQ(this->store().record(recordId(1))->body, each.record.body);
}

TYPED_TEST(Accept, RepeatGetsTheStoredAnswer) {
  this->accept(item(1, 1));
  AcceptItem repeat = item(2, 2);
  repeat.record.key = "key-1";
  repeat.record.digest = "digest-1";
  const Accepted accepted = this->accept(repeat);
  EXPECT_EQ(accepted.novelty, Novelty::Repeat);
  EXPECT_EQ(accepted.record, recordId(1));
  EXPECT_EQ(accepted.transfer, transferId(1));
  EXPECT_EQ(accepted.answerStatus, 202);
  EXPECT_EQ(accepted.answerBody, "answer to 1");
  EXPECT_EQ(this->store().record(recordId(2)).error().code, Code::NotFound);
  EXPECT_EQ(this->store().transfer(transferId(2)).error().code, Code::NotFound);
  EXPECT_EQ(this->store().counts()->records, 1u);
}

TYPED_TEST(Accept, SameKeyOtherContentIsAConflict) {
  this->accept(item(1, 1));
  AcceptItem other = item(2, 2);
  other.record.key = "key-1";
  EXPECT_EQ(this->accept(other).novelty, Novelty::KeyReused);
  EXPECT_EQ(this->store().transfer(transferId(2)).error().code, Code::NotFound);
  other.record.partner = "another";  // keys are the partner's own
  EXPECT_EQ(this->accept(other).novelty, Novelty::New);
}

TYPED_TEST(Accept, AcceptRefusesWhatIsNoRecord) {
  AcceptItem wrong = item(1, 1);
  wrong.record.id = "1";
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  wrong = item(1, 1);
  wrong.record.key.clear();
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  wrong = item(1, 1);
  wrong.record.transfer.clear();
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  this->accept(item(1, 1));
  wrong = item(1, 1);
  wrong.record.key = "other";
  EXPECT_EQ(this->store().accept(wrong).error().code, Code::Invalid);
  EXPECT_EQ(this->store().counts()->records, 1u);
}

}  // namespace
}  // namespace lotsen::store
