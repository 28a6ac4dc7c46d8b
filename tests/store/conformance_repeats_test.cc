// What came before, on every back end: the matrix of key and envelope, what outlives what, one winner among many.
#include "tests/store/conformance.h"

#include <array>
#include <atomic>
#include <thread>

namespace lotsen::store {
namespace {

constexpr std::size_t kThreads = 8;

template <typename Backend>
class Repeats : public Conformance<Backend> {
 protected:
  /// Message `record` with this key and envelope; the same number is the same content.
  static AcceptItem message(std::uint64_t record, std::uint64_t key, std::string envelope, std::uint64_t content) {
    AcceptItem message = item(record, record, RecordKind::Message, at(static_cast<std::int64_t>(record)));
    message.record.key = "key-" + std::to_string(key);
    message.record.digest = "digest-" + std::to_string(content);
    message.envelope = std::move(envelope);
    return message;
  }
};
TYPED_TEST_SUITE(Repeats, Backends, BackendNames);

TYPED_TEST(Repeats, TheFourCasesOfTheMatrix) {
  EXPECT_EQ(this->accept(this->message(1, 1, "e1", 1)).novelty, Novelty::New);
  const Accepted repeat = this->accept(this->message(2, 1, "e1", 1));
  EXPECT_EQ(repeat.novelty, Novelty::Repeat);
  EXPECT_EQ(repeat.answerBody, "answer to 1");
  const Accepted resent = this->accept(this->message(3, 1, "e2", 1));
  EXPECT_EQ(resent.novelty, Novelty::Resent);
  EXPECT_EQ(resent.answerBody, "answer to 1");
  EXPECT_EQ(resent.record, recordId(1));
  const Accepted misused = this->accept(this->message(4, 4, "e1", 4));
  EXPECT_EQ(misused.novelty, Novelty::EnvelopeReused);
  EXPECT_EQ(misused.record, recordId(1));
  EXPECT_EQ(misused.answerBody, "");
  EXPECT_FALSE(misused.stands());
  EXPECT_EQ(this->store().counts()->records, 1u);
  EXPECT_EQ(this->store().transfer(transferId(4)).error().code, Code::NotFound);
}

TYPED_TEST(Repeats, EveryEnvelopeOfAMessageIsRemembered) {
  this->accept(this->message(1, 1, "e1", 1));
  this->accept(this->message(2, 1, "e2", 1));
  this->backend_.reopen();
  EXPECT_EQ(this->accept(this->message(3, 1, "e2", 1)).novelty, Novelty::Repeat);
  EXPECT_EQ(this->accept(this->message(4, 4, "e2", 4)).novelty, Novelty::EnvelopeReused);
  EXPECT_EQ(this->accept(this->message(5, 4, "e5", 4)).novelty, Novelty::New) << "what was refused left no trace";
  EXPECT_EQ(this->accept(this->message(6, 4, "e1", 4)).novelty, Novelty::EnvelopeReused) << "both seen, not together";
}

// No user sees a repeat; who looks for it finds it.
TYPED_TEST(Repeats, ANewEnvelopeStandsInTheTimeline) {
  this->accept(this->message(1, 1, "e1", 1));
  this->accept(this->message(2, 1, "e1", 1));
  this->accept(this->message(3, 1, "e2", 1));
  const TransferView view = *this->store().transfer(transferId(1));
  ASSERT_EQ(view.timeline.size(), 2u) << "one row for the message, one for the new envelope";
  EXPECT_EQ(view.timeline[1].action, "message-resent");
  EXPECT_EQ(view.timeline[1].subject, recordId(1));
  EXPECT_EQ(view.timeline[1].at, at(3));
  EXPECT_TRUE(this->store().verifyAudit().ok());
}

TYPED_TEST(Repeats, OtherContentIsRefusedWhateverTheEnvelope) {
  this->accept(this->message(1, 1, "e1", 1));
  for (const char* envelope : {"e1", "e2", ""}) {
    const Accepted other = this->accept(this->message(2, 1, envelope, 2));
    EXPECT_EQ(other.novelty, Novelty::KeyReused) << envelope;
    EXPECT_EQ(other.record, recordId(1));
  }
  EXPECT_EQ(this->accept(this->message(3, 3, "e2", 3)).novelty, Novelty::New) << "a refused envelope is not remembered";
}

TYPED_TEST(Repeats, EnvelopesAreThePartnersOwn) {
  this->accept(this->message(1, 1, "e1", 1));
  AcceptItem other = this->message(2, 2, "e1", 2);
  other.record.partner = "another";
  EXPECT_EQ(this->accept(other).novelty, Novelty::New);
}

TYPED_TEST(Repeats, SeenTellsAndWritesNothing) {
  EXPECT_FALSE(this->store().seen(this->message(1, 1, "e1", 1))->has_value());
  EXPECT_EQ(this->accept(this->message(1, 1, "e1", 1)).novelty, Novelty::New);
  const std::optional<Accepted> resent = *this->store().seen(this->message(2, 1, "e2", 1));
  ASSERT_TRUE(resent);
  EXPECT_EQ(resent->novelty, Novelty::Resent);
  EXPECT_EQ(resent->answerBody, "answer to 1");
  EXPECT_EQ((*this->store().seen(this->message(2, 1, "e2", 1)))->novelty, Novelty::Resent) << "not remembered";
  EXPECT_EQ((*this->store().seen(this->message(2, 1, "e1", 2)))->novelty, Novelty::KeyReused);
}

TYPED_TEST(Repeats, KeysAreForgottenInBatchesOldestFirst) {
  for (std::uint64_t i = 1; i <= 5; ++i) this->accept(this->message(i, i, "e" + std::to_string(i), i));
  EXPECT_EQ(*this->store().forgetKeys(at(1), 10), 0u);
  EXPECT_EQ(*this->store().forgetKeys(at(4), 2), 4u) << "two keys and their envelopes";
  EXPECT_EQ(*this->store().forgetKeys(at(4), 2), 2u);
  EXPECT_EQ(*this->store().forgetKeys(at(4), 2), 0u);
  EXPECT_EQ(this->accept(this->message(6, 4, "e4", 4)).novelty, Novelty::Repeat);
  EXPECT_EQ(this->accept(this->message(7, 1, "e1", 7)).novelty, Novelty::New);
  EXPECT_EQ(this->store().record(recordId(1))->key, "key-1") << "the record stays";
  EXPECT_EQ(this->store().counts()->records, 6u);
}

TYPED_TEST(Repeats, AReusedEnvelopeIsRefusedAlsoWhenItsKeyIsForgotten) {
  this->accept(this->message(1, 1, "e1", 1));
  this->accept(this->message(9, 1, "e9", 1));
  EXPECT_EQ(*this->store().forgetKeys(at(5), 10), 2u);
  const Accepted misused = this->accept(this->message(10, 2, "e9", 2));
  EXPECT_EQ(misused.novelty, Novelty::EnvelopeReused);
  EXPECT_EQ(misused.record, Id());
  EXPECT_EQ(this->accept(this->message(11, 1, "e9", 3)).novelty, Novelty::New) << "its own envelope";
}

/// Calls `send(round, thread)` from eight threads at once and counts what each round's callers were told.
template <typename Send>
std::vector<std::array<std::atomic<int>, 5>> race(std::uint64_t rounds, const Send& send) {
  std::vector<std::array<std::atomic<int>, 5>> told(rounds);
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t round = 0; round < rounds; ++round) {
        const Result<Accepted> accepted = send(round, thread);
        if (accepted.ok()) ++told[round][static_cast<std::size_t>(accepted->novelty)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return told;
}

TYPED_TEST(Repeats, OneWinnerAmongSendersOfAMessageInAnyEnvelope) {
  const auto told = race(30, [&](std::uint64_t round, std::uint64_t thread) {
    const std::uint64_t record = round * kThreads + thread + 1;
    const bool common = thread % 2 == 0;
    return this->store().accept(
        this->message(record, round, "e-" + std::to_string(common ? round : 1000 + record), round));
  });
  for (const auto& round : told) {
    EXPECT_EQ(round[static_cast<std::size_t>(Novelty::New)], 1);
    EXPECT_EQ(round[static_cast<std::size_t>(Novelty::Repeat)] + round[static_cast<std::size_t>(Novelty::Resent)], 7);
  }
  EXPECT_EQ(this->store().counts()->records, 30u);
}

TYPED_TEST(Repeats, OneWinnerAmongMessagesInOneEnvelope) {
  const auto told = race(30, [&](std::uint64_t round, std::uint64_t thread) {
    const std::uint64_t record = round * kThreads + thread + 1;
    return this->store().accept(this->message(record, record, "e-" + std::to_string(round), record));
  });
  for (const auto& round : told) {
    EXPECT_EQ(round[static_cast<std::size_t>(Novelty::New)], 1);
    EXPECT_EQ(round[static_cast<std::size_t>(Novelty::EnvelopeReused)], 7);
  }
  EXPECT_EQ(this->store().counts()->records, 30u);
}

}  // namespace
}  // namespace lotsen::store
