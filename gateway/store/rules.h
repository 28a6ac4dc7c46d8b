// What every back end must decide alike: where a lost lease leads, whether an acknowledgement applies, what input a
// verb refuses. Pure functions, so that a back end is left with storing. Used by the back ends; judgeIntervention() by
// service too, to say beforehand what a verb would do. Thread rule: any thread. Failure rule: the check functions
// return Invalid with a message for the programmer.
#pragma once

#include "gateway/crypto/digest.h"
#include "gateway/store/store.h"

namespace lotsen::store {

/// Done or Cancelled: nothing moves it any more.
bool isFinished(DeliveryState state);
/// States of which a lane (transfer, endpoint) has at most one.
bool isHead(DeliveryState state);

/// Ready, Resolving, Awaiting: an attempt that ends so says when something is due.
bool hasDueTime(DeliveryState state);

/// Where a delivery goes when its lease ends without an answer. `resolving`: an earlier attempt is ambiguous already.
DeliveryState afterLostLease(bool sending, bool resolving);

/// What key, envelope and digest of `item` say of it. `digest`: stored with its key; an empty one fits any content.
/// `envelopeKey`: the key that its envelope came with first.
Novelty judgeNovelty(const AcceptItem& item, const std::optional<std::string>& digest,
                     const std::optional<std::string>& envelopeKey);

/// What an acknowledgement does to a delivery of its partner and message id. `everSent`: bytes of some attempt may have
/// left. REQUIRES: `to` is Done, Ready or Parked.
AckResult judgeAcknowledgement(DeliveryState state, bool everSent, DeliveryState to);

/// Thinking may change a delivery in this state to `to`. REQUIRES: `to` is Ready, Parked or Cancelled.
bool mayChange(DeliveryState to, DeliveryState state, bool dependenciesFinished);

/// What a person's verb meets.
struct Standing {
  DeliveryState state = DeliveryState::Held;
  std::string_view reason;
  bool hasPlace = false;  // in its lane: it has, or had, its bytes
  bool everSent = false;  // bytes of some attempt may have left
};
/// What the verb does: `to` and `reason` if it is Applied (`to` may be the state it is in).
struct Intervening {
  Intervened outcome = Intervened::Applied;
  DeliveryState to = DeliveryState::Ready;
  std::string_view reason = {};
};
Intervening judgeIntervention(Verb verb, const Standing& standing);
/// Where a Queued one goes whose turn has come.
DeliveryState promotedTo(std::string_view reason);

// Input that is wrong whatever is stored.
Status checkAccept(const AcceptItem& item);
Status checkChange(const TransferChange& change);
Status checkAudit(const std::vector<AuditEntry>& entries);
Status checkEnds(const std::vector<AttemptEnd>& ends);
Status checkFilter(const RecordFilter& filter);
Status checkFilter(const DeliveryFilter& filter);
Status checkCursor(const Id& after);
Status checkInterventions(const std::vector<Intervention>& interventions);

/// Every condition that is set holds; the cursor is not one of them.
bool fits(const RecordFilter& filter, const Record& record);
bool fits(const DeliveryFilter& filter, const Delivery& delivery);

// What bounds one page of a walk over the deliveries, and over the records.
inline constexpr std::size_t kDeliveryPageRows = 2048;
inline constexpr std::size_t kPageRows = 256;                    // looked at, whether they fit or not
inline constexpr std::size_t kPageBytes = std::size_t{4} << 20;  // of bodies and canonical forms; at least one record

/// The audit row of a message that came again in a new envelope.
AuditEntry resentEntry(const AcceptItem& item, const Id& record);

// --- retention

/// How a transfer stands.
struct Standstill {
  TransferState state = TransferState::Waiting;
  bool due = false, leased = false;
  Instant last;             // anything that happened to it
  bool unfinished = false;  // a delivery, or a record that nobody has looked at yet
};
/// When it came to its end; none: it has not.
std::optional<Instant> endOfTransfer(const Standstill& stands);

inline constexpr std::size_t kPurgeTransfers = 64;                // looked at in a step
inline constexpr std::size_t kPurgeRows = 200;                    // removed
inline constexpr std::size_t kPurgeBytes = std::size_t{1} << 20;  // of bodies; at least one
inline constexpr std::size_t kPurgeAudit = 200;                   // audit rows of a cut, no more and no fewer

/// What one step may still remove.
class PurgeBudget {
 public:
  /// False: it is used up.
  bool take(std::size_t bytes) {
    if (rows_ == kPurgeRows || bytes_ >= kPurgeBytes) return false;
    ++rows_;
    bytes_ += bytes;
    return true;
  }

 private:
  std::size_t rows_ = 0, bytes_ = 0;
};

// The audit's head is cut in whole stretches. The last row of what goes stays as the anchor: its hash is where the
// chain goes on, its content is gone. A row at the end of the chain tells of the cut and of that hash, so that a head
// which somebody else has cut is noticed.
inline constexpr std::string_view kAuditAnchor = "audit-anchor";
inline constexpr std::string_view kAuditCut = "audit-cut";
AuditEntry auditAnchor(Instant at);
AuditEntry auditCut(const crypto::Digest256& anchor, std::size_t rows, Instant now);
/// Corrupt: the newest cut that the chain tells of (its detail; empty: none) is not the one of this anchor.
Status checkAnchor(const crypto::Digest256& anchor, std::string_view newestCut);

/// The audit row of an acknowledgement that is missing.
AuditEntry overdueEntry(const Id& delivery, Instant now);
inline constexpr std::size_t kOverdueRows = 256;  // at most a call

// What two back ends say alike.
Error notPaused(std::string_view endpoint);
Error beingThoughtAbout(const Id& transfer);
Error staleWork(const Id& transfer);
Error oldIncarnation(const Owner& owner);

// Attempts that ended without an answer of the receiver: the stable names of how.
inline constexpr std::string_view kLeaseLost = "lease-lost";
inline constexpr std::string_view kReleaseVoid = "release-void";
inline constexpr std::string_view kAcknowledged = "acknowledged";  // the acknowledgement overtook the answer

}  // namespace lotsen::store
