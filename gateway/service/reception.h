// Reception: what happens to a record or message before the commit, the commit itself, and the answer. Design.md
// "Before or after the commit": parse, source schema, identifiers and the duplicate check come before it and refuse;
// everything else comes after it (thinking.h) and parks. Synchronous $process-message validates before the commit too.
// Used by: inbound. Thread rule: any thread; blocks until the commit is durable. Failure rule: data faults are in
// `issues` and the verdict says the reaction; a positive verdict is never given before the commit.
#pragma once

#include "gateway/base/random.h"
#include "gateway/identity/tokens.h"
#include "gateway/service/judging.h"

#include <functional>
#include <memory>

namespace lotsen::service {

enum class Verdict : std::uint8_t {
  Accepted,   // stored; also for a repeat, which gets the stored answer
  Malformed,  // not readable as the format it claims to be
  Refused,    // readable, but breaks the source schema, an identifier rule or (messages) the FHIR structure
  Forbidden,  // the payload's sender is not the authenticated one, or the channel is not for this partner
  NoChannel,  // no such channel
  Conflict,   // same key, other content; or the envelope of another message
  Duplicate,  // taken before, and this partner wants to hear that instead of the answer of then
  TooLarge,
  Unavailable,  // the store is full, busy or gone: try again later
};

struct Reception {
  Verdict verdict = Verdict::Accepted;
  fhir::Issues issues;
  store::Accepted accepted;  // Accepted: ids and the stored answer; also tells the kinds of Conflict apart
  bool isAcknowledgement = false;
  bool isUnknownCode = false;  // an acknowledgement whose code the partner's dictionary does not have
};

/// A source record or message as it came.
struct Submission {
  const identity::Principal* principal = nullptr;
  std::string_view channel;  // records: "pas/referral"
  std::string_view mediaType;
  std::string_view key;  // Idempotency-Key or X-Request-Id; may be empty
  std::string body;
  std::string_view correlation = {};  // messages: X-Correlation-Id; may be empty
};

class Receptionist {
 public:
  /// `accepted` is called after each commit that left work to do (a wake-up), `judged` is told what validation made of
  /// each message (to count it): both on any thread.
  Receptionist(store::Store& store, Clock& clock, Random& random, std::function<void()> accepted,
               std::function<void(const Judgement&)> judged);

  Reception record(const Configuration& configuration, Submission submission);
  /// A message Bundle for $process-message: a new case for a local system, or the acknowledgement of a message of ours.
  Reception message(const Configuration& configuration, Submission submission);

 private:
  Reception commit(store::AcceptItem item, const Personality& personality, Reception reception);
  Reception refuse(const store::AcceptItem& item, const Personality& personality, Reception reception);
  Reception settle(const std::string& partner, const Personality& personality, store::Accepted accepted,
                   Reception reception);
  void alert(const std::string& partner, const store::Accepted& accepted, Instant now);

  store::Store& store_;
  Clock& clock_;
  Random& random_;
  std::function<void()> accepted_;
  std::function<void(const Judgement&)> judged_;
};

/// Id of the transfer of a case: name-based, so that the records of a case meet in whatever order they come.
store::Id transferIdOf(std::string_view partner, std::string_view caseKey);

}  // namespace lotsen::service
