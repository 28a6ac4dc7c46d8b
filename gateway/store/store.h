// The storage contract: what the gateway must remember, as use-case verbs. One verb is one transaction. Back ends:
// store/memory (the executable specification), store/sqlite; the conformance suite in tests/store is run on each and is
// the real definition. Used by: service (accept, work on transfers, read), queue (claim, send, finish). Only `app`
// names a back end. Thread rule: every verb may be called from any thread and blocks until the effect is durable.
// The leasing verbs (claimTransfers, claimTransfer, returnTransfer, claim, expireLeases, promoteOrphans, noticeOverdue)
// only promise to be on the disk before anything durable that follows them: a lease that is lost with the power is a
// lease given back, for its holder is gone too. (A back end whose server can fall without its nodes must sync leases as
// well, or fence its nodes: otherwise a token that was lost is given twice.) Failure rule: Busy = nothing happened, try
// again; Conflict = see the verb; Ambiguous = the commit's result is unknown and the process must stop accepting;
// Unavailable/Corrupt = the store is dead, the process ends and the restart recovers.
//
// ## What is stored
//   record    what a sender gave us: original bytes, digest, key; later its canonical form and the hash of its maps
//   transfer  the case; also the unit of work and the lock: whoever holds its work lease may change it
//   delivery  one message or letter on its way to one endpoint (a leg of the transfer), with its bytes once it has them
//   release   (delivery, consent record, BTF record, validity): the permission to send; claim() joins it
//   pause     an endpoint that a person has stopped, with who and why: nothing of it is due until it is resumed
//   key       what a sender named its record or message by, with the digest and our answer; it outlives the record
//   envelope  each envelope in which a message came (Bundle.id), with the key of that message
//   attempt   append only: what we tried and what came back
//   audit     append only, hash-chained; the timeline of a transfer is its audit rows
//
// ## States of a delivery (mayGo() is the whole table; a CHECK constraint and the conformance suite mirror it)
//   Held      waits for other legs of its transfer (dependency); has no bytes yet and no place in its lane
//   Queued    has bytes, but an earlier delivery of the same (transfer, endpoint) is not finished: FIFO
//   Ready     head of its (transfer, endpoint), may be claimed when due
//   Leased    claimed by a node; `sending` tells whether bytes may have left
//   Awaiting  the receiver has it, its business acknowledgement is not here yet; `overdue` once it is missing for
//   longer
//             than agreed, which is told and counted and changes nothing else: a person must ask
//   Resolving bytes may have left and no answer came: resend only to an idempotent receiver, else read back, else a
//             person decides
//   Done, Cancelled (both final), Parked (a person must act; blocks its lane)
// A delivery gets its place in the lane (transfer, endpoint), its `sequence`, when it gets its bytes: one that waits
// for another endpoint's answer, or that was parked before it had bytes (sequence 0), holds nobody up. At most one
// delivery with a place is in Ready/Leased/Awaiting/Resolving/Parked: a unique index guarantees one head.
//
// ## Work on transfers
// accept() and finish() mark the transfer due; claimTransfers() leases due transfers; saveTransfer() writes the outcome
// under the lease token and clears "due" unless something new came meanwhile. So all thinking about one transfer is
// serialised, on any number of nodes, and a crash between accept and thinking loses nothing. Rejected: a job table (a
// second queue to keep in step), optimistic versions (two nodes map the same record and one throws the work away).
//
// ## Repeats (the matrix of R4 messaging 2.4.3: MessageHeader.id is the key, Bundle.id the envelope)
//   key new,  envelope new or none   New: stored
//   key seen, envelope seen or none  Repeat: nothing is written, the answer is the stored one
//   key seen, envelope new           Resent: as Repeat; the envelope is remembered with that key, the audit has a row
//   key seen, other content          KeyReused: nothing is written
//   envelope seen with another key   EnvelopeReused: nothing is written
// Keys and envelopes are each partner's own. They stand apart from records and refer to them by id only, so that
// retention may remove records, and forgetKeys() the keys, in any order. One caller wins among any number at once.
//
// ## Withdrawal
// An accepted consent or BTF record voids the live releases of its transfer in the accept transaction, before anybody
// has understood the record: it may be a withdrawal. The work that follows renews the releases or stops the legs. If it
// comes while somebody is thinking about the transfer, the releases of that thought are void from the start: they were
// decided without it. A delivery without a live release is not claimable and does not count as due.
#pragma once

#include "gateway/base/result.h"
#include "gateway/store/operations.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::store {

