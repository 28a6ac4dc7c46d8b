// Functions on collections: existence, filtering, subsetting, combining, aggregation (FHIRPath 2.0 §5.1-5.4, §7).
#include "gateway/fhirpath/compare.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lotsen::fhirpath {
namespace {

/// Answers "seen before?" for a growing set whose members stand side by side on the stack: a scan while it is small, a
/// hash table of stack indexes beyond.
class Seen {
 public:
  Seen(Machine& machine, std::uint32_t base) : machine_(machine), base_(base) {}
  /// True if the item is new: the caller then puts it behind the members. When the limits are reached the answer does
  /// not matter.
  bool insert(const Item& item) {
    if (count_ < kSmall) {
      if (!machine_.step(count_) || contains(machine_, machine_.range(base_, count_), item)) return false;
      ++count_;
      return true;
    }
    if (slots_.size() < 2 * (count_ + 1U) && !grow()) return false;
    const auto hash = static_cast<std::uint32_t>(hashOf(machine_, item) >> 16);
    std::size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].member != 0; at = (at + 1) & (slots_.size() - 1)) {
      if (!machine_.step(1)) return false;
      if (slots_[at].hash == hash &&
          equalItems(machine_, machine_.at(base_ + slots_[at].member - 1), item) == Truth::True)
        return false;
    }
    slots_[at] = {hash, ++count_};
    return true;
  }

  bool fine() const { return fine_; }

 private:
  static constexpr std::uint32_t kSmall = 16;
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t member = 0;  // from 1; 0: free
  };

  bool grow() {
    const std::size_t size = std::max<std::size_t>(4 * kSmall, 2 * slots_.size());
    fine_ = machine_.room(2 * size * sizeof(Slot));
    if (!fine_) return false;
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(size));
    const auto place = [&](const Slot& slot) {
      std::size_t at = slot.hash & (size - 1);
      while (slots_[at].member != 0) at = (at + 1) & (size - 1);
      slots_[at] = slot;
    };
    if (old.empty()) {
      for (std::uint32_t i = 0; i < count_; ++i)
        place({static_cast<std::uint32_t>(hashOf(machine_, machine_.at(base_ + i)) >> 16), i + 1});
    }
    for (const Slot& slot : old) {
      if (slot.member != 0) place(slot);
    }
    return machine_.step(count_);
  }

  Machine& machine_;
  bool fine_ = true;
  std::uint32_t base_;
  std::uint32_t count_ = 0;
  std::vector<Slot> slots_;
};

/// Removes duplicates of the run that starts at `base`.
bool makeDistinct(Machine& machine, std::uint32_t base) {
  const std::uint32_t end = machine.top();
  if (end - base < 2) return machine.withinLimit();
  Seen seen(machine, base);
  std::uint32_t kept = base;
  for (std::uint32_t i = base; i < end; ++i) {
    const Item item = machine.at(i);
    if (seen.insert(item)) machine.at(kept++) = item;
    if (!seen.fine() || !machine.step(1)) return false;
  }
  machine.truncate(kept);
  return machine.withinLimit();
}

/// Evaluates the criterion (operand 1) for each item of the focus; `visit(index, truth)` says whether to go on.
template <typename Visit>
bool eachCriterion(Machine& machine, const PlanNode& node, const Frame& frame, std::uint32_t base, std::uint32_t end,
                   Visit visit) {
  for (std::uint32_t i = base; i < end; ++i) {
    Truth truth = Truth::Unknown;
    if (!machine.criterion(node, frame.forItem(i, i - base), 1, truth)) return false;
    if (!visit(i, truth)) break;
  }
  return true;
}

bool runEmpty(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const bool empty = machine.top() == base;
  machine.truncate(base);
  return machine.result(empty);
}

bool runExists(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  bool found = end > base;
  if (node.kidCount > 1) {
    found = false;
    const bool fine = eachCriterion(machine, node, frame, base, end,
                                    [&](std::uint32_t, Truth truth) { return !(found = truth == Truth::True); });
    if (!fine) return false;
  }
  machine.truncate(base);
  return machine.result(found);
}

