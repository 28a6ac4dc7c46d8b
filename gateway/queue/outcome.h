// What an answer means: the outcome classes of a delivery attempt and the table of HTTP statuses, as data. `service`
// refines it where the body says more (acknowledgement messages); the core acts on it. Used by: core.h, service, tests.
// Thread rule: pure. Failure rule: everything has a class; what nobody foresaw is parked for a person.
//
// The line that matters runs between "certainly not done" (Retry: repeat freely) and "may have been done" (Ambiguous:
// only a receiver that drops repeats may get the same bytes again). A gateway's 502 or 504 says nothing about what
// stands behind it; a receiver's 500 may come before or after the effect. Rejected: judging by curl's error code alone
// (one code covers both).
#pragma once

#include "gateway/queue/transport.h"

#include <optional>
#include <string_view>

namespace lotsen::queue {

enum class Outcome : std::uint8_t {
  Done,           // the receiver has it and is answerable
  Awaiting,       // the receiver has it, its business acknowledgement comes later
  Retry,          // certainly not done, may be later
  Ambiguous,      // bytes may have left, nobody knows
  Conflict,       // the receiver holds something else under this identity: a few tries, then a person
  PauseEndpoint,  // our credentials or theirs are refused: no message is to blame
  Park,           // refused for good: a person must act
};

/// "done", "awaiting", "retry", "ambiguous", "conflict", "pause-endpoint", "park".
std::string_view name(Outcome outcome);

struct Verdict {
  Outcome outcome = Outcome::Park;
  std::string reason;           // stable code, for all but Done
  std::uint32_t parkAfter = 0;  // attempts after which Retry, Ambiguous and Conflict become Park; 0: the age decides
};

/// By phase and status alone.
Verdict classifyHttp(const Answer& answer);

/// What a look at the receiver's end tells about a delivery that may have arrived.
enum class Finding : std::uint8_t {
  Accepted,  // it is there, and that is all we need to know
  Arrived,   // it is there, its business acknowledgement is still to come
  Absent,    // it is certainly not there
  Unclear,   // there, but several times or as something else; or the answer cannot be understood
  NoAnswer,  // the receiver could not be asked: ask again
};
/// "read-back-accepted" …: the outcome of the attempt that looked.
std::string_view name(Finding finding);

/// True if the answer says that the endpoint is in trouble (not reached, no answer, overloaded, a proxy's error): what
/// the breaker counts.
bool blamesEndpoint(const Answer& answer);

/// What the receiver asked for in Retry-After (seconds or a date), at most 15 minutes; none if it did not or it makes
/// no sense.
std::optional<milliseconds> retryAfter(const Answer& answer, Instant now);

}  // namespace lotsen::queue
