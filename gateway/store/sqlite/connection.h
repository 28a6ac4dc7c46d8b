// Own thin wrappers on libsqlite3: a connection, its cached statements, a transaction. Rejected: SQLiteCpp and
// Poco::Data (no control over BEGIN IMMEDIATE, extended codes and statement reuse; see docs/decisions). Used by this
// folder only. Thread rule: a Connection and its statements belong to one thread at a time (opened NOMUTEX). Failure
// rule: inside this folder a failed call throws Fault, which keeps the SQL readable; Writer and Readers catch it at the
// folder's door and make an Error of it. A Fault is never a matter of data: the verbs look before they write.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/result.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace lotsen::store::sqlite {

/// A call of libsqlite3 that failed. `code` is the extended result code.
struct Fault {
  int code = 0;
  std::string message;

  /// The file or the memory below us failed: whatever this connection does next is not to be trusted.
  bool fatal() const;
  Error error() const;
};

/// 16 bytes of a UUID, as ids are stored.
using Uuid = std::array<unsigned char, 16>;
/// REQUIRES: isUuid(text).
Uuid toUuid(std::string_view text);

struct Blob {
  std::string_view bytes;
};

class Connection;

/// A prepared statement in use. Bound texts are not copied: they must live until the statement is bound anew or
/// destroyed. Destruction resets it and gives it back to its connection.
class Statement {
 public:
  Statement(Statement&& other) noexcept : owner_(other.owner_), handle_(std::exchange(other.handle_, nullptr)) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Binds the parameters ?1, ?2 … and makes the statement ready to run; may be called again for the next row.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    restart();
    int index = 0;
    (bindOne(++index, values), ...);
    return *this;
  }

  /// True: a row is here. False: the statement is done.
  bool step();
  /// Runs a statement whose rows nobody wants.
  void run();

  bool isNull(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  std::string_view view(int column) const;  // until the next step()
  std::string uuid(int column) const;       // empty for NULL
  Instant instant(int column) const { return fromMillis(integer(column)); }
  std::optional<Instant> maybeInstant(int column) const;

 private:
  friend class Connection;
  Statement(Connection& owner, sqlite3_stmt* handle) : owner_(&owner), handle_(handle) {}

  void restart();
  void check(int code);
  void bindOne(int index, std::int64_t value);
  void bindOne(int index, std::uint64_t value) { bindOne(index, static_cast<std::int64_t>(value)); }
  void bindOne(int index, std::uint32_t value) { bindOne(index, static_cast<std::int64_t>(value)); }
  void bindOne(int index, int value) { bindOne(index, static_cast<std::int64_t>(value)); }
  void bindOne(int index, bool value) { bindOne(index, static_cast<std::int64_t>(value)); }
  void bindOne(int index, Instant value) { bindOne(index, toMillis(value)); }
  void bindOne(int index, std::string_view text);
  void bindOne(int index, const std::string& text) { bindOne(index, std::string_view(text)); }
  void bindOne(int index, const char* text) { bindOne(index, std::string_view(text)); }
  void bindOne(int index, Blob blob);
  void bindOne(int index, const Uuid& id);
  void bindOne(int index, std::nullptr_t);
  template <typename T>
  void bindOne(int index, const std::optional<T>& value) {
    if (value) {
      bindOne(index, *value);
    } else {
      bindOne(index, nullptr);
    }
  }

  Connection* owner_;
  sqlite3_stmt* handle_;
};

class Connection {
 public:
  enum class Mode : std::uint8_t { Write, Read };

  /// Opens (Write: creates) the database file with the settings of its mode. Throws Fault.
  Connection(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// `sql` is one statement and a string literal: the cache goes by its address. A statement is used by one at a time.
  Statement prepare(const char* sql);
  /// Runs any number of statements without parameters.
  void execute(const std::string& sql);

  /// False after libsqlite3 has rolled back by itself, as it does after some errors.
  bool inTransaction() const;
  std::int64_t lastRow() const;
  /// Rows changed by the statement that ran last.
  int changes() const;

  /// Pages in the write-ahead log after the last commit of this connection.
  int logPages() const { return logPages_; }
  enum class Checkpoint : std::uint8_t {
    Passive,  // copies what it can from the log into the database, without waiting for anybody
    Restart,  // waits for the readers (at most the busy timeout), so that the log starts anew
  };
  void checkpoint(Checkpoint how);

  sqlite3* handle() { return handle_; }

 private:
  friend class Statement;
  [[noreturn]] void raise(int code, std::string_view doing);
  void configure(Mode mode);
  void close();

  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  int logPages_ = 0;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back when it goes out of scope uncommitted.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace lotsen::store::sqlite
