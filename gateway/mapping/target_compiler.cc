#include "gateway/mapping/target_compiler.h"

#include "gateway/fhir/forms.h"
#include "gateway/mapping/parser.h"
#include "gateway/mapping/token_cursor.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::kNone;
using fhir::Property;
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

constexpr std::array<Signature, 17> kSignatures = {{
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
}};

const Signature* signatureOf(std::string_view name) {
  const auto found =
      std::find_if(kSignatures.begin(), kSignatures.end(), [name](const auto& row) { return row.name == name; });
  return found == kSignatures.end() ? nullptr : &*found;
}

class TargetCompiler {
 public:
  TargetCompiler(GroupCompiler& group, const TargetNode& node, bool implicit, Index sourceSlot,
                 const StaticType& sourceType)
      : group_(group), node_(node), implicit_(implicit), sourceSlot_(sourceSlot), sourceType_(sourceType) {
    plan_.at = node.at;
    plan_.listMode = node.listMode;
  }

  TargetPlan run() {
    if (node_.path.empty()) {
      value();
      bind(result_, resultIsElement_);
      return plan_;
    }
    const Binding* context = group_.target(node_.path[0].text);
    if (context == nullptr || !context->place) {
      unknownContext(context);
      return plan_;
    }
    plan_.context = context->slot;
    StaticType current = context->type;
    if (node_.path.size() == 1) {
      self(current);
      return plan_;
    }
    std::vector<PlacePlan> places;
    for (std::size_t i = 1; i + 1 < node_.path.size(); ++i) container(node_.path[i], current, places);
    final(node_.path.back(), current, places);
    plan_.path = append(group_.plan().places, places);
    if (node_.listMode == TargetListMode::Share) plan_.shared = group_.shared(node_.shareId.text)->slot;
    direct(places);
    return plan_;
  }

 private:
  void error(fhir::Position at, std::string_view rule, const std::string& text) { group_.error(at, rule, text); }
  const TypeLookup& lookup() const { return group_.lookup(); }
  const fhir::Schema& schema() const { return group_.schema(); }

  void unknownContext(const Binding* context) {
    const Name& name = node_.path[0];
    std::string why = "there is no target variable " + quoted(name.text) + " here";
    if (context != nullptr) {
      why = quoted(name.text) + " is a value, not an element that could be filled";
    } else if (group_.source(name.text) != nullptr) {
      why = quoted(name.text) + " is a source variable; a target begins with a target variable";
    }
    error(name.at, "fml-unknown-variable", why + suggestion(name.text, group_.names(Binding::Space::Target)));
    bind({}, true);
  }

  void bind(StaticType type, bool place) {
    if (!node_.variable.empty())
      plan_.variable = group_.bind(node_.variable, Binding::Space::Target, std::move(type), place);
  }

  // --- places
  // -----------------------------------------------------------------------------------------------------------

  /// `tgt as x` gives the variable a second name; `tgt = value` sets the value of a primitive.
  void self(const StaticType& current) {
    if (!node_.transform) {
      plan_.transform = TransformKind::Alias;
      bind(current, true);
      return;
    }
    value();
    PlacePlan place;
    place.self = true;
    plan_.path = append(group_.plan().places, std::vector<PlacePlan>{place});
    if (current.known() && !lookup().open(current) && !lookup().allPrimitive(current) && result_.known() &&
        result_.types != current.types) {
      error(node_.at, "fml-type", "a " + lookup().describe(current) + " cannot take a " + lookup().describe(result_));
    }
    bind(current, true);
  }

  std::vector<const Property*> lookUp(const Name& name, const StaticType& current, PlacePlan& place) {
    place.name = group_.compiler().name(name.text);
    if (lookup().allPrimitive(current) && name.text == "value") {
      place.self = true;
      return {};
    }
    auto properties = lookup().find(current, name.text);
    if (properties.empty() && !lookup().open(current)) {
      error(name.at, "fml-unknown-element",
            lookup().describe(current) + " has no element " + quoted(name.text) +
                suggestion(name.text, lookup().names(current)));
    }
    if (!properties.empty()) place.repeats = lookup().repeats(*properties[0]);
    return properties;
  }

  void container(const Name& name, StaticType& current, std::vector<PlacePlan>& places) {
    PlacePlan place;
    const auto properties = lookUp(name, current, place);
    if (properties.size() > 1 ||
        (properties.size() == 1 && schema().type(properties[0]->type).kind == fhir::TypeKind::Resource)) {
      error(name.at, "fml-choice",
            quoted(name.text) + " may be " + lookup().describe(lookup().of(properties)) +
                ": make it with a target of its own and `= create('Type') as x`");
    }
    if (properties.size() == 1) place.property = properties[0];
    current = lookup().of(properties);
    places.push_back(place);
  }

