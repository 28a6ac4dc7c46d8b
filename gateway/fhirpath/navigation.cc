// Literals, variables and steps along the tree.
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

namespace lotsen::fhirpath {
namespace {

/// Pushes the children of that name; siblings of one name are adjacent, so other lists are jumped over.
void pushChildren(Machine& machine, const fhir::Element* parent, fhir::NameId name) {
  const fhir::Element* node = parent->first;
  while (node != nullptr && node->name != name) node = node->runLast->next;
  for (; node != nullptr && node->name == name; node = node->next) machine.push(Item::of(node));
}

/// One step for every item of the focus; `push` adds what an element leads to.
template <typename Push>
bool stepEach(Machine& machine, const PlanNode& node, const Frame& frame, Push push) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  if (!machine.step(end - base)) return false;
  for (std::uint32_t i = base; i < end; ++i) {
    const Item item = machine.at(i);
    if (item.kind == ItemKind::Node) push(item.node);
  }
  machine.collapse(base, end);
  return machine.withinLimit();
}

/// The children of that name; `value` of a primitive is its System value.
void pushStep(Machine& machine, const fhir::Element* parent, fhir::NameId name) {
  const std::uint32_t before = machine.top();
  pushChildren(machine, parent, name);
  if (machine.top() != before || name != machine.plan().names.value) return;
  const Item value = machine.system(Item::of(parent));
  if (value.kind != ItemKind::Node) machine.push(value);
}

const fhir::Element* enclosingResource(const fhir::Element* element) {
  while (element != nullptr && !element->isResource) element = element->parent;
  return element;
}

bool pushLocal(Machine& machine, const Local& local) {
  if (!machine.room(local.count * sizeof(Item)) || !machine.step(local.count / 8)) return false;
  for (std::uint32_t i = 0; i < local.count; ++i) machine.push(local.items[i]);
  return true;
}

const fhir::Element* firstNode(std::span<const Item> items) {
  return !items.empty() && items[0].kind == ItemKind::Node ? items[0].node : nullptr;
}

}  // namespace

bool runConstant(Machine& machine, const PlanNode& node, const Frame&) {
  return machine.result(machine.plan().constants[node.a]);
}

bool runEmptySet(Machine&, const PlanNode&, const Frame&) {
  return true;
}

bool runThis(Machine& machine, const PlanNode&, const Frame& frame) {
  return machine.pushRun(frame.thisBase, frame.thisCount);
}

bool runThisIndex(Machine& machine, const PlanNode& node, const Frame& frame) {
  if (frame.index < 0) return machine.fail(node, "$index means something only inside where, select and the like");
  return machine.result(Item::ofInteger(frame.index));
}

bool runTotal(Machine& machine, const PlanNode&, const Frame& frame) {
  return machine.pushRun(frame.totalBase, frame.totalCount);
}

bool runContext(Machine& machine, const PlanNode&, const Frame&) {
  return machine.pushRun(machine.rootBase(), static_cast<std::uint32_t>(machine.rootFocus().size()));
}

bool runResource(Machine& machine, const PlanNode&, const Frame&) {
  const fhir::Element* resource = machine.environment().resource;
  if (resource == nullptr) resource = enclosingResource(firstNode(machine.rootFocus()));
  return resource == nullptr || machine.result(Item::of(resource));
}

bool runRootResource(Machine& machine, const PlanNode&, const Frame&) {
  const fhir::Element* resource = machine.environment().rootResource;
  if (resource == nullptr) {
    resource = machine.environment().resource;
    if (resource == nullptr) resource = enclosingResource(firstNode(machine.rootFocus()));
    // The container of a contained resource is the root.
    if (resource != nullptr && resource->parent != nullptr && resource->name == machine.plan().names.contained) {
      resource = enclosingResource(resource->parent);
    }
  }
  return resource == nullptr || machine.result(Item::of(resource));
}

bool runVariable(Machine& machine, const PlanNode& node, const Frame&) {
  const std::string_view name = machine.plan().texts[node.a];
  const auto& lookUp = machine.environment().variable;
  const Collection* values = lookUp ? lookUp(name) : nullptr;
  if (values == nullptr) return machine.fail(node, "the variable %" + std::string(name) + " has no value here");
  return machine.pushValues(*values);
}

bool runSlot(Machine& machine, const PlanNode& node, const Frame&) {
  const auto& slots = machine.environment().slots;
  if (node.a >= slots.size()) return machine.fail(node, "a variable has no value here", Code::Internal);
  return machine.pushValues(slots[node.a]);
}

