// People's verbs, and what they look at first.
#include "gateway/base/random.h"
#include "gateway/store/memory/state.h"
#include "gateway/store/rules.h"

#include <algorithm>

namespace lotsen::store {

TransferWork MemoryStore::State::lease(StoredTransfer& row, const Owner& owner, Instant leaseUntil) {
  row.lease = Lease{owner, leaseUntil};
  row.arrivalsAtClaim = row.arrivals;
  row.voidedSinceClaim = false;
  TransferWork work{row.transfer, {}, {}, ++row.token};
  for (const Id& id : row.records) work.records.push_back(records.at(id));
  for (const Id& id : row.deliveries) {
    work.deliveries.push_back(deliveries.at(id).delivery);
    work.deliveries.back().body.clear();
  }
  return work;
}

Result<TransferWork> MemoryStore::claimTransfer(const Owner& owner, const Id& transfer, Instant, Instant leaseUntil) {
  std::lock_guard lock(mutex_);
  if (!state_->isCurrent(owner)) return oldIncarnation(owner);
  const auto found = state_->transfers.find(transfer);
  if (found == state_->transfers.end()) return fail(Code::NotFound, "no transfer " + transfer);
  if (found->second.lease) return beingThoughtAbout(transfer);
  return state_->lease(found->second, owner, leaseUntil);
}

Intervened MemoryStore::State::intervene(Intervention& intervention, Instant now) {
  const auto found = deliveries.find(intervention.delivery);
  if (found == deliveries.end()) return Intervened::Unknown;
  StoredDelivery& row = found->second;
  Delivery& delivery = row.delivery;
  const Intervening judged =
      judgeIntervention(intervention.verb, {delivery.state, delivery.reason, delivery.sequence > 0, delivery.everSent});
  if (judged.outcome != Intervened::Applied) return judged.outcome;
  delivery.reason = judged.reason;
  if (judged.to == DeliveryState::Ready || judged.to == DeliveryState::Resolving) {
    delivery.dueAt = intervention.dueAt;
    delivery.deadlineAt = intervention.deadlineAt;
  }
  if (judged.to != delivery.state) go(row, judged.to, now);
  markDue(delivery.transfer, now);
  write(delivery.transfer, {std::move(intervention.audit)});
  return Intervened::Applied;
}

Result<std::vector<Intervened>> MemoryStore::intervene(std::vector<Intervention> interventions, Instant now) {
  LOTSEN_TRY_DO(checkInterventions(interventions));
  std::lock_guard lock(mutex_);
  std::vector<Intervened> outcomes;
  outcomes.reserve(interventions.size());
  for (Intervention& each : interventions) outcomes.push_back(state_->intervene(each, now));
  return outcomes;
}

Result<DeliveryPage> MemoryStore::deliveries(const DeliveryFilter& filter) {
  LOTSEN_TRY_DO(checkFilter(filter));
  std::lock_guard lock(mutex_);
  DeliveryPage page;
  std::size_t rows = 0;
  for (auto row = state_->deliveries.upper_bound(filter.after); row != state_->deliveries.end(); ++row) {
    if (rows == kDeliveryPageRows || page.deliveries.size() == filter.limit) return page;
    const Delivery& delivery = row->second.delivery;
    ++rows;
    page.next = delivery.id;
    if (!fits(filter, delivery)) continue;
    page.deliveries.push_back(delivery);
    page.deliveries.back().body.clear();
  }
  page.next.clear();
  return page;
}

Result<std::vector<EndpointFigures>> MemoryStore::endpoints() {
  std::lock_guard lock(mutex_);
  std::map<std::string, EndpointFigures> figures;
  for (const auto& [id, row] : state_->deliveries) {
    const Delivery& delivery = row.delivery;
    const bool ready = state_->claimable(row), inFlight = delivery.state == DeliveryState::Leased,
               parked = delivery.state == DeliveryState::Parked;
    if (!ready && !inFlight && !parked && !delivery.overdue) continue;
    EndpointFigures& each = figures[delivery.endpoint];
    each.endpoint = delivery.endpoint;
    each.ready += ready ? 1 : 0;
    each.inFlight += inFlight ? 1 : 0;
    each.parked += parked ? 1 : 0;
    each.overdue += delivery.overdue ? 1 : 0;
  }
  std::vector<EndpointFigures> all;
  all.reserve(figures.size());
  for (auto& [endpoint, each] : figures) all.push_back(std::move(each));
  return all;
}

}  // namespace lotsen::store
