#include "gateway/mapping/group_compiler.h"

#include "gateway/mapping/target_compiler.h"
#include "gateway/mapping/token_cursor.h"
#include "gateway/mapping/transform_compiler.h"

#include <algorithm>

namespace lotsen::mapping {

namespace {

using fhir::kNone;
using fhir::TypeId;

constexpr int kMaxExtends = 64;               // in a chain that is looked along
constexpr std::size_t kMaxVariables = 1'000;  // each expression is searched for each

bool isWordPart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Whether `word` stands somewhere in the text: variables that do not are not handed to the expression.
bool mentions(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !isWordPart(text[at - 1]);
    const bool ends = at + word.size() == text.size() || !isWordPart(text[at + word.size()]);
    if (begins && ends) return true;
  }
  return false;
}

/// The name that FHIRPath begins with, brackets left out; empty if it begins with a function, a literal or '$this'.
std::string_view leadingName(std::string_view text) {
  while (!text.empty() && (text[0] == '(' || text[0] == ' ' || text[0] == '\n' || text[0] == '\t'))
    text.remove_prefix(1);
  std::size_t end = 0;
  while (end < text.size() && isWordPart(text[end])) ++end;
  const bool digit = end > 0 && text[0] >= '0' && text[0] <= '9';
  return digit || (end < text.size() && text[end] == '(') ? std::string_view() : text.substr(0, end);
}

/// `src.a -> tgt.b;`
bool isSimple(const RuleNode& node) {
  if (node.sources.size() != 1 || node.targets.size() != 1 || !node.calls.empty() || node.hasBody) return false;
  const SourceNode& source = node.sources[0];
  const TargetNode& target = node.targets[0];
  return source.path.size() > 1 && source.variable.empty() && target.path.size() > 1 && target.variable.empty() &&
         !target.transform;
}

/// `src.a as s -> tgt.b = create() as t;`
bool isInferred(const RuleNode& node) {
  if (node.sources.size() != 1 || node.targets.size() != 1 || !node.calls.empty() || node.hasBody) return false;
  const TargetNode& target = node.targets[0];
  return !target.path.empty() && target.transform && target.transform->name.text == "create" &&
         target.transform->arguments.empty();
}

}  // namespace

GroupCompiler::GroupCompiler(Compiler& compiler, GroupRef ref, const std::vector<InputNode>& inputs,
                             const std::vector<StaticType>& arguments)
    : compiler_(compiler), ref_(ref), node_(compiler.group(ref)), inputs_(inputs) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const InputNode& input = inputs_[i];
    bind(input.name, input.mode == InputMode::Source ? Binding::Space::Source : Binding::Space::Target, arguments[i]);
  }
}

GroupPlan GroupCompiler::run() {
  GroupPlan group;
  group.info = static_cast<Index>(plan().groupInfos.size());
  plan().groupInfos.push_back({compiler_.map(ref_.map).file, node_.name.text, node_.name.at});
  if (!node_.extends.empty()) base(group);
  group.shares = shares(node_.rules);
  group.rules = rules(node_.rules);
  group.slots = maxSlots_;
  return group;
}

bool GroupCompiler::extendsItself(GroupRef base) {
  std::optional<GroupRef> at = base;
  for (int steps = 0; at && steps < kMaxExtends; ++steps) {
    if (at->map == ref_.map && at->group == ref_.group) {
      error(node_.extends.at, "fml-extends", "group " + quoted(node_.name.text) + " extends itself in the end");
      return true;
    }
    const Name& next = compiler_.group(*at).extends;
    at = next.empty() ? std::nullopt : compiler_.findGroup(at->map, next);
  }
  return false;
}

