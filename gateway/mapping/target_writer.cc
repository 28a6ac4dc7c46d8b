// Targets of a run: places, elements, values and their conversion. Part of Runner.
//
// An element that does not repeat is made once: a second target for it gets the same one, as in the reference
// implementation, and a second value replaces the first. An element that repeats is made anew, unless its list mode
// says otherwise.
#include "gateway/fhir/forms.h"
#include "gateway/mapping/runner.h"
#include "gateway/mapping/static_type.h"

#include <algorithm>
#include <utility>

namespace lotsen::mapping {

using fhir::Element;
using fhir::kNone;
using fhir::Property;
using fhir::TypeId;

/// Shorter ones cannot fill the memory between two checks of its bound.
constexpr std::size_t kLongText = 4096;

/// Targets only ever hold nodes of the target document, which is ours to change.
static Element* own(const Element* node) {
  return const_cast<Element*>(node);
}

/// An element of a known property, made or set to a text that needs no conversion: nearly all targets of nearly all
/// maps. False: the value turned out to need more, nothing is done yet.
bool Runner::directTarget(const TargetPlan& target) {
  const Element* context = slot(target.context).node;
  if (context == nullptr || !pinnedLast_.empty()) return false;
  std::string_view text;
  const bool copies = target.transform == TransformKind::Copy;
  if (copies) {
    const OperandPlan& operand = plan_.operands[target.arguments.first];
    const Value& value =
        operand.kind == OperandPlan::Kind::Constant ? plan_.constants[operand.index] : slot(operand.index);
    if (value.node != nullptr) {
      if (!value.node->hasValue() || value.node->first != nullptr) return false;
      if (!target.textual && value.node->type != target.direct->type) return false;
      text = value.node->value();
    } else {
      if (!target.textual || value.kind == fhirpath::Kind::Node || value.kind == fhirpath::Kind::Quantity) return false;
      text = value.text;
    }
  }
  if (text.size() > kLongText && !grow(text.size())) return true;
  Element* parent = own(context);
  Element* node = target.once ? fhir::child(parent, target.directName) : nullptr;
  if (node != nullptr && node->type != target.direct->type) return false;
  if (node == nullptr) node = target_.append(parent, *target.direct);
  if (copies) {
    target_.setValue(node, text);
    wrote();
  }
  assign(target, node);
  return true;
}

void Runner::target(const TargetPlan& target) {
  running_ = &target;
  if (target.direct != nullptr && directTarget(target)) return;
  if (!grow(0)) return;
  if (target.variable != kNoIndex) slot(target.variable) = {};
  const std::optional<Place> where = place(target);
  if (!where) return;
  into_ = where->parent;
  const Mark before = mark();
  transform(target, *where);
  if (where->plan != nullptr) settle(before);  // a value without a place counts with what is made of it
  into_ = nullptr;
}

std::optional<Runner::Place> Runner::place(const TargetPlan& target) {
  Place at;
  if (target.context == kNoIndex) return at;
  const Value& context = slot(target.context);
  if (context.node == nullptr) return {};  // its own transform had nothing to say
  at.parent = own(context.node);
  const auto path = rows(plan_.places, target.path);
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    at.plan = &path[i];
    Element* next = nullptr;
    if (!path[i].repeats && path[i].property != nullptr) {
      next = fhir::child(at.parent, schema_.def(path[i].property->def).name);
    }
    at.parent = next != nullptr ? next : makeAny({}, at, kNone);
    if (at.parent == nullptr) return {};
  }
  if (!path.empty()) at.plan = &path.back();
  return at;
}