bool runAll(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  bool all = true;
  if (!eachCriterion(machine, node, frame, base, machine.top(),
                     [&](std::uint32_t, Truth truth) { return all = truth == Truth::True; }))
    return false;
  machine.truncate(base);
  return machine.result(all);
}

/// allTrue and its three relatives: whether any item is `wanted`, turned round if `negate`.
bool booleans(Machine& machine, const PlanNode& node, const Frame& frame, bool wanted, bool negate) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  bool found = false;
  for (std::uint32_t i = base; i < machine.top(); ++i) {
    const Item item = machine.system(machine.at(i));
    if (item.kind != ItemKind::Boolean) return machine.fail(node, "all items must be Booleans here");
    found = found || item.truth == wanted;
  }
  machine.truncate(base);
  return machine.result(found != negate);
}

bool runAllTrue(Machine& machine, const PlanNode& node, const Frame& frame) {
  return booleans(machine, node, frame, false, true);
}
bool runAnyTrue(Machine& machine, const PlanNode& node, const Frame& frame) {
  return booleans(machine, node, frame, true, false);
}
bool runAllFalse(Machine& machine, const PlanNode& node, const Frame& frame) {
  return booleans(machine, node, frame, true, true);
}
bool runAnyFalse(Machine& machine, const PlanNode& node, const Frame& frame) {
  return booleans(machine, node, frame, false, false);
}

/// Whether every item of one run is in the other one.
bool within(Machine& machine, std::span<const Item> items, std::span<const Item> others) {
  for (const Item& item : items) {
    if (!machine.step(others.size()) || !contains(machine, others, item)) return false;
  }
  return true;
}

bool subset(Machine& machine, const PlanNode& node, const Frame& frame, bool ofArgument) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t middle = machine.top();
  if (!machine.eval(machine.kid(node, 1), frame)) return false;
  const auto focus = machine.range(base, middle - base);
  const auto other = machine.from(middle);
  const bool result = ofArgument ? within(machine, focus, other) : within(machine, other, focus);
  machine.truncate(base);
  return machine.step(0) && machine.result(result);
}

bool runSubsetOf(Machine& machine, const PlanNode& node, const Frame& frame) {
  return subset(machine, node, frame, true);
}
bool runSupersetOf(Machine& machine, const PlanNode& node, const Frame& frame) {
  return subset(machine, node, frame, false);
}

bool runCount(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t count = machine.top() - base;
  machine.truncate(base);
  return machine.resultInteger(count);
}

bool runDistinct(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  return machine.focus(node, frame, base) && makeDistinct(machine, base);
}

bool runIsDistinct(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t count = machine.top() - base;
  if (!makeDistinct(machine, base)) return false;
  const bool distinct = machine.top() - base == count;
  machine.truncate(base);
  return machine.result(distinct);
}

bool runWhere(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  std::uint32_t kept = base;
  const bool fine = eachCriterion(machine, node, frame, base, machine.top(), [&](std::uint32_t i, Truth truth) {
    if (truth == Truth::True) machine.at(kept++) = machine.at(i);
    return true;
  });
  if (!fine) return false;
  machine.truncate(kept);
  return true;
}

bool runSelect(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  for (std::uint32_t i = base; i < end; ++i) {
    if (!machine.eval(machine.kid(node, 1), frame.forItem(i, i - base))) return false;
  }
  machine.collapse(base, end);
  return machine.withinLimit();
}

