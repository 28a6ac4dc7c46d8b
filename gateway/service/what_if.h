// What would another mapping have made of the records that are stored? Each record that fits the filter is mapped anew
// from its original bytes with the given maps, as reception would (map, validation, loss account, facts that the gates
// need), and compared with what is stored. Nothing is changed. Used by: inbound (POST /api/v1/reprocess).
//
// The report holds counts, places, rules and record ids, never a value: it is read over many patients at once, and the
// access to each one's data could not be logged (patientdatalagen 4 kap. 3 §). Who needs a value looks at one record.
//
// A walk over many records is many calls: each ends at its limit or after kTime and tells where the next goes on. The
// reports of the calls add up: counts by addition, groups by (kind, path, rule). Only one call runs at a time, so a
// what-if never takes more than one processor from the records that come in.
//
// Rejected: comparing two runs (what is stored is what was sent, whatever the current maps say); a job with a table of
// its own (a dry run leaves nothing behind, so it needs no state); values behind a flag (see above).
//
// Thread rule: any thread; Busy while another call runs. Failure rule: a record that cannot be mapped is part of the
// report; an Error means no report.
#pragma once

#include "gateway/identity/principal.h"
#include "gateway/service/configuration.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lotsen::service {

enum class Finding : std::uint8_t {
  NowFails,        // was usable and is not any more; rule and path say why
  FailsOtherwise,  // was parked and still would be, for this reason
  NowSucceeds,     // was parked for this reason and would be usable
  Unaccounted,     // a source field that no rule makes anything of any more
  Accounted,       // a source field that nothing was made of before and is now
  ValueChanged,
  Added,
  Removed,
  OrderChanged,
  NewWarning,
  GoneWarning,
  Unreadable,  // the stored result cannot be read with today's definitions
};
/// "now-fails", "fails-otherwise", "value-changed" …
std::string_view name(Finding finding);
std::optional<Finding> findingOf(std::string_view name);

/// All differences of one kind at one place.
struct FindingGroup {
  std::uint64_t records = 0;        // that have at least one
  std::uint64_t count = 0;          // of all of them
  std::string text;                 // of the first issue, where an issue is the reason
  std::vector<store::Id> examples;  // the first records, at most kExamples
};

struct WhatIfReport {
  struct Key {
    Finding finding = Finding::ValueChanged;
    std::string path;  // FHIRPath without indexes; of the record for source fields and issues about them
    std::string rule;  // of the issue, or the reason code
    auto operator<=>(const Key&) const = default;
  };
  std::uint64_t examined = 0, same = 0, different = 0, nowFail = 0, nowSucceed = 0, stillFail = 0;
  std::uint64_t waiting = 0;                       // not mapped yet: nothing to compare with
  std::map<std::string, std::uint64_t> mapHashes;  // the maps that made what is stored: how many records
  std::map<Key, FindingGroup> groups;
  std::uint64_t leftOut = 0;  // differences beyond kGroups groups
};

/// The report of two calls on different records.
void add(WhatIfReport& report, const WhatIfReport& more);

struct WhatIfRequest {
  std::vector<mapping::MapText> maps;     // the first is the entry map, whose source says which channels are meant
  std::optional<mapping::MapText> drops;  // the .drop file that goes with them; none: that of each channel stays
  store::RecordFilter filter;             // an empty channel: all that take what the map takes; limit: records examined
  std::string why;                        // what the person who asks gives as reason, for the audit
};

struct WhatIfAnswer {
  std::string mapHash;  // of the given maps
  std::vector<std::string> mapWarnings;
  Instant startedAt;  // a walk of many calls that looks at what was received before this one's first call has an end
  std::vector<std::string> channels;
  WhatIfReport report;
  store::Id next;  // RecordFilter::after of the next call; empty: that was all
};

class WhatIf {
 public:
  static constexpr std::size_t kLimit = 1000;  // records a call
  static constexpr milliseconds kTime{2'000};  // after which a call ends with the record at hand
  static constexpr std::size_t kGroups = 1000, kExamples = 5;

  WhatIf(store::Store& store, Clock& clock) : store_(store), clock_(clock) {}

  /// An answer is given only once its audit row is durable: who, why, which filter and maps, how far it came.
  /// Invalid: the maps have faults, or fit no channel; `issues` has them.
  /// Busy: another call runs. Else as the store. REQUIRES: at least one map, a limit of at least 1.
  Result<WhatIfAnswer> run(const Configuration& configuration, const identity::Principal& who, WhatIfRequest request,
                           fhir::Issues& issues);

 private:
  store::Store& store_;
  Clock& clock_;
  std::atomic<bool> running_{false};
};

}  // namespace lotsen::service
