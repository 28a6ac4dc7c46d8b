// A few read-only connections, so that reading never waits for the writer's sync nor the writer for a reader. A read
// sees one committed state, is short, and never checkpoints. Used by sqlite_store.cc. Thread rule: read() from any
// thread; it waits for a free connection.
#pragma once

#include "gateway/store/sqlite/connection.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace lotsen::store::sqlite {

class Readers {
 public:
  /// Throws Fault.
  Readers(const std::string& path, std::size_t count);

  template <typename T>
  Result<T> read(const std::function<Result<T>(Connection&)>& query) {
    Loan loan(*this);
    try {
      loan.connection->prepare("BEGIN").run();
      Result<T> result = query(*loan.connection);
      loan.connection->prepare("COMMIT").run();
      return result;
    } catch (const Fault& fault) {
      loan.abandon();
      return fault.error();
    }
  }

 private:
  struct Loan {
    explicit Loan(Readers& readers);
    ~Loan();
    /// Ends the transaction of a read that failed.
    void abandon();
    Readers& owner;
    Connection* connection;
  };

  std::vector<std::unique_ptr<Connection>> all_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection*> free_;  // guarded by mutex_
};

}  // namespace lotsen::store::sqlite
