#include "gateway/store/store.h"

#include <algorithm>

namespace lotsen::store {

namespace {

using enum DeliveryState;

struct Transition {
  DeliveryState from;
  DeliveryState to;
};

/// Every change of state that any back end may write; what is not here does not happen.
constexpr Transition kTransitions[] = {
    {Held, Queued},                            // got its bytes, somebody is before it
    {Held, Ready},                             // got its bytes
    {Held, Parked},                            // its bytes could not be made
    {Held, Cancelled},                         // not wanted any more
    {Queued, Parked},                          // its turn has come, and a person has stopped it
    {Queued, Ready},                           // promoted: the one before it is finished
    {Queued, Cancelled},                       // not wanted any more
    {Ready, Leased},                           // claimed
    {Ready, Done},                             // acknowledged after an attempt whose answer was lost or negative
    {Ready, Parked},                           // refused by an acknowledgement after such an attempt
    {Ready, Cancelled},                        // not wanted any more
    {Leased, Done},         {Leased, Ready},   // retry, or the lease ended before a byte left
    {Leased, Awaiting},                        // received, business acknowledgement outstanding
    {Leased, Resolving},                       // ambiguous, or the lease ended after bytes may have left
    {Leased, Parked},       {Awaiting, Done},  // acknowledged
    {Awaiting, Ready},                         // transient error acknowledged
    {Awaiting, Parked},                        // fatal error acknowledged
    {Awaiting, Cancelled},                     // not wanted any more: makes way for the message that says so
    {Resolving, Leased},                       // claimed again
    {Resolving, Done},                         // acknowledged: it had arrived
    {Resolving, Ready},                        // transient error acknowledged: it had arrived
    {Resolving, Parked},                       // fatal error acknowledged, or a person must decide
    {Resolving, Cancelled}, {Parked, Ready},   // sent again by a person
    {Parked, Held},                            // thought about again, as a person asked
    {Parked, Resolving},                       // released by a person who had parked it there
    {Parked, Done},                            // acknowledged positively after all, or a person knows that it arrived
    {Parked, Cancelled},
};

}  // namespace

bool mayGo(DeliveryState from, DeliveryState to) {
  return std::any_of(std::begin(kTransitions), std::end(kTransitions),
                     [&](const Transition& row) { return row.from == from && row.to == to; });
}

Result<Saved> Store::saveTransfer(TransferChange change, Instant now) {
  std::vector<TransferChange> one;
  one.push_back(std::move(change));
  return std::move(saveTransfers(std::move(one), now).front());
}

Result<std::vector<Lease>> Store::startSending(const std::vector<Lease>& claimed, Instant now) {
  LOTSEN_TRY(Turned turned, turn({}, claimed, now));
  return std::move(turned.started);
}

Result<std::vector<Lease>> Store::finish(std::vector<AttemptEnd> ends, Instant now) {
  LOTSEN_TRY(Turned turned, turn(std::move(ends), {}, now));
  return std::move(turned.stale);
}

std::string_view name(RecordKind kind) {
  switch (kind) {
    case RecordKind::Referral: return "referral";
    case RecordKind::Consent: return "consent";
    case RecordKind::Btf: return "btf";
    case RecordKind::Message: return "message";
    case RecordKind::Acknowledgement: return "acknowledgement";
  }
  return "";
}

std::string_view name(RecordState state) {
  switch (state) {
    case RecordState::Accepted: return "accepted";
    case RecordState::Processed: return "processed";
    case RecordState::Parked: return "parked";
  }
  return "";
}

std::string_view name(TransferState state) {
  switch (state) {
    case TransferState::Waiting: return "waiting";
    case TransferState::Released: return "released";
    case TransferState::Completed: return "completed";
    case TransferState::Withdrawn: return "withdrawn";
    case TransferState::Parked: return "parked";
  }
  return "";
}

std::string_view name(DeliveryState state) {
  switch (state) {
    case Held: return "held";
    case Queued: return "queued";
    case Ready: return "ready";
    case Leased: return "leased";
    case Awaiting: return "awaiting";
    case Resolving: return "resolving";
    case Done: return "done";
    case Parked: return "parked";
    case Cancelled: return "cancelled";
  }
  return "";
}

std::string_view name(Role role) {
  switch (role) {
    case Role::Provider: return "provider";
    case Role::Mediator: return "mediator";
    case Role::Pas: return "pas";
    case Role::Receipt: return "receipt";
    case Role::PatientLetter: return "patient-letter";
    case Role::ClinicianLetter: return "clinician-letter";
    case Role::Recall: return "recall";
    case Role::Local: return "local";
  }
  return "";
}

std::string_view name(Verb verb) {
  switch (verb) {
    case Verb::Resend: return "resend";
    case Verb::Park: return "park";
    case Verb::Release: return "release";
    case Verb::Cancel: return "cancel";
    case Verb::Confirm: return "confirm";
  }
  return "";
}

std::string_view name(Intervened outcome) {
  switch (outcome) {
    case Intervened::Applied: return "applied";
    case Intervened::Unknown: return "unknown";
    case Intervened::HasIt: return "has-it";
    case Intervened::UnderWay: return "under-way";
    case Intervened::Leased: return "leased";
    case Intervened::Ended: return "ended";
    case Intervened::Unresolved: return "unresolved";
    case Intervened::NeverSent: return "never-sent";
    case Intervened::ParkedAlready: return "parked-already";
    case Intervened::ParkedByGateway: return "parked-by-gateway";
  }
  return "";
}

}  // namespace lotsen::store
