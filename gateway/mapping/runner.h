// One run of compiled maps over one source: walks the plan, fills the target. Used by: transform(). See README.md for
// the life of a run. Thread rule: one thread, one run. Failure rule: a fault of the data or of a transform is an Issue
// and the run goes on, so that all are found; the caller throws the document away if there was one. A limit that is
// passed ends the run.
#pragma once

#include "gateway/fhirpath/fhirpath.h"
#include "gateway/mapping/mapping.h"
#include "gateway/mapping/plan.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

/// All rules of the plan, none fired.
void addRules(const CompiledMaps& plan, Trace& trace);

class Runner {
 public:
  using Value = fhirpath::Value;

  Runner(const CompiledMaps& plan, const fhir::Document& source, fhir::Document& target, const RunOptions& options,
         fhir::Issues& issues);

  /// REQUIRES: the target has a root. False if there was a fault.
  bool run();

 private:
  // --- groups, rules, sources: runner.cc
  Value& slot(Index index) { return frame_[index]; }
  void enterFrame(std::size_t base, std::size_t top);
  void group(Index instance, std::span<const Value> arguments);
  void rules(Range range);
  void rule(const RulePlan& rule);
  void source(const RulePlan& rule, Index level);
  void plainSource(const RulePlan& rule, Index level, const SourcePlan& source);
  void collectedSource(const RulePlan& rule, Index level, const SourcePlan& source);
  void collect(const SourcePlan& source, std::size_t from);
  bool keeps(const SourcePlan& source, const Value& item);
  void applyListMode(const SourcePlan& source, std::size_t from);
  void visit(const RulePlan& rule, Index level, const SourcePlan& source, const Value& item);
  void body(const RulePlan& rule);
  void call(const CallPlan& call);
  bool matchesType(const SourcePlan& source, const Value& item) const;
  bool test(const ConditionPlan& condition, const Value& item);
  void log(const SourcePlan& source, const Value& item);

  // --- values: values.cc
  template <typename Visit>
  void children(const fhir::Element* node, const StepPlan& step, Visit visit) const;
  void follow(Range steps, const Value& start, std::vector<Value>& out) const;
  Value value(const OperandPlan& operand);
  void values(const OperandPlan& operand, std::vector<Value>& out);
  const Value& global(Index index);
  bool evaluate(Index program, std::span<const Value> focus, std::vector<Value>& out);
  fhir::TypeId typeOf(const Value& value) const;
  bool isComplex(const Value& value) const;
  const fhir::Document& owner(const fhir::Element* node) const;
  static bool isEmpty(const Value& value) { return value.kind == fhirpath::Kind::Node && value.node == nullptr; }
  std::optional<std::string_view> text(const OperandPlan& operand, std::string_view what);

  // --- targets: target_writer.cc
  struct Place {
    fhir::Element* parent = nullptr;
    const PlacePlan* plan = nullptr;  // nullptr: a value without a place
  };
  void target(const TargetPlan& target);
  bool directTarget(const TargetPlan& target);
  std::optional<Place> place(const TargetPlan& target);
  const fhir::Property* property(const Place& place, fhir::TypeId type, const std::string_view* text,
                                 fhir::Property& made);
  fhir::Element* make(const TargetPlan& target, const Place& place, const fhir::Property& property, fhir::TypeId type);
  fhir::Element* makeAny(const TargetPlan& target, const Place& place, fhir::TypeId type);
  fhir::Element* append(fhir::Element* parent, const fhir::Property& property, fhir::TypeId type);
  void order(const TargetPlan& target, fhir::Element* node);
  void write(const TargetPlan& target, const Place& place, const Value& value);
  void writeNode(const TargetPlan& target, const Place& place, const fhir::Element* node);
  fhir::Element* put(const TargetPlan& target, const Place& place, const Value& value);
  fhir::Element* putComplex(const TargetPlan& target, const Place& place, const Value& value);
  void fill(fhir::Element* node, const Value& value);
  void fillMember(fhir::Element* node, const fhir::Property& where, const fhir::Element* member);
  bool setText(fhir::Element* node, const Value& value);
  std::optional<std::string_view> convert(fhir::TypeId to, fhir::TypeId from, std::string_view text) const;
  fhir::Element* convertComplex(const TargetPlan& target, const Place& place, const fhir::Property& property,
                                const Value& value);
  fhir::Element* child(fhir::Element* parent, fhir::NameId name, std::string_view text);
  fhir::Element* child(fhir::Element* parent, fhir::NameId name);
  void assign(const TargetPlan& target, fhir::Element* node);