struct Record {
  Id id;
  Id transfer;
  RecordKind kind = RecordKind::Referral;
  std::string partner;     // authenticated sender
  std::string channel;     // "pas/referral", "process-message"
  std::string key;         // idempotency key, unique per partner
  std::string digest;      // canonical digest of the body
  std::string businessId;  // the record's own id
  std::int64_t version = 1;
  std::string mediaType;
  std::string body;  // original bytes, for ever unchanged
  Instant receivedAt;
  std::string configRevision;
  RecordState state = RecordState::Accepted;
  std::string reason;     // when Parked: a reason code
  std::string issues;     // OperationOutcome JSON of mapping and validation; may be empty
  std::string canonical;  // canonical Bundle JSON, once Processed
  std::string mapHash;
};

struct Transfer {
  Id id;
  std::string partner;  // who brought the case
  std::string caseKey;  // the referral id in the partner's system
  TransferState state = TransferState::Waiting;
  std::string reasons;    // JSON array of {code, text, path, remedy}: shut gates or why it is parked
  std::string agreement;  // agreement id, once known
  Instant createdAt;
  Instant changedAt;
};

struct Delivery {
  Id id;
  Id transfer;
  Role role = Role::Provider;
  std::string partner;        // the receiver
  std::string endpoint;       // endpoint id of that partner
  std::int64_t sequence = 0;  // order within (transfer, endpoint), given by the store with the bytes; 0: no place yet
  DeliveryState state = DeliveryState::Held;
  std::string messageId;  // MessageHeader.id (UUID); for letters the letter's id
  std::string bundleId;
  std::string mediaType;
  std::string body;       // empty while Held; read with deliveryBody() or in Claimed
  std::string mapHash;    // maps or template that made the body
  std::vector<Id> after;  // must be Done or Cancelled first; what a cancelled one means is service's
  bool needsRelease = false;
  bool sending = false;   // Leased: bytes may have left
  bool overdue = false;   // Awaiting: the acknowledgement is missing for longer than agreed
  bool everSent = false;  // bytes of some attempt may have left
  std::uint32_t attempts = 0;
  std::uint64_t token = 0;
  Instant dueAt;       // Ready, Resolving: may go then; Awaiting: overdue then
  Instant placedAt;    // when it got its place in the lane; none as long as sequence is 0
  Instant deadlineAt;  // after this a retry becomes Parked
  std::string reason;  // Parked, Cancelled: reason code; Ready again: why the last attempt failed
  Instant createdAt;
  Instant finishedAt;
};

/// A delivery has at most one live release: a new one replaces the old.
struct Release {
  Id delivery;
  Id consentRecord;   // empty when no consent is needed (policy): basis says why
  Id btfRecord;       // empty for internal transfers
  Instant validFrom;  // claim() refuses outside [validFrom, validUntil)
  Instant validUntil;
  std::string basis;  // "consent", "internal-policy" …
};

// --- accept
// -------------------------------------------------------------------------------------------------------------

/// An acknowledgement message that came in: what it does to the delivery it names.
struct AckEffect {
  std::string messageId;                   // the request it answers, by MessageHeader.id or Bundle.id
  DeliveryState to = DeliveryState::Done;  // Done, Ready (transient) or Parked (fatal)
  Instant dueAt;                           // for Ready
  std::string reason;                      // for Ready and Parked
};

struct AcceptItem {
  Record record;
  std::string caseKey;   // of the transfer, which is created if it does not exist; an acknowledgement has no transfer
                         // of its own (record.transfer is empty): the store sets that of the delivery it names
  std::string envelope;  // Bundle.id of a message; empty: its sender has no envelopes (records)
  bool voidsReleases = false;  // consent and BTF records
  int answerStatus = 202;      // stored with the record, replayed to a repeat
  std::string answerBody;
  std::optional<AckEffect> acknowledgement;
  std::vector<AuditEntry> audit;
};

/// Applied: the delivery was sent to this partner under this message id and moved (also a parked one, by a positive
/// acknowledgement: the receiver has repaired its fault). Late: it is past caring. Unknown: no such message was ever
/// sent to this partner.
enum class AckResult : std::uint8_t { None, Applied, Unknown, Late };

/// What key, envelope and digest say of a submission; "Repeats" above.
enum class Novelty : std::uint8_t { New, Repeat, Resent, KeyReused, EnvelopeReused };

struct Accepted {
  Novelty novelty = Novelty::New;
  Id record;  // of a reused key or envelope: the one that had it first, with its transfer and without an answer
  Id transfer;
  int answerStatus = 202;
  std::string answerBody;
  AckResult acknowledgement = AckResult::None;