  void final(const Name& name, const StaticType& current, std::vector<PlacePlan>& places) {
    PlacePlan place;
    const auto properties = lookUp(name, current, place);
    const Property* chosen = nullptr;
    const bool known = !properties.empty();
    if (node_.transform) value();
    if (implicit_ && !place.self) {
      chosen = dispatch(name, properties);
    } else if (known && copyByGroup(properties)) {
      chosen = properties[0];
    } else if (node_.transform && plan_.transform != TransformKind::Create) {
      if (known) chosen = forValue(name, properties);
    } else if (plan_.transform == TransformKind::Create && plan_.type != kNone) {
      if (known) chosen = forType(name, properties);
    } else if (known) {
      chosen = toMake(name, properties);
    }
    place.property = chosen;
    if (chosen == nullptr && known) place.candidates = append(group_.plan().properties, properties);
    places.push_back(place);
    StaticType type = chosen != nullptr ? lookup().of({chosen}) : lookup().of(properties);
    if (plan_.transform == TransformKind::Create && plan_.type != kNone && type.types != std::vector{plan_.type})
      type = lookup().of(plan_.type);
    if (place.self) type = current;
    bind(type, true);
  }

  std::string describe(const std::vector<const Property*>& properties) const {
    return lookup().describe(lookup().of(properties));
  }

  /// tgt.element as x: there must be one type to make.
  const Property* toMake(const Name& name, const std::vector<const Property*>& properties) {
    const bool abstract = schema().type(properties[0]->type).kind == fhir::TypeKind::Resource;
    if (properties.size() == 1 && !abstract) return properties[0];
    if (sourceSlot_ != kNoIndex && bySourceType(properties)) return nullptr;
    if (node_.transform && !node_.transform->arguments.empty()) {
      error(node_.transform->arguments[0].text.at, "fml-unknown-structure",
            "what this makes is not known, so it cannot go into " + quoted(name.text) +
                ": give the package that defines it");
      return properties[0];
    }
    error(name.at, "fml-choice",
          quoted(name.text) + " may be " + (abstract ? "any resource" : describe(properties)) + ": say which, " +
              name.text + " = create('Type')");
    return properties[0];
  }

  const Property* forType(const Name& name, const std::vector<const Property*>& properties) {
    for (const Property* property : properties) {
      if (property->type == plan_.type) return property;
    }
    for (const Property* property : properties) {
      if (schema().isA(plan_.type, property->type)) return property;
    }
    error(name.at, "fml-type",
          quoted(name.text) + " takes " + describe(properties) + ", not " + lookup().describe(lookup().of(plan_.type)));
    return properties[0];
  }

  /// Where a value goes: known now if there is one property or one type of value.
  const Property* forValue(const Name& name, const std::vector<const Property*>& properties) {
    const bool oneType = result_.types.size() == 1 && !lookup().open(result_);
    const TypeId type = oneType ? result_.types[0] : kNone;
    const std::string_view text = constant_ == nullptr ? std::string_view() : std::string_view(*constant_);
    const Property* chosen = nullptr;
    if (properties.size() == 1) {
      chosen = properties[0];
    } else if (oneType || constant_ != nullptr) {
      chosen = chooseProperty(schema(), properties, type, constant_ == nullptr ? nullptr : &text);
      const bool textual = oneType && lookup().isPrimitive(type);
      if (chosen == nullptr && textual && constant_ == nullptr) return nullptr;  // the text decides when it runs
      if (chosen == nullptr) {
        error(name.at, "fml-type",
              quoted(name.text) + " takes " + describe(properties) + ", not " + lookup().describe(result_));
        return properties[0];
      }
    } else {
      return nullptr;
    }
    check(name, *chosen, type);
    return chosen;
  }

