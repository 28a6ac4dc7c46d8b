#include "gateway/mapping/runner.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::Element;
using fhir::kNone;

constexpr std::uint32_t kMaxDepth = 200;      // calls inside each other
constexpr std::uint32_t kMaxTreeDepth = 256;  // of elements: far beyond what readers take
constexpr std::size_t kMaxFaults = 100;

}  // namespace

void addRules(const CompiledMaps& plan, Trace& trace) {
  for (const RuleInfo& info : plan.ruleInfos) trace.rules.push_back({info.file, info.group, info.name, info.at, 0});
}

Runner::Runner(const CompiledMaps& plan, const fhir::Document& source, fhir::Document& target,
               const RunOptions& options, fhir::Issues& issues)
    : plan_(plan), schema_(*plan.schema), source_(source), target_(target), options_(options), issues_(issues) {
  stack_.resize(64);
}

bool Runner::run() {
  if (options_.trace != nullptr) {
    options_.trace->reads.clear();
    if (options_.trace->rules.empty()) addRules(plan_, *options_.trace);
  }
  std::array<Value, 2> arguments;
  arguments[plan_.sourceFirst ? 0 : 1].node = source_.root();
  arguments[plan_.sourceFirst ? 1 : 0].node = target_.root();
  group(plan_.entry, arguments);
  return faults_ == 0;
}

// --- groups and rules
// -----------------------------------------------------------------------------------------------------

void Runner::group(Index instance, std::span<const Value> arguments) {
  if (++depth_ > kMaxDepth)
    stop("groups call each other more than " + std::to_string(kMaxDepth) +
         " deep; look for a group that calls itself on the same element");
  for (const Value& argument : arguments) {
    if (argument.node != nullptr && tooDeep(argument.node)) break;
  }
  if (stopped_) {
    --depth_;
    return;
  }
  const GroupPlan& group = plan_.groups[instance];
  const std::size_t base = base_;
  const std::size_t top = top_;
  enterFrame(top, top + group.slots);
  if (arguments.data() != stack_.data() + base_) {  // call() puts them in place already
    std::copy(arguments.begin(), arguments.end(), stack_.begin() + static_cast<std::ptrdiff_t>(base_));
  }
  if (group.base != kNoIndex) {
    std::vector<Value> same;
    for (const OperandPlan& operand : rows(plan_.operands, group.baseArguments)) same.push_back(slot(operand.index));
    this->group(group.base, same);
  }
  for (const Index shared : rows(plan_.shares, group.shares)) slot(shared) = {};
  rules(group.rules);
  enterFrame(base, top);
  --depth_;
}

/// The stack may move when it grows: nobody holds a slot's address over a call.
void Runner::enterFrame(std::size_t base, std::size_t top) {
  base_ = base;
  top_ = top;
  if (stack_.size() < top_) stack_.resize(std::max(top_, stack_.size() * 2));
  frame_ = stack_.data() + base_;
}

void Runner::rules(Range range) {
  for (const RulePlan& next : rows(plan_.rules, range)) {
    if (stopped_) return;
    rule(next);
  }
}

void Runner::rule(const RulePlan& rule) {
  const RulePlan* outer = std::exchange(rule_, &rule);
  const TargetPlan* outerTarget = std::exchange(running_, nullptr);
  const Element* outerItem = item_;
  source(rule, 0);
  item_ = outerItem;
  running_ = outerTarget;
  rule_ = outer;
}

void Runner::body(const RulePlan& rule) {
  grow(0);
  if (stopped_) return;
  if (options_.trace != nullptr) ++options_.trace->rules[rule.info].fired;
  for (const Index shared : rows(plan_.shares, rule.shares)) slot(shared) = {};
  for (const TargetPlan& next : rows(plan_.targets, rule.targets)) target(next);
  running_ = nullptr;
  for (const CallPlan& next : rows(plan_.calls, rule.calls)) call(next);
  rules(rule.rules);
}

void Runner::call(const CallPlan& call) {
  const std::size_t from = arguments_.size();
  const Mark before = mark();
  bool complete = true;
  for (const OperandPlan& operand : rows(plan_.operands, call.arguments)) {
    arguments_.push_back(value(operand));
    complete = complete && !isEmpty(arguments_.back());
  }
  // A variable that was not set (its transform had nothing to say) leaves nothing to map.
  if (complete) {
    const std::vector<Value>::const_iterator first = arguments_.begin() + static_cast<std::ptrdiff_t>(from);
    const GroupPlan& callee = plan_.groups[call.group];
    if (stack_.size() < top_ + callee.slots) {
      stack_.resize(std::max(top_ + callee.slots, stack_.size() * 2));
      frame_ = stack_.data() + base_;
    }
    std::copy(first, arguments_.cend(), stack_.begin() + static_cast<std::ptrdiff_t>(top_));
    const std::span<const Value> passed(stack_.data() + top_, arguments_.size() - from);
    arguments_.resize(from);
    group(call.group, passed);
    settle(before);
    return;
  }
  arguments_.resize(from);
  forget(before);
}

