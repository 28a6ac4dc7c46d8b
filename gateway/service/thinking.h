// Thinking about a transfer: everything between a committed record and a committed leg. Reads the records of one
// transfer, decides by the gates and the route, and says in one TransferChange what follows. No I/O: given the same
// work, configuration, clock and random source it says the same. Used by: worker.h. Thread rule: one thread per Thinker
// (it owns the fonts of its letters). Failure rule: data faults park the record, delivery or transfer with a reason; an
// Error means that we could not think (our own fault) and the work is returned.
//
// The order of one pass:
//   1 understand   map, validate and account for each new record; a faulty one is parked
//   2 choose       the newest version of each kind; a parked newer version holds the case
//   3 stop         refused or withdrawn consent: unsent legs are cancelled, sent ones recalled
//   4 hold         shut gates: the reasons are stored, nothing leaves
//   5 release      legs with their ids and bytes, and the release rows that let them be claimed
//   6 follow       legs whose predecessors are done get their bytes (letters, deregistration, receipt)
#pragma once

#include "gateway/base/random.h"
#include "gateway/letter/fonts.h"
#include "gateway/service/legs.h"

#include <functional>
#include <map>
#include <set>

namespace lotsen::service {

/// What a person has asked for in this pass: legs made anew, as new messages, or that a change after sending is told no
/// more. One of the two.
struct Remake {
  std::set<store::Id> deliveries;
  bool delivered = false;  // also what the receiver has, or may have
  bool settles = false;
  std::string actor, why;
  std::map<store::Id, store::Id> made;  // out: the new one of each; what is not here cannot be made anew now
};

class Thinker {
 public:
  /// `judged` is told what validation made of each record and message (to count it).
  Thinker(Clock& clock, Random& random, std::unique_ptr<letter::Fonts> fonts,
          std::function<void(const Judgement&)> judged)
      : clock_(clock), random_(random), fonts_(std::move(fonts)), judged_(std::move(judged)) {}
  /// `remake`: with legs made anew, nothing else is released.
  Result<store::TransferChange> think(const Configuration& configuration, const store::TransferWork& work,
                                      Remake* remake = nullptr);

 private:
  Clock& clock_;
  Random& random_;
  std::unique_ptr<letter::Fonts> fonts_;
  std::function<void(const Judgement&)> judged_;
};

}  // namespace lotsen::service
