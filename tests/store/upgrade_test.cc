// A database that an earlier version wrote: it opens, what was in it means what it meant, and the work goes on.
#include "gateway/crypto/digest.h"
#include "gateway/store/sqlite/schema.h"
#include "tests/store/conformance.h"

namespace lotsen::store {
namespace {

using sqlite::Connection;
using sqlite::Migration;

/// One transfer with a delivery in each state, as the first schema has them: row n is deliveryId(n).
constexpr const char* kFirstRows = R"sql(
INSERT INTO node VALUES ('node', 4, 1772438400000);
INSERT INTO transfer (row, id, partner, case_key, state, reasons, agreement, created_at, changed_at, due_at, arrivals)
  VALUES (1, X'0000000A000070008000000000000001', 'pas', 'case-1', 'released', '[]', 'agreement', 1772438400000,
          1772438401000, NULL, 1);
INSERT INTO record VALUES (1, X'0000000B000070008000000000000001', 1, 'referral', 'pas', 'pas/referral', 'key-1',
  'digest-1', 'R1', 1, 'application/json', 1772438400000, 'rev1', 'processed', '', '', 'map', 202, 'answer');
INSERT INTO record_body VALUES (1, X'7B7D');
INSERT INTO record VALUES (2, X'0000000B000070008000000000000002', NULL, 'acknowledgement', 'clinic', 'process-message',
  'key-2', 'digest over the envelope too', 'A1', 1, 'application/fhir+json', 1772438400000, 'rev1', 'accepted', '', '',
  '', 202, '');
INSERT INTO record_body VALUES (2, X'7B7D');
WITH leg (row, endpoint, sequence, state, until, finished) AS (VALUES
  (1, 'held', NULL, 'held', NULL, NULL), (2, 'queued', 2, 'queued', NULL, NULL), (3, 'queued', 1, 'parked', NULL, NULL),
  (4, 'ready', 1, 'ready', NULL, NULL), (5, 'leased', 1, 'leased', 1772438460000, NULL),
  (6, 'awaiting', 1, 'awaiting', NULL, NULL), (7, 'resolving', 1, 'resolving', NULL, NULL),
  (8, 'done', 1, 'done', NULL, 1772438402000), (9, 'cancelled', 1, 'cancelled', NULL, 1772438402000))
INSERT INTO delivery (row, id, transfer, role, partner, endpoint, sequence, state, message_id, bundle_id, media_type,
  map_hash, needs_release, ever_sent, attempts, token, due_at, deadline_at, reason, created_at, finished_at, lease_node,
  lease_epoch, lease_until)
SELECT row, @ID@, 1, 'provider', 'clinic', endpoint, sequence,
  state, '0000000d-0000-7000-8000-0000000000' || printf('%02x', row), 'bundle', 'application/fhir+json', 'map', 0,
  state IN ('leased', 'awaiting', 'resolving', 'done'), 1, 1, 1772438400000, 1772697600000, '', 1772438400000, finished,
  iif(until IS NULL, NULL, 'node'), iif(until IS NULL, NULL, 4), until FROM leg;
INSERT INTO delivery_body SELECT row, CAST('message' AS BLOB) FROM delivery WHERE state <> 'held';
INSERT INTO attempt (delivery, number, node, claimed_at, sent_at, ended_at, outcome)
  SELECT row, 1, 'node', 1772438400500, 1772438400600, iif(state = 'leased', NULL, 1772438401000), 'awaiting'
  FROM delivery WHERE ever_sent;
)sql";

/// SQLite makes no blob of hexadecimal text by itself (unhex() is younger than Debian 12): the ids are written out.
std::string withIds(std::string sql) {
  std::string ids = "CASE row";
  for (int row = 1; row <= 9; ++row) {
    ids += " WHEN " + std::to_string(row) + " THEN X'0000000C00007000800000000000000" + std::to_string(row) + "'";
  }
  constexpr std::string_view kPlace = "@ID@";
  return sql.replace(sql.find(kPlace), kPlace.size(), ids + " END");
}

TEST(Upgrade, ADatabaseOfTheFirstSchemaGoesOn) {
  test::TempDir directory;
  const std::string path = directory.file("lotsen.db");
  {
    Connection db(path, Connection::Mode::Write);
    ASSERT_TRUE(sqlite::migrate(db, sqlite::migrations().first(1), kStart).ok());
    db.execute(withIds(kFirstRows));
  }
  auto opened = SqliteStore::open({path, 1, {}}, at(60));
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  Store& store = **opened;
  for (std::size_t i = 0; i < std::size(kDeliveryStates); ++i) {
    EXPECT_EQ(store.counts()->deliveries[i].second, 1u) << name(kDeliveryStates[i]);
  }
  const Delivery awaiting = *store.delivery(deliveryId(6));
  EXPECT_EQ(awaiting.dueAt, at(1) + std::chrono::hours(24)) << "a day from its attempt, not an alarm at once";
  EXPECT_FALSE(awaiting.overdue);
  EXPECT_EQ(*store.noticeOverdue(at(60)), 0u);
  EXPECT_EQ(*store.noticeOverdue(at(1) + std::chrono::hours(24)), 1u);
  EXPECT_EQ(store.delivery(deliveryId(4))->placedAt, kStart);
  EXPECT_EQ(store.delivery(deliveryId(1))->placedAt, Instant{});
  EXPECT_EQ(store.alarms(at(16 * 60))->oldHeads[0], 3u) << "ready, leased, resolving";

  const Owner owner = *store.openNode("node", at(61));
  EXPECT_EQ(owner.epoch, 5u);
  EXPECT_EQ(store.delivery(deliveryId(5))->state, DeliveryState::Ready);
  const std::vector<Claimed> claimed = *store.claim(owner, "resolving", 5, at(62), at(99));
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].lastSentAt, kStart + milliseconds(600));
  EXPECT_EQ(claimed[0].delivery.body, "message");
  EXPECT_TRUE(store.accept(item(1, 1))->isRepeat()) << "keys are remembered";
  const Record record = *store.record(recordId(1));
  EXPECT_EQ(record.body, "{}");
  EXPECT_EQ(record.mapHash, "map");
  EXPECT_EQ(store.transfer(transferId(1))->records.size(), 1u);
  EXPECT_EQ(store.counts()->records, 2u);
  AcceptItem changed = item(1, 1);
  changed.record.digest = "other";
  EXPECT_EQ(store.accept(changed)->novelty, Novelty::KeyReused);
  AcceptItem message = item(2, 1);
  message.record.partner = "clinic";
  const Accepted repeat = *store.accept(message);
  EXPECT_EQ(repeat.novelty, Novelty::Repeat) << "a digest of then covered the envelope: any content is a repeat";
  EXPECT_EQ(repeat.record, recordId(2));
  EXPECT_EQ(repeat.transfer, Id());
  EXPECT_EQ(store.accept(item(3, 1))->novelty, Novelty::New);
  EXPECT_EQ(store.counts()->records, 3u) << "the trigger that counts records is still there";
  EXPECT_TRUE(store.verifyAudit().ok());
}

