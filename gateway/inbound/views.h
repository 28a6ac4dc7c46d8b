// JSON of /api/v1: transfers and their timelines as gateway/inbound/openapi.json describes them. No patient data: ids,
// states, reasons, times. Thread rule: pure. Failure rule: none.
#pragma once

#include "gateway/store/store.h"

#include <string>
#include <vector>

namespace lotsen::inbound {

std::string transferJson(const store::TransferView& view);
std::string transfersJson(const std::vector<store::Transfer>& transfers, std::size_t limit);

}  // namespace lotsen::inbound
