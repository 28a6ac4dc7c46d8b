// Between rows and the contract's values: names, column lists, and the few steps that several verbs share. Used by the
// verbs of this folder. Thread rule: that of the connection. Failure rule: throws Fault; a name that is no name of ours
// is a corrupt database.
#pragma once

#include "gateway/store/sqlite/connection.h"
#include "gateway/store/sqlite/writer.h"
#include "gateway/store/store.h"

#include <algorithm>

namespace lotsen::store::sqlite {

/// Joins SQL literals at compile time, so that a column list is written once: prepare(kById.data()).
template <std::size_t A, std::size_t B>
consteval std::array<char, A + B - 1> join(const char (&a)[A], const char (&b)[B]) {
  std::array<char, A + B - 1> text{};
  std::copy_n(a, A - 1, text.begin());
  std::copy_n(b, B, text.begin() + A - 1);
  return text;
}

/// A row number together with what the lane and the transition need to know.
struct DeliveryRow {
  std::int64_t row = 0;
  std::int64_t transfer = 0;
  std::string endpoint;
  DeliveryState state = DeliveryState::Held;
  std::uint32_t attempts = 0;
  bool sending = false;
  bool resolving = false;
  bool recheck = false;
  std::string reason;
};

inline constexpr char kDeliveryRow[] =
    "SELECT row, transfer, endpoint, state, attempts, sending, resolving, recheck, reason FROM delivery ";
DeliveryRow readDeliveryRow(const Statement& statement);

inline constexpr char kTransfer[] =
    "SELECT row, id, partner, case_key, state, reasons, agreement, created_at, changed_at FROM transfer ";
Transfer readTransfer(const Statement& statement);  // column 0 is the row

inline constexpr char kRecord[] =
    "SELECT r.row, r.id, t.id, r.kind, r.partner, r.channel, r.key, r.digest, r.business_id, r.version, r.media_type, "
    "r.received_at, r.config_revision, r.state, r.reason, r.issues, r.map_hash "
    "FROM record r LEFT JOIN transfer t ON t.row = r.transfer ";
Record readRecord(const Statement& statement);  // without body and canonical form

inline constexpr char kDelivery[] =
    "SELECT d.row, d.id, t.id, d.role, d.partner, d.endpoint, d.sequence, d.state, d.message_id, d.bundle_id, "
    "d.media_type, d.map_hash, d.needs_release, d.sending, d.attempts, d.token, d.due_at, d.deadline_at, d.reason, "
    "d.created_at, d.finished_at, d.overdue, d.placed_at, d.ever_sent FROM delivery d JOIN transfer t ON t.row = "
    "d.transfer ";
Delivery readDelivery(const Statement& statement);  // without body and `after`
std::vector<Id> readAfter(Connection& db, std::int64_t delivery);

DeliveryState deliveryState(std::string_view text);
TransferState transferState(std::string_view text);

std::optional<std::int64_t> transferRow(Connection& db, const Id& id);  // none: unknown, or not a UUID

// --- steps of writing

/// Appends audit rows to the chain; they get the transfer of what they describe.
void writeAudit(Write& write, const std::vector<AuditEntry>& entries, const Id& transfer,
                std::optional<std::int64_t> transferRow);

void markDue(Connection& db, std::int64_t transfer, Instant at);

/// The only writer of a delivery's state besides claim(), giveBytes() and promote(): out of a lease if it has one, with
/// what follows from the new state (the next of the lane, the transfer's attention). No `dueAt`: it stays.
void go(Connection& db, const DeliveryRow& delivery, DeliveryState to, std::string_view reason,
        std::optional<Instant> dueAt, Instant now);

/// Makes the first Queued delivery of a lane its head (Ready, or Parked if a person has stopped it) if it has none.
/// True if it did.
bool promote(Connection& db, std::int64_t transfer, std::string_view endpoint, Instant now);

/// The next free place of a lane, and whether somebody in it is unfinished.
struct Place {
  std::int64_t sequence = 1;
  DeliveryState state = DeliveryState::Ready;
};
Place nextPlace(Connection& db, std::int64_t transfer, std::string_view endpoint);

/// Ends the running attempt of a leased delivery without an answer.
void endAttempt(Connection& db, const DeliveryRow& delivery, std::string_view outcome, Instant now);
void loseLease(Connection& db, const DeliveryRow& delivery, std::string_view outcome, Instant now);

void voidRelease(Connection& db, std::int64_t delivery, Instant now);

/// Throws nothing: false if the node has a newer incarnation, or none.
bool isCurrent(Connection& db, const Owner& owner);

}  // namespace lotsen::store::sqlite
