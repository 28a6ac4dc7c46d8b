// Step 1 of thinking: from the original bytes of one record to its canonical Bundle.
// Thread rule: pure. Failure rule: a faulty record is Parked with a reason and its issues; never an exception, never
// dropped.
#pragma once

#include "gateway/service/judging.h"

#include <optional>

namespace lotsen::service {

struct Understood {
  store::RecordChange change;
  std::optional<fhir::Document> canonical;  // when Processed
  std::optional<Judgement> judgement;       // when it came so far
};

/// Maps a new record (channel map, validation, loss account), or reads the canonical form of one that was mapped
/// before. The map's now() is the time at which the record was received, whenever it is mapped.
Understood understand(const Configuration& configuration, const store::Record& record);

/// True if the canonical Bundle does not hold all of its record, so that the original must go along to whoever gets all
/// of it: the channel says `carry`, and some field is unaccounted. The Bundle says so itself, by meta.tag SUBSETTED.
bool needsOriginal(const fhir::Document& canonical);

}  // namespace lotsen::service
