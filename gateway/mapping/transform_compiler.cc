#include "gateway/mapping/transform_compiler.h"

#include "gateway/mapping/parser.h"
#include "gateway/mapping/token_cursor.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::kNone;
using fhir::TypeId;

struct Signature {
  std::string_view name;
  TransformKind kind;
  std::size_t least;
  std::size_t most;
  std::string_view result;  // type; empty: depends
  std::string_view usage;
};

constexpr std::size_t kMany = 1000;

constexpr std::array<Signature, 23> kSignatures = {{
    {"create", TransformKind::Create, 0, 1, "", "create('Type')"},
    {"copy", TransformKind::Copy, 1, 1, "", "copy(value)"},
    {"truncate", TransformKind::Truncate, 2, 2, "string", "truncate(text, length)"},
    {"escape", TransformKind::Escape, 2, 3, "string", "escape(text, 'format') or escape(text, 'from', 'to')"},
    {"cast", TransformKind::Cast, 1, 2, "", "cast(value, 'type')"},
    {"append", TransformKind::Append, 1, kMany, "string", "append(text, text …)"},
    {"translate", TransformKind::Translate, 2, 3, "", "translate(code, '#conceptmap', 'code')"},
    {"reference", TransformKind::Reference, 1, 1, "string", "reference(resource)"},
    {"dateOp", TransformKind::DateOp, 1, 3, "", "dateOp(date, '+5 days') or dateOp(date, 5, 'days')"},
    {"uuid", TransformKind::Uuid, 0, 0, "string", "uuid()"},
    {"pointer", TransformKind::Pointer, 1, 1, "uri", "pointer(resource)"},
    {"evaluate", TransformKind::Evaluate, 1, 2, "", "evaluate(source, expression)"},
    {"cc", TransformKind::Cc, 1, 3, "CodeableConcept", "cc('text') or cc('system', code, display)"},
    {"c", TransformKind::C, 2, 3, "Coding", "c('system', code, display)"},
    {"qty", TransformKind::Qty, 1, 4, "Quantity", "qty('4.5 mg') or qty(value, 'unit', 'system', 'code')"},
    {"id", TransformKind::Id, 2, 3, "Identifier", "id('system', value, 'type')"},
    {"cp", TransformKind::Cp, 1, 2, "ContactPoint", "cp(value) or cp('system', value)"},
    {"toDate", TransformKind::ParseMoment, 1, 2, "date", "toDate(text, 'yyyyMMdd')"},
    {"toDateTime", TransformKind::ParseMoment, 1, 2, "dateTime", "toDateTime(text, 'yyyyMMddHHmmssZ')"},
    {"toTime", TransformKind::ParseMoment, 1, 2, "time", "toTime(text, 'HHmmss')"},
    {"unixToDate", TransformKind::UnixMoment, 1, 2, "date", "unixToDate(seconds, '+02:00')"},
    {"unixToDateTime", TransformKind::UnixMoment, 1, 2, "dateTime", "unixToDateTime(seconds, '+02:00')"},
    {"unixToTime", TransformKind::UnixMoment, 1, 2, "time", "unixToTime(seconds, '+02:00')"},
}};

const Signature* signatureOf(std::string_view name) {
  const auto found =
      std::find_if(kSignatures.begin(), kSignatures.end(), [name](const auto& row) { return row.name == name; });
  return found == kSignatures.end() ? nullptr : &*found;
}

class TransformCompiler {
 public:
  TransformCompiler(GroupCompiler& group, TargetPlan& plan, Index sourceSlot, const StaticType& sourceType)
      : group_(group), plan_(plan), sourceSlot_(sourceSlot), sourceType_(sourceType) {}

  CompiledTransform run(const Transform& transform) {
    value(transform);
    return std::move(made_);
  }

 private:
  void error(fhir::Position at, std::string_view rule, const std::string& text) { group_.error(at, rule, text); }
  const TypeLookup& lookup() const { return group_.lookup(); }
  const fhir::Schema& schema() const { return group_.schema(); }

  void value(const Transform& transform) {
    const Signature* signature = signatureOf(transform.name.text);
    if (signature == nullptr) {
      const auto names = transformNames();
      error(transform.name.at, "fml-unknown-transform",
            "unknown transform " + quoted(transform.name.text) +
                suggestion(transform.name.text, {names.begin(), names.end()}));
      return;
    }
    const std::size_t count = transform.arguments.size();
    if (count < signature->least || count > signature->most) {
      error(transform.name.at, "fml-arguments", "wrong number of arguments: " + std::string(signature->usage));
      return;
    }
    plan_.transform = signature->kind;  // only now: the rest relies on its arguments
    if (!signature->result.empty()) made_.result = lookup().of(schema().findType(signature->result));
    made_.isElement = signature->kind == TransformKind::Create || signature->kind >= TransformKind::Cc;
    switch (signature->kind) {
      case TransformKind::Create: create(transform); break;
      case TransformKind::Cast: cast(transform); break;
      case TransformKind::Evaluate: evaluate(transform); break;
      case TransformKind::DateOp: dateOp(transform); break;
      case TransformKind::Translate: translate(transform); break;
      case TransformKind::ParseMoment:
      case TransformKind::UnixMoment: moment(transform); break;
      case TransformKind::Copy: {
        const CompiledOperand operand = group_.operand(transform.arguments[0]);
        made_.result = operand.type;
        made_.constant = operand.constant;
        plan_.arguments = append(group_.plan().operands, std::vector<OperandPlan>{operand.plan});
        break;
      }
      default: plan_.arguments = arguments(transform.arguments);
    }
  }