/// The extended group gets this one's arguments: by place if it has as many parameters, by name if it has fewer and
/// this one knows them all; one without parameters sees this one's variables (the form of the CDA maps).
void GroupCompiler::base(GroupPlan& group) {
  const auto ref = compiler_.findGroup(ref_.map, node_.extends);
  if (!ref) return;
  if (extendsItself(*ref)) return;
  const GroupNode& other = compiler_.group(*ref);
  std::vector<Index> from;
  for (Index i = 0; i < inputs_.size(); ++i) {
    if (other.inputs.empty() || other.inputs.size() == inputs_.size()) from.push_back(i);
  }
  if (from.empty()) {
    for (const InputNode& wanted : other.inputs) {
      const auto same = std::find_if(inputs_.begin(), inputs_.end(),
                                     [&wanted](const InputNode& own) { return own.name.text == wanted.name.text; });
      if (same != inputs_.end()) from.push_back(static_cast<Index>(same - inputs_.begin()));
    }
  }
  if (from.size() < other.inputs.size()) {
    error(node_.extends.at, "fml-extends",
          "group " + quoted(node_.extends.text) + " has " + std::to_string(other.inputs.size()) +
              " parameters and this one " + std::to_string(inputs_.size()) +
              ": an extended group gets the same arguments, by place or, if it has fewer, by the same names");
    return;
  }
  std::vector<StaticType> types;
  std::vector<OperandPlan> arguments;
  for (const Index i : from) {
    types.push_back(bindings_[i].type);
    arguments.push_back({OperandPlan::Kind::Slot, i, {}});
  }
  group.base = other.inputs.empty() ? compiler_.instance(*ref, inputs_, types) : compiler_.instance(*ref, types);
  group.baseArguments = append(plan().operands, arguments);
}

// --- scopes
// ---------------------------------------------------------------------------------------------------------------

const Binding* GroupCompiler::source(std::string_view name) const {
  const auto found = std::find_if(bindings_.rbegin(), bindings_.rend(), [name](const Binding& binding) {
    return binding.space == Binding::Space::Source && binding.name == name;
  });
  return found != bindings_.rend() ? &*found : target(name);
}

const Binding* GroupCompiler::target(std::string_view name) const {
  const auto found = std::find_if(bindings_.rbegin(), bindings_.rend(), [name](const Binding& binding) {
    return binding.space == Binding::Space::Target && binding.name == name;
  });
  return found != bindings_.rend() ? &*found : nullptr;
}

const Binding* GroupCompiler::shared(std::string_view name) const {
  const auto found = std::find_if(bindings_.begin(), bindings_.end(), [name](const Binding& binding) {
    return binding.space == Binding::Space::Shared && binding.name == name;
  });
  return found != bindings_.end() ? &*found : nullptr;
}

std::vector<std::string_view> GroupCompiler::names(Binding::Space space) const {
  std::vector<std::string_view> list;
  for (const Binding& binding : bindings_) {
    if (binding.space == space && !binding.name.empty()) list.push_back(binding.name);
  }
  return list;
}

Index GroupCompiler::newSlot() {
  maxSlots_ = std::max(maxSlots_, slots_ + 1);
  return slots_++;
}

Index GroupCompiler::bind(const Name& name, Binding::Space space, StaticType type, bool place) {
  const Index slot = newSlot();
  if (bindings_.size() >= kMaxVariables) {
    if (!tooMany_)
      error(name.at, "fml-too-large",
            "more than " + std::to_string(kMaxVariables) + " variables are known here; split the rule into groups");
    tooMany_ = true;
    return slot;
  }
  bindings_.push_back({name.text, space, slot, std::move(type), place});
  return slot;
}

// --- rules
// ----------------------------------------------------------------------------------------------------------------

/// A shared target lives as long as the block that its rules stand in.
Range GroupCompiler::shares(const std::vector<RuleNode>& nodes) {
  std::vector<Index> slots;
  for (const RuleNode& rule : nodes) {
    for (const TargetNode& target : rule.targets) {
      if (target.listMode != TargetListMode::Share || shared(target.shareId.text) != nullptr) continue;
      slots.push_back(bind(target.shareId, Binding::Space::Shared, {}));
    }
  }
  return append(plan().shares, slots);
}

Range GroupCompiler::rules(const std::vector<RuleNode>& nodes) {
  std::vector<RulePlan> plans;
  plans.reserve(nodes.size());
  for (const RuleNode& node : nodes) {
    if (compiler_.full()) break;
    const std::size_t bindings = bindings_.size();
    const Index slots = slots_;
    plans.push_back(rule(node));
    bindings_.resize(bindings);
    slots_ = slots;
  }
  return append(plan().rules, plans);
}

