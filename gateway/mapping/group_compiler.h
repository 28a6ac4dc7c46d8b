// One group for one combination of argument types: scopes and slots, sources, rules and calls. Targets are in
// target_compiler. Used by: compiler. Thread rule: one thread. Failure rule: faults go to the Compiler; what could not
// be resolved is left untyped, so that one fault does not cause others.
//
// Source and target variables are two name spaces, as in the reference implementation: `ext.value as ext ->
// tgt.extension as ext` is right. Where a value is wanted, a source variable goes before a target variable of the same
// name, and a `let` constant last.
#pragma once

#include "gateway/mapping/compiler.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

struct Binding {
  enum class Space : std::uint8_t { Source, Target, Shared };
  std::string name;
  Space space = Space::Source;
  Index slot = 0;
  StaticType type;
  bool place = true;  // Target: an element that can be filled; false: a value under a name
};

/// An argument as compiled, and what is known of its value.
struct CompiledOperand {
  OperandPlan plan;
  StaticType type;
  const std::string* constant = nullptr;  // the text, if it is known now
};

class GroupCompiler {
 public:
  /// `inputs` are the group's own, or those of the group that extends it if it has none.
  GroupCompiler(Compiler& compiler, GroupRef ref, const std::vector<InputNode>& inputs,
                const std::vector<StaticType>& arguments);
  GroupPlan run();

  // For the compiler of targets:
  Compiler& compiler() { return compiler_; }
  CompiledMaps& plan() { return compiler_.plan(); }
  const TypeLookup& lookup() const { return compiler_.lookup(); }
  const fhir::Schema& schema() const { return compiler_.schema(); }
  std::size_t map() const { return ref_.map; }
  void error(fhir::Position at, std::string_view rule, const std::string& text) {
    compiler_.error(ref_.map, at, rule, text);
  }
  void warning(fhir::Position at, std::string_view rule, const std::string& text) {
    compiler_.warning(ref_.map, at, rule, text);
  }

  const Binding* source(std::string_view name) const;
  const Binding* target(std::string_view name) const;
  const Binding* shared(std::string_view name) const;
  std::vector<std::string_view> names(Binding::Space space) const;
  Index bind(const Name& name, Binding::Space space, StaticType type, bool place = true);
  Index newSlot();
  CompiledOperand operand(const Operand& node, const StaticType& focus = {});
  /// `focus`: what the expression starts from.
  Index expression(const Name& expression, const StaticType& focus);
  CallPlan call(const CallNode& node);
  /// The child `name` of `current`; appends the step and moves `current` on.
  void step(const Name& name, StaticType& current, std::vector<StepPlan>& steps);

 private:
  struct Mark {
    std::size_t bindings;
    Index slots;
  };

  Range rules(const std::vector<RuleNode>& nodes);
  Range shares(const std::vector<RuleNode>& nodes);
  RulePlan rule(const RuleNode& node);
  SourcePlan source(const SourceNode& node, bool needsSlot, StaticType& type);
  ConditionPlan condition(const Name& text, const StaticType& item, const std::optional<StaticType>& parent);
  void sourceType(const SourceNode& node, SourcePlan& plan, StaticType& current);
  void base(GroupPlan& plan);
  bool extendsItself(GroupRef base);

  Compiler& compiler_;
  const GroupRef ref_;
  const GroupNode& node_;
  const std::vector<InputNode> inputs_;
  std::vector<Binding> bindings_;
  Index slots_ = 0;  // in use
  Index maxSlots_ = 0;
  bool tooMany_ = false;  // variables; told once
};

/// Appends rows to a table and says where they are.
template <typename Row>
Range append(std::vector<Row>& table, const std::vector<Row>& rows) {
  const Range range{static_cast<Index>(table.size()), static_cast<Index>(rows.size())};
  table.insert(table.end(), rows.begin(), rows.end());
  return range;
}

}  // namespace lotsen::mapping
