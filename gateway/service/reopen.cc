#include "gateway/fhir/outcome.h"
#include "gateway/service/remake.h"

#include <algorithm>
#include <map>
#include <set>

namespace lotsen::service {

namespace {

using store::Intervened;
using store::Record;
using store::RecordState;

constexpr std::size_t kPage = 16;  // records held at a time: they come with their bytes

ReopenLine lineOf(Record record) {
  ReopenLine line;
  line.outcome = record.state != RecordState::Parked ? kNotParked
                 : record.body.empty()               ? kOriginalRemoved
                                                     : name(Intervened::Applied);
  line.record = std::move(record);
  line.record.body.clear();
  line.record.canonical.clear();
  return line;
}

bool fits(const ParkedFilter& filter, const Record& record) {
  return (filter.reason.empty() || record.reason == filter.reason) &&
         (filter.partner.empty() || record.partner == filter.partner) &&
         (filter.transfer.empty() || record.transfer == filter.transfer);
}

/// All that the filter means, oldest first; Invalid if they are more than `most`.
Result<std::vector<ReopenLine>> find(store::Store& store, const ParkedFilter& filter, std::size_t most) {
  std::vector<ReopenLine> found;
  store::RecordFilter walk;
  walk.channel = filter.channel;
  walk.state = RecordState::Parked;
  walk.until = filter.receivedBefore;
  walk.limit = kPage;
  do {
    LOTSEN_TRY(store::RecordPage page, store.records(walk));
    for (Record& each : page.records) {
      if (!fits(filter, each)) continue;
      if (found.size() == most)
        return fail(Code::Invalid,
                    "the filter means more than " + std::to_string(most) + " records; narrow it, or allow more");
      found.push_back(lineOf(std::move(each)));
    }
    walk.after = page.next;
  } while (!walk.after.empty());
  return found;
}

std::string firstFault(const std::string& outcome) {
  const auto issues = fhir::readOutcome(outcome);
  if (!issues.ok()) return {};
  for (const auto& issue : issues->list()) {
    if (issue.severity > fhir::Severity::Error) continue;
    const std::string& place = issue.expression.empty() ? issue.source : issue.expression;
    return place.empty() ? issue.rule : issue.rule + " " + place;
  }
  return {};
}

Record* recordOf(store::TransferWork& work, const store::Id& id) {
  const auto found = std::find_if(work.records.begin(), work.records.end(), [&](const auto& r) { return r.id == id; });
  return found == work.records.end() ? nullptr : &*found;
}

}  // namespace

Result<ReopenReport> Remaker::choose(const ReopenOrder& order) {
  ReopenReport report;
  report.dryRun = order.dryRun;
  if (order.filter) {
    LOTSEN_TRY(report.lines, find(store_, *order.filter, order.most));
    return report;
  }
  for (const store::Id& id : std::set(order.records.begin(), order.records.end())) {
    auto record = store_.record(id);
    if (!record.ok() && record.error().code != Code::NotFound) return record.error();
    if (record.ok()) {
      report.lines.push_back(lineOf(std::move(*record)));
      continue;
    }
    ReopenLine& line = report.lines.emplace_back();
    line.record.id = id;
    line.outcome = name(Intervened::Unknown);
  }
  return report;
}

Result<ReopenReport> Remaker::reopen(const Configuration& configuration, const identity::Principal& who,
                                     const ReopenOrder& order) {
  const bool byFilter = order.filter.has_value();
  LOTSEN_TRY_DO(checkSelection("records", order.records.size(), byFilter, order.most, kMostRecords));
  if (!order.dryRun) LOTSEN_TRY_DO(checkWhy(order.why));
  LOTSEN_TRY(ReopenReport report, choose(order));
  if (byFilter && !order.dryRun) LOTSEN_TRY_DO(checkCount("records", order.expected, report.lines.size()));
  std::map<store::Id, Reopened> transfers;
  for (ReopenLine& line : report.lines) {
    if (line.outcome == name(Intervened::Applied)) transfers[line.record.transfer].push_back(&line);
  }
  for (const auto& [transfer, lines] : transfers) LOTSEN_TRY_DO(reopenTransfer(configuration, who, order, lines));
  for (const ReopenLine& line : report.lines) report.applied += line.outcome == name(Intervened::Applied) ? 1 : 0;
  if (!order.dryRun && report.applied > 0) wake_();
  return report;
}

Status Remaker::reopenTransfer(const Configuration& configuration, const identity::Principal& who,
                               const ReopenOrder& order, const Reopened& lines) {
  const auto tellBusy = [](const Reopened& these) {
    for (ReopenLine* line : these) line->outcome = kBusy;
    return done();
  };
  auto work = take(lines.front()->record.transfer, order.dryRun);
  if (!work.ok()) return work.error().code == Code::Busy ? tellBusy(lines) : Status(work.error());
  Reopened open;
  for (ReopenLine* line : lines) {
    Record* record = recordOf(*work, line->record.id);
    const bool parked = record != nullptr && record->state == RecordState::Parked;
    if (parked) open.push_back(line);
    if (!parked) line->outcome = kNotParked;  // it has been taken up meanwhile
  }
  for (const ReopenLine* line : open) recordOf(*work, line->record.id)->state = RecordState::Accepted;

  auto change = thinkOpen(configuration, *work, open);
  if (!change.ok() || open.empty()) {
    LOTSEN_TRY_DO(giveBack(*work, order.dryRun));
    return change.ok() ? done() : Status(change.error());
  }
  if (order.dryRun) return done();
  std::vector<store::AuditEntry> rows;
  for (const ReopenLine* line : open)
    rows.push_back({clock_.now(),
                    "operator:" + who.partner,
                    "record-reprocessed",
                    {},
                    line->record.id,
                    whyDetail(order.why, "was", line->record.reason)});
  change->audit.insert(change->audit.begin(), rows.begin(), rows.end());
  const auto saved = store_.saveTransfer(std::move(*change), clock_.now());
  if (saved.ok()) return done();
  return saved.error().code == Code::Conflict ? tellBusy(open)  // the lease ran out: another pass has it
                                              : Status(saved.error());
}

/// The thought in which every record of `open` is understood. One that would be parked again leaves it and is parked as
/// before, and all is thought once more: what it holds up depends on it.
Result<store::TransferChange> Remaker::thinkOpen(const Configuration& configuration, store::TransferWork& work,
                                                 Reopened& open) {
  for (;;) {
    LOTSEN_TRY(auto change, think(configuration, work, nullptr));
    const auto fails = [&](ReopenLine* line) {
      const auto made = std::find_if(change.records.begin(), change.records.end(),
                                     [&](const auto& each) { return each.id == line->record.id; });
      if (made != change.records.end() && made->state == RecordState::Processed) return false;
      line->outcome = kMapFails;
      if (made != change.records.end()) line->reasonNow = made->reason;
      if (made != change.records.end()) line->firstFault = firstFault(made->issues);
      recordOf(work, line->record.id)->state = RecordState::Parked;
      return true;
    };
    if (std::erase_if(open, fails) == 0 || open.empty()) return change;
  }
}

}  // namespace lotsen::service
