// Aggregation, order, the whole tree, and defineVariable.
#include "gateway/fhirpath/compare.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

#include <algorithm>
#include <memory>

namespace lotsen::fhirpath {
namespace {

/// Operand 1 per item with $total, which starts as operand 2 and is replaced by each result.
bool runAggregate(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  if (node.kidCount > 2 && !machine.eval(machine.kid(node, 2), frame)) return false;
  for (std::uint32_t i = base; i < end; ++i) {
    Frame inner = frame.forItem(i, i - base);
    inner.totalBase = end;
    inner.totalCount = machine.top() - end;
    const std::uint32_t total = machine.top();
    if (!machine.eval(machine.kid(node, 1), inner)) return false;
    machine.collapse(end, total);
    if (!machine.withinLimit()) return false;
  }
  machine.collapse(base, end);
  return true;
}

/// sum, min, max: every item must be comparable with the first.
bool extreme(Machine& machine, const PlanNode& node, const Frame& frame, Ordering wanted) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  if (machine.top() == base) return true;
  Item best = machine.system(machine.at(base));
  for (std::uint32_t i = base + 1; i < machine.top(); ++i) {
    const Item item = machine.system(machine.at(i));
    const Ordering order = compareItems(machine, item, best);
    if (order == Ordering::Incomparable)
      return machine.fail(node, "these values cannot be put in order: their types differ");
    if (order == wanted) best = item;
  }
  machine.truncate(base);
  return machine.result(best);
}

bool runMin(Machine& machine, const PlanNode& node, const Frame& frame) {
  return extreme(machine, node, frame, Ordering::Less);
}
bool runMax(Machine& machine, const PlanNode& node, const Frame& frame) {
  return extreme(machine, node, frame, Ordering::Greater);
}

bool total(Machine& machine, const PlanNode& node, const Frame& frame, bool average) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t count = machine.top() - base;
  if (count == 0) return true;
  std::optional<Decimal> sum = Decimal();
  bool whole = true;
  std::string_view unit;
  bool quantities = false;
  for (std::uint32_t i = base; i < machine.top() && sum; ++i) {
    Item item = machine.system(machine.at(i));
    if (item.kind == ItemKind::Node) item = machine.quantity(item);
    if (!item.isNumber() && item.kind != ItemKind::Quantity)
      return machine.fail(node, "only numbers and quantities can be added up");
    if (item.kind == ItemKind::Quantity) {
      if (!quantities) unit = item.quantity->unit;
      quantities = true;
      const auto value = convertQuantity(*item.quantity, unit);
      sum = value ? Decimal::add(*sum, *value) : std::nullopt;
    } else {
      whole = whole && item.kind == ItemKind::Integer;
      sum = Decimal::add(*sum, item.kind == ItemKind::Integer ? Decimal(item.integer) : *item.decimal);
    }
  }
  machine.truncate(base);
  if (sum && average) sum = Decimal::divide(*sum, Decimal(count));
  if (!sum) return true;
  if (quantities) return machine.resultQuantity(sum, unit);
  const auto integer = sum->toInteger();
  return whole && !average && integer ? machine.resultInteger(*integer) : machine.resultDecimal(sum);
}

bool runSum(Machine& machine, const PlanNode& node, const Frame& frame) {
  return total(machine, node, frame, false);
}
bool runAverage(Machine& machine, const PlanNode& node, const Frame& frame) {
  return total(machine, node, frame, true);
}