bool runLocal(Machine& machine, const PlanNode& node, const Frame&) {
  return pushLocal(machine, machine.local(node.a));
}

bool runNamedLocal(Machine& machine, const PlanNode& node, const Frame&) {
  const std::string_view name = machine.plan().texts[node.a];
  for (std::uint32_t i = 0; i < node.kidCount; ++i) {
    const Local local = machine.local(machine.kid(node, i));
    if (local.name == name) return pushLocal(machine, local);
  }
  return machine.fail(node, "there is no variable %" + std::string(name));
}

bool runThisChild(Machine& machine, const PlanNode& node, const Frame& frame) {
  for (std::uint32_t i = 0; i < frame.thisCount; ++i) {
    const Item item = machine.at(frame.thisBase + i);
    if (item.kind == ItemKind::Node) pushChildren(machine, item.node, node.a);
  }
  return machine.step(frame.thisCount) && machine.withinLimit();
}

bool runChild(Machine& machine, const PlanNode& node, const Frame& frame) {
  const std::uint32_t base = machine.top();
  if (!machine.eval(machine.kid(node, 0), frame)) return false;
  if (machine.top() == base + 1) {  // the common case: one item
    const Item item = machine.at(base);
    machine.truncate(base);
    if (item.kind == ItemKind::Node) { pushStep(machine, item.node, node.a); }
    return machine.withinLimit();
  }
  const std::uint32_t end = machine.top();
  if (!machine.step(end - base)) return false;
  for (std::uint32_t i = base; i < end; ++i) {
    const Item item = machine.at(i);
    if (item.kind == ItemKind::Node) pushStep(machine, item.node, node.a);
  }
  machine.collapse(base, end);
  return machine.withinLimit();
}

bool runChildByText(Machine& machine, const PlanNode& node, const Frame& frame) {
  const std::string_view name = machine.plan().texts[node.a];
  const fhir::Document* document = machine.environment().document;
  return stepEach(machine, node, frame, [&](const fhir::Element* element) {
    for (const fhir::Element* child = element->first; child != nullptr; child = child->next) {
      if (child->name >= fhir::kLocalNames && document != nullptr && document->nameText(child->name) == name)
        machine.push(Item::of(child));
    }
  });
}

bool runChoice(Machine& machine, const PlanNode& node, const Frame& frame) {
  const ChoiceStep& choice = machine.plan().choices[node.a];
  return stepEach(machine, node, frame, [&](const fhir::Element* element) {
    for (const fhir::Element* child = element->first; child != nullptr; child = child->next) {
      const bool written = choice.name != fhir::kNone && child->name == choice.name;
      // "responseCode" is no "response" of type code: only a choice element is written with its type.
      const bool chosen = child->name == choice.choice && child->type == choice.type && child->def != fhir::kNone &&
                          machine.schema().def(child->def).choice;
      if (written || chosen) machine.push(Item::of(child));
    }
  });
}

bool runRootType(Machine& machine, const PlanNode& node, const Frame& frame) {
  return stepEach(machine, node, frame, [&](const fhir::Element* element) {
    if (element->type != fhir::kNone && machine.schema().isA(element->type, node.b)) machine.push(Item::of(element));
  });
}

bool runMember(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::string_view name = machine.plan().texts[node.a];
  const std::uint32_t end = machine.top();
  for (std::uint32_t i = base; i < end; ++i) {
    const Item item = machine.at(i);
    if (item.kind == ItemKind::Type && (name == "name" || name == "namespace")) {
      machine.push(Item::ofText(ItemKind::String, name == "name" ? item.type->name : item.type->space));
    } else if (item.kind == ItemKind::Quantity && name == "value") {
      machine.push(Item::of(&item.quantity->value));
    } else if (item.kind == ItemKind::Quantity && (name == "unit" || name == "code")) {
      machine.push(Item::ofText(ItemKind::String, item.quantity->unit));
    } else if (item.kind == ItemKind::Node && node.b != fhir::kNone) {
      pushStep(machine, item.node, node.b);
    }
  }
  machine.collapse(base, end);
  return machine.step(end - base) && machine.withinLimit();
}

bool runIndexer(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  std::optional<std::int64_t> index;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t count = machine.top() - base;
  if (!machine.integer(node, frame, 1, index)) return false;
  if (!index || *index < 0 || *index >= count) {
    machine.truncate(base);
    return true;
  }
  machine.at(base) = machine.at(base + static_cast<std::uint32_t>(*index));
  machine.truncate(base + 1);
  return true;
}

}  // namespace lotsen::fhirpath