/// repeat: each new item is projected in turn; repeatAll keeps equal items (and may run into the limits).
bool repeatProjection(Machine& machine, const PlanNode& node, const Frame& frame, bool distinct) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t start = machine.top();
  Seen seen(machine, start);
  for (std::uint32_t i = base; i < machine.top(); ++i) {
    const std::uint32_t before = machine.top();
    if (!machine.eval(machine.kid(node, 1), frame.forItem(i, i - base)) || !machine.withinLimit()) return false;
    if (!distinct) continue;
    std::uint32_t kept = before;
    for (std::uint32_t j = before; j < machine.top(); ++j) {
      const Item item = machine.at(j);
      if (seen.insert(item)) machine.at(kept++) = item;
    }
    machine.truncate(kept);
    if (!seen.fine() || !machine.step(1)) return false;
  }
  machine.collapse(base, start);
  return machine.withinLimit();
}

bool runRepeat(Machine& machine, const PlanNode& node, const Frame& frame) {
  return repeatProjection(machine, node, frame, true);
}
bool runRepeatAll(Machine& machine, const PlanNode& node, const Frame& frame) {
  return repeatProjection(machine, node, frame, false);
}

bool runSingle(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t count = machine.top() - base;
  return count <= 1 || machine.fail(node, "single() found " + std::to_string(count) + " items");
}

bool runFirst(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  if (machine.top() > base + 1) machine.truncate(base + 1);
  return true;
}

bool runLast(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  if (machine.top() > base) machine.collapse(base, machine.top() - 1);
  return true;
}

bool runTail(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  if (machine.top() > base) machine.collapse(base, base + 1);
  return true;
}

bool countOperand(Machine& machine, const PlanNode& node, const Frame& frame, std::uint32_t base, std::uint32_t& out) {
  std::optional<std::int64_t> count;
  if (!machine.integer(node, frame, 1, count)) return false;
  if (!count) return machine.fail(node, "a number of items is needed here");
  out = static_cast<std::uint32_t>(std::clamp<std::int64_t>(*count, 0, machine.top() - base));
  return true;
}

bool runSkip(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  std::uint32_t count = 0;
  if (!machine.focus(node, frame, base) || !countOperand(machine, node, frame, base, count)) return false;
  machine.collapse(base, base + count);
  return true;
}

bool runTake(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  std::uint32_t count = 0;
  if (!machine.focus(node, frame, base) || !countOperand(machine, node, frame, base, count)) return false;
  machine.truncate(base + count);
  return true;
}

/// Keeps the items of the focus that are (or are not) in the argument.
bool keepMembers(Machine& machine, const PlanNode& node, const Frame& frame, bool members) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t middle = machine.top();
  if (!machine.eval(machine.kid(node, 1), frame)) return false;
  std::uint32_t kept = base;
  for (std::uint32_t i = base; i < middle; ++i) {
    const Item item = machine.at(i);
    if (!machine.step(machine.top() - middle)) return false;
    if (contains(machine, machine.from(middle), item) == members) machine.at(kept++) = item;
  }
  machine.truncate(kept);
  return !members || makeDistinct(machine, base);
}

bool runIntersect(Machine& machine, const PlanNode& node, const Frame& frame) {
  return keepMembers(machine, node, frame, true);
}
bool runExclude(Machine& machine, const PlanNode& node, const Frame& frame) {
  return keepMembers(machine, node, frame, false);
}

bool runCombine(Machine& machine, const PlanNode& node, const Frame& frame) {
  return machine.eval(machine.kid(node, 0), frame) && machine.eval(machine.kid(node, 1), frame) &&
         machine.withinLimit();
}

bool runCoalesce(Machine& machine, const PlanNode& node, const Frame& frame) {
  const std::uint32_t base = machine.top();
  for (std::uint32_t i = 1; i < node.kidCount && machine.top() == base; ++i) {
    if (!machine.eval(machine.kid(node, i), frame)) return false;
  }
  return true;
}

