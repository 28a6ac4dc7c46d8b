// The steps that records and messages share on their way in. Private to reception.cc and message_reception.cc.
// Thread rule: pure.
#pragma once

#include "gateway/service/reception.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace lotsen::service {

/// A flat JSON object.
std::string members(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);

/// What a reader's fault leads to.
Verdict verdictOf(const fhir::Issues& issues, const Error& error);

/// True if this partner may call itself so: by HSA-id or address.
bool mayName(const Partner& partner, std::string_view sender);
/// The fault of one that may not; `place`: where it says so.
void refuseSender(Reception& reception, std::string_view place);

}  // namespace lotsen::service