RulePlan GroupCompiler::rule(const RuleNode& node) {
  RulePlan plan;
  plan.info = compiler_.ruleInfo(ref_.map, node_, node);
  const bool implicit = isSimple(node) || isInferred(node);
  std::vector<SourcePlan> sources;
  sources.reserve(node.sources.size());
  StaticType sourceType;
  for (const SourceNode& source : node.sources) {
    sources.push_back(this->source(source, node.sources.size() == 1 && !node.targets.empty(), sourceType));
  }
  plan.sources = append(this->plan().sources, sources);

  std::vector<TargetPlan> targets;
  std::vector<CallPlan> calls;
  for (const TargetNode& target : node.targets) {
    if (compiler_.full()) break;
    if (target.transform && target.path.empty() && !isTransform(target.transform->name.text)) {
      calls.push_back(call({target.transform->name, target.transform->arguments}));
      continue;
    }
    if (!implicit && !target.transform && target.variable.empty() && target.path.size() > 1) {
      warning(target.path.back().at, "fml-empty-target",
              "nothing is put into " + quoted(target.path.back().text) +
                  ", and an empty element is not written: give it a value, or a variable to fill it by");
    }
    const Index slot = node.sources.size() == 1 ? sources[0].variable : kNoIndex;
    targets.push_back(compileTarget(*this, target, implicit, slot, sourceType));
  }
  plan.targets = append(this->plan().targets, targets);
  for (const CallNode& node_call : node.calls) calls.push_back(call(node_call));
  plan.calls = append(this->plan().calls, calls);
  plan.shares = shares(node.rules);
  plan.rules = rules(node.rules);
  return plan;
}

SourcePlan GroupCompiler::source(const SourceNode& node, bool needsSlot, StaticType& type) {
  SourcePlan plan;
  const Name& context = node.path.front();
  const Binding* binding = source(context.text);
  StaticType current;
  const Index constant = binding == nullptr ? compiler_.global(ref_.map, context.text) : kNoIndex;
  if (constant != kNoIndex) {
    plan.context = constant;
    plan.constant = true;
    plan.plain = false;
  } else if (binding == nullptr) {
    error(context.at, "fml-unknown-variable",
          "there is no source variable " + quoted(context.text) + " here" +
              suggestion(context.text, names(Binding::Space::Source)));
  } else {
    plan.context = binding->slot;
    plan.plain = binding->space == Binding::Space::Source;  // a target may grow while the rule runs: collect first
    current = binding->type;
  }
  std::vector<StepPlan> steps;
  std::optional<StaticType> parent;  // of the last step
  for (std::size_t i = 1; i < node.path.size(); ++i) {
    parent = current;
    step(node.path[i], current, steps);
  }
  plan.steps = append(this->plan().steps, steps);
  if (!node.type.empty()) sourceType(node, plan, current);
  if (node.min) {
    plan.hasCardinality = true;
    plan.min = *node.min;
    plan.max = node.max;
  }
  plan.listMode = node.listMode;
  if (node.fallback) {
    plan.hasFallback = true;
    plan.fallback = operand(*node.fallback).plan;
  }
  if (!node.variable.empty() || needsSlot) plan.variable = bind(node.variable, Binding::Space::Source, current);
  if (!node.where.empty()) plan.where = condition(node.where, current, parent);
  if (!node.check.empty()) plan.check = condition(node.check, current, parent);
  if (!node.log.empty()) {
    plan.log = expression(node.log, current);
    if (plan.log != kNoIndex) this->plan().programs[plan.log].literal = node.logIsText;
  }
  plan.plain = plan.plain && plan.type == kNone && plan.typeText == kNoIndex && plan.listMode == SourceListMode::None &&
               !plan.hasFallback && !plan.hasCardinality && plan.check.program == kNoIndex && plan.log == kNoIndex &&
               node.path.size() <= 2;
  type = current;
  return plan;
}

