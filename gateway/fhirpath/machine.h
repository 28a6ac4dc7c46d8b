// The machine runs a plan: a stack of items on which every node leaves its result as a run on top. A collection is
// never allocated for itself: `a.b` pushes the items of a, pushes their children above, and moves those down. Used by:
// Evaluator; the functions of the language (functions_*.cc) are free functions on it. Thread rule: one thread. Failure
// rule: a function returns false after fail(); the stack above the caller's base is then garbage.
#pragma once

#include "gateway/fhirpath/arena.h"
#include "gateway/fhirpath/fhirpath.h"
#include "gateway/fhirpath/plan.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhirpath {

enum class Truth : std::uint8_t { False, True, Unknown };

/// What defineVariable() keeps.
struct Local {
  const Item* items = nullptr;
  std::uint32_t count = 0;
  std::string_view name;  // if the expression computed it
};

class Machine {
 public:
  explicit Machine(Environment& environment) : environment_(environment) { stack_.reserve(kUsualStack); }

  /// One evaluation: its focus and result stand on the stack while it lives. Evaluations nest: a Host may use the same
  /// Evaluator to answer conformsTo().
  class Activation {
   public:
    Activation(Machine& machine, const Plan& plan);
    ~Activation();
    Activation(const Activation&) = delete;
    Activation& operator=(const Activation&) = delete;

    Status run(std::span<const Value> focus);
    std::span<const Item> results() const { return machine_.from(machine_.rootBase_ + machine_.rootCount_); }

   private:
    Machine& machine_;
    const Plan* plan_;  // those of the evaluation around this one
    std::uint32_t rootBase_;
    std::uint32_t rootCount_;
    std::vector<Local> locals_;
  };
  Value toValue(const Item& item);
  Arena& arena() { return arena_; }

  std::uint64_t steps() const { return steps_; }

  // For the functions of the language.
  const Plan& plan() const { return *plan_; }
  const fhir::Schema& schema() const { return *plan_->schema; }
  const Environment& environment() const { return environment_; }
  std::uint32_t kid(const PlanNode& node, std::uint32_t i) const { return plan_->kids[node.firstKid + i]; }

  void read(const fhir::Element& leaf) {
    if (environment_.reads != nullptr) environment_.reads->push_back(&leaf);
  }

  bool eval(std::uint32_t id, const Frame& frame) {
    if (!step(1)) return false;
    const PlanNode& node = plan_->nodes[id];
    return node.run(*this, node, frame);
  }
  /// The focus of a call or operator: operand 0 pushed, its first stack index in `base`.
  bool focus(const PlanNode& node, const Frame& frame, std::uint32_t& base) {
    base = top();
    return eval(kid(node, 0), frame);
  }
  /// Counts work; now and then looks at the memory too. Once it is false it stays false.
  bool step(std::uint64_t count) {
    steps_ += count;
    if (steps_ < nextLook_) return true;
    return steps_ <= environment_.limits.steps ? look() : failSteps();
  }
  /// Work on text: a step for some bytes of it.
  bool stepText(std::size_t bytes) { return step(bytes / kBytesPerStep); }

  std::uint32_t top() const { return static_cast<std::uint32_t>(stack_.size()); }
  Item& at(std::uint32_t i) { return stack_[i]; }
  std::span<const Item> from(std::uint32_t base) const { return std::span<const Item>(stack_).subspan(base); }
  std::span<const Item> range(std::uint32_t base, std::uint32_t count) const {
    return std::span<const Item>(stack_).subspan(base, count);
  }
  void truncate(std::uint32_t size) { stack_.resize(size); }
  void push(const Item& item) { stack_.push_back(item); }
  /// Pushes `count` items that stand on the stack from `base` on.
  bool pushRun(std::uint32_t base, std::uint32_t count);
  bool result(const Item& item) {
    stack_.push_back(item);
    return true;
  }
  bool result(bool truth) { return result(Item::of(truth)); }
  bool result(Truth truth) { return truth == Truth::Unknown || result(truth == Truth::True); }
  bool resultText(std::string_view text) {
    char* copy = newText(text.size());
    if (copy == nullptr) return false;
    std::copy(text.begin(), text.end(), copy);
    return result(Item::ofText(ItemKind::String, {copy, text.size()}));
  }
  /// Room for a text of this size, to be filled in; nullptr after fail(): what is too large is not made at all.
  char* newText(std::size_t size) {
    return room(size) && stepText(size) ? static_cast<char*>(arena_.allocate(size, 1)) : nullptr;
  }
  bool resultInteger(std::int64_t value);                   // empty if it is no 32-bit integer
  bool resultDecimal(const std::optional<Decimal>& value);  // empty if nullopt
  bool resultQuantity(const std::optional<Decimal>& value, std::string_view unit);
  /// Moves the items from `from` down to `to`: the operands below are consumed.
  void collapse(std::uint32_t to, std::uint32_t from);