/// The property that a value of this type goes to. `made` is room for one that no type defines. nullptr: a fault was
/// reported.
const Property* Runner::property(const Place& place, TypeId type, const std::string_view* text, Property& made) {
  const PlacePlan& plan = *place.plan;
  if (plan.property != nullptr) return plan.property;
  const auto candidates = rows(plan_.properties, plan.candidates);
  const std::string_view name = plan_.names[plan.name];
  if (!candidates.empty()) {
    const Property* chosen = chooseProperty(schema_, candidates, type, text);
    if (chosen == nullptr) fault("structure", "map-type", "'" + std::string(name) + "' takes no value of this type");
    return chosen;
  }
  const Element* parent = place.parent;
  if (parent->type != kNone) {
    const fhir::ShapeId shape = schema_.shapeOf(parent->def, parent->type);
    const Property* own_property = schema_.property(shape, schema_.findName(name));
    if (own_property != nullptr && own_property->type != kNone) return own_property;
    std::vector<const Property*> variants;
    for (const Property& variant : schema_.properties(shape)) {
      if (own_property != nullptr && variant.def == own_property->def && variant.type != kNone)
        variants.push_back(&variant);
    }
    const Property* chosen = chooseProperty(schema_, variants, type, text);
    if (chosen == nullptr) {
      const std::string of(schema_.nameText(schema_.type(parent->type).name));
      fault("structure", "map-type",
            variants.empty() ? of + " has no element '" + std::string(name) + "'"
                             : "'" + std::string(name) + "' takes no value of this type");
    }
    return chosen;
  }
  made.name = target_.intern(name);
  return &made;
}

Element* Runner::append(Element* parent, const Property& property, TypeId type) {
  if (property.type == kNone && type == kNone) return target_.append(parent, property.name);
  if (type == kNone || type == property.type) return target_.append(parent, property);
  Element* node = target_.createRoot(type);
  target_.attach(parent, property, node);
  return node;
}

/// The element for a target: shared, reused or new, in its place of the list.
Element* Runner::make(const TargetPlan& target, const Place& place, const Property& property, TypeId type) {
  if (target.shared != kNoIndex && slot(target.shared).node != nullptr) return own(slot(target.shared).node);
  const fhir::NameId name = property.def == kNone ? property.name : schema_.def(property.def).name;
  const bool typed = property.def != kNone;
  const bool once = typed && schema_.def(property.def).max == 1;
  if (once || target.listMode == TargetListMode::Single) {
    Element* existing = fhir::child(place.parent, name);
    if (existing != nullptr && (existing->type == (type == kNone ? property.type : type))) return existing;
    if (existing != nullptr && once) target_.remove(existing);  // another variant of a choice
  }
  Element* node = append(place.parent, property, type);
  if (target.shared != kNoIndex) {
    slot(target.shared) = {};
    slot(target.shared).node = node;
  }
  if (!once) order(target, node);
  return node;
}

/// A place without a value: the type is the property's, or as given.
Element* Runner::makeAny(const TargetPlan& target, const Place& place, TypeId type) {
  if (place.plan == nullptr) return target_.createRoot(type);
  Property made;
  const Property* where = property(place, type, nullptr, made);
  return where == nullptr ? nullptr : make(target, place, *where, type);
}

/// List modes first and last: what one rule puts at an end of the list keeps it whatever comes later.
void Runner::order(const TargetPlan& target, Element* node) {
  const bool first = target.listMode == TargetListMode::First;
  const bool last = target.listMode == TargetListMode::Last;
  if (!first && !last && pinnedLast_.empty()) return;
  Element* const parent = node->parent;
  Property property;
  property.name = node->name;
  property.def = node->def;
  const auto again = [&](Element* moved) {
    std::uint64_t before = 1;  // what remove() walks over
    for (const Element* at = parent->first; at != moved; at = at->next) ++before;
    if (!charge(before)) return;
    target_.remove(moved);
    target_.attach(parent, property, moved);
  };
  const auto inList = [&](const Pinned& pin) { return pin.node->parent == parent && pin.node->name == node->name; };
  const auto byOther = [&](const Pinned& pin) { return inList(pin) && pin.by != &target; };
  if (last) {
    if (std::any_of(pinnedLast_.begin(), pinnedLast_.end(), byOther))
      fault("structure", "map-list-mode", "two rules want to be last in this list");
    pinnedLast_.push_back({node, &target});
    return;
  }
  for (const Pinned& pin : pinnedLast_) {
    if (inList(pin)) again(pin.node);
  }
  if (!first) return;
  if (std::any_of(pinnedFirst_.begin(), pinnedFirst_.end(), byOther))
    fault("structure", "map-list-mode", "two rules want to be first in this list");
  pinnedFirst_.push_back({node, &target});
  std::vector<Element*> behind;
  for (Element* at = fhir::child(parent, node->name); at != nullptr && at->name == node->name; at = at->next) {
    const auto self = [at](const Pinned& pin) { return pin.node == at; };
    if (std::none_of(pinnedFirst_.begin(), pinnedFirst_.end(), self)) behind.push_back(at);
  }
  for (Element* moved : behind) again(moved);
}

