// From method and path to the function that answers. The routes themselves are added by api*.cc.
// A pattern is literal segments and {name} segments: "/api/v1/transfers/{id}". Segments are percent-decoded before they
// are compared, so
// "/fhir/%24process-message" is "/fhir/$process-message". Where two patterns fit, the one with the earlier literal
// wins. Nothing is normalised: an empty segment, "." or "..", and an escaped slash match no pattern, so a handler never
// sees them. HEAD is answered by the GET route. A path that exists with other methods: 405 with Allow; else 404. Counts
// requests and their time by pattern, never by path. Thread rule: add() before the server starts; afterwards any
// thread. Failure rule: a faulty pattern is our own and ends the process.
#pragma once

#include "gateway/http/message.h"
#include "gateway/inbound/server.h"
#include "gateway/observe/metrics.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::inbound {

/// A request on its way to its handler.
struct Call {
  const http::Request& request;
  const ConnectionInfo& connection;
  std::vector<std::pair<std::string_view, std::string>>
      parameters;  // of the {name} segments: decoded, UTF-8, not empty, no slash

  /// REQUIRES: the pattern has {name}.
  const std::string& parameter(std::string_view name) const;
};

using RouteHandler = std::function<http::Response(const Call&)>;

class Router {
 public:
  static constexpr std::size_t kDefaultBodyLimit = 4 * 1024 * 1024;

  /// `refuse` dresses 404 and 405, like Application::refuse. `metrics` must outlive the router.
  Router(observe::Metrics& metrics, std::function<http::Response(int, std::string_view)> refuse);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// `bodyLimit` in bytes. Ends the process if the same method and pattern are there already.
  void add(std::string_view method, std::string_view pattern, RouteHandler handler,
           std::size_t bodyLimit = kDefaultBodyLimit);

  http::Response handle(const http::Request& request, const ConnectionInfo& connection) const;

  /// For Application::admit: the limit of the route; kDefaultBodyLimit for what has none, so that its answer is 404 or
  /// 405.
  std::size_t bodyLimit(const http::Request& head) const;

 private:
  struct Route;
  struct Match;
  Match match(const http::Request& request) const;

  observe::Metrics& metrics_;
  std::function<http::Response(int, std::string_view)> refuse_;
  std::vector<std::unique_ptr<Route>> routes_;  // in the order in which they are tried
};

}  // namespace lotsen::inbound