  // --- transforms: transforms.cc
  void transform(const TargetPlan& target, const Place& place);
  void implicit(const TargetPlan& target, const Place& place);
  void create(const TargetPlan& target, const Place& place);
  void evaluateInto(const TargetPlan& target, const Place& place);
  void castInto(const TargetPlan& target, const Place& place);
  void momentInto(const TargetPlan& target, const Place& place);
  void translate(const TargetPlan& target, const Place& place);
  template <typename Visit>
  void translateCoding(const fhir::Element* coding, Visit visit);
  void writeTranslation(const TargetPlan& target, const Place& place, const ConceptMapPlan& table,
                        const definitions::Translation& answer);
  void reference(const TargetPlan& target, const Place& place);
  void textTransform(const TargetPlan& target, const Place& place);
  void coding(const TargetPlan& target, const Place& place);
  void quantity(const TargetPlan& target, const Place& place);
  void identifier(const TargetPlan& target, const Place& place);
  void contactPoint(const TargetPlan& target, const Place& place);
  std::string uuid();
  const OperandPlan& argument(const TargetPlan& target, Index index) const {
    return plan_.operands[target.arguments.first + index];
  }

  // --- the loss account: values.cc. What was read counts once something was written because of it: reads wait here
  // until the target, the item or the call that they were for is done.
  struct Mark {
    std::size_t reads = 0;
    std::uint64_t written = 0;
  };
  Mark mark() const { return {reads_.size(), written_}; }
  void read(const Value& value) {
    if (value.node != nullptr && value.node->hasValue()) reads_.push_back(value.node);
  }
  void settle(const Mark& since) {
    if (reads_.size() != since.reads) settleReads(since);
  }
  void settleReads(const Mark& since);
  void forget(const Mark& since) { reads_.resize(since.reads); }
  void wrote() { ++written_; }
  void carried(const fhir::Element* node);
  void account(const fhir::Element* leaf);

  // --- faults
  void fault(std::string_view code, std::string_view rule, const std::string& text);
  void report(fhir::Severity severity, std::string_view code, std::string_view rule, const std::string& text);
  bool stopped() const { return stopped_; }
  void stop(const std::string& why);

  // --- limits
  /// Work done; false: too much, and the run is stopped.
  bool charge(std::uint64_t steps);
  /// Whether the result may grow by this; false: the run is stopped.
  bool grow(std::size_t bytes);
  /// The same for a copy of `node` below `parent`, which must not become too deep either.
  bool growByCopy(const fhir::Element* node, const fhir::Element* parent);
  bool tooDeep(const fhir::Element* node);
  void stopAsTooDeep();

  const CompiledMaps& plan_;
  const fhir::Schema& schema_;
  const fhir::Document& source_;
  fhir::Document& target_;
  const RunOptions& options_;
  fhir::Issues& issues_;

  std::vector<Value> stack_;  // frames of the groups that are running
  Value* frame_ = nullptr;    // of the running group: stack_ from base_ on
  std::size_t base_ = 0;
  std::size_t top_ = 0;           // end of the running group's frame
  std::vector<Value> items_;      // collected sources, used as a stack
  std::vector<Value> arguments_;  // of the call that is being made, used as a stack
  std::vector<Value> results_;    // of a condition
  std::vector<Value> found_;      // of the last expression
  std::vector<std::optional<Value>> globals_;
  /// List modes first and last: what a rule has put at an end of a list.
  struct Pinned {
    fhir::Element* node;
    const TargetPlan* by;
  };
  std::vector<Pinned> pinnedFirst_;
  std::vector<Pinned> pinnedLast_;
  std::optional<fhirpath::Evaluator> evaluator_;
  std::vector<std::span<const Value>> slotSpans_;

  const RulePlan* rule_ = nullptr;           // running, for messages
  const TargetPlan* running_ = nullptr;      // target, for messages
  const fhir::Element* item_ = nullptr;      // source item, for messages
  const fhir::Element* into_ = nullptr;      // target element, for messages
  std::vector<const fhir::Element*> reads_;  // leaves that wait for their account
  std::uint64_t written_ = 0;                // values put into the target
  std::uint64_t steps_ = 0;
  std::uint32_t depth_ = 0;
  std::uint64_t uuids_ = 0;
  std::size_t faults_ = 0;
  bool stopped_ = false;
};

template <typename Visit>
void Runner::children(const fhir::Element* node, const StepPlan& step, Visit visit) const {
  fhir::NameId name = step.name;
  fhir::TypeId only = step.only;
  if (step.self) {
    if (node->hasValue()) visit(node);
    return;
  }
  const fhir::Element* run =
      name == fhir::kNone ? fhir::child(owner(node), node, plan_.names[step.text]) : fhir::child(node, name);
  if (run == nullptr && step.dynamic) {  // `.value` of a primitive, or a variant written out
    if (node->hasValue() && plan_.names[step.text] == "value") {
      visit(node);
      return;
    }
    if (node->type == fhir::kNone) return;
    const fhir::Property* property = schema_.property(schema_.shapeOf(node->def, node->type), name);
    if (property == nullptr || property->def == fhir::kNone) return;
    name = schema_.def(property->def).name;
    only = property->type;
    run = fhir::child(node, name);
  }
  if (run == nullptr) return;
  const fhir::Element* end = run->runLast->next;
  for (; run != end; run = run->next) {
    if (only == fhir::kNone || run->type == only) visit(run);
  }
}

}  // namespace lotsen::mapping
