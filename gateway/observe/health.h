// What the gateway says about itself: may the process live on, may it get work. Parts report here; inbound answers
// /health/live and /health/ready from it. Thread rule: any thread. Failure rule: nothing fails.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::observe {

class Health {
 public:
  /// Live: only a restart helps (a storage sync failed). Ready: waiting may help (still starting, database locked,
  /// stopping).
  enum class Kind { Live, Ready };

  struct Check {
    std::string name;
    bool good = false;
    std::string reason;  // plain language, empty when good; without patient data
  };
  struct Report {
    bool good = false;          // all checks are
    std::vector<Check> checks;  // in alphabetical order
  };

  /// Announces a check, which counts as failed with the reason "starting" until somebody reports it good.
  void expect(Kind kind, std::string_view name);
  /// Reports a check; one that was never announced is added as Kind::Ready.
  void good(std::string_view name);
  void bad(std::string_view name, std::string_view reason);

  Report live() const;
  /// All checks: a gateway that should be restarted is not ready either.
  Report ready() const;

 private:
  enum class Word { Starting, Good, Bad };
  struct State {
    Kind kind = Kind::Ready;
    Word word = Word::Starting;
    std::string reason;
  };
  Report report(bool liveOnly) const;
  State& at(std::string_view name);

  mutable std::mutex mutex_;
  std::map<std::string, State, std::less<>> checks_;
};

/// {"status":"good","checks":[{"name":"store","good":true},{"name":"…","good":false,"reason":"…"}]}
std::string healthJson(const Health::Report& report);

}  // namespace lotsen::observe
