// The routes of the gateway itself: /intake, /fhir, /api/v1, /console. What they answer is described in
// docs/openapi.json (served at /api/v1/openapi.json). Every answer to a fault is an OperationOutcome with a rule, a
// place and a remedy. Used by: app. Thread rule: handlers run on many threads; what they borrow outlives the server.
// Failure rule: a Result or verdict of service becomes a status by one table (verdictStatus); nothing else decides
// statuses.
#pragma once

#include "gateway/identity/credentials.h"
#include "gateway/inbound/router.h"
#include "gateway/inbound/server.h"
#include "gateway/service/current.h"
#include "gateway/service/operator.h"
#include "gateway/service/reception.h"
#include "gateway/service/remake.h"
#include "gateway/service/what_if.h"

#include <atomic>
#include <memory>

namespace lotsen::inbound {

struct ApiParts {
  store::Store& store;
  service::Current& configuration;
  service::Receptionist& receptionist;
  service::WhatIf& whatIf;
  service::Operator& desk;
  service::Remaker& remaker;
  identity::CurrentCredentials& credentials;
  Clock& clock;
  observe::Metrics& metrics;
  const std::atomic<bool>& accepting;  // false: the store has failed or we are stopping: 503
  std::string openApi;                 // the file's text
  std::size_t bodyLimit;               // of records and messages
};

class Api {
 public:
  explicit Api(ApiParts parts);
  void addTo(Router& router);

  /// For Application::admit: a request of nobody known is refused before its body is read.
  std::optional<http::Response> admit(const http::Request& head, const ConnectionInfo& connection) const;

 private:
  Result<identity::Principal> principal(const http::Request& request, const ConnectionInfo& connection) const;
  http::Response intake(const Call& call, const identity::Principal& who);
  http::Response processMessage(const Call& call, const identity::Principal& who);
  http::Response metadata() const;
  http::Response transfers(const Call& call, const identity::Principal& who) const;
  http::Response transfer(const Call& call, const identity::Principal& who) const;
  http::Response deliveryBody(const Call& call, const identity::Principal& who) const;
  http::Response reprocess(const Call& call, const identity::Principal& who) const;
  // api_operator.cc
  http::Response order(const Call& call, const identity::Principal& who) const;
  http::Response remake(const Call& call, const identity::Principal& who) const;
  http::Response reopen(const Call& call, const identity::Principal& who) const;
  http::Response deliveries(const Call& call, const identity::Principal& who) const;
  http::Response endpoints(const Call& call, const identity::Principal& who) const;
  http::Response pause(const Call& call, const identity::Principal& who) const;
  http::Response resume(const Call& call, const identity::Principal& who) const;
  http::Response stopOrGo(const Call& call, const identity::Principal& who, bool stop) const;
  http::Response settle(const Call& call, const identity::Principal& who) const;

  // api_console.cc
  http::Response consoleList(const Call& call, const identity::Principal& who) const;
  http::Response consoleTransfer(const Call& call, const identity::Principal& who) const;
  http::Response consoleEndpoints(const Call& call, const identity::Principal& who) const;
  http::Response consoleOrder(const Call& call, const identity::Principal& who) const;
  http::Response consoleReopen(const Call& call, const identity::Principal& who) const;
  http::Response consolePause(const Call& call, const identity::Principal& who) const;
  http::Response consoleSettle(const Call& call, const identity::Principal& who) const;
  void count(const service::Reception& reception, std::string_view kind) const;
  /// `personality`: of the partner whose message it was; none: it was a record.
  http::Response received(const service::Reception& reception, const service::Personality* personality) const;

  ApiParts parts_;
};

/// A fault as an OperationOutcome, with what its status demands beside it.
http::Response outcome(int status, std::string_view rule, std::string text,
                       const service::Personality* personality = nullptr);
/// 503: nothing is taken in at the moment.
http::Response unavailable(const service::Personality* personality = nullptr);

/// A fault as an OperationOutcome: for the server's own refusals and the router's 404 and 405.
http::Response refusal(int status, std::string_view why);

}  // namespace lotsen::inbound
