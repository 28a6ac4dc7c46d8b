// The records of one transfer, understood: the newest of each kind, its canonical Bundle, and the facts that gates and
// route judge. Steps 1 and 2 of thinking.h. Used by: thinking.h. Thread rule: one thread; it borrows the work. Failure
// rule: a record that cannot be used is parked in changes(), and holds the case while no newer version replaces it.
#pragma once

#include "gateway/service/configuration.h"
#include "gateway/service/notes.h"
#include "gateway/transfer/gates.h"

#include <map>
#include <memory>
#include <vector>

namespace lotsen::service {

/// The newest usable record of a kind.
struct Current {
  const store::Record* record = nullptr;
  const fhir::Document* canonical = nullptr;
  bool isNew = false;  // understood in this pass
  bool held = false;   // a newer version is parked: nothing may build on this one
};

class CaseFile {
 public:
  CaseFile(const Configuration& configuration, const store::TransferWork& work, Notes& notes);

  const Current& current(store::RecordKind kind) const;
  bool isMessage() const { return current_.count(store::RecordKind::Message) != 0; }
  bool anyHeld() const;
  const transfer::Case& facts() const { return facts_; }
  /// The one that the referral names; nullptr if it is not known here.
  const transfer::Agreement* agreement() const { return agreement_; }
  std::vector<store::RecordChange> takeChanges() { return std::move(changes_); }

 private:
  void understandAll(const Configuration& configuration, const store::TransferWork& work);
  void readFacts(const Configuration& configuration, const store::TransferWork& work);
  template <typename Facts>
  void take(std::optional<Facts>& facts, Result<Facts> (*read)(const fhir::Document&, fhir::Issues&),
            store::RecordKind kind);

  Notes& notes_;
  std::map<store::RecordKind, Current> current_;
  std::vector<std::unique_ptr<fhir::Document>> documents_;
  std::vector<store::RecordChange> changes_;
  transfer::Case facts_;
  const transfer::Agreement* agreement_ = nullptr;
};

}  // namespace lotsen::service
