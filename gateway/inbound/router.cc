#include "gateway/inbound/router.h"

#include "gateway/base/result.h"
#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <tuple>

namespace lotsen::inbound {

namespace {

bool isParameter(std::string_view segment) {
  return segment.starts_with('{');
}

// Sorts literal segments before parameters, segment by segment.
std::string sortKey(std::string_view pattern) {
  std::string key;
  for (const auto segment : split(pattern.substr(1), '/')) {
    key += isParameter(segment) ? "\x7f" : std::string(segment);
    key.push_back('\x01');
  }
  return key;
}

// False: no pattern can match this path.
bool decodePath(std::string_view path, std::vector<std::string>& segments) {
  if (!path.starts_with('/')) return false;
  for (const auto raw : split(path.substr(1), '/')) {
    std::string& segment = segments.emplace_back();
    if (!http::percentDecode(raw, false, segment)) return false;
    if (segment == "." || segment == ".." || segment.find('/') != segment.npos || !isUtf8(segment)) return false;
  }
  return true;
}

bool methodFits(std::string_view route, std::string_view asked) {
  return route == asked || (route == "GET" && asked == "HEAD");
}

}  // namespace

const std::string& Call::parameter(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return p.first == name; });
  LOTSEN_CHECK(found != parameters.end());
  return found->second;
}

struct Router::Route {
  std::string method;
  std::string pattern;
  std::string key;
  std::vector<std::string> segments;
  RouteHandler handler;
  std::size_t bodyLimit;
  std::array<observe::Counter*, 4> answers;  // 2xx, 3xx, 4xx, 5xx
  observe::Histogram* seconds;

  bool fits(const std::vector<std::string>& path) const {
    return std::equal(
        segments.begin(), segments.end(), path.begin(), path.end(),
        [](const auto& mine, const auto& asked) { return isParameter(mine) ? !asked.empty() : mine == asked; });
  }
};

struct Router::Match {
  const Route* route = nullptr;
  std::string allowed;  // methods of the path, when it exists but not with this one
  std::vector<std::string> segments;
};

Router::Router(observe::Metrics& metrics, std::function<http::Response(int, std::string_view)> refuse)
    : metrics_(metrics), refuse_(std::move(refuse)) {}
Router::~Router() = default;

void Router::add(std::string_view method, std::string_view pattern, RouteHandler handler, std::size_t bodyLimit) {
  LOTSEN_CHECK(pattern.starts_with('/') && handler);
  auto route = std::make_unique<Route>();
  route->method = method;
  route->pattern = pattern;
  route->key = sortKey(pattern);
  for (const auto segment : split(pattern.substr(1), '/')) {
    LOTSEN_CHECK(!isParameter(segment) || (segment.size() > 2 && segment.ends_with('}')));
    route->segments.emplace_back(segment);
  }
  route->handler = std::move(handler);
  route->bodyLimit = bodyLimit;
  for (std::size_t i = 0; i < route->answers.size(); ++i) {
    route->answers[i] = &metrics_.counter(
        "lotsen_http_requests_total", "Requests that were handled, by route and kind of answer",
        {{"method", route->method}, {"route", route->pattern}, {"status", std::to_string(i + 2) + "xx"}});
  }
  route->seconds =
      &metrics_.histogram("lotsen_http_request_seconds", "Time from the whole request to its answer",
                          observe::Metrics::latencyBounds(), {{"method", route->method}, {"route", route->pattern}});

  const auto place = std::lower_bound(routes_.begin(), routes_.end(), route, [](const auto& a, const auto& b) {
    return std::tie(a->key, a->method) < std::tie(b->key, b->method);
  });
  LOTSEN_CHECK(place == routes_.end() || (*place)->key != route->key || (*place)->method != route->method);
  routes_.insert(place, std::move(route));
}

Router::Match Router::match(const http::Request& request) const {
  Match match;
  if (!decodePath(request.path(), match.segments)) return match;
  const Route* sibling = nullptr;  // the best pattern for the path so far: methods of worse patterns do not count
  for (const auto& route : routes_) {
    if (sibling != nullptr && sibling->key != route->key) break;
    if (!route->fits(match.segments)) continue;
    sibling = route.get();
    if (methodFits(route->method, request.method)) {
      match.route = route.get();
      return match;
    }
    match.allowed.append(match.allowed.empty() ? "" : ", ").append(route->method);
    if (route->method == "GET") match.allowed.append(", HEAD");
  }
  return match;
}

http::Response Router::handle(const http::Request& request, const ConnectionInfo& connection) const {
  Match match = this->match(request);
  if (match.route == nullptr) {
    if (match.allowed.empty()) return refuse_(404, "there is nothing at this path");
    http::Response response = refuse_(405, "this path does not take this method");
    response.fields.push_back({"Allow", match.allowed});
    return response;
  }
  const Route& route = *match.route;
  Call call{request, connection, {}};
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    if (!isParameter(route.segments[i])) continue;
    const std::string_view name = route.segments[i];
    call.parameters.emplace_back(name.substr(1, name.size() - 2), std::move(match.segments[i]));
  }

  // Counted on the way out, so that a handler that throws is counted as the 500 that it becomes.
  struct Count {
    const Route& route;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    int status = 500;
    ~Count() {
      route.seconds->observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      route.answers[static_cast<std::size_t>(std::clamp(status / 100, 2, 5) - 2)]->add();
    }
  } count{route};
  http::Response response = route.handler(call);
  count.status = response.status;
  return response;
}

std::size_t Router::bodyLimit(const http::Request& head) const {
  const Match match = this->match(head);
  return match.route != nullptr ? match.route->bodyLimit : kDefaultBodyLimit;
}

}  // namespace lotsen::inbound
