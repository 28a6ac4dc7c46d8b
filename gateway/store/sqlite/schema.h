// The tables, as numbered, forward-only migrations whose text is compiled in. A migration that has shipped is never
// edited: its hash stands in every database, and a database whose hashes differ is refused. README.md explains tables
// and indexes. Used by sqlite_store.cc; tests. Thread rule: at open, one thread. Failure rule: throws Fault for the
// database's own faults.
#pragma once

#include "gateway/store/sqlite/connection.h"

#include <span>

namespace lotsen::store::sqlite {

struct Migration {
  int number;
  const char* sql;
};

/// All migrations of this program, numbered from 1 without gaps.
std::span<const Migration> migrations();

/// Brings the database up to date, one transaction a migration. Invalid: not a database of ours, or written by a newer
/// program. Corrupt: its migrations are not the ones that we know.
Status migrate(Connection& connection, std::span<const Migration> known, Instant now);

}  // namespace lotsen::store::sqlite
