// People's verbs, and what they look at first.
#include "gateway/base/random.h"
#include "gateway/store/rules.h"
#include "gateway/store/sqlite/verbs.h"

#include <map>

namespace lotsen::store::sqlite {

namespace {

constexpr auto kDeliveryRowById = join(kDeliveryRow, "WHERE id = ?1");
// Parked ones have an index of their own: they are what people mostly mean, and few among millions.
constexpr auto kDeliveriesAfter = join(kDelivery, "WHERE d.id > ?1 ORDER BY d.id LIMIT ?2");
constexpr auto kParkedAfter = join(kDelivery, "WHERE d.id > ?1 AND d.state = 'parked' ORDER BY d.id LIMIT ?2");
constexpr auto kOfTransferAfter =
    join(kDelivery, "WHERE d.transfer = (SELECT row FROM transfer WHERE id = ?3) AND d.id > ?1 ORDER BY d.id LIMIT ?2");

struct Found {
  DeliveryRow row;
  bool hasPlace = false, everSent = false;
  Id transfer;
};

std::optional<Found> find(Connection& db, const Id& delivery) {
  if (!isUuid(delivery)) return std::nullopt;
  Found found;
  {
    Statement statement = db.prepare(kDeliveryRowById.data());
    if (!statement.bind(toUuid(delivery)).step()) return std::nullopt;
    found.row = readDeliveryRow(statement);
  }
  Statement statement = db.prepare(
      "SELECT d.sequence IS NOT NULL, d.ever_sent, t.id FROM delivery d JOIN transfer t ON t.row = d.transfer WHERE "
      "d.row = ?1");
  statement.bind(found.row.row).step();
  found.hasPlace = statement.integer(0) != 0;
  found.everSent = statement.integer(1) != 0;
  found.transfer = statement.uuid(2);
  return found;
}

}  // namespace

Intervened intervene(Write& write, const Intervention& intervention, Instant now) {
  Connection& db = write.db;
  const std::optional<Found> found = find(db, intervention.delivery);
  if (!found) return Intervened::Unknown;
  const DeliveryRow& row = found->row;
  const Intervening judged =
      judgeIntervention(intervention.verb, {row.state, row.reason, found->hasPlace, found->everSent});
  if (judged.outcome != Intervened::Applied) return judged.outcome;
  if (judged.to == row.state) {
    db.prepare("UPDATE delivery SET reason = ?2 WHERE row = ?1").bind(row.row, judged.reason).run();
  } else if (judged.to == DeliveryState::Ready || judged.to == DeliveryState::Resolving) {
    db.prepare("UPDATE delivery SET deadline_at = ?2 WHERE row = ?1").bind(row.row, intervention.deadlineAt).run();
    go(db, row, judged.to, judged.reason, intervention.dueAt, now);
  } else {
    go(db, row, judged.to, judged.reason, std::nullopt, now);
  }
  markDue(db, row.transfer, now);
  writeAudit(write, {intervention.audit}, found->transfer, row.transfer);
  return Intervened::Applied;
}

Result<DeliveryPage> deliveries(Connection& db, const DeliveryFilter& filter) {
  const bool parked = filter.states.size() == 1 && filter.states[0] == DeliveryState::Parked;
  DeliveryPage page;
  if (!filter.transfer.empty() && !isUuid(filter.transfer)) return page;
  std::size_t rows = 0;
  // One row more than may be looked at: it tells that there are more, and its columns are not read.
  constexpr auto kRows = static_cast<std::int64_t>(kDeliveryPageRows) + 1;
  const Uuid after = filter.after.empty() ? Uuid{} : toUuid(filter.after);
  Statement statement = db.prepare(!filter.transfer.empty() ? kOfTransferAfter.data()
                                   : parked                 ? kParkedAfter.data()
                                                            : kDeliveriesAfter.data());
  if (filter.transfer.empty()) {
    statement.bind(after, kRows);
  } else {
    statement.bind(after, kRows, toUuid(filter.transfer));
  }
  while (statement.step()) {
    if (rows == kDeliveryPageRows || page.deliveries.size() == filter.limit) return page;
    Delivery delivery = readDelivery(statement);
    ++rows;
    page.next = delivery.id;
    if (!fits(filter, delivery)) continue;
    delivery.after = readAfter(db, statement.integer(0));
    page.deliveries.push_back(std::move(delivery));
  }
  page.next.clear();
  return page;
}

Result<std::vector<EndpointFigures>> endpoints(Connection& db) {
  std::map<std::string, EndpointFigures> figures;
  const auto read = [&](const char* sql, std::uint64_t EndpointFigures::*figure) {
    Statement statement = db.prepare(sql);
    for (statement.bind(); statement.step();) {
      EndpointFigures& each = figures[statement.text(0)];
      each.endpoint = statement.text(0);
      each.*figure = static_cast<std::uint64_t>(statement.integer(1));
    }
  };
  read("SELECT endpoint, count(*) FROM delivery WHERE claimable GROUP BY endpoint", &EndpointFigures::ready);
  read("SELECT endpoint, count(*) FROM delivery WHERE lease_until IS NOT NULL GROUP BY endpoint",
       &EndpointFigures::inFlight);
  read("SELECT endpoint, count(*) FROM delivery WHERE overdue = 1 GROUP BY endpoint", &EndpointFigures::overdue);
  read("SELECT endpoint, count(*) FROM delivery WHERE state = 'parked' GROUP BY endpoint", &EndpointFigures::parked);
  std::vector<EndpointFigures> all;
  all.reserve(figures.size());
  for (auto& [endpoint, each] : figures) all.push_back(std::move(each));
  return all;
}

}  // namespace lotsen::store::sqlite