TEST(Upgrade, ReferencesAreWholeAfterEachMigrationAndStillWatched) {
  test::TempDir directory;
  Connection db(directory.file("lotsen.db"), Connection::Mode::Write);
  ASSERT_TRUE(sqlite::migrate(db, sqlite::migrations().first(1), kStart).ok());
  db.execute(withIds(kFirstRows));
  for (std::size_t i = 1; i <= sqlite::migrations().size(); ++i) {
    ASSERT_TRUE(sqlite::migrate(db, sqlite::migrations().first(i), kStart).ok());
    EXPECT_FALSE(db.prepare("PRAGMA foreign_key_check").bind().step()) << "migration " << i;
    EXPECT_THROW(db.execute("INSERT INTO record_body VALUES (99, X'00')"), sqlite::Fault) << "migration " << i;
  }
}

// The hash of each stands in every database: an edited migration would lock out all of them.
TEST(Upgrade, WhatHasShippedIsNeverEdited) {
  const char* const shipped[] = {"502ec791063c04d7cff33a7b8268d84aa9c1bde6b15969cf79e1bd6a7c652183",
                                 "5147c127be7f329627b61a7544cb5974eb696cde7feb5ce8ad41bb291086f9e0",
                                 "35e190b75e6327b8d425c4c691688e2651f908592698a30efaa138e3fb537129",

                                 "c76cf1644de02d386e51f9b40eac4b279530552b85af08d5f4032521738dbe06"};
  ASSERT_EQ(sqlite::migrations().size(), std::size(shipped)) << "a new migration is a new line here";
  for (std::size_t i = 0; i < std::size(shipped); ++i) {
    EXPECT_EQ(crypto::sha256Hex(sqlite::migrations()[i].sql), shipped[i]) << "migration " << i + 1;
  }
}

}  // namespace
}  // namespace lotsen::store
