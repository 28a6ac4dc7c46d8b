// What every verb that asks a running gateway takes: where it is, and by what it knows us. Thread rule: one thread.
// Failure rule: Result.
#pragma once

#include "gateway/app/arguments.h"
#include "gateway/outbound/api_client.h"

#include <memory>
#include <vector>

namespace lotsen::app {

/// The verb's own options, with those of a call behind them: --gateway, --token, --ca, --certificate, --key.
std::vector<Option> withGatewayOptions(std::vector<Option> own);

/// Invalid: neither token nor certificate is given, an https gateway without --ca, a file that is wrong.
Result<std::unique_ptr<outbound::ApiClient>> gatewayOf(const Arguments& arguments, milliseconds timeout);

}  // namespace lotsen::app
