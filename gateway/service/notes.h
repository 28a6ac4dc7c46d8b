// What one pass over a transfer writes down besides its decisions: the reasons that people read, and the audit rows.
// Used by: case_file.h, thinking.h. Thread rule: one thread. Failure rule: none. No patient data: codes, ids, places.
#pragma once

#include "gateway/fhir/issues.h"
#include "gateway/service/judging.h"
#include "gateway/store/store.h"
#include "gateway/transfer/gates.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::service {

/// Why a transfer waits or is parked. Everything points to static text.
struct Reason {
  std::string_view code, text, remedy, path, textSwedish, remedySwedish;
};

inline Reason reasonOf(const transfer::GateRule& gate) {
  return {gate.code, gate.text, gate.remedy, gate.path, gate.textSwedish, gate.remedySwedish};
}

class Notes {
 public:
  Notes(store::Id transfer, Instant now) : transfer_(std::move(transfer)), now_(now) {}

  /// The same code at the same place is told once.
  void add(const Reason& reason);
  void recordParked(store::RecordKind kind);
  void changedAfterSending();
  void noLocalSystem();
  /// `why`: the reason code of the leg; empty if it has none.
  void deliveryParked(store::Role role, std::string_view why);

  std::string firstCode() const { return reasons_.empty() ? std::string() : std::string(reasons_.front().code); }
  /// [{"code","text","path","remedy","textSv","remedySv"}]
  std::string reasonsJson() const;

  /// `what`: a code or name; `issues`: their rules, texts and places go along.
  void audit(std::string_view action, const store::Id& subject, std::string_view what,
             const fhir::Issues* issues = nullptr);
  /// A person had a delivery made anew as another.
  void remade(const std::string& actor, const std::string& why, const store::Id& old, const store::Id& made);
  /// What validation made of this record or delivery: kept to be counted, and told if it went on with faults.
  void judged(Judgement judgement, const store::Id& subject);
  std::vector<store::AuditEntry> takeAudit() { return std::move(audit_); }
  const std::vector<Judgement>& judgements() const { return judgements_; }

 private:
  const store::Id transfer_;
  const Instant now_;
  std::vector<Reason> reasons_;
  std::vector<store::AuditEntry> audit_;
  std::vector<Judgement> judgements_;
};

/// A transfer's reasons, as they are stored, have this code.
bool hasReason(std::string_view reasonsJson, std::string_view code);

/// The detail of an audit row: a code or name, and the rules, texts and places of issues.
std::string auditDetail(std::string_view what, const fhir::Issues* issues = nullptr);

}  // namespace lotsen::service