  void check(const Name& name, const Property& property, TypeId type) {
    if (type != kNone && !convertible(schema(), type, property.type)) {
      error(node_.transform->name.at, "fml-type",
            quoted(name.text) + " takes " + describe({&property}) + ", not " + lookup().describe(result_));
    }
    if (constant_ == nullptr || !lookup().isPrimitive(property.type)) return;
    const std::string typeName(schema().nameText(schema().type(property.type).name));
    if (!fhir::isValidPrimitive(schema(), property.type, *constant_)) {
      error(node_.transform->arguments[0].text.at, "fml-value", quoted(*constant_) + " is not a valid " + typeName);
    } else if (property.def != kNone && typeName == "code") {
      const fhir::ElementDef& def = schema().def(property.def);
      if (def.strength == fhir::Strength::Required && def.valueSet != kNone &&
          schema().inValueSet(schema().text(def.valueSet), {}, *constant_) == fhir::Schema::Membership::NotIn) {
        group_.warning(node_.transform->arguments[0].text.at, "fml-value",
                       quoted(*constant_) + " is not in the value set of " + std::string(schema().text(def.path)) +
                           ", " + std::string(schema().text(def.valueSet)));
      }
    }
  }

  // --- by type
  /// Whether this is the common case that Runner::directTarget does.
  void direct(const std::vector<PlacePlan>& places) {
    const PlacePlan& place = places.back();
    const Property* property = place.property;
    if (places.size() != 1 || property == nullptr || property->def == kNone || place.self) return;
    if (plan_.listMode != TargetListMode::None || plan_.dispatch.count > 0) return;
    if (plan_.transform == TransformKind::Copy) {
      const OperandPlan& from = group_.plan().operands[plan_.arguments.first];
      const bool ready = from.kind == OperandPlan::Kind::Constant || from.kind == OperandPlan::Kind::Slot;
      if (!ready || !lookup().isPrimitive(property->type)) return;
    } else if (plan_.transform == TransformKind::Create ? plan_.type != property->type
                                                        : plan_.transform != TransformKind::None) {
      return;
    }
    plan_.direct = property;
    plan_.directName = schema().def(property->def).name;
    plan_.once = !place.repeats;
    plan_.textual = schema().type(property->type).primitive == fhir::Primitive::String;
  }

  // ----------------------------------------------------------------------------------------------------------

  /// A choice or Resource element is made as the type that the <<type+>> group for the source's type produces.
  bool bySourceType(const std::vector<const Property*>& properties) {
    std::vector<DispatchPlan> rows;
    for (const TypeId source : sourceType_.types) {
      for (const GroupRef ref : group_.compiler().findGroups(group_.map(), source, lookup().isAbstract(source))) {
        const auto [from, to] = group_.compiler().typesOf(ref);
        for (const Property* property : properties) {
          if (to == property->type || schema().isA(to, property->type)) rows.push_back({from, property, kNoIndex, to});
        }
      }
    }
    plan_.dispatch = append(group_.plan().dispatches, rows);
    plan_.dispatchSource = sourceSlot_;
    return !rows.empty();
  }

  /// src.a -> tgt.b: for each type the source may have, the default group for it and a type of the target, else a copy.
  const Property* dispatch(const Name& name, const std::vector<const Property*>& properties) {
    plan_.transform = TransformKind::Implicit;
    plan_.dispatchSource = sourceSlot_;
    std::vector<DispatchPlan> rows;
    for (const TypeId source : sourceType_.types) {
      for (const Property* property : properties) byTypes(source, *property, rows);
      if (properties.empty()) bySource(source, rows);
    }
    for (const TypeId source : sourceType_.types) {
      const bool found =
          std::any_of(rows.begin(), rows.end(), [source](const auto& row) { return row.source == source; });
      if (found || lookup().isAbstract(source)) continue;
      const Property* property = chooseProperty(schema(), properties, source, nullptr);
      const bool fits = property != nullptr && convertible(schema(), source, property->type);
      if (fits) rows.push_back({source, property, kNoIndex, property->type});
      if (!fits && !properties.empty() && sourceType_.types.size() == 1) {
        error(name.at, "fml-type",
              "no group maps " + lookup().describe(sourceType_) + " to " + describe(properties) +
                  " by default, and a copy is not possible; write `then Group(a, b)` or a group with <<types>>");
      }
    }
    plan_.dispatch = append(group_.plan().dispatches, rows);
    return properties.size() == 1 ? properties[0] : nullptr;
  }

  /// `tgt.b = a` between different structures: the default group for the two types, if there is one.
  bool copyByGroup(const std::vector<const Property*>& properties) {
    if (plan_.transform != TransformKind::Copy || properties.size() != 1 || result_.types.size() != 1) return false;
    const OperandPlan& from = group_.plan().operands[plan_.arguments.first];
    if (from.kind != OperandPlan::Kind::Slot || convertible(schema(), result_.types[0], properties[0]->type))
      return false;
    std::vector<DispatchPlan> rows;
    byTypes(result_.types[0], *properties[0], rows);
    if (rows.empty()) return false;
    plan_.transform = TransformKind::Implicit;
    plan_.dispatchSource = from.index;
    plan_.dispatch = append(group_.plan().dispatches, rows);
    return true;
  }