void Runner::assign(const TargetPlan& target, Element* node) {
  if (target.variable == kNoIndex || node == nullptr) return;
  slot(target.variable) = {};
  slot(target.variable).node = node;
}

// --- values
// ---------------------------------------------------------------------------------------------------------------

void Runner::write(const TargetPlan& target, const Place& place, const Value& value) {
  if (isEmpty(value)) return;
  if (place.plan == nullptr) {
    if (target.variable != kNoIndex) slot(target.variable) = value;
    return;
  }
  assign(target, put(target, place, value));
}

/// A detached node that a transform made.
void Runner::writeNode(const TargetPlan& target, const Place& place, const Element* node) {
  Value made;
  made.node = node;
  write(target, place, made);
}

Element* Runner::put(const TargetPlan& target, const Place& place, const Value& value) {
  if (place.plan->self) {
    if (isComplex(value) && value.node != nullptr) {
      fill(place.parent, value);
    } else {
      setText(place.parent, value);
    }
    return place.parent;
  }
  if (isComplex(value)) return putComplex(target, place, value);
  const TypeId type = typeOf(value);
  const std::string_view text = fhirpath::toText(value);
  if (!grow(text.size())) return nullptr;
  Property made;
  const Property* where = property(place, type, &text, made);
  if (where == nullptr) return nullptr;
  if (where->type != kNone && schema_.type(where->type).primitive == fhir::Primitive::None) {
    return convertComplex(target, place, *where, value);
  }
  Element* node = make(target, place, *where, kNone);
  if (!setText(node, value)) return nullptr;
  if (value.node != nullptr && value.node->first != nullptr) fill(node, value);  // id and extensions of a primitive
  return node;
}

Element* Runner::putComplex(const TargetPlan& target, const Place& place, const Value& value) {
  const TypeId type = typeOf(value);
  Property made;
  const Property* where = property(place, type, nullptr, made);
  if (where == nullptr) return nullptr;
  const Element* from = value.node;
  if (where->type == kNone && from != nullptr) {  // into an untyped tree, as it is
    if (!growByCopy(from, place.parent)) return nullptr;
    carried(from);
    Element* copy = target_.clone(owner(from), from);
    target_.attach(place.parent, *where, copy);
    order(target, copy);
    return copy;
  }
  if (from == nullptr || (type != where->type && !schema_.isA(type, where->type) && !schema_.isA(where->type, type))) {
    return convertComplex(target, place, *where, value);
  }
  const bool sameShape = schema_.shapeOf(from->def, type) == schema_.shapeOf(where->def, where->type) ||
                         schema_.def(from->def).shape == kNone;
  if (type == where->type && !sameShape) {  // two backbone elements: by the names of their children
    Element* node = make(target, place, *where, kNone);
    fill(node, value);
    return node;
  }
  // A node that was made before, without a place, is put here itself; everything else is copied.
  if (!growByCopy(from, place.parent)) return nullptr;
  const bool detached = from->parent == nullptr && &owner(from) == &target_ && from != target_.root();
  if (detached) {
    wrote();
  } else {
    carried(from);
  }
  Element* node = detached ? own(from) : target_.clone(owner(from), from);
  if (type != where->type && schema_.isA(where->type, type)) node->type = where->type;  // a Quantity as an Age
  const bool once = schema_.def(where->def).max == 1;
  Element* existing = once ? fhir::child(place.parent, schema_.def(where->def).name) : nullptr;
  if (existing != nullptr) target_.remove(existing);
  target_.attach(place.parent, *where, node);
  if (!once) order(target, node);
  return node;
}

