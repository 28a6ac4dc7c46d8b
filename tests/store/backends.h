// The back ends that the conformance suite runs on. reopen() is a restart of the process: what was acknowledged must be
// there, what was not must not.
#pragma once

#include "gateway/store/memory/memory_store.h"
#include "gateway/store/sqlite/sqlite_store.h"
#include "tests/store/describe.h"
#include "tests/store/values.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

namespace lotsen::store {

class MemoryBackend {
 public:
  Store& store() { return *store_; }
  void reopen() {
    const auto state = store_->snapshot();
    store_ = std::make_unique<MemoryStore>();
    store_->restore(state);
  }

 private:
  std::unique_ptr<MemoryStore> store_ = std::make_unique<MemoryStore>();
};

class SqliteBackend {
 public:
  SqliteBackend() { reopen(); }
  Store& store() { return *store_; }
  void reopen() {
    store_.reset();
    Result<std::unique_ptr<SqliteStore>> opened =
        SqliteStore::open({directory_.file("lotsen.db"), 2, {}}, test::kStart);
    LOTSEN_CHECK(opened.ok());
    store_ = std::move(*opened);
  }

 private:
  test::TempDir directory_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace lotsen::store