  /// Into a target of unknown structure: what the <<type+>> group for the source's type makes.
  void bySource(TypeId source, std::vector<DispatchPlan>& rows) {
    for (const GroupRef ref : group_.compiler().findGroups(group_.map(), source, lookup().isAbstract(source))) {
      const auto [from, to] = group_.compiler().typesOf(ref);
      rows.push_back({from, nullptr, group_.compiler().instance(ref, {lookup().of(from), lookup().of(to)}), to});
    }
  }

  void byTypes(TypeId source, const Property& property, std::vector<DispatchPlan>& rows) {
    std::vector<GroupRef> refs;
    if (const auto ref = group_.compiler().findGroup(group_.map(), source, property.type)) refs.push_back(*ref);
    const bool abstract = schema().type(property.type).kind == fhir::TypeKind::Resource;
    if (refs.empty() && (abstract || lookup().isAbstract(source))) {
      refs = group_.compiler().findGroups(group_.map(), source, lookup().isAbstract(source));
    }
    for (const GroupRef ref : refs) {
      const auto [from, to] = group_.compiler().typesOf(ref);
      if (to != property.type && !schema().isA(to, property.type)) continue;
      rows.push_back({from, &property, group_.compiler().instance(ref, {lookup().of(from), lookup().of(to)}), to});
    }
  }

  // --- transforms
  // -------------------------------------------------------------------------------------------------------

  void value() {
    const Transform& transform = *node_.transform;
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
    if (!signature->result.empty()) result_ = lookup().of(schema().findType(signature->result));
    resultIsElement_ = signature->kind == TransformKind::Create || signature->kind >= TransformKind::Cc;
    switch (signature->kind) {
      case TransformKind::Create: create(transform); break;
      case TransformKind::Cast: cast(transform); break;
      case TransformKind::Evaluate: evaluate(transform); break;
      case TransformKind::DateOp: dateOp(transform); break;
      case TransformKind::Translate: translate(transform); break;
      case TransformKind::Copy: {
        const CompiledOperand operand = group_.operand(transform.arguments[0]);
        result_ = operand.type;
        constant_ = operand.constant;
        plan_.arguments = append(group_.plan().operands, std::vector<OperandPlan>{operand.plan});
        break;
      }
      default: plan_.arguments = arguments(transform.arguments);
    }
  }

  Range arguments(const std::vector<Operand>& nodes) {
    std::vector<OperandPlan> plans;
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

  void create(const Transform& transform) {
    if (transform.arguments.empty()) return;
    plan_.type = typeArgument(transform.arguments[0]);
    if (plan_.type != kNone && lookup().isAbstract(plan_.type) &&
        schema().type(plan_.type).kind == fhir::TypeKind::Resource) {
      error(transform.arguments[0].text.at, "fml-type",
            "there are no instances of the abstract type " + lookup().describe(lookup().of(plan_.type)));
    }
    result_ = lookup().of(plan_.type);
  }

  void cast(const Transform& transform) {
    plan_.arguments =
        append(group_.plan().operands, std::vector<OperandPlan>{group_.operand(transform.arguments[0]).plan});
    if (transform.arguments.size() < 2) return;  // to whatever the element takes
    plan_.type = typeArgument(transform.arguments[1]);
    if (plan_.type != kNone && !lookup().isPrimitive(plan_.type)) {
      error(transform.arguments[1].text.at, "fml-type", "a cast makes primitives only; use create() and fill it");
    }
    result_ = lookup().of(plan_.type);
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
    result_ = date.type;
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
    result_ = lookup().of(plan_.type);
  }

  GroupCompiler& group_;
  const TargetNode& node_;
  const bool implicit_;
  const Index sourceSlot_;
  const StaticType& sourceType_;
  TargetPlan plan_;
  StaticType result_;
  const std::string* constant_ = nullptr;
  bool resultIsElement_ = false;
};

}  // namespace

bool isTransform(std::string_view name) {
  return signatureOf(name) != nullptr;
}

TargetPlan compileTarget(GroupCompiler& group, const TargetNode& node, bool implicit, Index sourceSlot,
                         const StaticType& sourceType) {
  return TargetCompiler(group, node, implicit, sourceSlot, sourceType).run();
}

}  // namespace lotsen::mapping