  /// It is stored, now or before: the answer may be given.
  bool stands() const { return novelty <= Novelty::Resent; }
  bool isRepeat() const { return novelty == Novelty::Repeat || novelty == Novelty::Resent; }
};

// --- work on transfers
// --------------------------------------------------------------------------------------------------

struct TransferWork {
  Transfer transfer;
  std::vector<Record> records;       // all of the transfer, oldest first, with bodies and canonical forms
  std::vector<Delivery> deliveries;  // all of it, without bodies
  std::uint64_t token = 0;
};

struct RecordChange {
  Id id;
  RecordState state = RecordState::Processed;
  std::string reason;
  std::string issues;
  std::string canonical;
  std::string mapHash;
};

/// Gives a Held delivery its bytes (it goes to Ready or Queued, due at once; its deadline moves by the time it was
/// held: its clock starts when it may go), parks a Held one, or cancels an unfinished one. A change that the delivery's
/// state does not allow any more (it was leased, acknowledged or finished meanwhile) or not yet (a delivery of `after`
/// is not Done) is skipped and reported in `skipped`. What is Parked is a person's. One that was skipped because the
/// delivery is leased makes the transfer due again as soon as the lease ends.
struct DeliveryChange {
  Id id;
  DeliveryState to = DeliveryState::Ready;  // Ready (the store decides Ready or Queued), Parked, Cancelled
  std::string mediaType;
  std::string body;
  std::string mapHash;
  std::string reason;
};

/// Everything that thinking about a transfer led to, in one transaction.
struct TransferChange {
  Id id;
  std::uint64_t token = 0;  // of the claim; a stale one is refused with Conflict and nothing is written
  TransferState state = TransferState::Waiting;
  std::string reasons;
  std::string agreement;
  std::optional<Instant> dueAt;  // look again then (a BTF that becomes valid, a deadline)
  std::vector<RecordChange> records;
  // Held (no body), Ready (body given; the store makes it Queued when it is not the head) or Parked (no body)
  std::vector<Delivery> created;
  std::vector<DeliveryChange> changed;  // applied before `created`
  std::vector<Release> releases;        // new or renewed, for created and existing deliveries
  std::vector<AuditEntry> audit;
};

struct Saved {
  std::vector<Id> skipped;
};

// --- delivery
// -----------------------------------------------------------------------------------------------------------

/// Which node holds a lease, and its incarnation: a restart is a new epoch.
struct Owner {
  std::string node;
  std::uint64_t epoch = 0;
};

struct Claimed {
  Delivery delivery;                   // with body
  bool resolving = false;              // an earlier attempt is ambiguous
  std::optional<Instant> lastSentAt;   // when resolving: bytes could last have left then
  std::uint32_t sends = 0;             // earlier attempts of which bytes may have left (not those of phase "connect")
  std::optional<Instant> firstSentAt;  // of the first of them
};

/// One claim of a delivery: a node may hold two of the same, an old one that has run out and a new one.
using Lease = std::pair<Id, std::uint64_t>;  // delivery, token

struct AttemptEnd {
  Id delivery;
  std::uint64_t token = 0;
  DeliveryState to = DeliveryState::Done;  // Done, Ready, Awaiting, Resolving, Parked
  Instant dueAt;                           // for Ready and Resolving; for Awaiting: when it is overdue
  std::string reason;                      // for all but Done: a reason code
  std::string outcome;                     // stable class name: "done", "retry", "ambiguous", "fatal" …
  int httpStatus = 0;                      // 0: no answer
  std::string phase;                       // how far the attempt came: "connect", "send", "answer"
  std::string responseDigest;
  std::vector<AuditEntry> audit;
};

/// What one turn of the delivery loop has written.
struct Turned {
  std::vector<Lease> stale;    // of the ends: the token was not valid any more, nothing was changed
  std::vector<Lease> started;  // of the starts: those that may go
  std::vector<Instant> until;  // of each of these: when its release ends; its first byte must leave before
};

/// An endpoint that a person has stopped.
struct Pause {
  std::string endpoint;
  std::string reason;  // in the person's words; never patient data
  std::string actor;   // "operator:<name>"
  Instant since;
};

struct Attempt {
  Id delivery;
  std::uint32_t number = 0;
  std::string node;
  Instant claimedAt;
  std::optional<Instant> sentAt;  // when bytes could first leave
  std::optional<Instant> endedAt;
  std::string outcome;
  int httpStatus = 0;
  std::string phase;
  std::string responseDigest;
};

// --- reading
// ------------------------------------------------------------------------------------------------------------