  Range arguments(const std::vector<Operand>& nodes) {
    std::vector<OperandPlan> plans;
    plans.reserve(nodes.size());
    for (const Operand& node : nodes) plans.push_back(group_.operand(node).plan);
    return append(group_.plan().operands, plans);
  }

  /// The type that an argument names: 'Patient', "Patient" or Patient; an alias too.
  TypeId typeArgument(const Operand& node) {
    if (node.kind == Operand::Kind::Literal) return group_.compiler().resolveType(group_.map(), node.text);
    if (node.kind == Operand::Kind::Path && node.steps.size() == 1)
      return group_.compiler().resolveType(group_.map(), node.steps[0]);
    error(node.text.at, "fml-arguments", "this must be the name of a type in quotes");
    return kNone;
  }

  /// The inner element that is named by its path, as the specification has it ('Bundle.entry'), or as HAPI's classes
  /// are called ('Bundle_Entry').
  const fhir::Property* elementNamed(const Operand& node) const {
    if (node.kind != Operand::Kind::Literal || node.text.text.find('/') != std::string::npos) return nullptr;
    const std::size_t mark = node.text.text.find_first_of("._");
    if (mark == std::string::npos) return nullptr;
    const TypeId type = schema().findType(node.text.text.substr(0, mark));
    StaticType current = lookup().of(type);
    const fhir::Property* found = nullptr;
    std::string_view rest = std::string_view(node.text.text).substr(mark);
    while (type != kNone && !rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of("._", 1), rest.size());
      std::string name(rest.substr(1, end - 1));
      if (rest[0] == '_' && !name.empty() && name[0] >= 'A' && name[0] <= 'Z')
        name[0] = static_cast<char>(name[0] + 32);
      const auto properties = lookup().find(current, name);
      const bool inner =
          properties.size() == 1 && properties[0]->def != kNone && schema().def(properties[0]->def).shape != kNone;
      if (!inner) return nullptr;
      found = properties[0];
      current = lookup().of(properties);
      rest.remove_prefix(end);
    }
    return found;
  }

  void create(const Transform& transform) {
    if (transform.arguments.empty()) return;
    const Operand& argument = transform.arguments[0];
    if (const fhir::Property* element = elementNamed(argument)) {
      plan_.type = element->type;
      made_.result = lookup().of({element});
      return;
    }
    plan_.type = typeArgument(argument);
    const TypeId own = plan_.type == kNone ? schema().findType(argument.text.text) : kNone;
    if (own != kNone && !lookup().isAbstract(own)) {
      group_.warning(argument.text.at, "fml-unknown-structure",
                     "what " + quoted(argument.text.text) + " stands for is not known: R4's type of that name is made");
      plan_.type = own;
    }
    if (plan_.type != kNone && lookup().isAbstract(plan_.type) &&
        schema().type(plan_.type).kind == fhir::TypeKind::Resource) {
      error(transform.arguments[0].text.at, "fml-type",
            "there are no instances of the abstract type " + lookup().describe(lookup().of(plan_.type)));
    }
    made_.result = lookup().of(plan_.type);
  }

  void cast(const Transform& transform) {
    plan_.arguments =
        append(group_.plan().operands, std::vector<OperandPlan>{group_.operand(transform.arguments[0]).plan});
    if (transform.arguments.size() < 2) return;  // to whatever the element takes
    plan_.type = typeArgument(transform.arguments[1]);
    if (plan_.type != kNone && !lookup().isPrimitive(plan_.type)) {
      error(transform.arguments[1].text.at, "fml-type", "a cast makes primitives only; use create() and fill it");
    }
    made_.result = lookup().of(plan_.type);
  }

  void evaluate(const Transform& transform) {
    if (transform.arguments.size() == 1) {  // starts from the rule's source; the specification leaves it open
      if (sourceSlot_ != kNoIndex) {
        plan_.arguments =
            append(group_.plan().operands, std::vector<OperandPlan>{{OperandPlan::Kind::Slot, sourceSlot_, {}}});
      }
      plan_.program =
          group_.expression(asExpression(transform.arguments[0]), sourceSlot_ == kNoIndex ? StaticType() : sourceType_);
      return;
    }
    const CompiledOperand focus = group_.operand(transform.arguments[0]);
    plan_.arguments = append(group_.plan().operands, std::vector<OperandPlan>{focus.plan});
    plan_.program = group_.expression(asExpression(transform.arguments[1]), focus.type);
  }

  /// evaluate(src, name.family): FHIRPath, though it looks like a path. In a StructureMap it stands in a string.
  Name asExpression(const Operand& node) {
    if (node.kind != Operand::Kind::Path) return node.text;
    Name text{{}, node.steps[0].at};
    for (const Name& step : node.steps) text.text += (text.text.empty() ? "" : ".") + step.text;
    return text;
  }

  /// dateOp(date, '-2 weeks'), dateOp(date, 5, 'days'): the published language leaves the arguments open; ours become
  /// FHIRPath. With a date alone it takes the text as the date it says, as Firely's mapper does.
  void dateOp(const Transform& transform) {
    const CompiledOperand date = group_.operand(transform.arguments[0]);
    plan_.arguments = append(group_.plan().operands, std::vector<OperandPlan>{date.plan});
    made_.result = date.type;
    if (transform.arguments.size() == 1) {  // dateOp(text): a text as the date it says
      plan_.transform = TransformKind::Cast;
      return;
    }
    std::string amount;
    for (std::size_t i = 1; i < transform.arguments.size(); ++i) {
      if (transform.arguments[i].kind != Operand::Kind::Literal) {
        error(transform.name.at, "fml-arguments",
              "the amount must be written out: dateOp(date, '+5 days') or dateOp(date, 5, 'days')");
        return;
      }
      amount += (amount.empty() ? "" : " ") + transform.arguments[i].text.text;
    }
    const bool minus = amount.starts_with('-');
    if (minus || amount.starts_with('+')) amount.erase(0, 1);
    const Name text{"$this " + std::string(minus ? "-" : "+") + " " + amount, transform.arguments[1].text.at};
    plan_.program = group_.expression(text, date.type);
  }

  void moment(const Transform& transform) {
    plan_.arguments = arguments(transform.arguments);
    plan_.type = made_.result.types[0];
    plan_.moment = transform.name.text.ends_with("DateTime") ? MomentKind::DateTime
                   : transform.name.text.ends_with("Time")   ? MomentKind::Time
                                                             : MomentKind::Date;
    if (plan_.transform == TransformKind::UnixMoment) return;
    if (transform.arguments.size() == 1) {  // in FHIR's own writing
      plan_.transform = TransformKind::Cast;
    } else if (transform.arguments[1].kind == Operand::Kind::Literal) {
      const std::string fault = formatFault(transform.arguments[1].text.text, plan_.moment);
      if (!fault.empty()) error(transform.arguments[1].text.at, "fml-arguments", fault);
    }
  }

  void translate(const Transform& transform) {
    const Operand& uri = transform.arguments[1];
    if (uri.kind != Operand::Kind::Literal) {
      error(transform.name.at, "fml-arguments",
            "the concept map must be written out: translate(code, '#conceptmap', 'code')");
      return;
    }
    plan_.arguments =
        append(group_.plan().operands, std::vector<OperandPlan>{group_.operand(transform.arguments[0]).plan});
    plan_.table = group_.compiler().conceptMap(group_.map(), uri.text);
    struct Output {
      std::string_view word;
      TranslateTo to;
      std::string_view type;
    };
    static constexpr std::array<Output, 7> kOutputs = {
        {{"Coding", TranslateTo::Coding, "Coding"},
         {"coding", TranslateTo::Coding, "Coding"},
         {"CodeableConcept", TranslateTo::CodeableConcept, "CodeableConcept"},
         {"code", TranslateTo::Code, "code"},
         {"uri", TranslateTo::Code, "uri"},
         {"system", TranslateTo::System, "uri"},
         {"display", TranslateTo::Display, "string"}}};
    const std::string_view wanted =
        transform.arguments.size() > 2 ? std::string_view(transform.arguments[2].text.text) : "Coding";
    const auto* const output =
        std::find_if(kOutputs.begin(), kOutputs.end(), [wanted](const Output& row) { return row.word == wanted; });
    if (output == kOutputs.end()) {
      error(transform.arguments[2].text.at, "fml-arguments",
            "translate makes 'code', 'system', 'display', 'uri', 'Coding' or 'CodeableConcept'");
      return;
    }
    plan_.translateTo = output->to;
    plan_.type = schema().findType(output->type);
    made_.result = lookup().of(plan_.type);
  }

  GroupCompiler& group_;
  TargetPlan& plan_;
  const Index sourceSlot_;
  const StaticType& sourceType_;
  CompiledTransform made_;
};

}  // namespace

bool isTransform(std::string_view name) {
  return signatureOf(name) != nullptr;
}

CompiledTransform compileTransform(GroupCompiler& group, const Transform& transform, TargetPlan& plan, Index sourceSlot,
                                   const StaticType& sourceType) {
  return TransformCompiler(group, plan, sourceSlot, sourceType).run(transform);
}

}  // namespace lotsen::mapping
