// Values of a run: navigation in the source, arguments, expressions. Part of Runner.
#include "gateway/mapping/runner.h"

#include <algorithm>
#include <utility>

namespace lotsen::mapping {

using fhir::Element;
using fhir::kNone;
using fhir::TypeId;

void Runner::follow(Range steps, const Value& start, std::vector<Value>& out) const {
  if (steps.count == 0) {
    out.push_back(start);
    return;
  }
  if (start.node == nullptr) return;
  const StepPlan& step = plan_.steps[steps.first];
  children(start.node, step, [&](const Element* child) {
    Value next;
    next.node = child;
    follow({steps.first + 1, steps.count - 1}, next, out);
  });
}

Runner::Value Runner::value(const OperandPlan& operand) {
  switch (operand.kind) {
    case OperandPlan::Kind::Constant: return plan_.constants[operand.index];
    case OperandPlan::Kind::Slot: return slot(operand.index);
    case OperandPlan::Kind::Global: return global(operand.index);
    default: break;
  }
  std::vector<Value> found;
  values(operand, found);
  if (found.size() > 1)
    fault("processing", "map-value", "one value is wanted here and there are " + std::to_string(found.size()));
  return found.empty() ? Value() : found[0];
}

void Runner::values(const OperandPlan& operand, std::vector<Value>& out) {
  if (operand.kind == OperandPlan::Kind::Path) {
    const std::size_t from = out.size();
    follow(operand.steps, slot(operand.index), out);
    for (std::size_t i = from; i < out.size(); ++i) read(out[i]);
  } else if (operand.kind == OperandPlan::Kind::Expression) {
    evaluate(operand.index, {}, out);
  } else {
    const Value one = value(operand);
    if (!isEmpty(one)) out.push_back(one);
  }
}

const Runner::Value& Runner::global(Index index) {
  if (globals_.empty()) globals_.resize(plan_.globals.size());
  if (!globals_[index]) {
    std::vector<Value> found;
    evaluate(plan_.globals[index], {}, found);
    if (found.size() > 1)
      fault("processing", "map-value", "a constant (let) has one value, this one has " + std::to_string(found.size()));
    globals_[index] = found.empty() ? Value() : found[0];
  }
  return *globals_[index];
}

bool Runner::evaluate(Index program, std::span<const Value> focus, std::vector<Value>& out) {
  if (!evaluator_) {
    fhirpath::Environment environment;
    environment.document = &source_;
    environment.resource = source_.root();
    environment.rootResource = source_.root();
    environment.now = options_.now;
    environment.limits.bytes = options_.maxBytes;
    environment.reads = &reads_;
    evaluator_.emplace(std::move(environment));
  }
  const ProgramPlan& plan = plan_.programs[program];
  for (const VariablePlan& variable : plan.variables) {
    if (variable.global) global(variable.slot);
  }
  slotSpans_.clear();
  for (const VariablePlan& variable : plan.variables) {
    const Value& bound = variable.global ? *globals_[variable.slot] : slot(variable.slot);
    slotSpans_.emplace_back(&bound, isEmpty(bound) ? 0 : 1);
  }
  evaluator_->environment().slots = slotSpans_;
  evaluator_->environment().limits.steps = options_.maxSteps - std::min(options_.maxSteps, steps_);
  const Status status = evaluator_->evaluateInto(plan.program, focus, found_);
  if (!charge(evaluator_->steps())) return false;
  if (!status) {
    const bool limit = status.error().code == Code::TooLarge;
    fault(limit ? "too-costly" : "processing", limit ? "map-limit" : "map-fhirpath", status.error().message);
    if (limit) stopped_ = true;
    return false;
  }
  for (const Value& item : found_) read(item);
  out.insert(out.end(), found_.begin(), found_.end());
  return true;
}

TypeId Runner::typeOf(const Value& value) const {
  using fhirpath::Kind;
  if (value.kind != Kind::Node) return plan_.kindTypes[static_cast<std::size_t>(value.kind)];
  const Element* node = value.node;
  if (node == nullptr || node->type != kNone) return node == nullptr ? kNone : node->type;
  const auto typeOfKind = [this](Kind kind) { return plan_.kindTypes[static_cast<std::size_t>(kind)]; };
  switch (node->token) {
    case fhir::Token::String: return typeOfKind(Kind::String);
    case fhir::Token::Boolean: return typeOfKind(Kind::Boolean);
    case fhir::Token::Number:
      return typeOfKind(node->value().find_first_of(".eE") == std::string_view::npos ? Kind::Integer : Kind::Decimal);
    case fhir::Token::None: break;
  }
  return node->hasValue() && node->first == nullptr ? typeOfKind(Kind::String) : kNone;
}

bool Runner::isComplex(const Value& value) const {
  if (value.kind != fhirpath::Kind::Node) return value.kind == fhirpath::Kind::Quantity;
  if (value.node == nullptr || value.node->hasValue()) return false;
  return value.node->type == kNone ? value.node->first != nullptr
                                   : schema_.type(value.node->type).primitive == fhir::Primitive::None;
}

const fhir::Document& Runner::owner(const Element* node) const {
  while (node->parent != nullptr) node = node->parent;
  if (node == source_.root()) return source_;
  return target_;
}

void Runner::settleReads(const Mark& since) {
  if (written_ != since.written) {
    for (std::size_t i = since.reads; i < reads_.size(); ++i) account(reads_[i]);
  }
  forget(since);
}

/// A structure that was copied as a whole.
void Runner::carried(const Element* node) {
  wrote();
  if (node->hasValue()) account(node);
  for (const Element* member = node->first; member != nullptr; member = member->next) carried(member);
}

void Runner::account(const Element* leaf) {
  leaf->touched = true;
  if (options_.trace != nullptr && rule_ != nullptr && &owner(leaf) == &source_)
    options_.trace->reads.push_back({leaf, rule_->info});
}

std::optional<std::string_view> Runner::text(const OperandPlan& operand, std::string_view what) {
  const Value found = value(operand);
  if (isEmpty(found)) return {};
  if (isComplex(found)) {
    fault("processing", "map-type",
          std::string(what) + " must be a primitive value and is a " +
              std::string(typeOf(found) == kNone ? "structure" : schema_.nameText(schema_.type(typeOf(found)).name)));
    return {};
  }
  return fhirpath::toText(found);
}

}  // namespace lotsen::mapping