/// `parent` is what the item is an element of; none: the source is a variable.
ConditionPlan GroupCompiler::condition(const Name& text, const StaticType& item,
                                       const std::optional<StaticType>& parent) {
  ConditionPlan plan;
  const std::string_view lead = parent ? leadingName(text.text) : std::string_view();
  const bool variable = source(lead) != nullptr || compiler_.global(ref_.map, lead) != kNoIndex;
  if (!lead.empty() && !variable) {
    if (lookup().open(item) || lookup().open(*parent)) {
      plan.lead = compiler_.name(lead);
    } else if (lookup().find(item, lead).empty() && !lookup().find(*parent, lead).empty()) {
      plan.onParent = true;
      warning(text.at, "fml-condition",
              quoted(lead) + " is an element of " + lookup().describe(*parent) + ", not of " + lookup().describe(item) +
                  ": the condition is evaluated there; write the variable before it to say so");
    }
  }
  plan.program = expression(text, plan.onParent ? *parent : item);
  return plan;
}

void GroupCompiler::sourceType(const SourceNode& node, SourcePlan& plan, StaticType& current) {
  const TypeId type = compiler_.resolveType(ref_.map, node.type);
  if (type == kNone) {
    plan.typeText = compiler_.name(node.type.text);
    current = {};
    return;
  }
  plan.type = type;
  const bool possible =
      lookup().open(current) || std::any_of(current.types.begin(), current.types.end(), [&](TypeId option) {
        return schema().isA(option, type) || schema().isA(type, option);
      });
  if (!possible) {
    error(node.type.at, "fml-type",
          quoted(node.path.back().text) + " is a " + lookup().describe(current) + " and never a " + node.type.text);
  }
  current = lookup().of(type);
}

void GroupCompiler::step(const Name& name, StaticType& current, std::vector<StepPlan>& steps) {
  StepPlan plan;
  plan.text = compiler_.name(name.text);
  plan.name = schema().findName(name.text);
  if (current.known() && lookup().allPrimitive(current) && name.text == "value") {
    plan.self = true;
    steps.push_back(plan);
    return;
  }
  if (lookup().open(current)) {
    plan.dynamic = true;
    const auto properties = lookup().find(current, name.text);
    current = lookup().of(properties);
    steps.push_back(plan);
    return;
  }
  const auto properties = lookup().find(current, name.text);
  if (properties.empty()) {
    error(name.at, "fml-unknown-element",
          lookup().describe(current) + " has no element " + quoted(name.text) +
              suggestion(name.text, lookup().names(current)));
    current = {};
  } else {
    const fhir::NameId own = properties[0]->def == kNone ? properties[0]->name : schema().def(properties[0]->def).name;
    if (own != plan.name) {
      plan.only = properties[0]->type;
      warning(name.at, "fml-choice-name",
              quoted(name.text) + " is a choice element written out; the language says " +
                  quoted(schema().nameText(own)) + ", in a source with the type: " +
                  std::string(schema().nameText(own)) + " : " + lookup().describe(lookup().of(plan.only)));
    }
    plan.name = own;
    current = lookup().of(properties);
  }
  steps.push_back(plan);
}

CallPlan GroupCompiler::call(const CallNode& node) {
  CallPlan plan;
  const auto ref = compiler_.findGroup(ref_.map, node.group);
  std::vector<StaticType> types;
  std::vector<OperandPlan> arguments;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const Operand& argument = node.arguments[i];
    const bool wantsTarget =
        ref && i < compiler_.group(*ref).inputs.size() && compiler_.group(*ref).inputs[i].mode == InputMode::Target;
    if (!wantsTarget) {
      const CompiledOperand compiled = operand(argument);
      arguments.push_back(compiled.plan);
      types.push_back(compiled.type);
      continue;
    }
    const bool variable = argument.kind == Operand::Kind::Path && argument.steps.size() == 1;
    const Binding* binding = variable ? target(argument.steps[0].text) : nullptr;
    if (binding == nullptr || !binding->place) {
      const Name& at = variable ? argument.steps[0] : argument.text;
      error(at.at, "fml-unknown-variable",
            "argument " + std::to_string(i + 1) + " of " + quoted(node.group.text) + " must be a target variable" +
                (variable ? suggestion(at.text, names(Binding::Space::Target)) : ""));
    }
    arguments.push_back({OperandPlan::Kind::Slot, binding == nullptr ? 0 : binding->slot, {}});
    types.push_back(binding == nullptr ? StaticType() : binding->type);
  }
  plan.arguments = append(this->plan().operands, arguments);
  if (!ref) return plan;
  const std::size_t wanted = compiler_.group(*ref).inputs.size();
  if (wanted != node.arguments.size()) {
    error(node.group.at, "fml-arguments",
          "group " + quoted(node.group.text) + " takes " + std::to_string(wanted) + " arguments, not " +
              std::to_string(node.arguments.size()));
    return plan;
  }
  plan.group = compiler_.instance(*ref, types);
  return plan;
}

