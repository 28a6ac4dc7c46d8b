// The transforms. Part of Runner. A transform whose argument is empty makes nothing (as in the reference
// implementation); one that cannot do its work is a fault.
#include "gateway/crypto/digest.h"
#include "gateway/mapping/runner.h"
#include "gateway/mapping/static_type.h"
#include "gateway/mapping/text_transforms.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::Element;
using fhir::kNone;
using fhir::TypeId;
using fhirpath::Kind;

/// The name space of uuid(), a random UUID of ours.
constexpr std::string_view kUuidSpace = "b3f0c6d2-8d0e-4b7e-9a53-5f6c1d2e7a41";

}  // namespace

void Runner::transform(const TargetPlan& target, const Place& place) {
  switch (target.transform) {
    case TransformKind::Alias:
      if (target.variable != kNoIndex) slot(target.variable) = slot(target.context);
      return;
    case TransformKind::None:
    case TransformKind::Create: create(target, place); return;
    case TransformKind::Implicit: implicit(target, place); return;
    case TransformKind::Copy: {
      const OperandPlan& operand = argument(target, 0);
      if (operand.kind != OperandPlan::Kind::Path && operand.kind != OperandPlan::Kind::Expression) {
        write(target, place, value(operand));
        return;
      }
      std::vector<Value> found;
      values(operand, found);
      for (const Value& item : found) write(target, place, item);
      return;
    }
    case TransformKind::Evaluate:
    case TransformKind::DateOp: evaluateInto(target, place); return;
    case TransformKind::Cast: castInto(target, place); return;
    case TransformKind::ParseMoment:
    case TransformKind::UnixMoment: momentInto(target, place); return;
    case TransformKind::Translate: translate(target, place); return;
    case TransformKind::Reference:
    case TransformKind::Pointer: reference(target, place); return;
    case TransformKind::Cc:
    case TransformKind::C: coding(target, place); return;
    case TransformKind::Qty: quantity(target, place); return;
    case TransformKind::Id: identifier(target, place); return;
    case TransformKind::Cp: contactPoint(target, place); return;
    default: textTransform(target, place);
  }
}

void Runner::create(const TargetPlan& target, const Place& place) {
  TypeId type = target.type;
  const fhir::Property* known = nullptr;
  if (target.dispatch.count > 0) {  // a choice: the type that the group for the source's type produces
    const TypeId source = typeOf(slot(target.dispatchSource));
    for (const DispatchPlan& row : rows(plan_.dispatches, target.dispatch)) {
      if (row.source != source) continue;
      known = row.property;
      type = row.target;
      break;
    }
    if (known == nullptr) {
      fault("structure", "map-type", "no group with <<type+>> says what to make from this type of source");
      return;
    }
  }
  Element* node = known != nullptr ? make(target, place, *known, type) : makeAny(target, place, type);
  if (node != nullptr && node->isResource) wrote();  // stays, even if nothing is put into it
  assign(target, node);
}

void Runner::implicit(const TargetPlan& target, const Place& place) {
  const Value source = slot(target.dispatchSource);
  const TypeId type = typeOf(source);
  const DispatchPlan* found = nullptr;
  for (const DispatchPlan& row : rows(plan_.dispatches, target.dispatch)) {
    if (row.source == type) {
      found = &row;
      break;
    }
  }
  if (found == nullptr || found->group == kNoIndex) {
    write(target, place, source);
    return;
  }
  Element* node = found->property != nullptr ? make(target, place, *found->property, found->target)
                                             : makeAny(target, place, found->target);
  assign(target, node);
  if (node == nullptr) return;
  std::array<Value, 2> arguments{source, Value()};
  arguments[1].node = node;
  group(found->group, arguments);
}

void Runner::evaluateInto(const TargetPlan& target, const Place& place) {
  std::vector<Value> focus;
  if (target.arguments.count > 0) values(argument(target, 0), focus);
  if (target.transform == TransformKind::DateOp && focus.empty()) return;
  std::vector<Value> found;
  if (!evaluate(target.program, focus, found)) return;
  const bool many = place.plan != nullptr && place.plan->repeats && !place.plan->self;
  if (found.size() > 1 && !many) {
    fault("processing", "map-value",
          "the expression gave " + std::to_string(found.size()) + " values and the element takes one");
    return;
  }
  for (const Value& item : found) write(target, place, item);
}

