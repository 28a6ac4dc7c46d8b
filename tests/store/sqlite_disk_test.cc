// What the disk does to the SQLite back end: power that goes at every point, calls that fail one after the other.
#include "gateway/store/sqlite/writer.h"
#include "tests/store/backends.h"
#include "tests/store/faulty_disk.h"

#include <filesystem>

namespace lotsen::store {
namespace {

using sqlite::Connection;
using sqlite::Durable;
using sqlite::Statement;
using sqlite::Write;
using sqlite::Writer;
using test::DiskOperation;
using test::FaultyDisk;
using test::PowerCut;

constexpr std::uint64_t kRecords = 16;

/// What a gateway does to its database: records come in, transfers are thought about, their legs delivered. `told` is
/// called with the number of records that a sender may rely on. Ends at the first failure and returns it.
Status live(Store& store, const std::function<void(std::uint64_t)>& told) {
  LOTSEN_TRY(const Owner owner, store.openNode("node", test::kStart));
  for (std::uint64_t i = 1; i <= kRecords; ++i) {
    AcceptItem record = test::item(i, i);
    record.record.body.assign(3'000, 'x');
    LOTSEN_TRY(const Accepted accepted, store.accept(record));
    told(i);
    if (i % 4 != 0) continue;
    LOTSEN_TRY(const auto works, store.claimTransfers(owner, 8, test::at(1), test::at(60)));
    std::vector<TransferChange> changes;
    for (const TransferWork& each : works) {
      TransferChange change;
      change.id = each.transfer.id;
      change.token = each.token;
      const auto number = static_cast<std::uint64_t>(std::stoull(each.transfer.id.substr(24), nullptr, 16));
      if (each.deliveries.empty()) change.created.push_back(test::leg(number, number));
      changes.push_back(std::move(change));
    }
    for (const auto& saved : store.saveTransfers(std::move(changes), test::at(1))) {
      if (!saved.ok()) return saved.error();
    }
    LOTSEN_TRY(const auto claimed, store.claim(owner, "provider", 4, test::at(2), test::at(60)));
    std::vector<std::pair<Id, std::uint64_t>> starts;
    std::vector<AttemptEnd> ends;
    for (const Claimed& each : claimed) {
      starts.emplace_back(each.delivery.id, each.delivery.token);
      ends.push_back(
          {each.delivery.id, each.delivery.token, DeliveryState::Done, {}, {}, "done", 200, "answer", {}, {}});
    }
    LOTSEN_TRY(const auto started, store.startSending(starts, test::at(2)));
    LOTSEN_TRY(const auto stale, store.finish(std::move(ends), test::at(3)));
    if (i % 8 == 0) LOTSEN_TRY_DO(store.note({test::audit("looked")}));
  }
  return done();
}

std::int64_t number(Connection& db, const char* sql) {
  Statement statement = db.prepare(sql);
  return statement.bind().step() ? statement.integer(0) : -1;
}

/// The database opens, is whole, verifies, and has what was promised.
void expectKept(const std::string& folder, std::uint64_t promised) {
  const FaultyDisk quick(folder);  // waits for no sync
  const std::string path = folder + "/lotsen.db";
  Result<std::unique_ptr<SqliteStore>> opened = SqliteStore::open({path, 1, {}}, test::kStart);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  Store& store = **opened;
  for (std::uint64_t i = 1; i <= promised; ++i) {
    const Result<Record> record = store.record(test::recordId(i));
    ASSERT_TRUE(record.ok()) << "record " << i << " was promised and is lost";
    ASSERT_EQ(record->body.size(), 3'000u);
  }
  ASSERT_TRUE(store.verifyAudit().ok());
  ASSERT_TRUE(store.openNode("node", test::at(100)).ok());
  ASSERT_EQ(*store.promoteOrphans(test::at(100)), 0u);
  ASSERT_TRUE(store.accept(test::item(900, 900)).ok()) << "and goes on";
  opened->reset();
  Connection db(path, Connection::Mode::Write);
  Statement check = db.prepare("PRAGMA integrity_check");
  ASSERT_TRUE(check.bind().step());
  ASSERT_EQ(check.text(0), "ok");
}

std::string databaseIn(const test::TempDir& directory) {
  return directory.file("lotsen.db");
}

// The power goes before every single write, truncation and sync of a life; what was on its way to the disk is dropped,
// torn and reordered.
TEST(PowerCutTest, NothingPromisedIsLost) {
  test::TempDir directory;
  std::vector<DiskOperation> trace;
  {
    FaultyDisk disk(directory.path());
    auto opened = SqliteStore::open({databaseIn(directory), 1, {}}, test::kStart);
    ASSERT_TRUE(opened.ok());
    const Status lived = live(**opened, [&](std::uint64_t records) { disk.mark(records); });
    ASSERT_TRUE(lived.ok()) << lived.error().message;
    opened->reset();  // the last checkpoint empties the log
    trace = disk.trace();
  }
  SeededRandom random(20261122);
  PowerCut cut;
  std::size_t cuts = 0;
  for (const DiskOperation& operation : trace) {
    if (operation.kind != DiskOperation::Kind::Mark) {
      test::TempDir after;
      cut.leave(after.path(), random);
      expectKept(after.path(), cut.marked());
      if (testing::Test::HasFailure()) { FAIL() << "after " << cuts << " writes and syncs of " << trace.size(); }
      ++cuts;
    }
    cut.apply(operation);
  }
  EXPECT_GT(cuts, 300u);
  EXPECT_EQ(cut.marked(), kRecords);
}

/// Rows 1, 2, 3 … in one table, each told when its submit() returns. Returns how many cuts lost a row that was told.
std::size_t lossesOf(Durable durable) {
  test::TempDir directory;
  std::vector<DiskOperation> trace;
  {
    FaultyDisk disk(directory.path());
    auto connection = std::make_unique<Connection>(databaseIn(directory), Connection::Mode::Write);
    connection->execute("CREATE TABLE t (a INTEGER)");
    Writer writer(std::move(connection), crypto::Digest256{}, {});
    for (int i = 1; i <= 40; ++i) {
      const Result<int> put = writer.submit<int>(durable, 100, [&](Write& write) -> Result<int> {
        write.db.prepare("INSERT INTO t VALUES (?1)").bind(i).run();
        return i;
      });
      EXPECT_TRUE(put.ok());
      disk.mark(static_cast<std::uint64_t>(i));
    }
    trace = disk.trace();
  }
  SeededRandom random(7);
  PowerCut cut;
  std::size_t losses = 0;
  for (const DiskOperation& operation : trace) {
    if (cut.marked() > 0) {
      test::TempDir after;
      cut.leave(after.path(), random);
      Connection db(databaseIn(after), Connection::Mode::Write);
      if (number(db, "SELECT count(*) FROM t") < static_cast<std::int64_t>(cut.marked())) ++losses;
    }
    cut.apply(operation);
  }
  return losses;
}

// The same cuts find what is lost without the sync: so the test above would find it too.
TEST(PowerCutTest, FindsTheLossesOfCommitsWithoutASync) {
  EXPECT_EQ(lossesOf(Durable::Now), 0u);
  EXPECT_GT(lossesOf(Durable::WithNext), 20u);
}

struct Fault {
  const char* name;
  int code;
  bool forEver;
};
class BrokenDisk : public testing::TestWithParam<Fault> {};
INSTANTIATE_TEST_SUITE_P(
    Disk, BrokenDisk,
    testing::Values(Fault{"write_once", SQLITE_IOERR_WRITE, false}, Fault{"write_for_ever", SQLITE_IOERR_WRITE, true},
                    Fault{"full_once", SQLITE_FULL, false}, Fault{"full_for_ever", SQLITE_FULL, true},
                    Fault{"fsync_once", SQLITE_IOERR_FSYNC, false}, Fault{"fsync_for_ever", SQLITE_IOERR_FSYNC, true}),
    [](const auto& instance) { return std::string(instance.param.name); });

// The first call fails, then the second … : whatever it was, nobody hears a success after it, the process is told to
// end, and the next start has everything that was promised.
TEST_P(BrokenDisk, NoSuccessAfterAFailure) {
  const Fault& fault = GetParam();
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1;; n += 1 + n / 16) {
    test::TempDir directory;
    std::uint64_t promised = 0;
    bool failed = false;
    {
      FaultyDisk disk(directory.path());
      std::atomic<int> fatal{0};
      disk.failCall(n, fault.code, fault.forEver);
      auto opened = SqliteStore::open({databaseIn(directory), 1, [&](const Error&) { ++fatal; }}, test::kStart);
      if (opened.ok()) {
        Store& store = **opened;
        const Status lived = live(store, [&](std::uint64_t records) {
          EXPECT_FALSE(disk.failed() && fatal > 0) << "a success after the failure of call " << n;
          promised = records;
        });
        failed = disk.failed();
        if (!lived.ok()) {
          EXPECT_TRUE(lived.error().code == Code::Unavailable || lived.error().code == Code::Ambiguous)
              << lived.error().message;
          EXPECT_EQ(fatal, 1) << "the process must be told to end, once";
          for (std::uint64_t i = 500; i < 503; ++i) {
            const Result<Accepted> later = store.accept(test::item(i, i));
            EXPECT_TRUE(!later.ok() && later.error().code == Code::Unavailable) << "after the failure of call " << n;
          }
        }
      } else {
        failed = true;
        EXPECT_EQ(opened.error().code, Code::Unavailable) << opened.error().message;
      }
    }
    if (!failed) break;
    ++failures;
    expectKept(directory.path(), promised);
    ASSERT_FALSE(testing::Test::HasFailure()) << "call " << n;
  }
  EXPECT_GT(failures, 30u);
}

}  // namespace
}  // namespace lotsen::store