/// Copies the children of a source node into `node`, each to the property of its name.
void Runner::fill(Element* node, const Value& value) {
  const fhir::Document& from = owner(value.node);
  const fhir::ShapeId shape = node->type == kNone ? kNone : schema_.shapeOf(node->def, node->type);
  for (const Element* member = value.node->first; member != nullptr; member = member->next) {
    Property open;
    open.name = target_.intern(from.nameText(member->name));
    const Property* where = node->type == kNone ? &open : schema_.property(shape, open.name);
    if (where != nullptr && where->type == kNone && node->type != kNone) {
      for (const Property& variant : schema_.properties(shape)) {
        if (variant.def == where->def && variant.type == member->type) where = &variant;
      }
    }
    if (where == nullptr || (where->type == kNone && node->type != kNone)) {
      fault("structure", "map-type",
            "the copied structure has an element '" + std::string(from.nameText(member->name)) +
                "' that the target lacks");
      continue;
    }
    fillMember(node, *where, member);
  }
}

void Runner::fillMember(Element* node, const Property& where, const Element* member) {
  Value value;
  value.node = member;
  const bool same =
      member->type == where.type &&
      (member->type == kNone || schema_.shapeOf(member->def, member->type) == schema_.shapeOf(where.def, where.type));
  if (same || where.type == kNone) {
    if (!growByCopy(member, node)) return;
    carried(member);
    target_.attach(node, where, target_.clone(owner(member), member));
    return;
  }
  if (isComplex(value) != (schema_.type(where.type).primitive == fhir::Primitive::None)) {
    fault("structure", "map-type",
          "'" + std::string(target_.nameText(where.name)) + "' is a value on one side and a structure on the other");
    return;
  }
  Element* made = target_.append(node, where);
  if (!isComplex(value)) setText(made, value);
  read(value);
  fill(made, value);
}

bool Runner::setText(Element* node, const Value& value) {
  wrote();
  const TypeId from = typeOf(value);
  const std::string_view text = fhirpath::toText(value);
  if (node->type == kNone) {
    target_.setValue(node, text);
    const fhir::Primitive kind = from == kNone ? fhir::Primitive::String : schema_.type(from).primitive;
    const bool number = kind == fhir::Primitive::Integer || kind == fhir::Primitive::Decimal;
    node->token = kind == fhir::Primitive::Boolean ? fhir::Token::Boolean
                  : number                         ? fhir::Token::Number
                                                   : fhir::Token::String;
    return true;
  }
  const std::optional<std::string_view> converted = convert(node->type, from, text);
  if (!converted) {
    const std::string wanted(schema_.nameText(schema_.type(node->type).name));
    into_ = node;
    fault("value", "map-value", "the value is not a valid " + wanted + "; change the record or convert it in the map");
    return false;
  }
  target_.setValue(node, *converted);
  return true;
}

/// The text of a primitive as another type writes it. Empty: it cannot be one. Strings go into strings unexamined:
/// validation judges their grammar with the rest.
std::optional<std::string_view> Runner::convert(TypeId to, TypeId from, std::string_view text) const {
  if (from == to) return text;
  switch (schema_.type(to).primitive) {
    case fhir::Primitive::None: return {};
    case fhir::Primitive::String: return text;
    case fhir::Primitive::Date:
      if (text.size() > 10 && text[10] == 'T') text = text.substr(0, 10);
      break;
    case fhir::Primitive::Integer:
    case fhir::Primitive::Decimal:  // the month of 2026-07-01 is 7
      if (text.starts_with('+')) text.remove_prefix(1);
      while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') text.remove_prefix(1);
      break;
    default: break;
  }
  if (!fhir::isValidPrimitive(schema_, to, text)) return {};
  return text;
}