void Runner::castInto(const TargetPlan& target, const Place& place) {
  const std::optional<std::string_view> from = text(argument(target, 0), "what is cast");
  if (!from) return;
  if (target.type == kNone) {  // to whatever the element takes
    Value plain;
    plain.kind = Kind::String;
    plain.text = *from;
    write(target, place, plain);
    return;
  }
  const std::optional<std::string_view> converted = convert(target.type, kNone, *from);
  if (!converted) {
    fault("value", "map-value",
          "the value cannot be cast to " + std::string(schema_.nameText(schema_.type(target.type).name)));
    return;
  }
  Element* typed = target_.createRoot(target.type);  // carries the type to the choice of the property
  target_.setValue(typed, *converted);
  writeNode(target, place, typed);
}

void Runner::momentInto(const TargetPlan& target, const Place& place) {
  const bool unixTime = target.transform == TransformKind::UnixMoment;
  const auto from = text(argument(target, 0), unixTime ? "the seconds" : "the text");
  if (!from) return;
  const auto how =
      target.arguments.count > 1 ? text(argument(target, 1), unixTime ? "the zone" : "the format") : std::string_view();
  if (!how) return;
  const auto moment = unixTime ? unixMoment(*from, *how, target.moment) : parseMoment(*from, *how, target.moment);
  if (!moment) {
    const bool ofMap = target.arguments.count > 1 && argument(target, 1).kind == OperandPlan::Kind::Constant;
    fault("value", "map-value",
          unixTime ? "unixTo… takes whole seconds since 1970 and a zone like '+02:00'"
                   : "the text is not a moment in the format" + (ofMap ? " '" + std::string(*how) + "'" : ""));
    return;
  }
  Element* typed = target_.createRoot(target.type);  // carries the type to the choice of the property
  target_.setValue(typed, *moment);
  writeNode(target, place, typed);
}

void Runner::textTransform(const TargetPlan& target, const Place& place) {
  Value made;
  made.kind = Kind::String;
  if (target.transform == TransformKind::Uuid) {
    made.text = target_.store(uuid());
    write(target, place, made);
    return;
  }
  if (target.transform == TransformKind::Append) {
    std::string joined;
    for (Index i = 0; i < target.arguments.count; ++i) {
      const std::string_view part = text(argument(target, i), "what is appended").value_or("");
      if (!grow(joined.size() + part.size())) return;
      joined += part;
    }
    made.text = target_.store(joined);
    if (!joined.empty()) write(target, place, made);
    return;
  }
  const std::optional<std::string_view> from = text(argument(target, 0), "the text");
  if (!from) return;
  if (target.transform == TransformKind::Truncate) {
    const std::string_view length = text(argument(target, 1), "the length").value_or("");
    std::size_t count = 0;
    const auto parsed = std::from_chars(length.data(), length.data() + length.size(), count);
    if (parsed.ec != std::errc() || parsed.ptr != length.data() + length.size()) {
      fault("value", "map-value", "truncate needs a whole number of characters");
      return;
    }
    made.text = truncate(*from, count);
    write(target, place, made);
    return;
  }
  constexpr std::size_t kLongestEscape = 6;
  if (!grow(kLongestEscape * from->size())) return;
  const bool two = target.arguments.count > 2;
  const std::string_view first = text(argument(target, 1), "the format").value_or("");
  const std::string_view second = two ? text(argument(target, 2), "the format").value_or("") : first;
  const auto plain = unescape(*from, two ? first : "text");
  const auto escaped = plain ? escape(*plain, second) : plain;
  if (!escaped) {
    fault("value", "map-value",
          "escape knows 'text', 'xml', 'html', 'json' and 'uri', and the text must be in the format it is said to be");
    return;
  }
  made.text = target_.store(*escaped);
  write(target, place, made);
}

std::string Runner::uuid() {
  return crypto::uuidV5(kUuidSpace, options_.seed + "|" + plan_.hash + "|" + std::to_string(uuids_++));
}

