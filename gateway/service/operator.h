// What an operator asks of deliveries and endpoints: one plain struct, one function that applies it. Deliveries are
// named by id, or meant by a filter. A filter is dangerous, so it is a dry run unless the asker says how many it must
// mean: a set that has changed since is refused, and nothing is done. Who and why stand in the timeline of each
// transfer, written with the change. Used by: inbound (API and console), which the command line calls.
//
// What goes again by a filter is spread over time by due times (`perSecond`), so the rate holds whatever becomes of the
// asker. A filter never resends what may have arrived unless it names the reason: that is a decision for each message.
//
// Thread rule: any thread. Failure rule: Invalid: no reason given, too many, an endpoint that nobody has configured;
// Conflict: the filter means another number than expected; NotFound: resume of what is not paused; else as the store.
// What a single delivery does not allow is no error but a line that says so.
#pragma once

#include "gateway/identity/principal.h"
#include "gateway/service/configuration.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lotsen::service {

/// Which deliveries: these, or all that fit.
struct Selection {
  std::vector<store::Id> deliveries;
  std::optional<store::DeliveryFilter> filter;
  std::optional<std::uint64_t> expected;  // by filter and not dry: how many are meant
  std::size_t most = 100;
};

struct Order {
  store::Verb verb = store::Verb::Resend;
  Selection which;
  bool dryRun = false;
  std::uint32_t perSecond = 10;  // by filter: resend and release
  std::string why;               // for the audit; no patient data
};

struct OrderLine {
  store::Delivery delivery;  // as it was found, without body; only the id if there is none
  std::string_view outcome;  // store::name(Intervened), or kMayHaveArrived
};

struct OrderReport {
  bool dryRun = false;
  std::uint64_t applied = 0;     // or would be
  std::vector<OrderLine> lines;  // by ids: all; by filter: those that are meant
};

/// A filter does not resend it: somebody must ask the receiver first.
inline constexpr std::string_view kMayHaveArrived = "may-have-arrived";

/// What there is of one configured endpoint.
struct EndpointState {
  store::EndpointFigures figures;
  std::optional<store::Pause> pause;
};

class Operator {
 public:
  static constexpr std::size_t kMost = 10'000;  // deliveries an order
  static constexpr std::size_t kLongestWhy = 500;

  /// `wake`: the delivery loop and the workers should look.
  Operator(store::Store& store, Clock& clock, std::function<void()> wake)
      : store_(store), clock_(clock), wake_(std::move(wake)) {}

  Result<OrderReport> run(const identity::Principal& who, const Order& order);

  Status pause(const Configuration& configuration, const identity::Principal& who, std::string endpoint,
               std::string why);
  Status resume(const identity::Principal& who, std::string_view endpoint, std::string_view why);
  /// All that are configured, and what else something stands at.
  Result<std::vector<EndpointState>> endpoints(const Configuration& configuration);

 private:
  Result<OrderReport> choose(const Order& order);
  Status apply(const identity::Principal& who, const Order& order, OrderReport& report);

  store::Store& store_;
  Clock& clock_;
  const std::function<void()> wake_;
};

/// Invalid: no reason, or one that is too long.
Status checkWhy(std::string_view why);
/// Invalid: not one of ids and filter, or more than `limit`. `what`: "deliveries".
Status checkSelection(std::string_view what, std::size_t named, bool byFilter, std::size_t most, std::size_t limit);
/// By filter: Invalid without a number that is expected, Conflict if another is meant.
Status checkCount(std::string_view what, std::optional<std::uint64_t> expected, std::uint64_t meant);
/// {"why": …} and what else is given, as the detail of an audit row.
std::string whyDetail(std::string_view why, std::string_view name = {}, std::string_view value = {});

/// All deliveries that a filter means; Invalid if they are more than `most`.
Result<std::vector<store::Delivery>> find(store::Store& store, store::DeliveryFilter filter, std::size_t most,
                                          const std::function<bool(const store::Delivery&)>& wanted);

}  // namespace lotsen::service