/// The focus is evaluated for its number of items only; the branches see it as $this.
bool runIif(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  if (node.a != 0 && end - base > 1)
    return machine.fail(node, "iif() works on one item, but there are " + std::to_string(end - base));
  Frame inner = frame;
  inner.thisBase = base;
  inner.thisCount = end - base;
  Truth truth = Truth::Unknown;
  if (!machine.criterion(node, inner, 1, truth)) return false;
  if (truth == Truth::True) {
    if (!machine.eval(machine.kid(node, 2), inner)) return false;
  } else if (node.kidCount > 3 && !machine.eval(machine.kid(node, 3), inner)) {
    return false;
  }
  machine.collapse(base, end);
  return true;
}

bool runTrace(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  std::optional<std::string_view> name;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  if (!machine.text(node, frame, 1, name)) return false;
  const auto& trace = machine.environment().trace;
  if (!trace) return true;
  if (node.kidCount > 2) {
    for (std::uint32_t i = base; i < end; ++i) {
      if (!machine.eval(machine.kid(node, 2), frame.forItem(i, i - base))) return false;
    }
  }
  Collection values;
  for (const Item& item : machine.from(node.kidCount > 2 ? end : base)) values.push_back(machine.toValue(item));
  machine.truncate(end);
  trace(name.value_or(""), values);
  return true;
}

bool runNot(Machine& machine, const PlanNode& node, const Frame& frame) {
  Truth truth = Truth::Unknown;
  if (!machine.criterion(node, frame, 0, truth)) return false;
  return truth == Truth::Unknown || machine.result(truth == Truth::False);
}

constexpr FunctionRow kRows[] = {
    {"empty", runEmpty, 0, 0, "", Gives::Boolean},
    {"exists", runExists, 0, 1, "l", Gives::Boolean},
    {"all", runAll, 1, 1, "l", Gives::Boolean},
    {"allTrue", runAllTrue, 0, 0, "", Gives::Boolean},
    {"anyTrue", runAnyTrue, 0, 0, "", Gives::Boolean},
    {"allFalse", runAllFalse, 0, 0, "", Gives::Boolean},
    {"anyFalse", runAnyFalse, 0, 0, "", Gives::Boolean},
    {"subsetOf", runSubsetOf, 1, 1, "v", Gives::Boolean},
    {"supersetOf", runSupersetOf, 1, 1, "v", Gives::Boolean},
    {"count", runCount, 0, 0, "", Gives::Integer},
    {"distinct", runDistinct, 0, 0, "", Gives::Focus},
    {"isDistinct", runIsDistinct, 0, 0, "", Gives::Boolean},
    {"where", runWhere, 1, 1, "l", Gives::Focus},
    {"select", runSelect, 1, 1, "l", Gives::Argument},
    {"repeat", runRepeat, 1, 1, "l", Gives::Unknown},
    {"repeatAll", runRepeatAll, 1, 1, "l", Gives::Unknown},
    {"single", runSingle, 0, 0, "", Gives::Focus},
    {"first", runFirst, 0, 0, "", Gives::Focus, true},
    {"last", runLast, 0, 0, "", Gives::Focus, true},
    {"tail", runTail, 0, 0, "", Gives::Focus, true},
    {"skip", runSkip, 1, 1, "w", Gives::Focus, true},
    {"take", runTake, 1, 1, "w", Gives::Focus, true},
    {"intersect", runIntersect, 1, 1, "v", Gives::Focus},
    {"exclude", runExclude, 1, 1, "v", Gives::Focus},
    {"union", runUnion, 1, 1, "v", Gives::Both},
    {"combine", runCombine, 1, 1, "v", Gives::Both},
    {"coalesce", runCoalesce, 1, 16, "v", Gives::Unknown},
    {"iif", runIif, 2, 3, "i", Gives::Branches},
    {"trace", runTrace, 1, 2, "xl", Gives::Focus},
    {"not", runNot, 0, 0, "", Gives::Boolean},
};

}  // namespace

bool runUnion(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base) || !machine.eval(machine.kid(node, 1), frame)) return false;
  return makeDistinct(machine, base);
}

std::span<const FunctionRow> collectionFunctions() {
  return kRows;
}

}  // namespace lotsen::fhirpath
