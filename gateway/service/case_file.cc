#include "gateway/service/case_file.h"

#include "gateway/fhir/outcome.h"
#include "gateway/service/reasons.h"
#include "gateway/service/understanding.h"

#include <algorithm>

namespace lotsen::service {

using store::RecordKind;
using store::RecordState;

CaseFile::CaseFile(const Configuration& configuration, const store::TransferWork& work, Notes& notes) : notes_(notes) {
  understandAll(configuration, work);
  if (!isMessage()) readFacts(configuration, work);
}

const Current& CaseFile::current(RecordKind kind) const {
  static const Current kNothing;
  const auto found = current_.find(kind);
  return found == current_.end() ? kNothing : found->second;
}

bool CaseFile::anyHeld() const {
  return std::any_of(current_.begin(), current_.end(), [](const auto& entry) { return entry.second.held; });
}

void CaseFile::understandAll(const Configuration& configuration, const store::TransferWork& work) {
  for (const auto& record : work.records) {
    if (record.kind == RecordKind::Acknowledgement) continue;
    Current& current = current_[record.kind];
    const bool newer = current.record == nullptr || record.version >= current.record->version;
    if (record.state == RecordState::Processed && !newer) continue;
    bool usable = record.state != RecordState::Parked;
    if (usable) {
      auto understood = understand(configuration, record);
      usable = understood.canonical.has_value();
      if (record.state == RecordState::Accepted) {
        if (understood.judgement) notes_.judged(std::move(*understood.judgement), record.id);
        notes_.audit(usable ? "record-understood" : "record-parked", record.id, understood.change.reason);
        changes_.push_back(std::move(understood.change));
      }
      if (usable && newer) {
        documents_.push_back(std::make_unique<fhir::Document>(std::move(*understood.canonical)));
        current = {&record, documents_.back().get(), record.state == RecordState::Accepted, false};
      }
    }
    if (!usable && newer) {
      current.held = true;
      notes_.recordParked(record.kind);
    }
  }
}

void CaseFile::readFacts(const Configuration& configuration, const store::TransferWork& work) {
  facts_.source = work.transfer.partner;
  take(facts_.referral, transfer::referralFacts, RecordKind::Referral);
  take(facts_.consent, transfer::consentFacts, RecordKind::Consent);
  take(facts_.btf, transfer::btfFacts, RecordKind::Btf);
  if (!facts_.referral) return;
  const auto found = configuration.agreements.find(facts_.referral->agreement);
  if (found != configuration.agreements.end()) agreement_ = &found->second;
}

// A canonical form that the gates cannot read is as good as a parked record: the case waits for a new version.
template <typename Facts>
void CaseFile::take(std::optional<Facts>& facts, Result<Facts> (*read)(const fhir::Document&, fhir::Issues&),
                    RecordKind kind) {
  const auto found = current_.find(kind);
  if (found == current_.end() || found->second.canonical == nullptr) return;
  fhir::Issues issues;
  auto result = read(*found->second.canonical, issues);
  if (result.ok()) {
    facts = std::move(*result);
    return;
  }
  found->second.held = true;
  notes_.recordParked(kind);
  for (auto& change : changes_) {
    if (change.id != found->second.record->id) continue;
    change.state = RecordState::Parked;
    change.reason = reason::kCanonicalInvalid;
    change.issues = fhir::operationOutcome(issues);
  }
}

}  // namespace lotsen::service
