#include "gateway/service/judging.h"

#include "gateway/fhir/outcome.h"
#include "gateway/service/acknowledgement.h"

#include <algorithm>

namespace lotsen::service {

namespace {

// 20 µs to 100 ms: a message of 35 kB takes some 150 µs.
const std::vector<double> kSeconds = {0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.1};

std::string_view name(Direction direction) {
  return direction == Direction::In ? "in" : "out";
}

Strictness strictnessOf(const Partner* partner, Direction direction, std::string_view kind) {
  if (partner == nullptr) return Strictness::Refuse;
  return (direction == Direction::In ? partner->validateIn : partner->validateOut).of(kind);
}

}  // namespace

std::string_view name(Judged judged) {
  switch (judged) {
    case Judged::Passed: return "passed";
    case Judged::Warned: return "warned";
    case Judged::Refused: return "refused";
    case Judged::Unchecked: return "unchecked";
  }
  return {};
}

std::string_view messageKind(const Configuration& configuration, const fhir::Document& bundle) {
  const fhir::Element* header = fhir::firstResource(bundle, bundle.root(), "MessageHeader");
  if (header == nullptr) return {};
  if (acknowledgementIn(bundle)) return kAcknowledgementKind;
  if (!configuration.messages) return {};
  auto code = fhir::valueAt(bundle, header, "event.code");  // of a Coding; else it is a URI
  const auto system = fhir::valueAt(bundle, header, "event.system");
  if (code.empty()) code = fhir::valueAt(bundle, header, "event");
  for (const auto& kind : configuration.messages->all()) {
    if (kind.event == code && kind.eventSystem == system) return kind.event;
  }
  return {};
}

Judgement judge(const Configuration& configuration, const fhir::Document& document, Direction direction,
                const Partner* partner, std::string_view kind, const std::vector<std::string>& profiles,
                fhir::Issues& issues) {
  Judgement judgement;
  judgement.direction = direction;
  judgement.kind = kind;
  const Strictness strictness = strictnessOf(partner, direction, kind);
  if (strictness == Strictness::Off) {
    judgement.judged = Judged::Unchecked;
    return judgement;
  }
  validation::Options options = configuration.validation;
  options.profiles = profiles;
  const auto begin = std::chrono::steady_clock::now();
  configuration.validator->validate(document, judgement.found, options);
  judgement.took = std::chrono::steady_clock::now() - begin;
  const bool warn = strictness == Strictness::Warn;
  if (judgement.found.hasErrors()) judgement.judged = warn ? Judged::Warned : Judged::Refused;
  for (fhir::Issue issue : judgement.found.list()) {
    if (warn) issue.severity = std::max(issue.severity, fhir::Severity::Warning);
    issues.add(std::move(issue));
  }
  return judgement;
}

ValidationCounts::ValidationCounts(observe::Metrics& metrics)
    : metrics_(metrics),
      in_(metrics.histogram("lotsen_validation_seconds", "Time to validate one record or message.", kSeconds,
                            {{"direction", "in"}})),
      out_(metrics.histogram("lotsen_validation_seconds", "Time to validate one record or message.", kSeconds,
                             {{"direction", "out"}})) {}

void ValidationCounts::count(const Judgement& judgement) {
  const std::string direction(name(judgement.direction));
  metrics_
      .counter("lotsen_validated_total", "Records and messages by what validation made of them.",
               {{"direction", direction},
                {"kind", judgement.kind.empty() ? "other" : judgement.kind},
                {"verdict", std::string(name(judgement.judged))}})
      .add();
  for (const auto& issue : judgement.found.list()) {
    if (issue.severity == fhir::Severity::Information) continue;
    metrics_
        .counter("lotsen_validation_issues_total", "Faults that validation found, by rule.",
                 {{"direction", direction},
                  {"rule", labelOf(issue.rule)},
                  {"severity", std::string(fhir::severityCode(issue.severity))}})
        .add();
  }
  if (judgement.judged == Judged::Unchecked) return;
  (judgement.direction == Direction::In ? in_ : out_).observe(std::chrono::duration<double>(judgement.took).count());
}

std::string ValidationCounts::labelOf(const std::string& rule) {
  const std::lock_guard lock(mutex_);
  if (rules_.contains(rule)) return rule;
  if (rules_.size() == kMostRules) return "other";
  return *rules_.insert(rule).first;
}

}  // namespace lotsen::service
