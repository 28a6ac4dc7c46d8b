// The routes that every gateway has, whatever it forwards: metrics and health.
// Thread rule: the handlers run on any thread; what they borrow must outlive the router. Failure rule: none.
#pragma once

#include "gateway/inbound/router.h"
#include "gateway/observe/health.h"
#include "gateway/observe/metrics.h"

namespace lotsen::inbound {

/// GET /metrics (Prometheus text), GET /health/live, GET /health/ready (200, or 503 with the reasons as JSON). They
/// tell nothing about patients and partners and ask for no token: orchestrators and scrapers have none.
void addObservation(Router& router, const observe::Metrics& metrics, const observe::Health& health);

}  // namespace lotsen::inbound
