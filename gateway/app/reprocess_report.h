// The report of a dry run as text for a terminal: the counts, then each kind with its groups, the most frequent first.
// Thread rule: pure.
#pragma once

#include "gateway/service/what_if.h"

#include <string>

namespace lotsen::app {

std::string reprocessText(const service::WhatIfAnswer& answer);

}  // namespace lotsen::app