struct TransferView {
  Transfer transfer;
  std::vector<Record> records;       // without bodies and canonical forms
  std::vector<Delivery> deliveries;  // without bodies
  std::vector<Release> releases;     // live ones
  std::vector<Attempt> attempts;
  std::vector<AuditEntry> timeline;
};

struct TransferFilter {
  std::optional<TransferState> state;
  std::string partner;
  Id after;  // keyset paging: transfers created before this one (newest first)
  std::size_t limit = 50;
};

/// The records that an operator's verb means: all that fit every condition that is set.
struct RecordFilter {
  std::string channel;  // "pas/referral"
  std::optional<RecordState> state;
  std::string mapHash;                 // made with these maps
  std::optional<Instant> from, until;  // received in [from, until)
  Id after;                            // a cursor: RecordPage::next of the page before; empty: from the start
  std::size_t limit = 16;
};

struct RecordPage {
  std::vector<Record> records;  // with bodies and canonical forms, in the order of their ids
  Id next;                      // where the next page goes on; empty: there is none
};

/// Deliveries without bodies, in the order of their ids.
struct DeliveryPage {
  std::vector<Delivery> deliveries;
  Id next;  // where the next page goes on; empty: there is none
};

struct Counts {
  std::vector<std::pair<std::string, std::uint64_t>> transfers;   // by state name
  std::vector<std::pair<std::string, std::uint64_t>> deliveries;  // by state name
  std::uint64_t records = 0;
  std::optional<Instant> oldestReady;  // the earliest dueAt of a claimable delivery
};

/// Ages of a head at which somebody should look.
inline constexpr std::chrono::minutes kHeadAges[] = {std::chrono::minutes(15), std::chrono::hours(4),
                                                     std::chrono::hours(24)};

/// What somebody should look at, now.
struct Alarms {
  std::array<std::uint64_t, 3> oldHeads{};  // Ready, Leased, Resolving and placed longer ago than kHeadAges
  std::uint64_t overdue = 0;                // acknowledgements
  std::vector<Pause> paused;                // by endpoint
};

class Store {
 public:
  virtual ~Store() = default;

  /// A new incarnation of this node; leases of its earlier ones are taken back: claimed-only attempts go to Ready,
  /// those whose bytes may have left to Resolving, work leases are dropped.
  virtual Result<Owner> openNode(std::string_view node, Instant now) = 0;

  /// Stores what is new and answers what is not, see "Repeats". The transfer is created if it is not there, and is due
  /// from receivedAt on if the record is still to be worked on (state Accepted). Invalid: an id that is not a UUID, an
  /// empty partner or key.
  virtual Result<Accepted> accept(AcceptItem item) = 0;
  /// What accept() would answer to something that it has seen, in part or whole; none if it is new. Writes nothing: to
  /// find the answer of before for what would not be taken today.
  virtual Result<std::optional<Accepted>> seen(const AcceptItem& item) = 0;
  /// Looks at the `limit` oldest keys and the `limit` oldest envelopes and forgets those that came before `before`.
  /// Returns how many: 0 means that none is that old. What comes under a forgotten key is new.
  virtual Result<std::size_t> forgetKeys(Instant before, std::size_t limit) = 0;

  /// Leases up to `limit` due transfers (oldest due first) to `owner` until `leaseUntil`. Conflict, here and in
  /// claim(): the owner is not the newest incarnation of its node.
  virtual Result<std::vector<TransferWork>> claimTransfers(const Owner& owner, std::size_t limit, Instant now,
                                                           Instant leaseUntil) = 0;
  /// One result a change, in their order; each stands for itself, though all are made durable together. Conflict: stale
  /// token. Invalid: the change does not fit what is stored (unknown ids, a second delivery of the same id, a body
  /// where none may be). Nothing is written of that one then.
  virtual std::vector<Result<Saved>> saveTransfers(std::vector<TransferChange> changes, Instant now) = 0;
  Result<Saved> saveTransfer(TransferChange change, Instant now);
  /// The same for one transfer, due or not, for what a person asks. NotFound; Busy: somebody thinks about it.
  virtual Result<TransferWork> claimTransfer(const Owner& owner, const Id& transfer, Instant now,
                                             Instant leaseUntil) = 0;
  /// Gives the lease back without a change (the work failed for a reason of ours); the transfer is due again at
  /// `dueAt`.
  virtual Status returnTransfer(const Id& transfer, std::uint64_t token, Instant dueAt) = 0;