// --- sources
// --------------------------------------------------------------------------------------------------------------

void Runner::source(const RulePlan& rule, Index level) {
  if (level == rule.sources.count) {
    body(rule);
    return;
  }
  const SourcePlan& source = plan_.sources[rule.sources.first + level];
  if (source.plain) {
    plainSource(rule, level, source);
  } else {
    collectedSource(rule, level, source);
  }
}

void Runner::plainSource(const RulePlan& rule, Index level, const SourcePlan& source) {
  const Value context = slot(source.context);
  if (source.steps.count == 0) {
    if (!isEmpty(context)) visit(rule, level, source, context);
    return;
  }
  if (context.node == nullptr) return;
  children(context.node, plan_.steps[source.steps.first], [&](const Element* child) {
    Value item;
    item.node = child;
    if (!stopped_) visit(rule, level, source, item);
  });
}

void Runner::visit(const RulePlan& rule, Index level, const SourcePlan& source, const Value& item) {
  if (!charge(1)) return;
  if (source.variable != kNoIndex) slot(source.variable) = item;
  item_ = item.node;
  if (source.plain && source.where.program != kNoIndex && !test(source.where, item)) return;
  const Mark before = mark();
  read(item);
  this->source(rule, level + 1);
  settle(before);
}

void Runner::collectedSource(const RulePlan& rule, Index level, const SourcePlan& source) {
  const std::size_t from = items_.size();
  const Mark before = mark();  // a default may read
  collect(source, from);
  const std::size_t end = items_.size();
  for (std::size_t at = from; at < end && !stopped_; ++at) visit(rule, level, source, Value(items_[at]));
  items_.resize(from);
  settle(before);
}

void Runner::collect(const SourcePlan& source, std::size_t from) {
  const Value context = source.constant ? global(source.context) : slot(source.context);
  if (isEmpty(context)) return;
  follow(source.steps, context, items_);
  if (!charge(items_.size() - from)) return;
  if (items_.size() == from && source.hasFallback) {
    const Value made = value(source.fallback);
    if (!isEmpty(made)) items_.push_back(made);
  }
  std::size_t kept = from;
  for (std::size_t at = from; at < items_.size(); ++at) {
    if (matchesType(source, items_[at])) items_[kept++] = items_[at];
  }
  items_.resize(kept);
  if (source.hasCardinality && (kept - from < source.min || kept - from > source.max)) {
    item_ = context.node;
    const std::string most = source.max == fhir::kUnbounded ? "*" : std::to_string(source.max);
    fault("structure", "map-cardinality",
          "the rule wants " + std::to_string(source.min) + ".." + most + " and the record has " +
              std::to_string(kept - from));
  }
  const std::size_t end = items_.size();
  kept = from;
  for (std::size_t at = from; at < end && !stopped_; ++at) {
    const Value item = items_[at];
    if (keeps(source, item)) items_[kept++] = item;
  }
  items_.resize(kept);
  applyListMode(source, from);
}

bool Runner::keeps(const SourcePlan& source, const Value& item) {
  const bool where = source.where.program != kNoIndex;
  const bool check = source.check.program != kNoIndex;
  if (!where && !check && source.log == kNoIndex) return true;
  if (source.variable != kNoIndex) slot(source.variable) = item;
  item_ = item.node;
  if (where && !test(source.where, item)) return false;
  if (check && !test(source.check, item)) fault("invariant", "map-check", "the rule's check failed");
  if (source.log != kNoIndex) log(source, item);
  return true;
}

void Runner::applyListMode(const SourcePlan& source, std::size_t from) {
  const auto first = items_.begin() + static_cast<std::ptrdiff_t>(from);
  const std::size_t count = items_.size() - from;
  if (count == 0) return;
  switch (source.listMode) {
    case SourceListMode::None: return;
    case SourceListMode::First: items_.resize(from + 1); return;
    case SourceListMode::NotFirst: items_.erase(first); return;
    case SourceListMode::Last: items_.erase(first, items_.end() - 1); return;
    case SourceListMode::NotLast: items_.pop_back(); return;
    case SourceListMode::OnlyOne:
      if (count > 1)
        fault("structure", "map-list-mode", "the rule wants only one and the record has " + std::to_string(count));
  }
}

bool Runner::matchesType(const SourcePlan& source, const Value& item) const {
  if (source.typeText != kNoIndex) return false;
  if (source.type == kNone) return true;
  const fhir::TypeId type = typeOf(item);
  return type == source.type || (type != kNone && schema_.type(source.type).abstract && schema_.isA(type, source.type));
}

