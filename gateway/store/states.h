// The words of the store: kinds, states, roles, and the one spelling of each. Used by store.h and operations.h, and
// with them by everybody. Thread rule: pure. Failure rule: none.
#pragma once

#include "gateway/base/clock.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace lotsen::store {

using Id = std::string;  // a UUID, lower case

enum class RecordKind : std::uint8_t { Referral, Consent, Btf, Message, Acknowledgement };
enum class RecordState : std::uint8_t { Accepted, Processed, Parked };
enum class TransferState : std::uint8_t { Waiting, Released, Completed, Withdrawn, Parked };
enum class DeliveryState : std::uint8_t { Held, Queued, Ready, Leased, Awaiting, Resolving, Done, Parked, Cancelled };
enum class Role : std::uint8_t { Provider, Mediator, Pas, Receipt, PatientLetter, ClinicianLetter, Recall, Local };

// All states in the order of their enums, for tables and counters.
inline constexpr TransferState kTransferStates[] = {TransferState::Waiting, TransferState::Released,
                                                    TransferState::Completed, TransferState::Withdrawn,
                                                    TransferState::Parked};
inline constexpr DeliveryState kDeliveryStates[] = {
    DeliveryState::Held,   DeliveryState::Queued,   DeliveryState::Ready,
    DeliveryState::Leased, DeliveryState::Awaiting, DeliveryState::Resolving,
    DeliveryState::Done,   DeliveryState::Parked,   DeliveryState::Cancelled};

// The one spelling of each name, in SQL, API, metrics and documents: "patient-letter", "awaiting" …
std::string_view name(RecordKind kind);
std::string_view name(RecordState state);
std::string_view name(TransferState state);
std::string_view name(DeliveryState state);
std::string_view name(Role role);
/// True if a delivery may go from one state to the other.
bool mayGo(DeliveryState from, DeliveryState to);

struct AuditEntry {
  Instant at;
  std::string actor;   // partner id, "gateway", or "operator:<name>"
  std::string action;  // stable: "record-accepted", "transfer-released", "delivery-sent", "consent-withdrawn" …
  Id transfer;         // set by the store: that of what is accepted, saved or finished
  Id subject;          // record or delivery id; may be empty
  std::string detail;  // JSON object of codes and ids; never patient data
};

}  // namespace lotsen::store
