// Step 1 of thinking: from the original bytes of one record to its canonical Bundle.
// Thread rule: pure. Failure rule: a faulty record is Parked with a reason and its issues; never an exception, never
// dropped.
#pragma once

#include "gateway/service/configuration.h"

#include <optional>

namespace lotsen::service {

struct Understood {
  store::RecordChange change;
  std::optional<fhir::Document> canonical;  // when Processed
};

/// Maps a new record (channel map, validation, loss account), or reads the canonical form of one that was mapped
/// before.
Understood understand(const Configuration& configuration, const store::Record& record, Instant now);

}  // namespace lotsen::service