/// Conversions that the reference implementation does without being asked.
Element* Runner::convertComplex(const TargetPlan& target, const Place& place, const Property& property,
                                const Value& value) {
  const TypeId from = typeOf(value);
  const auto named = [this](TypeId type) {
    return type == kNone ? std::string_view() : schema_.nameText(schema_.type(type).name);
  };
  const std::string_view to = named(property.type);
  if (value.kind == fhirpath::Kind::Quantity && schema_.isA(property.type, schema_.findType("Quantity"))) {
    Element* node = make(target, place, property, kNone);
    child(node, plan_.known.value, value.text);
    const bool calendar =
        value.unit.size() > 2 && value.unit.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos;
    child(node, plan_.known.unit, value.unit);
    if (!calendar && !value.unit.empty()) {
      child(node, plan_.known.system, "http://unitsofmeasure.org");
      child(node, plan_.known.code, value.unit);
    }
    return node;
  }
  if (value.node != nullptr && named(from) == "Coding" && to == "CodeableConcept") {
    Element* node = make(target, place, property, kNone);
    fill(child(node, plan_.known.coding), value);
    return node;
  }
  if (value.node != nullptr && named(from) == "CodeableConcept" && to == "Coding") {
    const Element* only = fhir::child(value.node, plan_.known.coding);
    if (only == nullptr || only->runLast != only) {
      fault("structure", "map-type", "a CodeableConcept becomes a Coding only if it has exactly one");
      return nullptr;
    }
    Element* node = make(target, place, property, kNone);
    Value coding;
    coding.node = only;
    fill(node, coding);
    return node;
  }
  const bool primitive = !isComplex(value);
  const bool structure = schema_.type(property.type).primitive == fhir::Primitive::None;
  const bool untyped = value.node != nullptr && !primitive && from == kNone;
  if (untyped && structure) {  // of an unknown model: by the names of its elements
    Element* node = make(target, place, property, kNone);
    fill(node, value);
    return node;
  }
  const std::string_view text = fhirpath::toText(value);
  if (primitive && (to == "CodeableConcept" || to == "Coding") && named(from) == "code") {
    Element* node = make(target, place, property, kNone);
    child(to == "Coding" ? node : child(node, plan_.known.coding), plan_.known.code, text);
    return node;
  }
  if (primitive && (to == "CodeableConcept" || to == "Annotation")) {
    Element* node = make(target, place, property, kNone);
    child(node, plan_.known.text, text);
    return node;
  }
  if (primitive && to == "Reference" && convertible(schema_, from, property.type)) {
    Element* node = make(target, place, property, kNone);
    child(node, plan_.known.reference, text);
    return node;
  }
  if (primitive && schema_.isA(property.type, schema_.findType("Quantity")) &&
      fhir::isValidPrimitive(schema_, schema_.findType("decimal"), text)) {
    Element* node = make(target, place, property, kNone);
    child(node, plan_.known.value, text);
    return node;
  }
  fault("structure", "map-type",
        "a " + std::string(from == kNone ? "structure of unknown type" : named(from)) + " cannot become a " +
            std::string(to));
  return nullptr;
}

/// A child that the engine itself writes: coding, system …
Element* Runner::child(Element* parent, fhir::NameId name) {
  const fhir::Property* property = schema_.property(schema_.shapeOf(parent->def, parent->type), name);
  LOTSEN_CHECK(property != nullptr);
  return target_.append(parent, *property);
}

Element* Runner::child(Element* parent, fhir::NameId name, std::string_view text) {
  if (text.empty()) return nullptr;
  Element* existing = fhir::child(parent, name);
  Element* node = existing != nullptr ? existing : child(parent, name);
  target_.setValue(node, text);
  wrote();
  return node;
}

}  // namespace lotsen::mapping
