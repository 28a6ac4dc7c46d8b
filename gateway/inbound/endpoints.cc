#include "gateway/inbound/endpoints.h"

namespace lotsen::inbound {

namespace {

http::Response healthResponse(const observe::Health::Report& report) {
  http::Response response = http::Response::json(report.good ? 200 : 503, observe::healthJson(report));
  response.fields.push_back({"Cache-Control", "no-store"});
  return response;
}

}  // namespace

void addObservation(Router& router, const observe::Metrics& metrics, const observe::Health& health) {
  router.add("GET", "/metrics", [&metrics](const Call&) {
    return http::Response::text(200, metrics.exposition(), "text/plain; version=0.0.4; charset=utf-8");
  });
  router.add("GET", "/health/live", [&health](const Call&) { return healthResponse(health.live()); });
  router.add("GET", "/health/ready", [&health](const Call&) { return healthResponse(health.ready()); });
}

}  // namespace lotsen::inbound
