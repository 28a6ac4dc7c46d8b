// The loss account: what became of each leaf of a source record after transform() ran. A leaf is
//   mapped        a rule made something of it: it was the item of a source, an argument or a value that an expression
//                 used, and something was written because of it; or it was carried over inside a structure. What only a
//                 condition, a check or a log has read is not mapped: it decided, and is gone;
//   dropped       a .drop file says, with a reason, that this path is left behind;
//   unaccounted   neither.
// A leaf that is mapped and could be dropped is mapped. Used by: service (refuses, warns or carries), the verbs
// `transform` and `mapping test`. Thread rule: plain values; pure. Failure rule: faults of a .drop file are Issues.
//
// Form of a .drop file: `Model.path.to.element | reason`, one a line; '#' begins a comment line. A path without indexes
// stands for all of its occurrences, and for everything inside. Rejected: patterns (nobody can tell what they drop in
// the next version of the model), and drops inside the map (FML has no word for it).
#pragma once

#include "gateway/mapping/mapping.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

/// What a map leaves behind on purpose: parsed once, matched by walking, without a text made for each leaf.
class DropList {
 public:
  struct Entry {
    std::string path;  // "PasReferral.patient.address"
    std::string reason;
    std::uint32_t line = 0;
  };

  DropList() = default;
  /// Every path must name an element of `model` (fhir::kNone: a source of unknown structure, taken as it is), once and
  /// not inside of another, and have a reason. Faults are told with file:line:column; Invalid if there is one.
  static Result<DropList> parse(const std::string& file, std::string_view text, const fhir::Schema& schema,
                                fhir::TypeId model, fhir::Issues& issues);

  const std::string& file() const { return file_; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  friend class DropParser;
  friend class LossWalk;
  struct Node {
    std::string text;
    fhir::NameId name = fhir::kNone;  // kNone: the Schema does not know it, compare `text`
    fhir::TypeId only = fhir::kNone;  // `valueString` written out: this variant of the choice
    std::uint32_t entry = 0xffffffffU;
    std::vector<std::uint32_t> children;  // in nodes_
  };
  std::string file_;
  std::vector<Entry> entries_;
  std::vector<Node> nodes_;  // the first is the root; empty: nothing is dropped
};

/// "pas/referral.map" → "pas/referral.drop": where the drops of an entry map stand.
std::string dropFileOf(std::string_view mapFile);

struct LossEntry {
  std::string path;  // "PasReferral.patient.phone"
  fhir::Position at;
};

/// After a run: the leaves of `source` that are unaccounted, in document order. Costs one walk.
std::vector<LossEntry> unaccounted(const fhir::Document& source, const DropList& drops = {});

/// The whole account, in document order.
struct LossAccount {
  struct Mapped : LossEntry {
    std::vector<std::size_t> rules;  // in Trace::rules; each once, in the order in which they were done with it
  };
  struct Dropped : LossEntry {
    std::size_t drop = 0;  // in DropList::entries
  };
  std::vector<Mapped> mapped;
  std::vector<Dropped> dropped;
  std::vector<LossEntry> unaccounted;
};

/// `trace` must be that of the run; without it nobody is named as having mapped a leaf.
LossAccount lossAccount(const fhir::Document& source, const DropList& drops, const Trace& trace = {});

}  // namespace lotsen::mapping
