#include "gateway/mapping/target_compiler.h"

#include "gateway/fhir/forms.h"
#include "gateway/mapping/token_cursor.h"
#include "gateway/mapping/transform_compiler.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::kNone;
using fhir::Property;
using fhir::TypeId;

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
    // create('Bundle.entry') is that element and no other
    const auto same = [this](const Property* property) {
      return result_.def == kNone || schema().def(result_.def).shape == schema().def(property->def).shape;
    };
    for (const Property* property : properties) {
      if (property->type == plan_.type && same(property)) return property;
    }
    for (const Property* property : properties) {
      if (result_.def == kNone && schema().isA(plan_.type, property->type)) return property;
    }
    error(name.at, "fml-type",
          quoted(name.text) + " takes " + describe(properties) + ", not " + lookup().describe(result_));
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
    } else if (const Property* reference = forReference(properties)) {
      chosen = reference;
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

  /// What reference() and pointer() give is text, but where no text can stand it is a Reference.
  const Property* forReference(const std::vector<const Property*>& properties) const {
    if (plan_.transform != TransformKind::Reference && plan_.transform != TransformKind::Pointer) return nullptr;
    const Property* found = nullptr;
    for (const Property* property : properties) {
      if (lookup().isPrimitive(property->type)) return nullptr;
      if (property->type == schema().findType("Reference")) found = property;
    }
    return found;
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
    if (const auto ref = group_.compiler().findGroup(group_.map(), node_.at, source, property.type))
      refs.push_back(*ref);
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

  void value() {
    const CompiledTransform made = compileTransform(group_, *node_.transform, plan_, sourceSlot_, sourceType_);
    result_ = made.result;
    constant_ = made.constant;
    resultIsElement_ = made.isElement;
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

TargetPlan compileTarget(GroupCompiler& group, const TargetNode& node, bool implicit, Index sourceSlot,
                         const StaticType& sourceType) {
  return TargetCompiler(group, node, implicit, sourceSlot, sourceType).run();
}

}  // namespace lotsen::mapping
