#include "gateway/observe/health.h"

#include "gateway/observe/json_text.h"

namespace lotsen::observe {

Health::State& Health::at(std::string_view name) {
  const auto found = checks_.find(name);
  return found != checks_.end() ? found->second : checks_[std::string(name)];
}

void Health::expect(Kind kind, std::string_view name) {
  const std::lock_guard lock(mutex_);
  at(name) = {kind, Word::Starting, "starting"};
}

void Health::good(std::string_view name) {
  const std::lock_guard lock(mutex_);
  State& state = at(name);
  state.word = Word::Good;
  state.reason.clear();
}

void Health::bad(std::string_view name, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  State& state = at(name);
  state.word = Word::Bad;
  state.reason = reason;
}

Health::Report Health::report(bool liveOnly) const {
  const std::lock_guard lock(mutex_);
  Report out;
  out.good = true;
  for (const auto& [name, state] : checks_) {
    if (liveOnly && state.kind != Kind::Live) continue;
    // A live check that is still starting is no reason to restart.
    const bool good = state.word == Word::Good || (liveOnly && state.word == Word::Starting);
    out.good = out.good && good;
    out.checks.push_back({name, good, good ? std::string() : state.reason});
  }
  return out;
}

Health::Report Health::live() const {
  return report(true);
}
Health::Report Health::ready() const {
  return report(false);
}

std::string healthJson(const Health::Report& report) {
  std::string out = report.good ? R"({"status":"good","checks":[)" : R"({"status":"bad","checks":[)";
  for (const auto& check : report.checks) {
    if (!out.ends_with('[')) out.push_back(',');
    out += R"({"name":)";
    appendJsonString(out, check.name);
    out += check.good ? R"(,"good":true)" : R"(,"good":false,"reason":)";
    if (!check.good) appendJsonString(out, check.reason);
    out.push_back('}');
  }
  return out += "]}";
}

}  // namespace lotsen::observe
