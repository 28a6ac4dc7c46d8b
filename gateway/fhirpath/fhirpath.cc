#include "gateway/fhirpath/fhirpath.h"

#include "gateway/fhir/forms.h"
#include "gateway/fhirpath/compiler.h"
#include "gateway/fhirpath/machine.h"
#include "gateway/json/writer.h"

namespace lotsen::fhirpath {

Result<Program> Program::compile(std::string_view text, std::shared_ptr<const fhir::Schema> schema,
                                 const CompileOptions& options, fhir::Position at) {
  LOTSEN_TRY(auto plan, compilePlan(text, std::move(schema), options, at));
  Program program;
  program.plan_ = std::move(plan);
  return program;
}

const std::string& Program::text() const {
  return plan_->text;
}
const std::vector<std::string>& Program::warnings() const {
  return plan_->warnings;
}

struct Evaluator::State {
  explicit State(Environment given) : environment(std::move(given)), machine(environment) {}
  Environment environment;
  Machine machine;
};

Evaluator::Evaluator(Environment environment) : state_(std::make_unique<State>(std::move(environment))) {}
Evaluator::~Evaluator() = default;
Environment& Evaluator::environment() {
  return state_->environment;
}
std::uint64_t Evaluator::steps() const {
  return state_->machine.steps();
}
void Evaluator::reset() {
  state_->machine.arena().reset();
}

Status Evaluator::evaluateInto(const Program& program, std::span<const Value> focus, Collection& out) {
  out.clear();
  Machine& machine = state_->machine;
  Machine::Activation activation(machine, program.plan());
  LOTSEN_TRY_DO(activation.run(focus));
  const auto results = activation.results();
  if (!machine.room(results.size() * sizeof(Value))) return machine.error();
  out.reserve(results.size());
  for (const Item& item : results) out.push_back(machine.toValue(item));
  if (!machine.withinLimit()) return machine.error();
  return done();
}

Result<Collection> Evaluator::evaluate(const Program& program, const Collection& focus) {
  Collection out;
  LOTSEN_TRY_DO(evaluateInto(program, focus, out));
  return out;
}

Result<Collection> Evaluator::evaluate(const Program& program, const fhir::Element* focus) {
  Value value;
  value.node = focus;
  Collection out;
  LOTSEN_TRY_DO(
      evaluateInto(program, focus == nullptr ? std::span<const Value>() : std::span<const Value>(&value, 1), out));
  return out;
}

Result<bool> Evaluator::test(const Program& program, const fhir::Element* focus) {
  Value value;
  value.node = focus;
  Machine& machine = state_->machine;
  const Arena::Mark mark = machine.arena().mark();
  Machine::Activation activation(machine, program.plan());
  const Status status = activation.run(focus == nullptr ? std::span<const Value>() : std::span<const Value>(&value, 1));
  Truth truth = Truth::Unknown;
  const bool fine =
      status.ok() && machine.criterion(program.plan().nodes[program.plan().root], activation.results(), truth);
  machine.arena().rewind(mark);
  if (!fine) return status.ok() ? machine.error() : status.error();
  return truth == Truth::True;
}

std::string typeName(const fhir::Document& document, const Value& value) {
  constexpr std::string_view kNames[] = {"",     "Boolean",  "Integer", "Decimal", "String",
                                         "Date", "DateTime", "Time",    "Quantity"};
  if (value.kind != Kind::Node) return "System." + std::string(kNames[static_cast<std::size_t>(value.kind)]);
  if (value.node == nullptr || value.node->type == fhir::kNone) return "FHIR.Element";
  const fhir::Schema& schema = document.schema();
  return "FHIR." + std::string(schema.nameText(schema.type(value.node->type).name));
}

std::string_view toText(const Value& value) {
  if (value.kind != Kind::Node) return value.text;
  return value.node != nullptr && value.node->hasValue() ? value.node->value() : std::string_view();
}

std::string toJson(const fhir::Document& document, const Value& value) {
  std::string out;
  switch (value.kind) {
    case Kind::Node: return fhir::writeJson(document, value.node);
    case Kind::Boolean:
    case Kind::Integer:
    case Kind::Decimal: return std::string(value.text);
    case Kind::Quantity:
      out = "{\"value\":" + std::string(value.text) + ",\"unit\":";
      json::appendQuoted(out, value.unit);
      return out + "}";
    default: json::appendQuoted(out, value.text); return out;
  }
}

}  // namespace lotsen::fhirpath
