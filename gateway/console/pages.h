// The console's pages as functions from what the store tells to HTML: the list of transfers, and one transfer with its
// timeline. Read-only, works without JavaScript, Swedish for clerks. No patient data: ids, states, reasons, times. Used
// by: inbound (serves them). Thread rule: pure. Failure rule: none; every value is escaped.
#pragma once

#include "gateway/store/store.h"

#include <string>
#include <vector>

namespace lotsen::console {

std::string transfersPage(const std::vector<store::Transfer>& transfers, std::size_t limit);
std::string transferPage(const store::TransferView& view);
std::string notFoundPage();

/// Fields that every page is served with (no script, no frame, no referrer).
extern const char* const kContentSecurityPolicy;

}  // namespace lotsen::console
