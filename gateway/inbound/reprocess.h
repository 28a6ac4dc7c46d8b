// POST /api/v1/reprocess on the wire: the body that asks for it, and the report. openapi.json describes both.
// What the operator's verbs have in common stands here: `dryRun`, `filter`, `after`, `limit`, `why`. Used by: api.cc;
// app. Thread rule: pure. Failure rule: faults of a body go to `issues` with the member's path; none is passed over.
#pragma once

#include "gateway/service/what_if.h"

#include <optional>
#include <string>
#include <string_view>

namespace lotsen::inbound {

struct Reprocess {
  bool dryRun = false;
  service::WhatIfRequest request;
};

/// nullopt: `issues` says every fault. An unknown member is one: a condition that is spelled wrong must not select all.
std::optional<Reprocess> readReprocess(std::string_view body, fhir::Issues& issues);

/// The body that asks for it.
std::string reprocessBody(const Reprocess& reprocess);

std::string reprocessJson(const service::WhatIfAnswer& answer);
/// What reprocessJson() wrote, for the asking side. Invalid: it is something else.
Result<service::WhatIfAnswer> readReprocessJson(std::string_view text);

}  // namespace lotsen::inbound