/// reference(): "Type/id" of a resource; the fullUrl of its entry if it has no id; an id is made if there is neither.
/// pointer(): the fullUrl of its entry, else "urn:uuid:" and its id.
void Runner::reference(const TargetPlan& target, const Place& place) {
  const Value found = value(argument(target, 0));
  if (isEmpty(found)) return;
  const Element* node = found.node;
  if (node == nullptr || !node->isResource) {
    fault("processing", "map-reference", "only a resource can be referred to");
    return;
  }
  const fhir::Document& document = owner(node);
  const Element* id = fhir::child(node, plan_.known.id);
  const Element* entry = node->parent != nullptr && node->name == plan_.known.resource ? node->parent : nullptr;
  const Element* url = entry == nullptr ? nullptr : fhir::child(entry, plan_.known.fullUrl);
  const bool pointer = target.transform == TransformKind::Pointer;
  Value made;
  made.kind = Kind::String;
  if (url != nullptr && url->hasValue() && (pointer || id == nullptr)) {
    made.text = url->value();
    read({Kind::Node, url, {}, {}});
    write(target, place, made);
    return;
  }
  if (id == nullptr) {
    if (&document != &target_) {
      fault("processing", "map-reference", "the resource of the record has no id to refer to");
      return;
    }
    if (schema_.property(schema_.shapeOf(node->def, node->type), plan_.known.id) == nullptr) {
      fault("processing", "map-reference", "this structure has no id to refer to");
      return;
    }
    id = child(const_cast<Element*>(node), plan_.known.id, uuid());
  }
  read({Kind::Node, id, {}, {}});
  const std::string type(schema_.nameText(schema_.type(node->type).name));
  made.text = target_.store((pointer ? "urn:uuid:" : type + "/") + std::string(id->value()));
  write(target, place, made);
}

// --- translate
// ------------------------------------------------------------------------------------------------------------

/// Each coding of a CodeableConcept is tried; they must agree.
void Runner::translate(const TargetPlan& target, const Place& place) {
  const Value source = value(argument(target, 0));
  if (isEmpty(source)) return;
  const ConceptMapPlan& table = plan_.conceptMaps[target.table];
  definitions::Translation answer;
  const auto one = [&](std::string_view system, std::string_view code) {
    definitions::Translation next;
    if (table.oids) {
      next = {definitions::Translation::Kind::Found, {}, target_.store(definitions::uriOfOid(code)), {}};
    } else {
      next =
          plan_.definitions->conceptMaps.translate(table.shared != nullptr ? *table.shared : table.own, system, code);
    }
    using Kind = definitions::Translation::Kind;
    const bool first = answer.kind == Kind::None;
    const bool agree = next.kind == answer.kind && next.code == answer.code && next.system == answer.system;
    if (first) {
      answer = next;
    } else if (next.kind != Kind::None && !agree) {
      answer.kind = Kind::Several;
    }
  };
  if (isComplex(source) && source.node != nullptr) {
    const Element* coding = fhir::child(source.node, plan_.known.coding);
    if (coding == nullptr) {
      translateCoding(source.node, one);
    } else {
      for (const Element* end = coding->runLast->next; coding != end; coding = coding->next)
        translateCoding(coding, one);
    }
  } else {
    one({}, fhirpath::toText(source));
  }
  writeTranslation(target, place, table, answer);
}

/// A Coding, or CDA's way to write one.
template <typename Visit>
void Runner::translateCoding(const Element* coding, Visit visit) {
  const Element* code = fhir::child(coding, plan_.known.code);
  const Element* system = fhir::child(coding, plan_.known.system);
  if (system == nullptr) system = fhir::child(owner(coding), coding, "codeSystem");
  if (code == nullptr) return;
  read({Kind::Node, code, {}, {}});
  read({Kind::Node, system, {}, {}});
  visit(system == nullptr ? std::string_view() : system->value(), code->value());
}

