#include "gateway/service/remake.h"

#include "gateway/fhir/forms.h"
#include "gateway/service/arrival.h"
#include "gateway/service/notes.h"
#include "gateway/service/reasons.h"

#include <algorithm>
#include <map>

namespace lotsen::service {

namespace {

using store::DeliveryState;
using store::Intervened;
using store::RecordState;

constexpr auto kLease = std::chrono::seconds(60);

/// Why a delivery cannot be made anew, before anybody has thought about it; Applied: it can.
std::string_view judge(const store::Delivery& delivery, bool delivered) {
  switch (delivery.state) {
    case DeliveryState::Cancelled: return name(Intervened::Ended);
    case DeliveryState::Leased: return name(Intervened::Leased);
    case DeliveryState::Done:
    case DeliveryState::Awaiting:
      if (!delivered) return name(Intervened::HasIt);
      break;
    case DeliveryState::Resolving: return name(Intervened::Unresolved);
    case DeliveryState::Parked:
      if (mayHaveArrived(delivery) && !delivered) return kMayHaveArrived;
      break;
    default: return name(Intervened::UnderWay);
  }
  return name(Intervened::Applied);
}

/// Records that today's maps have not made, to be understood anew.
void reopenOlder(const Configuration& configuration, std::vector<store::Record>& records) {
  for (store::Record& record : records) {
    const auto channel = configuration.channels.find(record.channel);
    if (channel == configuration.channels.end() || record.body.empty()) continue;
    const bool parked = record.state == RecordState::Parked;
    const bool older = record.state == RecordState::Processed && record.mapHash != channel->second.map->hash();
    if (parked || older) record.state = RecordState::Accepted;
  }
}

/// A record that was usable and would not be any more.
bool spoils(const store::TransferChange& change, const std::vector<store::Record>& stored) {
  return std::any_of(change.records.begin(), change.records.end(), [&](const store::RecordChange& each) {
    if (each.state != RecordState::Parked) return false;
    return std::any_of(stored.begin(), stored.end(), [&](const store::Record& record) {
      return record.id == each.id && record.state == RecordState::Processed;
    });
  });
}

void replaceAll(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

Result<RemakeReport> Remaker::choose(const RemakeOrder& order) {
  RemakeReport report;
  report.dryRun = order.dryRun;
  for (const store::Id& id : order.which.deliveries) {
    auto delivery = store_.delivery(id);
    if (!delivery.ok() && delivery.error().code != Code::NotFound) return delivery.error();
    RemakeLine line;
    line.old.id = id;
    line.outcome = name(Intervened::Unknown);
    if (delivery.ok()) {
      line.old = std::move(*delivery);
      line.old.body.clear();
      line.outcome = judge(line.old, order.delivered);
    }
    report.lines.push_back(std::move(line));
  }
  if (!order.which.filter) return report;
  store::DeliveryFilter filter = *order.which.filter;
  if (filter.states.empty()) filter.states = {DeliveryState::Parked};
  LOTSEN_TRY(auto found, find(store_, filter, order.which.most, [](const store::Delivery&) { return true; }));
  for (store::Delivery& each : found) {
    RemakeLine line;
    line.outcome = judge(each, order.delivered);
    line.old = std::move(each);
    report.lines.push_back(std::move(line));
  }
  return report;
}

Result<RemakeReport> Remaker::run(const Configuration& configuration, const identity::Principal& who,
                                  const RemakeOrder& order) {
  const bool byFilter = order.which.filter.has_value();
  LOTSEN_TRY_DO(checkSelection("deliveries", order.which.deliveries.size(), byFilter, order.which.most, kMost));
  if (!order.dryRun) LOTSEN_TRY_DO(checkWhy(order.why));
  LOTSEN_TRY(RemakeReport report, choose(order));
  std::map<store::Id, Lines> transfers;
  std::uint64_t meant = 0;
  for (RemakeLine& line : report.lines) {
    if (line.outcome != name(Intervened::Applied)) continue;
    transfers[line.old.transfer].push_back(&line);
    ++meant;
  }
  if (byFilter && !order.dryRun) LOTSEN_TRY_DO(checkCount("deliveries", order.which.expected, meant));
  for (const auto& [transfer, lines] : transfers) LOTSEN_TRY_DO(remakeTransfer(configuration, who, order, lines));
  for (const RemakeLine& line : report.lines) report.applied += line.outcome == name(Intervened::Applied) ? 1 : 0;
  if (!order.dryRun && report.applied > 0) wake_();
  return report;
}

Result<store::TransferWork> Remaker::take(const store::Id& transfer, bool dryRun) {
  const Instant now = clock_.now();
  return dryRun ? workOf(transfer) : store_.claimTransfer(owner_, transfer, now, now + kLease);
}

Status Remaker::giveBack(const store::TransferWork& work, bool dryRun) {
  return dryRun ? done() : store_.returnTransfer(work.transfer.id, work.token, clock_.now());
}

Result<store::TransferChange> Remaker::think(const Configuration& configuration, const store::TransferWork& work,
                                             Remake* remake) {
  const std::lock_guard lock(mutex_);
  return thinker_.think(configuration, work, remake);
}

/// What the pass would get, without the lease.
Result<store::TransferWork> Remaker::workOf(const store::Id& transfer) {
  LOTSEN_TRY(store::TransferView view, store_.transfer(transfer));
  store::TransferWork work;
  work.transfer = std::move(view.transfer);
  work.deliveries = std::move(view.deliveries);
  for (const store::Record& each : view.records) {
    LOTSEN_TRY(store::Record whole, store_.record(each.id));
    work.records.push_back(std::move(whole));
  }
  return work;
}

Status Remaker::remakeTransfer(const Configuration& configuration, const identity::Principal& who,
                               const RemakeOrder& order, const Lines& lines) {
  auto work = take(lines.front()->old.transfer, order.dryRun);
  if (!work.ok() && work.error().code == Code::Busy) {
    for (RemakeLine* line : lines) line->outcome = kBusy;
    return done();
  }
  LOTSEN_TRY_DO(work.ok() ? done() : Status(work.error()));
  // What came in just now is weighed by a pass of its own: here it would be taken for what was there before.
  if (std::any_of(work->records.begin(), work->records.end(),
                  [](const store::Record& each) { return each.state == RecordState::Accepted; })) {
    for (RemakeLine* line : lines) line->outcome = kBusy;
    return giveBack(*work, order.dryRun);
  }
  const std::vector<store::Record> stored = work->records;
  reopenOlder(configuration, work->records);

  Remake remake;
  remake.delivered = order.delivered;
  remake.actor = "operator:" + who.partner;
  remake.why = order.why;
  for (const RemakeLine* line : lines) remake.deliveries.insert(line->old.id);
  auto change = think(configuration, *work, &remake);
  if (!change.ok()) {
    LOTSEN_TRY_DO(giveBack(*work, order.dryRun));
    return change.error();
  }
  const bool spoilt = spoils(*change, stored);
  for (RemakeLine* line : lines) {
    const auto made = remake.made.find(line->old.id);
    if (spoilt || made == remake.made.end()) {
      line->outcome = spoilt ? kMapFails : kGatesShut;
      continue;
    }
    line->made = made->second;
    for (const store::Delivery& each : change->created) {
      if (each.id != line->made) continue;
      line->parked = each.reason;
      if (!order.dryRun) continue;
      LOTSEN_TRY_DO(compare(configuration, *line, each));
    }
  }
  if (order.dryRun) return done();
  if (spoilt || remake.made.empty()) return giveBack(*work, order.dryRun);
  const auto saved = store_.saveTransfer(std::move(*change), clock_.now());
  if (saved.ok()) return done();
  if (saved.error().code != Code::Conflict) return saved.error();
  for (RemakeLine* line : lines) line->outcome = kBusy;  // the lease ran out: another pass has it
  return done();
}

Status Remaker::settle(const Configuration& configuration, const identity::Principal& who, const store::Id& transfer,
                       std::string_view why) {
  LOTSEN_TRY_DO(checkWhy(why));
  LOTSEN_TRY(const store::TransferWork work, take(transfer, false));
  if (!hasReason(work.transfer.reasons, reason::kChangedAfterSending)) {
    LOTSEN_TRY_DO(giveBack(work, false));
    return fail(Code::Conflict, "nothing to settle: transfer " + transfer + " does not have the reason " +
                                    std::string(reason::kChangedAfterSending));
  }
  Remake remake;
  remake.settles = true;
  auto change = think(configuration, work, &remake);
  if (!change.ok()) {
    LOTSEN_TRY_DO(giveBack(work, false));
    return change.error();
  }
  change->audit.insert(change->audit.begin(),
                       {clock_.now(), "operator:" + who.partner, "change-settled", {}, {}, whyDetail(why)});
  const auto saved = store_.saveTransfer(std::move(*change), clock_.now());
  if (!saved.ok() && saved.error().code == Code::Conflict)
    return fail(Code::Busy, "somebody else thinks about transfer " + transfer + "; ask again");  // the lease ran out
  if (!saved.ok()) return saved.error();
  wake_();
  return done();
}

/// By place, never by value. What must differ is left out: the identity of the message and of its sending.
Status Remaker::compare(const Configuration& configuration, RemakeLine& line, const store::Delivery& made) {
  LOTSEN_TRY(const store::Delivery old, store_.delivery(line.old.id));
  if (old.body.empty() || made.body.empty() || old.mediaType != "application/fhir+json" ||
      made.mediaType != old.mediaType)
    return done();
  std::string text = made.body;
  replaceAll(text, made.messageId, old.messageId);
  replaceAll(text, made.bundleId, old.bundleId);
  fhir::Issues ignored;
  const auto before = fhir::readJson(old.body, configuration.schema(), {}, ignored);
  const auto after = fhir::readJson(text, configuration.schema(), {}, ignored);
  if (!before.ok() || !after.ok()) return done();
  line.differences = differences(*before, *after, {});
  return done();
}

}  // namespace lotsen::service
