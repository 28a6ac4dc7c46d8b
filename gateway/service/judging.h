// What validation leads to: refuse, warn or off, by partner and kind of message, both ways. The validator finds faults;
// here it is decided what they mean, and what there is to count. Used by: reception.h (messages, before the commit),
// understanding.h (canonical forms), legs.h (messages, before they have bytes). Thread rule: judging is pure but for
// the stopwatch; ValidationCounts from any thread. Failure rule: faults of the data go to `issues`.
//
// What makes a document unreadable (names, JSON types, grammars of values) is the reader's, and the source schema of a
// record is reception's: both are refused whatever is configured here. A message that is handed on to a local system is
// judged once, when it comes in: its bytes stay as they are.
#pragma once

#include "gateway/observe/metrics.h"
#include "gateway/service/configuration.h"

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::service {

enum class Direction : std::uint8_t { In, Out };

/// Unchecked: the configuration says off.
enum class Judged : std::uint8_t { Passed, Warned, Refused, Unchecked };
std::string_view name(Judged judged);  // "passed" …

struct Judgement {
  Direction direction = Direction::In;
  std::string kind;  // as in the configuration; empty: a message whose event no MessageDefinition knows
  Judged judged = Judged::Passed;
  fhir::Issues found;  // with the severities that their definitions give them
  std::chrono::nanoseconds took{0};
};

/// What a message is, in the words of the configuration: "acknowledgement", the code of an event that a
/// MessageDefinition knows, or nothing.
std::string_view messageKind(const Configuration& configuration, const fhir::Document& bundle);

/// Holds a document against R4, its own profiles, `profiles` and the MessageDefinition of its event. Faults go to
/// `issues`, as warnings if the partner's rules say warn. `partner`: the other side; nullptr: none is configured, and
/// the defaults hold.
Judgement judge(const Configuration& configuration, const fhir::Document& document, Direction direction,
                const Partner* partner, std::string_view kind, const std::vector<std::string>& profiles,
                fhir::Issues& issues);

/// The metrics of validation. Labels: kinds that the configuration knows, and names of rules, which come from the code
/// and from definitions, never from data. At most kMostRules of them are told apart, the others are "other".
class ValidationCounts {
 public:
  static constexpr std::size_t kMostRules = 200;

  explicit ValidationCounts(observe::Metrics& metrics);
  void count(const Judgement& judgement);

 private:
  std::string labelOf(const std::string& rule);

  observe::Metrics& metrics_;
  observe::Histogram &in_, &out_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> rules_;  // that have a series of their own
};

}  // namespace lotsen::service