// --- values
// ---------------------------------------------------------------------------------------------------------------

CompiledOperand GroupCompiler::operand(const Operand& node, const StaticType& focus) {
  CompiledOperand out;
  if (node.kind == Operand::Kind::Literal) {
    out.plan.kind = OperandPlan::Kind::Constant;
    out.plan.index = compiler_.constant(node.literal, node.text.text);
    out.type = lookup().of(plan().constantTypes[out.plan.index]);
    out.constant = &node.text.text;
    return out;
  }
  if (node.kind == Operand::Kind::Expression) {
    out.plan.kind = OperandPlan::Kind::Expression;
    out.plan.index = expression(node.text, focus);
    return out;
  }
  const Name& head = node.steps.front();
  const Binding* binding = source(head.text);
  if (binding == nullptr) {
    const Index constant = compiler_.global(ref_.map, head.text);
    if (constant == kNoIndex) {
      auto known = names(Binding::Space::Source);
      for (const auto name : names(Binding::Space::Target)) known.push_back(name);
      for (const auto name : compiler_.globalNames(ref_.map)) known.push_back(name);
      error(head.at, "fml-unknown-variable",
            "there is no variable " + quoted(head.text) + " here" + suggestion(head.text, known));
    } else if (node.steps.size() > 1) {
      error(head.at, "fml-constant",
            "the constant " + quoted(head.text) + " has no elements; use brackets for FHIRPath");
    }
    out.plan.kind = OperandPlan::Kind::Global;
    out.plan.index = constant == kNoIndex ? 0 : constant;
    return out;
  }
  out.plan.kind = node.steps.size() == 1 ? OperandPlan::Kind::Slot : OperandPlan::Kind::Path;
  out.plan.index = binding->slot;
  out.type = binding->type;
  std::vector<StepPlan> steps;
  for (std::size_t i = 1; i < node.steps.size(); ++i) step(node.steps[i], out.type, steps);
  out.plan.steps = append(plan().steps, steps);
  return out;
}

Index GroupCompiler::expression(const Name& expression, const StaticType& focus) {
  fhirpath::CompileOptions options;
  if (focus.types.size() == 1 && !lookup().open(focus)) {
    options.context = focus.types[0];
    options.contextDef = focus.def;
  }
  std::vector<VariablePlan> variables;
  const auto offer = [&](const std::string& name, const StaticType& type, VariablePlan variable) {
    const bool taken =
        std::any_of(options.slots.begin(), options.slots.end(), [&](const auto& slot) { return slot.name == name; });
    if (name.empty() || taken || !mentions(expression.text, name)) return;
    const bool one = type.types.size() == 1 && !lookup().open(type);
    options.slots.push_back({name, one ? type.types[0] : kNone, one ? type.def : kNone, true});
    variables.push_back(variable);
  };
  for (const auto space : {Binding::Space::Source, Binding::Space::Target}) {
    for (auto binding = bindings_.rbegin(); binding != bindings_.rend(); ++binding) {
      if (binding->space == space) offer(binding->name, binding->type, {binding->slot, false});
    }
  }
  for (const auto name : compiler_.globalNames(ref_.map))
    offer(std::string(name), {}, {compiler_.global(ref_.map, name), true});
  return compiler_.program(ref_.map, expression, options, std::move(variables));
}

}  // namespace lotsen::mapping
