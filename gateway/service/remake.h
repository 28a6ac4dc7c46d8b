// Making deliveries anew: with today's maps, from the stored originals, as new messages with identities of their own.
// The old delivery is cancelled (or stays as it is, if the receiver has it), its timeline names the new one, and the
// new message says in its Provenance which one it replaces. Records that today's maps would make something else of are
// understood anew with it, a parked one too. Used by: inbound (POST /api/v1/deliveries/reprocess).
//
// It is a pass of thinking over the transfer, under its lease, so gates are looked at as ever; the dry run is the same
// pass without the save. Rejected: a mark that the next pass of a worker obeys (the asker would never learn what came
// of it); editing the stored bytes (a message's bytes never change, so a new content is a new message).
//
// Thread rule: any thread; one transfer at a time. Failure rule: what a delivery does not allow, or a map that fails,
// is a line of the report and nothing of that transfer is changed; Errors as operator.h.
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

class Remaker {
 public:
  static constexpr std::size_t kMost = 100;  // deliveries an order: each is a mapping

  Remaker(store::Store& store, Clock& clock, Thinker thinker, store::Owner owner, std::function<void()> wake)
      : store_(store), clock_(clock), thinker_(std::move(thinker)), owner_(std::move(owner)), wake_(std::move(wake)) {}

  Result<RemakeReport> run(const Configuration& configuration, const identity::Principal& who,
                           const RemakeOrder& order);

 private:
  using Lines = std::vector<RemakeLine*>;
  Result<RemakeReport> choose(const RemakeOrder& order);
  Status remakeTransfer(const Configuration& configuration, const identity::Principal& who, const RemakeOrder& order,
                        const Lines& lines);
  Result<store::TransferWork> workOf(const store::Id& transfer);
  Status compare(const Configuration& configuration, RemakeLine& line, const store::Delivery& made);

  store::Store& store_;
  Clock& clock_;
  std::mutex mutex_;
  Thinker thinker_;  // guarded by mutex_
  const store::Owner owner_;
  const std::function<void()> wake_;
};

}  // namespace lotsen::service
