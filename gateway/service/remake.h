// Taking up again with today's maps and configuration, from the stored originals, what yesterday's made or could not.
// Used by: inbound (POST …/deliveries/reprocess, …/records/reprocess, …/transfers/{id}/settle, the console).
//   run()     makes deliveries anew, as new messages with identities of their own. The old delivery is cancelled (or
//             stays as it is, if the receiver has it), its timeline names the new one, and the new message says in its
//             Provenance which one it replaces. Records that today's maps would make something else of are understood
//             anew with it, a parked one too.
//
//   reopen()  understands parked records anew, as if they had come now: what follows is what follows a new record. One
//             that would be parked again stays as it is.
//
//   settle()  ends the reason changed-after-sending of a transfer: a person has decided that the receiver needs
//             nothing new.
//
// Each is a pass of thinking over the transfer, under its lease, so gates are looked at as ever; the dry run is the
// same pass without the save. Rejected: a mark that the next pass of a worker obeys (the asker would never learn what
// came of it); editing the stored bytes (a message's bytes never change, so a new content is a new message).
//
// Thread rule: any thread; one transfer at a time. Failure rule: what a delivery or record does not allow, or a map
// that fails, is a line of the report and nothing of it is changed; Errors as operator.h.
#pragma once

#include "gateway/service/current.h"
#include "gateway/service/operator.h"
#include "gateway/service/thinking.h"
#include "gateway/service/tree_difference.h"

#include <mutex>

namespace lotsen::service {

struct RemakeOrder {
  Selection which;  // without states, a filter means parked ones
  bool dryRun = false;
  bool delivered = false;  // also what the receiver has, or may have: it gets a second message
  std::string why;
};

struct RemakeLine {
  store::Delivery old;                  // without body; only the id if there is none
  std::string_view outcome;             // store::name(Intervened), kMayHaveArrived, kGatesShut, kMapFails, kBusy
  store::Id made;                       // the new delivery; in a dry run: one such
  std::string parked;                   // why the new one would be, or is, parked at once
  std::vector<Difference> differences;  // of the two messages; ids and times of making left out
};

inline constexpr std::string_view kGatesShut = "gates-shut";  // the transfer waits: nothing may be made
inline constexpr std::string_view kMapFails = "map-fails";    // a record that was usable would not be any more
inline constexpr std::string_view kBusy = "busy";             // somebody thinks about the transfer: ask again

struct RemakeReport {
  bool dryRun = false;
  std::uint64_t applied = 0;
  std::vector<RemakeLine> lines;
};

/// Parked records that fit every condition that is set.
struct ParkedFilter {
  std::string reason;
  std::string partner;  // who sent it
  std::string channel;
  store::Id transfer;
  std::optional<Instant> receivedBefore;
};

struct ReopenOrder {
  std::vector<store::Id> records;  // these, or
  std::optional<ParkedFilter> filter;
  std::optional<std::uint64_t> expected;  // by filter and not dry: how many are meant
  std::size_t most = 100;
  bool dryRun = false;
  std::string why;
};

struct ReopenLine {
  store::Record record;      // as it was found, without body and canonical form; only the id if there is none
  std::string_view outcome;  // name(Applied), name(Unknown), kNotParked, kOriginalRemoved, kMapFails, kBusy
  std::string reasonNow;     // kMapFails: why it would be parked today
  std::string firstFault;    // and the rule and place of the first fault
};

inline constexpr std::string_view kNotParked = "not-parked";
inline constexpr std::string_view kOriginalRemoved = "original-removed";  // by retention: nothing to understand

struct ReopenReport {
  bool dryRun = false;
  std::uint64_t applied = 0;      // understood, or would be
  std::vector<ReopenLine> lines;  // by ids: all; by filter: those that are meant
};

class Remaker {
 public:
  static constexpr std::size_t kMost = 100;         // deliveries an order: each is a mapping, compared
  static constexpr std::size_t kMostRecords = 500;  // records an order: each is a mapping

  Remaker(store::Store& store, Clock& clock, Thinker thinker, store::Owner owner, std::function<void()> wake)
      : store_(store), clock_(clock), thinker_(std::move(thinker)), owner_(std::move(owner)), wake_(std::move(wake)) {}

  Result<RemakeReport> run(const Configuration& configuration, const identity::Principal& who,
                           const RemakeOrder& order);
  Result<ReopenReport> reopen(const Configuration& configuration, const identity::Principal& who,
                              const ReopenOrder& order);
  /// NotFound: no such transfer; Conflict: there is nothing to settle; Busy: somebody thinks about it.
  Status settle(const Configuration& configuration, const identity::Principal& who, const store::Id& transfer,
                std::string_view why);

 private:
  using Lines = std::vector<RemakeLine*>;
  using Reopened = std::vector<ReopenLine*>;
  Result<RemakeReport> choose(const RemakeOrder& order);
  Status remakeTransfer(const Configuration& configuration, const identity::Principal& who, const RemakeOrder& order,
                        const Lines& lines);
  Status compare(const Configuration& configuration, RemakeLine& line, const store::Delivery& made);

  // reopen.cc
  Result<ReopenReport> choose(const ReopenOrder& order);
  Status reopenTransfer(const Configuration& configuration, const identity::Principal& who, const ReopenOrder& order,
                        const Reopened& lines);
  Result<store::TransferChange> thinkOpen(const Configuration& configuration, store::TransferWork& work,
                                          Reopened& open);

  // A pass, one after the other: work, thought, and save or giveBack; in a dry run neither lease nor save.
  Result<store::TransferWork> take(const store::Id& transfer, bool dryRun);  // Busy: somebody thinks about it
  Result<store::TransferWork> workOf(const store::Id& transfer);
  Result<store::TransferChange> think(const Configuration& configuration, const store::TransferWork& work,
                                      Remake* remake);
  Status giveBack(const store::TransferWork& work, bool dryRun);

  store::Store& store_;
  Clock& clock_;
  std::mutex mutex_;
  Thinker thinker_;  // guarded by mutex_
  const store::Owner owner_;
  const std::function<void()> wake_;
};

}  // namespace lotsen::service
