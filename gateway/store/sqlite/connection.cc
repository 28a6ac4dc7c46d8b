#include "gateway/store/sqlite/connection.h"

#include <sqlite3.h>

namespace lotsen::store::sqlite {

namespace {

int hexValue(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

/// Called by libsqlite3 after each commit that wrote; replaces its own automatic checkpoint.
int rememberLogPages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

constexpr int kBusyTimeoutMs = 5000;

}  // namespace

bool Fault::fatal() const {
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL: return true;
    default: return false;
  }
}

Error Fault::error() const {
  const int primary = code & 0xff;
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) return fail(Code::Busy, message);
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    return fail(Code::Corrupt, message + "; stop the gateway and restore the database from a backup");
  }
  if (primary == SQLITE_TOOBIG) return fail(Code::TooLarge, message);
  if (fatal()) return fail(Code::Unavailable, message + "; check the disk, then restart the gateway");
  return fail(Code::Internal, message);
}

Uuid toUuid(std::string_view text) {
  Uuid id{};
  std::size_t at = 0;
  for (unsigned char& byte : id) {
    if (text[at] == '-') ++at;
    byte = static_cast<unsigned char>(hexValue(text[at]) << 4 | hexValue(text[at + 1]));
    at += 2;
  }
  return id;
}

// --- Statement

Statement::~Statement() {
  if (handle_ == nullptr) return;
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

void Statement::restart() {
  sqlite3_reset(handle_);
}

void Statement::check(int code) {
  if (code != SQLITE_OK) owner_->raise(code, sqlite3_sql(handle_));
}

void Statement::bindOne(int index, std::int64_t value) {
  check(sqlite3_bind_int64(handle_, index, value));
}

void Statement::bindOne(int index, std::string_view text) {
  check(sqlite3_bind_text64(handle_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
}

void Statement::bindOne(int index, Blob blob) {
  check(sqlite3_bind_blob64(handle_, index, blob.bytes.data() == nullptr ? "" : blob.bytes.data(), blob.bytes.size(),
                            SQLITE_STATIC));
}

void Statement::bindOne(int index, const Uuid& id) {
  check(sqlite3_bind_blob(handle_, index, id.data(), static_cast<int>(id.size()), SQLITE_TRANSIENT));
}

void Statement::bindOne(int index, std::nullptr_t) {
  check(sqlite3_bind_null(handle_, index));
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) owner_->raise(code, sqlite3_sql(handle_));
  return false;
}

void Statement::run() {
  while (step()) {}
}

bool Statement::isNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string_view Statement::view(int column) const {
  const void* bytes = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::string Statement::text(int column) const {
  return std::string(view(column));
}

std::string Statement::uuid(int column) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::string_view bytes = view(column);
  if (bytes.size() != 16) return {};
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<Instant> Statement::maybeInstant(int column) const {
  if (isNull(column)) return std::nullopt;
  return instant(column);
}

// --- Connection

Connection::Connection(const std::string& path, Mode mode) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (mode == Mode::Write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  try {
    if (const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr); code != SQLITE_OK) {
      raise(code, "open " + path);
    }
    configure(mode);
  } catch (...) {
    close();
    throw;
  }
}

Connection::~Connection() {
  close();
}

void Connection::close() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
  sqlite3_close(handle_);
  handle_ = nullptr;
}

// WAL with FULL: a commit is one append to the log and one sync; NORMAL would lose acknowledged commits with the power.
// Only the writer checkpoints (SQLite before 3.51.3 can corrupt a log that two connections write or checkpoint at
// once). No mmap: an I/O error would be a signal instead of a code.
void Connection::configure(Mode mode) {
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (mode == Mode::Read) {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    execute("PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0; PRAGMA mmap_size=0; PRAGMA cache_size=-4096");
    return;
  }
  execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=1; PRAGMA wal_autocheckpoint=0;"
      "PRAGMA journal_size_limit=67108864; PRAGMA mmap_size=0; PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY");
  sqlite3_wal_hook(handle_, rememberLogPages, &logPages_);
}

Statement Connection::prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) raise(code, sql);
  }
  LOTSEN_CHECK(sqlite3_stmt_busy(statement) == 0);
  return Statement(*this, statement);
}

void Connection::execute(const std::string& sql) {
  if (const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
    raise(code, sql);
}

bool Connection::inTransaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}
std::int64_t Connection::lastRow() const {
  return sqlite3_last_insert_rowid(handle_);
}
int Connection::changes() const {
  return sqlite3_changes(handle_);
}

void Connection::checkpoint(Checkpoint how) {
  const int code = sqlite3_wal_checkpoint_v2(
      handle_, nullptr, how == Checkpoint::Passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART, nullptr,
      nullptr);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) raise(code, "checkpoint");
  logPages_ = 0;
}

// The message names the statement, never its values.
void Connection::raise(int code, std::string_view doing) {
  std::string message = "database: ";
  message += handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  message += " (code " + std::to_string(code) + ") at: ";
  message += doing.substr(0, 120);
  throw Fault{code, std::move(message)};
}

// --- Transaction

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.prepare("BEGIN IMMEDIATE").run();
}

Transaction::~Transaction() {
  if (!open_ || !connection_.inTransaction()) return;
  try {
    connection_.prepare("ROLLBACK").run();
  } catch (const Fault&) {
    // The transaction was not committed, so closing or reopening the file undoes it all the same.
  }
}

void Transaction::commit() {
  connection_.prepare("COMMIT").run();
  open_ = false;
}

}  // namespace lotsen::store::sqlite
