#include "gateway/store/sqlite/schema.h"

#include "gateway/crypto/digest.h"

namespace lotsen::store::sqlite {

namespace {

// Ids are UUIDs as 16 bytes, once a table; inside, rows refer to each other by row number (README.md has the figures).
// Instants are milliseconds since 1970, UTC. NULL means "none" and nothing else.
constexpr const char* kFirst = R"sql(
CREATE TABLE node (
  name TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  opened_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE transfer (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  partner TEXT NOT NULL,
  case_key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'released', 'completed', 'withdrawn', 'parked')),
  reasons TEXT NOT NULL,
  agreement TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  due_at INTEGER,                                     -- NULL: there is nothing to think about
  arrivals INTEGER NOT NULL,                          -- grows whenever something new makes it due
  arrivals_at_claim INTEGER NOT NULL DEFAULT 0,
  voided_since_claim INTEGER NOT NULL DEFAULT 0,
  token INTEGER NOT NULL DEFAULT 0,
  lease_node TEXT,
  lease_epoch INTEGER,
  lease_until INTEGER,
  CHECK ((lease_node IS NULL) = (lease_until IS NULL))
) STRICT;
CREATE INDEX transfer_due ON transfer (due_at) WHERE due_at IS NOT NULL AND lease_until IS NULL;
CREATE INDEX transfer_lease ON transfer (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX transfer_state ON transfer (state);

CREATE TABLE record (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  transfer INTEGER REFERENCES transfer (row),         -- NULL: an acknowledgement of nothing that we know
  kind TEXT NOT NULL CHECK (kind IN ('referral', 'consent', 'btf', 'message', 'acknowledgement')),
  partner TEXT NOT NULL,
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  business_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  config_revision TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('accepted', 'processed', 'parked')),
  reason TEXT NOT NULL,
  issues TEXT NOT NULL,
  map_hash TEXT NOT NULL,
  answer_status INTEGER NOT NULL,
  answer_body TEXT NOT NULL,
  UNIQUE (partner, key)
) STRICT;
CREATE INDEX record_transfer ON record (transfer) WHERE transfer IS NOT NULL;
CREATE TABLE record_body (
  record INTEGER PRIMARY KEY REFERENCES record (row),
  body BLOB NOT NULL
) STRICT;
CREATE TABLE record_canonical (
  record INTEGER PRIMARY KEY REFERENCES record (row),
  canonical BLOB NOT NULL
) STRICT;

CREATE TABLE delivery (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  transfer INTEGER NOT NULL REFERENCES transfer (row),
  role TEXT NOT NULL CHECK (role IN ('provider', 'mediator', 'pas', 'receipt', 'patient-letter', 'clinician-letter',
                                     'recall', 'local')),
  partner TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  sequence INTEGER,                                   -- NULL: no place in the lane yet
  state TEXT NOT NULL CHECK (state IN ('held', 'queued', 'ready', 'leased', 'awaiting', 'resolving', 'done', 'parked',
                                       'cancelled')),
  message_id TEXT NOT NULL,
  bundle_id TEXT NOT NULL,
  media_type TEXT NOT NULL,
  map_hash TEXT NOT NULL,
  needs_release INTEGER NOT NULL CHECK (needs_release IN (0, 1)),
  released INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1)),      -- there is a live row in release
  sending INTEGER NOT NULL DEFAULT 0 CHECK (sending IN (0, 1)),        -- leased: bytes may have left
  ever_sent INTEGER NOT NULL DEFAULT 0 CHECK (ever_sent IN (0, 1)),
  resolving INTEGER NOT NULL DEFAULT 0 CHECK (resolving IN (0, 1)),    -- leased: an earlier attempt is ambiguous
  recheck INTEGER NOT NULL DEFAULT 0 CHECK (recheck IN (0, 1)),        -- leased: a change was skipped because of it
  attempts INTEGER NOT NULL DEFAULT 0,
  token INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  deadline_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  lease_node TEXT,
  lease_epoch INTEGER,
  lease_until INTEGER,
  claimable INTEGER GENERATED ALWAYS AS
    (state IN ('ready', 'resolving') AND (needs_release = 0 OR released = 1)) VIRTUAL,
  head INTEGER GENERATED ALWAYS AS
    (sequence IS NOT NULL AND state IN ('ready', 'leased', 'awaiting', 'resolving', 'parked')) VIRTUAL,
  UNIQUE (transfer, endpoint, sequence),
  CHECK ((state = 'leased') = (lease_until IS NOT NULL) AND (lease_node IS NULL) = (lease_until IS NULL)),
  CHECK (state = 'leased' OR (sending = 0 AND resolving = 0 AND recheck = 0)),
  CHECK (sequence IS NOT NULL OR state IN ('held', 'parked', 'cancelled'))
) STRICT;
CREATE UNIQUE INDEX delivery_head ON delivery (transfer, endpoint) WHERE head;
CREATE INDEX delivery_claim ON delivery (endpoint, due_at) WHERE claimable;
CREATE INDEX delivery_follow ON delivery (transfer, endpoint, sequence) WHERE state = 'queued';
CREATE INDEX delivery_lease ON delivery (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX delivery_message ON delivery (message_id);
CREATE TABLE delivery_body (
  delivery INTEGER PRIMARY KEY REFERENCES delivery (row),
  body BLOB NOT NULL
) STRICT;
CREATE TABLE delivery_after (
  delivery INTEGER NOT NULL REFERENCES delivery (row),
  ordinal INTEGER NOT NULL,
  after INTEGER NOT NULL REFERENCES delivery (row),
  PRIMARY KEY (delivery, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE release (
  row INTEGER PRIMARY KEY,
  delivery INTEGER NOT NULL REFERENCES delivery (row),
  consent_record BLOB,
  btf_record BLOB,
  valid_from INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  basis TEXT NOT NULL,
  voided_at INTEGER
) STRICT;
CREATE UNIQUE INDEX release_live ON release (delivery) WHERE voided_at IS NULL;

CREATE TABLE attempt (
  delivery INTEGER NOT NULL REFERENCES delivery (row),
  number INTEGER NOT NULL,
  node TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  sent_at INTEGER,
  ended_at INTEGER,
  outcome TEXT NOT NULL DEFAULT '',
  http_status INTEGER NOT NULL DEFAULT 0,
  phase TEXT NOT NULL DEFAULT '',
  response_digest TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  transfer INTEGER REFERENCES transfer (row),
  subject BLOB,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_transfer ON audit (transfer) WHERE transfer IS NOT NULL;

-- How many rows are in which state, kept by the database: counting a million rows at every scrape would cost seconds.
CREATE TABLE tally (
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  n INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (kind, state)
) STRICT, WITHOUT ROWID;
INSERT INTO tally (kind, state, n) VALUES
  ('record', 'all', 0),
  ('transfer', 'waiting', 0), ('transfer', 'released', 0), ('transfer', 'completed', 0), ('transfer', 'withdrawn', 0),
  ('transfer', 'parked', 0),
  ('delivery', 'held', 0), ('delivery', 'queued', 0), ('delivery', 'ready', 0), ('delivery', 'leased', 0),
  ('delivery', 'awaiting', 0), ('delivery', 'resolving', 0), ('delivery', 'done', 0), ('delivery', 'parked', 0),
  ('delivery', 'cancelled', 0);
CREATE TRIGGER record_counted AFTER INSERT ON record BEGIN
  UPDATE tally SET n = n + 1 WHERE kind = 'record' AND state = 'all';
END;
CREATE TRIGGER transfer_counted AFTER INSERT ON transfer BEGIN
  UPDATE tally SET n = n + 1 WHERE kind = 'transfer' AND state = NEW.state;
END;
CREATE TRIGGER transfer_moved AFTER UPDATE OF state ON transfer WHEN OLD.state <> NEW.state BEGIN
  UPDATE tally SET n = n - 1 WHERE kind = 'transfer' AND state = OLD.state;
  UPDATE tally SET n = n + 1 WHERE kind = 'transfer' AND state = NEW.state;
END;
CREATE TRIGGER delivery_counted AFTER INSERT ON delivery BEGIN
  UPDATE tally SET n = n + 1 WHERE kind = 'delivery' AND state = NEW.state;
END;
CREATE TRIGGER delivery_moved AFTER UPDATE OF state ON delivery WHEN OLD.state <> NEW.state BEGIN
  UPDATE tally SET n = n - 1 WHERE kind = 'delivery' AND state = OLD.state;
  UPDATE tally SET n = n + 1 WHERE kind = 'delivery' AND state = NEW.state;
END;
)sql";

// Pauses of endpoints, acknowledgements that are overdue, the age of heads. What awaited an acknowledgement before has
// a day from its last attempt.
constexpr const char* kSecond = R"sql(
ALTER TABLE delivery ADD COLUMN placed_at INTEGER;      -- NULL: no place in the lane yet
ALTER TABLE delivery ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0 CHECK (overdue IN (0, 1));
UPDATE delivery SET placed_at = created_at WHERE sequence IS NOT NULL;
UPDATE delivery SET due_at = 86400000 + coalesce(
  (SELECT max(ended_at) FROM attempt WHERE attempt.delivery = delivery.row), due_at) WHERE state = 'awaiting';
CREATE INDEX delivery_placed ON delivery (placed_at, state) WHERE state IN ('ready', 'leased', 'resolving');
CREATE INDEX delivery_awaiting ON delivery (due_at) WHERE state = 'awaiting' AND overdue = 0;
CREATE INDEX delivery_overdue ON delivery (overdue) WHERE overdue = 1;

CREATE TABLE endpoint_pause (
  endpoint TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// What operators look for among millions of finished ones.
constexpr const char* kThird = R"sql(
CREATE INDEX delivery_parked ON delivery (id) WHERE state = 'parked';
)sql";

// Keys outlive records, so they get a table of their own, with the answers; the record loses its UNIQUE (partner, key).
// An acknowledgement may name the Bundle that it answers. What a message's digest covered then (its envelope too) is
// not what it covers now: those digests are unknown.
constexpr const char* kFourth = R"sql(
CREATE TABLE accepted_key (
  row INTEGER PRIMARY KEY,                            -- in the order of arrival: the oldest is the lowest
  partner TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,                               -- '': not known, fits any content
  record BLOB NOT NULL CHECK (length(record) = 16),
  transfer BLOB CHECK (length(transfer) = 16),
  answer_status INTEGER NOT NULL,
  answer_body TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  UNIQUE (partner, key)
) STRICT;
CREATE TABLE envelope (
  row INTEGER PRIMARY KEY,
  partner TEXT NOT NULL,
  envelope TEXT NOT NULL,
  key TEXT NOT NULL,                                  -- of the message that came in it
  seen_at INTEGER NOT NULL,
  UNIQUE (partner, envelope)
) STRICT;
INSERT INTO accepted_key (row, partner, key, digest, record, transfer, answer_status, answer_body, accepted_at)
  SELECT r.row, r.partner, r.key, iif(r.kind IN ('message', 'acknowledgement'), '', r.digest), r.id, t.id,
    r.answer_status, r.answer_body, r.received_at
  FROM record r LEFT JOIN transfer t ON t.row = r.transfer ORDER BY r.row;
CREATE INDEX delivery_bundle ON delivery (bundle_id) WHERE bundle_id <> '';

CREATE TABLE record_4 (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  transfer INTEGER REFERENCES transfer (row),         -- NULL: an acknowledgement of nothing that we know
  kind TEXT NOT NULL CHECK (kind IN ('referral', 'consent', 'btf', 'message', 'acknowledgement')),
  partner TEXT NOT NULL,
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  business_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  config_revision TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('accepted', 'processed', 'parked')),
  reason TEXT NOT NULL,
  issues TEXT NOT NULL,
  map_hash TEXT NOT NULL
) STRICT;
INSERT INTO record_4 SELECT row, id, transfer, kind, partner, channel, key, digest, business_id, version, media_type,
  received_at, config_revision, state, reason, issues, map_hash FROM record;
DROP TABLE record;
ALTER TABLE record_4 RENAME TO record;
CREATE INDEX record_transfer ON record (transfer) WHERE transfer IS NOT NULL;
CREATE TRIGGER record_counted AFTER INSERT ON record BEGIN
  UPDATE tally SET n = n + 1 WHERE kind = 'record' AND state = 'all';
END;
)sql";

constexpr Migration kMigrations[] = {{1, kFirst}, {2, kSecond}, {3, kThird}, {4, kFourth}};

// "LOTS" in the file's header tells a database of ours from any other.
constexpr std::int64_t kApplicationId = 0x4c4f5453;

std::int64_t single(Connection& connection, const char* sql) {
  Statement statement = connection.prepare(sql);
  return statement.bind().step() ? statement.integer(0) : 0;
}

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

Status migrate(Connection& connection, std::span<const Migration> known, Instant now) {
  const bool isNew = single(connection, "SELECT count(*) FROM sqlite_schema") == 0;
  if (!isNew && single(connection, "PRAGMA application_id") != kApplicationId) {
    return fail(Code::Invalid, "the file is not a database of Lotsen; choose another path");
  }
  if (isNew) {
    Transaction transaction(connection);
    connection.execute(
        "PRAGMA application_id=" + std::to_string(kApplicationId) +
        "; CREATE TABLE migration (number INTEGER PRIMARY KEY, hash TEXT NOT NULL, applied_at INTEGER NOT "
        "NULL) STRICT");
    transaction.commit();
  }
  int applied = 0;
  {
    Statement statement = connection.prepare("SELECT number, hash FROM migration ORDER BY number");
    for (statement.bind(); statement.step(); ++applied) {
      const std::int64_t number = statement.integer(0);
      if (number > static_cast<std::int64_t>(known.size())) {
        return fail(Code::Invalid,
                    "the database has migration " + std::to_string(number) +
                        ", which this program does not know: a newer version wrote it; use that version or "
                        "restore the backup made before the upgrade");
      }
      if (number != applied + 1 ||
          statement.view(1) != crypto::sha256Hex(known[static_cast<std::size_t>(applied)].sql)) {
        return fail(Code::Corrupt, "migration " + std::to_string(number) +
                                       " of the database is not the one that this "
                                       "program knows; use the version that wrote it");
      }
    }
  }
  // A table that others refer to can only be built anew while nobody looks at references (sqlite.org/lang_altertable).
  // If a migration fails, the caller throws the connection away.
  connection.execute("PRAGMA foreign_keys=0");
  for (const Migration& migration : known.subspan(static_cast<std::size_t>(applied))) {
    Transaction transaction(connection);
    connection.execute(migration.sql);
    connection.prepare("INSERT INTO migration (number, hash, applied_at) VALUES (?1, ?2, ?3)")
        .bind(migration.number, crypto::sha256Hex(migration.sql), now)
        .run();
    transaction.commit();
  }
  connection.execute("PRAGMA foreign_keys=1");
  return done();
}

}  // namespace lotsen::store::sqlite
