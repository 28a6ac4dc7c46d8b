// The console's pages as functions from what the store tells to HTML: the list of transfers, and one transfer with its
// timeline and the forms of the operator's verbs, the endpoints. Works without JavaScript, Swedish for clerks. No
// patient data: ids, states, reasons, times. Used by: inbound (serves them, and takes the forms). Thread rule: pure.
// Failure rule: none; every value is escaped.
#pragma once

#include "gateway/service/operator.h"

#include <string>
#include <vector>

namespace lotsen::console {

std::string transfersPage(const std::vector<store::Transfer>& transfers, std::size_t limit);
std::string transferPage(const store::TransferView& view);
std::string endpointsPage(const std::vector<service::EndpointState>& endpoints);
std::string notFoundPage();
/// A form was refused; `why` is shown as it is.
std::string refusedPage(std::string_view why);
/// A verb did not fit a delivery or record; `outcome` as the API tells it. `transfer`: empty if there is none.
std::string notDonePage(const store::Id& transfer, std::string_view outcome);

/// Fields that every page is served with (no script, no frame, no referrer).
extern const char* const kContentSecurityPolicy;

}  // namespace lotsen::console
