// What only the SQLite back end has: files, migrations, the writer's groups, query plans.
#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/store/backends.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>

namespace lotsen::store {
namespace {

using sqlite::Connection;
using sqlite::Durable;
using sqlite::Fault;
using sqlite::Migration;
using sqlite::Statement;
using sqlite::Write;
using sqlite::Writer;

std::int64_t number(Connection& db, const char* sql) {
  Statement statement = db.prepare(sql);
  return statement.bind().step() ? statement.integer(0) : -1;
}

TEST(SqliteFile, BelongsToOneProcess) {
  test::TempDir directory;
  const SqliteStore::Options options{directory.file("lotsen.db"), 1, {}};
  auto first = SqliteStore::open(options, test::kStart);
  ASSERT_TRUE(first.ok());
  const auto second = SqliteStore::open(options, test::kStart);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::Busy);
  EXPECT_NE(second.error().message.find("held by process " + std::to_string(getpid())), std::string::npos);
  first->reset();
  EXPECT_TRUE(SqliteStore::open(options, test::kStart).ok());
}

TEST(SqliteFile, IsForItsOwnerOnly) {
  test::TempDir directory;
  auto opened = SqliteStore::open({directory.file("lotsen.db"), 1, {}}, test::kStart);
  ASSERT_TRUE(opened.ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(stat((directory.file("lotsen.db") + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
  }
}

TEST(SqliteFile, OthersAreRefused) {
  test::TempDir directory;
  std::ofstream(directory.file("text")) << std::string(4096, 'x');
  EXPECT_EQ(SqliteStore::open({directory.file("text"), 1, {}}, test::kStart).error().code, Code::Corrupt);
  { Connection(directory.file("foreign"), Connection::Mode::Write).execute("CREATE TABLE t (a)"); }
  EXPECT_EQ(SqliteStore::open({directory.file("foreign"), 1, {}}, test::kStart).error().code, Code::Invalid);
  EXPECT_EQ(SqliteStore::open({directory.file("no/such/folder"), 1, {}}, test::kStart).error().code, Code::Unavailable);
}

TEST(Migrations, AreNumberedWithoutGaps) {
  int expected = 0;
  for (const Migration& each : sqlite::migrations()) EXPECT_EQ(each.number, ++expected);
}

TEST(Migrations, GoForwardOnly) {
  test::TempDir directory;
  Connection db(directory.file("a"), Connection::Mode::Write);
  const Migration first[] = {{1, "CREATE TABLE one (a)"}};
  const Migration both[] = {{1, "CREATE TABLE one (a)"}, {2, "CREATE TABLE two (a); INSERT INTO two VALUES (7)"}};
  ASSERT_TRUE(migrate(db, first, test::kStart).ok());
  ASSERT_TRUE(migrate(db, both, test::kStart).ok());
  ASSERT_TRUE(migrate(db, both, test::kStart).ok());
  EXPECT_EQ(number(db, "SELECT count(*) FROM two"), 1);
  const Status older = migrate(db, first, test::kStart);
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().code, Code::Invalid);
  EXPECT_NE(older.error().message.find("newer version"), std::string::npos);
  const Migration edited[] = {{1, "CREATE TABLE one (a, b)"}, both[1]};
  EXPECT_EQ(migrate(db, edited, test::kStart).error().code, Code::Corrupt);
}

TEST(Migrations, AFailedOneLeavesNothing) {
  test::TempDir directory;
  Connection db(directory.file("a"), Connection::Mode::Write);
  const Migration broken[] = {{1, "CREATE TABLE one (a); CREATE TABLE one (a)"}};
  EXPECT_THROW(static_cast<void>(migrate(db, broken, test::kStart)), Fault);
  EXPECT_EQ(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'one'"), 0);
}

// The CHECK constraints spell the states as the contract does, and refuse others.
TEST(Schema, MirrorsTheContract) {
  test::TempDir directory;
  Connection db(directory.file("a"), Connection::Mode::Write);
  ASSERT_TRUE(migrate(db, sqlite::migrations(), test::kStart).ok());
  const auto insert = [&](std::string_view state, int id) {
    Statement statement = db.prepare(
        "INSERT INTO transfer (id, partner, case_key, state, reasons, agreement, created_at, changed_at, arrivals) "
        "VALUES (?1, '', '', ?2, '', '', 0, 0, 0)");
    statement.bind(sqlite::toUuid(test::id(static_cast<std::uint64_t>(id))), state).run();
  };
  int id = 0;
  for (const TransferState state : kTransferStates) insert(name(state), ++id);
  EXPECT_THROW(insert("invented", ++id), Fault);
  Statement sql = db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'delivery'");
  ASSERT_TRUE(sql.bind().step());
  for (const DeliveryState state : kDeliveryStates) {
    EXPECT_NE(sql.view(0).find("'" + std::string(name(state)) + "'"), std::string_view::npos) << name(state);
  }
  EXPECT_EQ(number(db, "SELECT count(*) FROM tally"), 1 + 5 + 9);
}

// The statements of the hot paths go by their indexes, however large the tables are.
TEST(Schema, HotStatementsUseTheirIndexes) {
  test::TempDir directory;
  Connection db(directory.file("a"), Connection::Mode::Write);
  ASSERT_TRUE(migrate(db, sqlite::migrations(), test::kStart).ok());
  const std::pair<const char*, const char*> expected[] = {
      {"EXPLAIN QUERY PLAN SELECT row FROM delivery d WHERE d.claimable AND d.endpoint = 'a' AND d.due_at <= 1 "
       "ORDER BY d.due_at, d.row LIMIT 1",
       "SEARCH d USING INDEX delivery_claim (endpoint=? AND due_at<?)"},
      {"EXPLAIN QUERY PLAN SELECT row FROM transfer WHERE due_at <= 1 AND lease_until IS NULL ORDER BY due_at, row "
       "LIMIT 1",
       "SEARCH transfer USING INDEX transfer_due (due_at<?)"},
      {"EXPLAIN QUERY PLAN SELECT 1 FROM delivery WHERE transfer = 1 AND endpoint = 'a' AND head",
       "SEARCH delivery USING INDEX delivery_head (transfer=? AND endpoint=?)"},
      {"EXPLAIN QUERY PLAN SELECT row FROM delivery WHERE transfer = 1 AND endpoint = 'a' AND state = 'queued' "
       "ORDER BY sequence LIMIT 1",
       "SEARCH delivery USING INDEX delivery_follow (transfer=? AND endpoint=?)"},
      {"EXPLAIN QUERY PLAN SELECT row FROM delivery WHERE lease_until <= 1",
       "SEARCH delivery USING COVERING INDEX delivery_lease (lease_until<?)"},
      {"EXPLAIN QUERY PLAN SELECT 1 FROM delivery WHERE state = 'awaiting' AND overdue = 0 AND due_at <= 1",
       "SEARCH delivery USING INDEX delivery_awaiting (due_at<?)"},
      {"EXPLAIN QUERY PLAN SELECT count(*) FROM delivery WHERE state IN ('ready', 'leased', 'resolving') AND placed_at "
       "<= 1",
       "SEARCH delivery USING COVERING INDEX delivery_placed (placed_at<?)"},
      {"EXPLAIN QUERY PLAN SELECT count(*) FROM delivery WHERE overdue = 1",
       "SEARCH delivery USING COVERING INDEX delivery_overdue (overdue=?)"},
      {"EXPLAIN QUERY PLAN SELECT row FROM delivery WHERE message_id = 'a' AND partner = 'b'",
       "SEARCH delivery USING INDEX delivery_message (message_id=?)"},
  };
  for (const auto& [sql, plan] : expected) {
    Statement statement = db.prepare(sql);
    std::string text;
    for (statement.bind(); statement.step();) text += statement.text(3);
    EXPECT_EQ(text, plan);
  }
}

class WriterTest : public testing::Test {
 protected:
  std::unique_ptr<Writer> open(Writer::Options options = {}) {
    auto connection = std::make_unique<Connection>(path_, Connection::Mode::Write);
    connection->execute("CREATE TABLE IF NOT EXISTS t (a INTEGER UNIQUE)");
    return std::make_unique<Writer>(std::move(connection), crypto::Digest256{}, std::move(options));
  }

  static Result<int> insert(Write& write, int value) {
    write.db.prepare("INSERT INTO t VALUES (?1)").bind(value).run();
    return value;
  }
  static Result<int> put(Writer& writer, int value) {
    return writer.submit<int>(Durable::Now, 100, [&](Write& write) { return insert(write, value); });
  }

  std::int64_t rows() {
    Connection reader(path_, Connection::Mode::Read);
    return number(reader, "SELECT count(*) FROM t");
  }

  test::TempDir directory_;
  const std::string path_ = directory_.file("w.db");
};

TEST_F(WriterTest, CommitsBeforeItAnswers) {
  auto writer = open();
  EXPECT_EQ(*put(*writer, 1), 1);
  EXPECT_EQ(rows(), 1);
}

TEST_F(WriterTest, OneBadOperationHarmsNobodyElse) {
  auto writer = open();
  std::promise<void> inGroup, filled;
  // While the first operation waits, the others collect into one group.
  std::thread first([&] {
    const auto held = writer->submit<int>(Durable::Now, 100, [&](Write& write) {
      inGroup.set_value();
      filled.get_future().wait();
      return insert(write, 0);
    });
    EXPECT_TRUE(held.ok());
  });
  inGroup.get_future().wait();
  std::vector<std::future<Result<int>>> results;
  for (int i = 0; i < 9; ++i) {
    results.push_back(std::async(std::launch::async, [&writer, i] {
      return writer->submit<int>(Durable::Now, 100, [i](Write& write) -> Result<int> {
        write.db.prepare("INSERT INTO t VALUES (?1)").bind(100 + i).run();
        if (i % 3 == 0) return fail(Code::Conflict, "refused after it has written");
        if (i % 3 == 1) write.db.prepare("INSERT INTO t VALUES (?1)").bind(100 + i).run();  // breaks UNIQUE
        return i;
      });
    }));
  }
  filled.set_value();
  first.join();
  for (int i = 0; i < 9; ++i) {
    const Result<int> result = results[static_cast<std::size_t>(i)].get();
    EXPECT_EQ(result.ok(), i % 3 == 2) << i;
    if (i % 3 == 0) { EXPECT_EQ(result.error().code, Code::Conflict); }
    if (i % 3 == 1) { EXPECT_EQ(result.error().code, Code::Internal); }
  }
  EXPECT_EQ(rows(), 1 + 3);
}

TEST_F(WriterTest, TooManyWaitingGetBusy) {
  Writer::Options options;
  options.maxWaiting = 1;
  auto writer = open(std::move(options));
  std::promise<void> inGroup, go;
  auto held = std::async(std::launch::async, [&] {
    return writer->submit<int>(Durable::Now, 1, [&](Write& write) {
      inGroup.set_value();
      go.get_future().wait();
      return insert(write, 1);
    });
  });
  inGroup.get_future().wait();
  std::atomic<int> busy{0}, fine{0};
  std::vector<std::thread> threads;
  for (int i = 2; i < 12; ++i) {
    threads.emplace_back([&, i] {
      const Result<int> result = put(*writer, i);
      if (result.ok()) {
        ++fine;
      } else {
        EXPECT_EQ(result.error().code, Code::Busy);
        ++busy;
      }
    });
  }
  while (busy < 9) std::this_thread::yield();
  go.set_value();
  for (std::thread& each : threads) each.join();
  EXPECT_TRUE(held.get().ok());
  EXPECT_EQ(fine, 1);
}

TEST_F(WriterTest, AFailedCommitIsAmbiguousAndTheLast) {
  std::vector<Code> fatal;
  Writer::Options options;
  options.onFatal = [&](const Error& error) { fatal.push_back(error.code); };
  auto writer = open(std::move(options));
  ASSERT_TRUE(put(*writer, 1).ok());
  // A deferred foreign key makes COMMIT itself fail, which is the nearest that a test gets without a broken disk.
  const Result<int> result = writer->submit<int>(Durable::Now, 100, [](Write& write) -> Result<int> {
    write.db.execute(
        "CREATE TABLE parent (a INTEGER PRIMARY KEY); CREATE TABLE child (a INTEGER REFERENCES parent (a) DEFERRABLE "
        "INITIALLY DEFERRED); INSERT INTO child VALUES (1)");
    return 1;
  });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::Ambiguous);
  EXPECT_EQ(fatal.size(), 1u);
  EXPECT_EQ(put(*writer, 2).error().code, Code::Unavailable);
  EXPECT_EQ(fatal.size(), 1u) << "told once";
  writer.reset();
  EXPECT_EQ(rows(), 1);
}

TEST_F(WriterTest, KeepsTheLogShort) {
  Writer::Options options;
  options.checkpointPages = 20;
  auto writer = open(std::move(options));
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(put(*writer, i).ok());
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 300'000u);
}

TEST_F(WriterTest, ARestartedLogForgetsALongReader) {
  Writer::Options options;
  options.checkpointPages = 10;
  auto writer = open(std::move(options));
  ASSERT_TRUE(put(*writer, -1).ok());
  {
    Connection reader(path_, Connection::Mode::Read);
    reader.execute("BEGIN");
    ASSERT_EQ(number(reader, "SELECT count(*) FROM t"), 1);
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(put(*writer, i).ok());
    reader.execute("COMMIT");
  }
  for (int i = 100; i < 300; ++i) ASSERT_TRUE(put(*writer, i).ok());
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 500'000u);
}

// A copy of the files at any moment is what a killed process leaves behind: it opens, verifies, and has all that was
// acknowledged.
TEST(Kill, ACopyTakenInTheMiddleOpens) {
  test::TempDir directory;
  auto opened = SqliteStore::open({directory.file("lotsen.db"), 1, {}}, test::kStart);
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t i = 1; !stop; ++i) {
      if (store.accept(test::item(i, i)).ok()) acknowledged = i;
    }
  });
  for (int round = 0; round < 5; ++round) {
    while (acknowledged < static_cast<std::uint64_t>(round + 1) * 20) std::this_thread::yield();
    test::TempDir copy;
    const std::uint64_t before = acknowledged;
    // The log first would miss what a checkpoint moves meanwhile; the writer is far from its first checkpoint.
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(directory.file("lotsen.db") + suffix, copy.file("lotsen.db") + suffix);
    }
    auto again = SqliteStore::open({copy.file("lotsen.db"), 1, {}}, test::kStart);
    ASSERT_TRUE(again.ok()) << again.error().message;
    for (std::uint64_t i = 1; i <= before; ++i) EXPECT_TRUE((*again)->record(test::recordId(i)).ok()) << i;
    EXPECT_TRUE((*again)->verifyAudit().ok());
    EXPECT_TRUE((*again)->accept(test::item(900'000, 900'000)).ok());
  }
  stop = true;
  writer.join();
}

TEST(Audit, EditedHistoryIsFound) {
  test::TempDir directory;
  const std::string path = directory.file("lotsen.db");
  const auto verify = [&](const char* edit) {
    std::filesystem::remove(path);
    {
      auto opened = SqliteStore::open({path, 1, {}}, test::kStart);
      for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE((*opened)->accept(test::item(i, i)).ok());
    }
    { Connection(path, Connection::Mode::Write).execute(edit); }
    auto opened = SqliteStore::open({path, 1, {}}, test::kStart);
    const Status status = (*opened)->verifyAudit();
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_EQ(verify("SELECT 1"), "");
  EXPECT_EQ(verify("UPDATE audit SET actor = 'nobody' WHERE number = 2"), "audit row 2 does not match its hash");
  EXPECT_EQ(verify("DELETE FROM audit WHERE number = 1"), "audit row 2 does not match its hash");
  EXPECT_EQ(verify("UPDATE audit SET at = at + 1 WHERE number = 3"), "audit row 3 does not match its hash");
}

}  // namespace
}  // namespace lotsen::store
