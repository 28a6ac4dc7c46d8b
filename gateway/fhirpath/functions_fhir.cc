// Types, and the functions that FHIR adds to FHIRPath (http://hl7.org/fhir/R4/fhirpath.html#functions).
#include "gateway/fhir/outcome.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/html_checks.h"
#include "gateway/fhirpath/machine.h"

namespace lotsen::fhirpath {
namespace {

bool isPrimitive(const Machine& machine, fhir::TypeId type) {
  return machine.schema().type(type).primitive != fhir::Primitive::None ||
         machine.schema().type(type).kind == fhir::TypeKind::Primitive;
}

bool isType(Machine& machine, const Item& original, const TypeTarget& target) {
  if (target.any) return true;
  Item item = original;
  if (item.kind == ItemKind::Node) {
    if (item.node->type != fhir::kNone)
      return target.type != fhir::kNone && machine.schema().isA(item.node->type, target.type);
    item = machine.system(item);  // an untyped value is what its token says
  }
  return target.system && item.kind == target.kind;
}

/// What `as` and ofType() keep of an item. A primitive must be of that very type (a code is no string) or is told as
/// the System type; other elements may derive from the type.
std::optional<Item> asType(Machine& machine, const Item& item, const TypeTarget& target) {
  if (target.any) return item;
  if (item.kind == ItemKind::Node && item.node->type != fhir::kNone && target.type != fhir::kNone) {
    const fhir::TypeId type = item.node->type;
    const bool same = isPrimitive(machine, type) ? type == target.type : machine.schema().isA(type, target.type);
    return same ? std::optional(item) : std::nullopt;
  }
  if (!target.system) return std::nullopt;
  const Item value = machine.system(item);
  return value.kind == target.kind ? std::optional(value) : std::nullopt;
}

bool runType(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  for (std::uint32_t i = base; i < machine.top(); ++i) {
    Item item = machine.at(i);
    TypeName name{"FHIR", "Element"};
    if (item.kind == ItemKind::Node && item.node->type != fhir::kNone) {
      name.name = machine.schema().nameText(machine.schema().type(item.node->type).name);
    } else if (item = machine.system(item); item.kind != ItemKind::Node) {
      name = {"System", systemName(item.kind)};
    }
    machine.at(i) = Item::of(machine.arena().make(name));
    if (!machine.step(1)) return false;
  }
  return machine.withinLimit();
}

bool runExtension(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  std::optional<std::string_view> url;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  if (!machine.text(node, frame, 1, url)) return false;
  const WellKnownNames& names = machine.plan().names;
  for (std::uint32_t i = base; i < end && url; ++i) {
    const Item item = machine.at(i);
    if (item.kind != ItemKind::Node) continue;
    for (const fhir::Element* each = machine.child(item.node, names.extension);
         each != nullptr && each->name == names.extension; each = each->next) {
      const fhir::Element* key = machine.child(each, names.url);
      if (key == nullptr || key->value() != *url) continue;
      machine.read(*key);
      machine.push(Item::of(each));
    }
  }
  machine.collapse(base, end);
  return true;
}

bool runHasExtension(Machine& machine, const PlanNode& node, const Frame& frame) {
  const std::uint32_t base = machine.top();
  if (!runExtension(machine, node, frame)) return false;
  const bool found = machine.top() > base;
  machine.truncate(base);
  return machine.result(found);
}

bool runHasValue(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  bool has = machine.top() == base + 1;
  if (has) {
    const Item item = machine.at(base);
    has = item.kind != ItemKind::Node ||
          (item.node->hasValue() && (item.node->type == fhir::kNone || isPrimitive(machine, item.node->type)));
  }
  machine.truncate(base);
  return machine.result(has);
}

bool runGetValue(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const bool one = machine.top() == base + 1;
  const Item item = one ? machine.system(machine.at(base)) : Item();
  machine.truncate(base);
  return !one || item.kind == ItemKind::Node || machine.result(item);
}

/// Contained resources and the Bundle first, then the Host.
const fhir::Element* resolved(Machine& machine, const Item& item) {
  std::optional<std::string_view> reference = machine.textOf(item);
  const fhir::Element* holder = item.kind == ItemKind::Node ? item.node : nullptr;
  if (!reference && holder != nullptr) {
    const fhir::Element* text = machine.child(holder, machine.plan().names.reference);
    if (text != nullptr) reference = machine.textOf(Item::of(text));
  }
  if (!reference || reference->empty()) return nullptr;
  if (holder == nullptr && !machine.rootFocus().empty() && machine.rootFocus()[0].kind == ItemKind::Node)
    holder = machine.rootFocus()[0].node;
  const Environment& environment = machine.environment();
  const fhir::Element* found = nullptr;
  if (environment.document != nullptr && holder != nullptr)
    found = fhir::resolve(*environment.document, holder, *reference);
  if (found == nullptr && environment.host != nullptr) found = environment.host->resolve(*reference);
  return found;
}

constexpr std::uint64_t kResolveSteps = 100;  // it may walk over all entries of a Bundle

bool runResolve(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  for (std::uint32_t i = base; i < end; ++i) {
    if (!machine.step(kResolveSteps)) return false;
    if (const fhir::Element* found = resolved(machine, machine.at(i))) machine.push(Item::of(found));
  }
  machine.collapse(base, end);
  return true;
}

/// The answer of the Schema, else of the Host.
std::optional<bool> codeIn(Machine& machine, std::string_view system, std::string_view code,
                           std::string_view valueSet) {
  const auto membership = machine.schema().inValueSet(valueSet, system, code);
  if (membership != fhir::Schema::Membership::Unknown) return membership == fhir::Schema::Membership::In;
  Host* host = machine.environment().host;
  return host != nullptr ? host->memberOf(system, code, valueSet) : std::nullopt;
}

std::string_view childText(Machine& machine, const fhir::Element* parent, fhir::NameId name) {
  const fhir::Element* found = machine.child(parent, name);
  if (found == nullptr) return {};
  machine.read(*found);
  return found->value();
}

/// A code, Coding or CodeableConcept; nullopt: nobody knows.
std::optional<bool> memberOf(Machine& machine, const Item& item, std::string_view valueSet) {
  if (const auto text = machine.textOf(item)) return codeIn(machine, {}, *text, valueSet);
  if (item.kind != ItemKind::Node) return std::nullopt;
  const WellKnownNames& names = machine.plan().names;
  const fhir::Element* coding = machine.child(item.node, names.coding);
  if (coding == nullptr)
    return codeIn(machine, childText(machine, item.node, names.system), childText(machine, item.node, names.code),
                  valueSet);
  std::optional<bool> answer;
  for (; coding != nullptr && coding->name == names.coding; coding = coding->next) {
    const auto each =
        codeIn(machine, childText(machine, coding, names.system), childText(machine, coding, names.code), valueSet);
    if (each == true) return true;
    if (each) answer = each;
  }
  return answer;
}

bool runMemberOf(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  std::optional<std::string_view> valueSet;
  if (!machine.single(node, frame, 0, item, present) || !machine.text(node, frame, 1, valueSet)) return false;
  if (!present || !valueSet) return true;
  const auto answer = memberOf(machine, item, *valueSet);
  return !answer || machine.result(*answer);
}

bool runConformsTo(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  std::optional<std::string_view> profile;
  if (!machine.single(node, frame, 0, item, present) || !machine.text(node, frame, 1, profile)) return false;
  if (!present || !profile) return true;
  if (item.kind != ItemKind::Node) return machine.result(false);
  Host* host = machine.environment().host;
  if (host != nullptr) {
    if (const auto answer = host->conformsTo(item.node, *profile)) return machine.result(*answer);
  }
  const fhir::TypeId type =
      profile->find("://") == std::string_view::npos ? fhir::kNone : machine.schema().findType(*profile);
  if (type == fhir::kNone) return machine.fail(node, "conformsTo() was asked for a profile that is not known here");
  return machine.result(item.node->type != fhir::kNone && machine.schema().isA(item.node->type, type));
}

/// Keeps the elements that are in the slice.
bool runSlice(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  std::optional<std::string_view> profile;
  std::optional<std::string_view> name;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  if (!machine.text(node, frame, 1, profile) || !machine.text(node, frame, 2, name)) return false;
  Host* host = machine.environment().host;
  std::uint32_t kept = base;
  for (std::uint32_t i = base; i < end && profile && name; ++i) {
    const Item item = machine.at(i);
    if (item.kind != ItemKind::Node) continue;
    const auto answer = host != nullptr ? host->inSlice(item.node, *profile, *name) : std::nullopt;
    if (!answer) return machine.fail(node, "slice() was asked for a profile or a slice that is not known here");
    if (*answer) machine.at(kept++) = item;
  }
  machine.truncate(kept);
  return true;
}

/// System and code of a Coding, or of the only Coding of a CodeableConcept; a plain code has no system.
bool codeOf(Machine& machine, const Item& item, std::string_view& system, std::string_view& code) {
  if (const auto text = machine.textOf(item)) {
    code = *text;
    return true;
  }
  if (item.kind != ItemKind::Node) return false;
  const WellKnownNames& names = machine.plan().names;
  const fhir::Element* coding = machine.child(item.node, names.coding);
  if (coding == nullptr) coding = item.node;
  system = childText(machine, coding, names.system);
  code = childText(machine, coding, names.code);
  return !code.empty();
}

bool subsumption(Machine& machine, const PlanNode& node, const Frame& frame, std::uint32_t general,
                 std::uint32_t special) {
  Item a;
  Item b;
  bool hasA = false;
  bool hasB = false;
  if (!machine.single(node, frame, general, a, hasA) || !machine.single(node, frame, special, b, hasB)) return false;
  std::string_view systemA;
  std::string_view systemB;
  std::string_view codeA;
  std::string_view codeB;
  if (!hasA || !hasB || !codeOf(machine, a, systemA, codeA) || !codeOf(machine, b, systemB, codeB)) return true;
  if (!systemA.empty() && !systemB.empty() && systemA != systemB) return machine.result(false);
  if (codeA == codeB) return machine.result(true);
  Host* host = machine.environment().host;
  const auto answer =
      host != nullptr ? host->subsumes(systemA.empty() ? systemB : systemA, codeA, codeB) : std::nullopt;
  return !answer || machine.result(*answer);
}

bool runSubsumes(Machine& machine, const PlanNode& node, const Frame& frame) {
  return subsumption(machine, node, frame, 0, 1);
}
bool runSubsumedBy(Machine& machine, const PlanNode& node, const Frame& frame) {
  return subsumption(machine, node, frame, 1, 0);
}

/// The focus, unless it has a modifier extension that is not among the arguments.
bool runCheckModifiers(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  for (std::uint32_t i = 1; i < node.kidCount; ++i) {
    if (!machine.eval(machine.kid(node, i), frame)) return false;
  }
  const WellKnownNames& names = machine.plan().names;
  for (std::uint32_t i = base; i < end; ++i) {
    const Item item = machine.at(i);
    if (item.kind != ItemKind::Node) continue;
    for (const fhir::Element* each = machine.child(item.node, names.modifierExtension);
         each != nullptr && each->name == names.modifierExtension; each = each->next) {
      const std::string_view url = childText(machine, each, names.url);
      bool allowed = false;
      for (const Item& known : machine.from(end)) allowed = allowed || machine.textOf(known) == url;
      if (!allowed) return machine.fail(node, "an element has a modifier extension that the expression does not know");
    }
  }
  machine.truncate(end);
  return true;
}

bool runHtmlChecks(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::optional<std::string_view> text;
  if (!machine.text(node, frame, 0, text)) return false;
  return !text || (machine.step(text->size() / 8) && machine.result(isAllowedNarrative(*text)));
}

bool runComparable(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item a;
  Item b;
  bool hasA = false;
  bool hasB = false;
  if (!machine.single(node, frame, 0, a, hasA) || !machine.single(node, frame, 1, b, hasB)) return false;
  if (!hasA || !hasB) return true;
  a = machine.quantity(machine.system(a));
  b = machine.quantity(machine.system(b));
  if (a.kind != ItemKind::Quantity || b.kind != ItemKind::Quantity) return true;
  return machine.result(compareQuantities(*a.quantity, *b.quantity).has_value());
}

constexpr FunctionRow kRows[] = {
    {"is", runIs, 1, 1, "t", Gives::Boolean},
    {"as", runAs, 1, 1, "t", Gives::Argument},
    {"ofType", runOfType, 1, 1, "t", Gives::Argument},
    {"type", runType, 0, 0, "", Gives::Type},
    {"extension", runExtension, 1, 1, "x", Gives::Extension},
    {"hasExtension", runHasExtension, 1, 1, "x", Gives::Boolean},
    {"hasValue", runHasValue, 0, 0, "", Gives::Boolean},
    {"getValue", runGetValue, 0, 0, "", Gives::Unknown},
    {"resolve", runResolve, 0, 0, "", Gives::Unknown},
    {"memberOf", runMemberOf, 1, 1, "x", Gives::Boolean},
    {"conformsTo", runConformsTo, 1, 1, "x", Gives::Boolean},
    {"slice", runSlice, 2, 2, "x", Gives::Focus},
    {"subsumes", runSubsumes, 1, 1, "v", Gives::Boolean},
    {"subsumedBy", runSubsumedBy, 1, 1, "v", Gives::Boolean},
    {"checkModifiers", runCheckModifiers, 0, 16, "x", Gives::Focus},
    {"htmlChecks", runHtmlChecks, 0, 0, "", Gives::Boolean},
    {"comparable", runComparable, 1, 1, "v", Gives::Boolean},
};

}  // namespace

bool runIs(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  if (!machine.single(node, frame, 0, item, present)) return false;
  return !present || machine.result(isType(machine, item, machine.plan().types[node.b]));
}

bool runAs(Machine& machine, const PlanNode& node, const Frame& frame) {
  Item item;
  bool present = false;
  if (!machine.single(node, frame, 0, item, present)) return false;
  const auto kept = present ? asType(machine, item, machine.plan().types[node.b]) : std::nullopt;
  return !kept || machine.result(*kept);
}

bool runOfType(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const TypeTarget& target = machine.plan().types[node.b];
  std::uint32_t kept = base;
  for (std::uint32_t i = base; i < machine.top(); ++i) {
    if (const auto item = asType(machine, machine.at(i), target)) machine.at(kept++) = *item;
  }
  machine.truncate(kept);
  return true;
}

std::span<const FunctionRow> fhirFunctions() {
  return kRows;
}

}  // namespace lotsen::fhirpath