/// A criterion: empty is false, one Boolean is itself, any other single item is true. What it reads decides, but
/// nothing of it is carried on, so it does not count for the loss account.
bool Runner::test(const ConditionPlan& condition, const Value& item) {
  Value focus = item;
  if (item.node != nullptr && item.node->parent != nullptr) {
    const auto lacks = [&](const Element* node) {
      return fhir::child(owner(node), node, plan_.names[condition.lead]) == nullptr;
    };
    if (condition.onParent || (condition.lead != kNoIndex && lacks(item.node) && !lacks(item.node->parent)))
      focus.node = item.node->parent;
  }
  results_.clear();
  const Mark before = mark();
  const bool evaluated = evaluate(condition.program, std::span(&focus, 1), results_);
  forget(before);
  if (!evaluated) return false;
  if (results_.empty()) return false;
  if (results_.size() > 1) {
    fault("processing", "map-condition",
          "the condition gave " + std::to_string(results_.size()) + " values instead of true or false");
    return false;
  }
  const fhirpath::Value& result = results_[0];
  const bool boolean =
      result.kind == fhirpath::Kind::Boolean ||
      (result.kind == fhirpath::Kind::Node && result.node->hasValue() && result.node->value() == "false");
  return !boolean || fhirpath::toText(result) == "true";
}

void Runner::log(const SourcePlan& source, const Value& item) {
  results_.clear();
  const Mark before = mark();
  const bool evaluated = evaluate(source.log, std::span(&item, 1), results_);
  forget(before);
  if (!evaluated || results_.empty()) return;
  const std::string text(fhirpath::toText(results_[0]));
  report(fhir::Severity::Information, "informational", "map-log",
         plan_.programs[source.log].literal
             ? text
             : "log: " + std::to_string(text.size()) + " bytes, not shown because they may tell about the patient");
}

// --- faults
// ---------------------------------------------------------------------------------------------------------------

void Runner::fault(std::string_view code, std::string_view rule, const std::string& text) {
  report(fhir::Severity::Error, code, rule, text);
  if (++faults_ >= kMaxFaults) stopped_ = true;
}

void Runner::report(fhir::Severity severity, std::string_view code, std::string_view rule, const std::string& text) {
  fhir::Issue issue;
  issue.severity = severity;
  issue.code = code;
  issue.rule = rule;
  issue.text = text;
  if (rule_ != nullptr) {
    const RuleInfo& info = plan_.ruleInfos[rule_->info];
    const fhir::Position at = running_ != nullptr ? running_->at : info.at;
    issue.text += " (" + info.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ", rule '" +
                  info.name + "' of group " + info.group + ")";
  }
  if (into_ != nullptr && running_ != nullptr) issue.expression = fhir::pathOf(target_, into_);
  if (item_ != nullptr) {
    issue.source = fhir::pathOf(owner(item_), item_);
    issue.at = item_->at;
  }
  issues_.add(std::move(issue));
}

void Runner::stop(const std::string& why) {
  if (!stopped_) fault("too-costly", "map-limit", why);
  stopped_ = true;
}

// --- limits
// ---------------------------------------------------------------------------------------------------------------

bool Runner::charge(std::uint64_t steps) {
  steps_ += steps;
  if (steps_ > options_.maxSteps)
    stop("the maps do more than " + std::to_string(options_.maxSteps) +
         " steps; look for a rule that visits the same items again and again");
  return !stopped_;
}

bool Runner::grow(std::size_t bytes) {
  const std::size_t used = target_.bytes();
  if (used > options_.maxBytes || bytes > options_.maxBytes - used)
    stop("the result is larger than " + std::to_string(options_.maxBytes >> 10) +
         " KiB; look for a rule that copies what it has made");
  return !stopped_;
}

void Runner::stopAsTooDeep() {
  stop("elements stand more than " + std::to_string(kMaxTreeDepth) +
       " deep in each other; look for a group that calls itself on what it makes");
}

bool Runner::tooDeep(const Element* node) {
  std::uint32_t depth = 0;
  for (; node != nullptr; node = node->parent) ++depth;
  if (depth > kMaxTreeDepth) stopAsTooDeep();
  return stopped_;
}

bool Runner::growByCopy(const Element* node, const Element* parent) {
  std::size_t bytes = 0;
  std::uint64_t count = 0;
  std::uint32_t most = 0;
  std::uint32_t depth = 0;
  for (const Element* at = node; at != nullptr;) {
    bytes += sizeof(Element) + at->size;
    ++count;
    most = std::max(most, depth);
    if (at->first != nullptr) {
      at = at->first;
      ++depth;
      continue;
    }
    while (at != node && at->next == nullptr) {
      at = at->parent;
      --depth;
    }
    at = at == node ? nullptr : at->next;
  }
  for (; parent != nullptr; parent = parent->parent) ++most;
  if (most > kMaxTreeDepth) stopAsTooDeep();
  return charge(count) && grow(bytes);
}

}  // namespace lotsen::mapping