/// Keys are operands 1 …; bit i of node.b says that key i is descending. Without keys the items are their own.
bool runSort(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  const std::uint32_t keys = node.kidCount - 1;
  struct Row {
    Item item;
    std::vector<Item> keys;
    std::vector<bool> present;
  };
  std::vector<Row> rows;
  for (std::uint32_t i = base; i < end; ++i) {
    Row row{machine.at(i), {}, {}};
    if (keys == 0) row.keys.push_back(machine.system(row.item));
    for (std::uint32_t k = 0; k < keys; ++k) {
      Item key;
      bool present = false;
      if (!machine.single(node, frame.forItem(i, i - base), k + 1, key, present)) return false;
      row.keys.push_back(present ? machine.system(key) : key);
      row.present.push_back(present);
    }
    if (keys == 0) row.present.push_back(true);
    rows.push_back(std::move(row));
  }
  bool comparable = true;
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (std::size_t k = 0; k < a.keys.size(); ++k) {
      const bool descending = (node.b >> std::min<std::size_t>(k, 31) & 1U) != 0;
      if (a.present[k] != b.present[k]) return !a.present[k];  // nothing comes first, both ways
      if (!a.present[k]) continue;
      const Ordering order = compareItems(machine, a.keys[k], b.keys[k]);
      if (order == Ordering::Incomparable) comparable = false;
      if (order == Ordering::Less) return !descending;
      if (order == Ordering::Greater) return descending;
    }
    return false;
  });
  if (!comparable || !machine.step(rows.size())) {
    return machine.fail(node, "sort() cannot put these values in order: their types differ");
  }
  machine.truncate(base);
  for (const Row& row : rows) machine.push(row.item);
  return true;
}

/// The last argument (or the focus) is kept under a local; the result is the focus. node.b: operand 1 is the name.
bool runDefineVariable(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  std::optional<std::string_view> name;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  if (node.b != 0) {
    if (!machine.text(node, frame, 1, name)) return false;
    if (!name || name->empty()) return machine.fail(node, "defineVariable() needs a name");
  }
  const bool given = node.kidCount > 1 + node.b;
  Frame inner = frame;
  inner.thisBase = base;
  inner.thisCount = end - base;
  if (given && !machine.eval(machine.kid(node, 1 + node.b), inner)) return false;
  const auto items = machine.from(given ? end : base);
  auto* kept = static_cast<Item*>(
      machine.arena().allocate(sizeof(Item) * std::max<std::size_t>(items.size(), 1), alignof(Item)));
  std::uninitialized_copy(items.begin(), items.end(), kept);
  machine.local(node.a) = {kept, static_cast<std::uint32_t>(items.size()), name.value_or("")};
  machine.truncate(end);
  return machine.withinLimit();
}

bool runChildren(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  for (std::uint32_t i = base; i < end; ++i) {
    const Item item = machine.at(i);
    if (item.kind != ItemKind::Node) continue;
    for (const fhir::Element* child = item.node->first; child != nullptr; child = child->next)
      machine.push(Item::of(child));
  }
  if (!machine.step(machine.top() - base)) return false;
  machine.collapse(base, end);
  return machine.withinLimit();
}

bool runDescendants(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t start = machine.top();
  for (std::uint32_t i = base; i < machine.top(); ++i) {
    const Item item = machine.at(i);
    if (item.kind != ItemKind::Node) continue;
    for (const fhir::Element* child = item.node->first; child != nullptr; child = child->next)
      machine.push(Item::of(child));
    if (!machine.step(1) || !machine.withinLimit()) return false;
  }
  machine.collapse(base, start);
  return true;
}

constexpr FunctionRow kRows[] = {
    {"aggregate", runAggregate, 1, 2, "lv", Gives::Unknown},
    {"sum", runSum, 0, 0, "", Gives::Unknown},
    {"avg", runAverage, 0, 0, "", Gives::Unknown},
    {"min", runMin, 0, 0, "", Gives::Unknown},
    {"max", runMax, 0, 0, "", Gives::Unknown},
    {"sort", runSort, 0, 16, "s", Gives::Focus},
    {"defineVariable", runDefineVariable, 1, 2, "ni", Gives::Focus},
    {"children", runChildren, 0, 0, "", Gives::Unordered},
    {"descendants", runDescendants, 0, 0, "", Gives::Unordered},
};

}  // namespace

std::span<const FunctionRow> aggregateFunctions() {
  return kRows;
}

}  // namespace lotsen::fhirpath