void Runner::writeTranslation(const TargetPlan& target, const Place& place, const ConceptMapPlan& table,
                              const definitions::Translation& answer) {
  switch (answer.kind) {
    case definitions::Translation::Kind::Found: break;
    case definitions::Translation::Kind::Several:
      return fault("processing", "map-translate",
                   "concept map '" + table.name + "' has several translations for the code");
    case definitions::Translation::Kind::Endless:
      return fault("processing", "map-translate",
                   "concept map '" + table.name + "' sends what it lacks from map to map without end");
    case definitions::Translation::Kind::None:
      return report(fhir::Severity::Warning, "code-invalid", "map-translate",
                    "concept map '" + table.name + "' has no translation for the code: nothing was written");
  }
  Element* made = target_.createRoot(target.type);  // carries the type to the choice of the property
  switch (target.translateTo) {
    case TranslateTo::Code: target_.setValue(made, answer.code); break;
    case TranslateTo::System: target_.setValue(made, answer.system); break;
    case TranslateTo::Display: target_.setValue(made, answer.display); break;
    case TranslateTo::Coding:
    case TranslateTo::CodeableConcept: {
      Element* coding = target.translateTo == TranslateTo::Coding ? made : child(made, plan_.known.coding);
      child(coding, plan_.known.system, answer.system);
      child(coding, plan_.known.code, answer.code);
      child(coding, plan_.known.display, answer.display);
    }
  }
  const bool text = target.translateTo == TranslateTo::System || target.translateTo == TranslateTo::Display;
  if (text && made->size == 0) return;  // the map tells no display
  writeNode(target, place, made);
}

// --- data types
// -----------------------------------------------------------------------------------------------------------

void Runner::coding(const TargetPlan& target, const Place& place) {
  const bool concept_ = target.transform == TransformKind::Cc;
  const Index count = target.arguments.count;
  const auto first = text(argument(target, 0), count == 1 ? "the text" : "the system");
  const auto code = count > 1 ? text(argument(target, 1), "the code") : std::nullopt;
  const auto display = count > 2 ? text(argument(target, 2), "the display") : std::nullopt;
  if (count == 1 ? !first : !code) return;
  Element* node = target_.createRoot(schema_.findType(concept_ ? "CodeableConcept" : "Coding"));
  if (count == 1) {
    child(node, plan_.known.text, *first);
  } else {
    Element* coding = concept_ ? child(node, plan_.known.coding) : node;
    child(coding, plan_.known.system, first.value_or(""));
    child(coding, plan_.known.code, *code);
    child(coding, plan_.known.display, display.value_or(""));
  }
  writeNode(target, place, node);
}

void Runner::quantity(const TargetPlan& target, const Place& place) {
  const Index count = target.arguments.count;
  const auto first = text(argument(target, 0), "the value");
  if (!first) return;
  const auto parsed = mapping::quantity(*first);
  if (!parsed || (count > 1 && !parsed->unit.empty())) {
    fault("value", "map-value",
          count > 1 ? "the value of a quantity must be a number" : "a quantity looks like '4.5 mg'");
    return;
  }
  Element* node = target_.createRoot(schema_.findType("Quantity"));
  child(node, plan_.known.value, parsed->value);
  child(node, schema_.findName("comparator"), parsed->comparator);
  child(node, plan_.known.unit, count > 1 ? text(argument(target, 1), "the unit").value_or("") : parsed->unit);
  if (count > 2) child(node, plan_.known.system, text(argument(target, 2), "the system").value_or(""));
  if (count > 3) child(node, plan_.known.code, text(argument(target, 3), "the code").value_or(""));
  writeNode(target, place, node);
}

void Runner::identifier(const TargetPlan& target, const Place& place) {
  const auto system = text(argument(target, 0), "the system");
  const auto number = text(argument(target, 1), "the value");
  if (!number) return;
  Element* node = target_.createRoot(schema_.findType("Identifier"));
  const auto type = target.arguments.count > 2 ? text(argument(target, 2), "the type") : std::nullopt;
  if (type) {
    Element* coding = child(child(node, plan_.known.type), plan_.known.coding);
    child(coding, plan_.known.system, "http://terminology.hl7.org/CodeSystem/v2-0203");
    child(coding, plan_.known.code, *type);
  }
  child(node, plan_.known.system, system.value_or(""));
  child(node, plan_.known.value, *number);
  writeNode(target, place, node);
}

void Runner::contactPoint(const TargetPlan& target, const Place& place) {
  const bool stated = target.arguments.count > 1;
  const auto contact = text(argument(target, stated ? 1 : 0), "the value");
  if (!contact) return;
  const std::string_view system =
      stated ? text(argument(target, 0), "the system").value_or("") : contactSystem(*contact);
  Element* node = target_.createRoot(schema_.findType("ContactPoint"));
  child(node, plan_.known.system, system);
  child(node, plan_.known.value, *contact);
  writeNode(target, place, node);
}

}  // namespace lotsen::mapping