  /// Leases up to `limit` due heads (Ready or Resolving) of this endpoint and writes their attempt rows. A delivery
  /// that needs a release is claimed only with a live one that is valid now; an expired one is voided and the transfer
  /// marked due instead; one that is not valid yet moves the delivery's dueAt to its start. Nothing of a paused
  /// endpoint.
  virtual Result<std::vector<Claimed>> claim(const Owner& owner, std::string_view endpoint, std::size_t limit,
                                             Instant now, Instant leaseUntil) = 0;
  /// One turn of the delivery loop in one transaction, so that it waits for the disk once.
  /// `ends`: ends attempts; a stale token changes nothing and is reported. Promotes the next of each (transfer,
  /// endpoint) that is Done; marks the transfer due whenever a delivery became Done or Parked. `starts`, after that:
  /// before the first byte leaves, marks the attempts as sending. Reported are those that may go; a release that was
  /// voided or has expired since the claim takes its delivery out (it goes back to where it came from, unsent).
  virtual Result<Turned> turn(std::vector<AttemptEnd> ends, const std::vector<Lease>& starts, Instant now) = 0;
  /// turn() with starts alone, which returns those that may go; and with ends alone, which returns the stale ones.
  Result<std::vector<Lease>> startSending(const std::vector<Lease>& claimed, Instant now);
  Result<std::vector<Lease>> finish(std::vector<AttemptEnd> ends, Instant now);
  /// Leases whose time is over, of any node, on deliveries and transfers: as openNode() treats them. Returns how many.
  virtual Result<std::size_t> expireLeases(Instant now) = 0;
  /// Safety net: promotes heads that nobody promoted. Anything but 0 is an alarm.
  virtual Result<std::size_t> promoteOrphans(Instant now) = 0;

  /// Marks Awaiting deliveries whose acknowledgement is overdue, each once, with an audit row
  /// ("acknowledgement-overdue"). Returns how many; a bounded number a call.
  virtual Result<std::size_t> noticeOverdue(Instant now) = 0;

  /// Stops an endpoint, or replaces why; what is leased goes on. `audit` is written in the same transaction.
  virtual Status pauseEndpoint(Pause pause, AuditEntry audit) = 0;
  virtual Status resumeEndpoint(std::string_view endpoint, AuditEntry audit) = 0;  // NotFound: it is not paused

  /// People's verbs, one result each in their order; operations.h says what each does. All that are applied are made
  /// durable together. Invalid: nothing was written.
  virtual Result<std::vector<Intervened>> intervene(std::vector<Intervention> interventions, Instant now) = 0;

  /// Endpoints that are not paused with at least one due head, for the delivery loop; and when the next one falls due.
  virtual Result<std::vector<std::string>> dueEndpoints(Instant now, std::optional<Instant>& nextDue) = 0;

  virtual Result<TransferView> transfer(const Id& id) = 0;  // NotFound
  virtual Result<std::vector<Transfer>> transfers(const TransferFilter& filter) = 0;
  virtual Result<Record> record(const Id& id) = 0;  // with body
  /// One page of a walk over the records. It looks at a bounded number of rows and bytes, so it may be shorter than
  /// `limit`, even empty, although more follow: only an empty `next` is the end. Ids are ordered by time: what is
  /// accepted during the walk may be seen or not. Invalid: `after` is not a UUID.
  virtual Result<RecordPage> records(const RecordFilter& filter) = 0;
  virtual Result<Delivery> delivery(const Id& id) = 0;  // with body
  /// One page of a walk over the deliveries, as records() over records. Invalid: a cursor that is no UUID.
  virtual Result<DeliveryPage> deliveries(const DeliveryFilter& filter) = 0;
  /// By name; one at which nothing of this stands is not told of.
  virtual Result<std::vector<EndpointFigures>> endpoints() = 0;
  virtual Result<Counts> counts() = 0;
  virtual Result<Alarms> alarms(Instant now) = 0;
  /// Appends audit rows that belong to no transfer: what somebody asked for and looked at.
  virtual Status note(std::vector<AuditEntry> entries) = 0;
  /// Checks the audit chain from its start; Corrupt names the first broken row.
  virtual Status verifyAudit() = 0;

  /// Retention: one step of a walk over the transfers after `after` (empty: from the start). Removes what has been kept
  /// for long enough of those that are over, and a stretch of the audit's head; `now` is that of the audit row that
  /// says so. Over: Completed or Withdrawn, nothing due, nobody thinks about it, every delivery Done or Cancelled.
  /// Bounded in transfers looked at and in rows and bytes removed, so a walk is many steps. What is removed may be
  /// there again after the power has gone. Invalid: the cursor is no UUID.
  virtual Result<Purged> purge(const Retention& retention, const Id& after, Instant now) = 0;
};

}  // namespace lotsen::store
