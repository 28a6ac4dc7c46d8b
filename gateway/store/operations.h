// What people ask of the store: verbs on deliveries, what they look for, and what may be removed when it has been kept
// for long enough. Used by store.h; filled by service (operator's verbs) and app (retention). Thread rule: values.
// Failure rule: none.
//
// ## A person's verb on a delivery (judgeIntervention() in rules.h is the whole table)
//   resend    a parked one goes again: same bytes, same identity; without bytes it is thought about again (Held)
//   park      stops one: Held and Ready park; one in Resolving parks and stays ambiguous (kParkedUnresolved); one that
//   is
//             Queued carries the reason kParkedByPerson and parks when its turn comes: its lane has a head already
//   release   what a person has parked goes on where it was. It sends nothing that has no live release: claim() looks
//   cancel    ends one that the receiver does not have
//   confirm   ends one that the receiver has, as its word over the telephone says: only what may have left
// Every verb is judged on what is stored when it is applied, so that it meets an answer, an acknowledgement or another
// person halfway without harm; what does not fit changes nothing and says why. What is leased is let alone: how its
// attempt ends decides. Whatever is applied marks the transfer due: its reasons change, and its releases are renewed.
// Rejected: a flag for each wish that thinking reads later (two places that move a delivery, and nobody can say when).
#pragma once

#include "gateway/store/states.h"

#include <optional>
#include <vector>

namespace lotsen::store {

enum class Verb : std::uint8_t { Resend, Park, Release, Cancel, Confirm };
/// "resend", "park" …
std::string_view name(Verb verb);

// Reasons that a person's verb leaves behind.
inline constexpr std::string_view kParkedByPerson = "parked-by-person";
inline constexpr std::string_view kParkedUnresolved = "parked-unresolved";  // and it may have arrived
inline constexpr std::string_view kCancelledByPerson = "cancelled-by-person";

struct Intervention {
  Id delivery;
  Verb verb = Verb::Resend;
  Instant dueAt;       // resend, release: goes no sooner
  Instant deadlineAt;  // resend, release: its new deadline
  AuditEntry audit;    // written with the change, and only if there is one
};

/// What came of it. All but Applied changed nothing.
enum class Intervened : std::uint8_t {
  Applied,
  Unknown,          // no such delivery
  HasIt,            // Done or Awaiting: the receiver has it
  UnderWay,         // it goes by itself
  Leased,           // an attempt is being made at this moment
  Ended,            // cancelled
  Unresolved,       // it may have arrived: park it, then ask the receiver
  NeverSent,        // no byte of it can have left
  ParkedAlready,    //
  ParkedByGateway,  // release: it was not a person who parked it
};
/// "applied", "has-it" …
std::string_view name(Intervened outcome);

/// The deliveries that an operator's verb means: all that fit every condition that is set.
struct DeliveryFilter {
  std::vector<DeliveryState> states;  // none: every state
  std::string partner, endpoint, reason;
  std::optional<Role> role;
  Id transfer;
  std::optional<Instant> createdBefore;
  Id after;  // a cursor: DeliveryPage::next of the page before; empty: from the start
  std::size_t limit = 100;
};

/// What stands at one endpoint.
struct EndpointFigures {
  std::string endpoint;
  std::uint64_t ready = 0;     // may go when due, with a live release if it needs one; Resolving too
  std::uint64_t inFlight = 0;  // leased
  std::uint64_t overdue = 0;   // acknowledgements
  std::uint64_t parked = 0;
};

/// How long what is stored is kept: of a transfer that has been over since before that moment. None: for ever.
struct Retention {
  std::optional<Instant> records;     // original bytes and canonical form; key, digest and answer stay
  std::optional<Instant> deliveries;  // the bytes of messages and letters; ids and states stay
  std::optional<Instant> attempts;
  std::optional<Instant> audit;  // from its head on, as far as nothing of a transfer that is not over stands there
};

/// What one call has removed.
struct Purged {
  std::uint64_t records = 0, deliveries = 0, attempts = 0, audit = 0;
  Id next;            // where the walk over the transfers goes on
  bool more = false;  // it is not at its end
};

}  // namespace lotsen::store