  /// Operand `i` as at most one item; false: an error (several items). `present` says whether there is one. Pops it.
  bool single(const PlanNode& node, const Frame& frame, std::uint32_t i, Item& item, bool& present);
  /// The same as text: a String, or any primitive in its text form.
  bool text(const PlanNode& node, const Frame& frame, std::uint32_t i, std::optional<std::string_view>& out);
  bool integer(const PlanNode& node, const Frame& frame, std::uint32_t i, std::optional<std::int64_t>& out);
  /// The same as a criterion: empty is Unknown, a Boolean itself, another single item True.
  bool criterion(const PlanNode& node, const Frame& frame, std::uint32_t i, Truth& out);
  /// A run of the stack as a criterion.
  bool criterion(const PlanNode& node, std::span<const Item> items, Truth& out);

  /// A node with a primitive value becomes that System value (and is marked as read); anything else stays.
  Item system(const Item& item);
  /// A FHIR Quantity node or a number as a quantity; anything else stays.
  Item quantity(const Item& item);
  std::optional<std::string_view> textOf(const Item& item);
  /// The text of `out` that is built by appending; false after fail() if it grows too large.
  bool append(std::string& out, std::string_view text) {
    if (!step(1) || !stepText(text.size()) || !room(3 * (out.size() + text.size()))) return false;
    out += text;
    return true;
  }
  const fhir::Element* child(const fhir::Element* parent, fhir::NameId name) const { return fhir::child(parent, name); }

  /// The last pattern that was no literal is kept: a rule asks for the same one again and again.
  bool regex(const PlanNode& node, std::string_view pattern, const Regex*& out);
  bool fail(const PlanNode& node, std::string message, Code code = Code::Invalid);
  const Error& error() const { return error_; }
  /// Whether so many bytes more may be taken.
  bool room(std::size_t bytes) {
    const std::size_t used = arena_.bytes() + stack_.size() * sizeof(Item);
    const std::size_t most = environment_.limits.bytes;
    return (used <= most && bytes <= most - used) || failBytes();
  }
  bool withinLimit() { return room(0); }

  Local& local(std::uint32_t slot) { return locals_[slot]; }
  /// Pushes what a caller gave; a Node without an element is nothing.
  bool pushValues(std::span<const Value> values);
  std::span<const Item> rootFocus() const { return range(rootBase_, rootCount_); }
  std::uint32_t rootBase() const { return rootBase_; }

 private:
  static constexpr std::size_t kUsualStack = 60;    // items; enough for nearly every expression
  static constexpr std::size_t kBytesPerStep = 64;  // long text costs steps, so that limits bound time
  static constexpr std::uint64_t kLookEvery = 1024;

  Item fromValue(const Value& value);
  /// What is done every kLookEvery steps.
  bool look();
  bool failSteps();
  bool failBytes();

  Environment& environment_;
  const Plan* plan_ = nullptr;
  std::vector<Item> stack_;
  std::vector<Local> locals_;
  Arena arena_;
  std::uint64_t steps_ = 0;
  std::uint64_t nextLook_ = 0;
  std::uint32_t rootBase_ = 0;
  std::uint32_t rootCount_ = 0;
  std::uint32_t nesting_ = 0;
  std::string pattern_;
  std::unique_ptr<const Regex> regex_;
  Error error_;
};

}  // namespace lotsen::fhirpath
