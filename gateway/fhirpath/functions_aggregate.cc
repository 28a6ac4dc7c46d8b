// Aggregation, order, the whole tree, and defineVariable.
#include "gateway/fhirpath/compare.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

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
      const std::string_view before = quantities ? unit : item.quantity->unit;
      unit = finerUnit(before, item.quantity->unit);
      quantities = true;
      const auto value = convertQuantity(*item.quantity, unit);
      sum = convertQuantity({*sum, before}, unit);
      if (sum) sum = value ? Decimal::add(*sum, *value) : std::nullopt;
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

/// The order of items by their keys, which stand on the stack behind them: `keys` to an item, a Node for "none".
class SortOrder {
 public:
  SortOrder(Machine& machine, std::uint32_t firstKey, std::uint32_t keys, std::uint32_t descending)
      : machine_(machine), firstKey_(firstKey), keys_(keys), descending_(descending) {}

  bool before(std::uint32_t a, std::uint32_t b) {
    for (std::uint32_t k = 0; k < keys_ && fine_; ++k) {
      const Item x = machine_.at(firstKey_ + a * keys_ + k);
      const Item y = machine_.at(firstKey_ + b * keys_ + k);
      const bool hasX = x.kind != ItemKind::Node || x.node != nullptr;
      const bool hasY = y.kind != ItemKind::Node || y.node != nullptr;
      if (hasX != hasY) return !hasX;  // nothing comes first, both ways
      if (!hasX) continue;
      const Ordering order = compareItems(machine_, x, y);
      if (order == Ordering::Incomparable || !machine_.step(1)) fine_ = false;
      const bool descending = (descending_ >> std::min(k, 31U) & 1U) != 0;
      if (order == Ordering::Less) return !descending;
      if (order == Ordering::Greater) return descending;
    }
    return false;
  }
  bool fine() const { return fine_; }

 private:
  Machine& machine_;
  std::uint32_t firstKey_;
  std::uint32_t keys_;
  std::uint32_t descending_;
  bool fine_ = true;
};

/// Keys are operands 1 …; bit i of node.b says that key i is descending. Without keys the items are their own.
bool runSort(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  if (!machine.focus(node, frame, base)) return false;
  const std::uint32_t end = machine.top();
  const std::uint32_t keys = node.kidCount - 1;
  if (end == base) return true;
  for (std::uint32_t i = base; i < end; ++i) {
    if (keys == 0) machine.push(machine.system(machine.at(i)));
    for (std::uint32_t k = 0; k < keys; ++k) {
      Item key;
      bool present = false;
      if (!machine.single(node, frame.forItem(i, i - base), k + 1, key, present)) return false;
      machine.push(present ? machine.system(key) : Item());
    }
    if (!machine.step(1)) return false;
  }
  // Sorting takes the row numbers, room to merge them, and the sorted copy.
  if (!machine.room((end - base) * (2 * sizeof(std::uint32_t) + sizeof(Item)))) return false;
  std::vector<std::uint32_t> rows(end - base);
  std::iota(rows.begin(), rows.end(), 0U);
  SortOrder order(machine, end, std::max(keys, 1U), node.b);
  std::stable_sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) { return order.before(a, b); });
  if (!machine.step(0)) return false;
  if (!order.fine()) return machine.fail(node, "sort() cannot put these values in order: their types differ");
  std::vector<Item> sorted;
  sorted.reserve(rows.size());
  for (const std::uint32_t row : rows) sorted.push_back(machine.at(base + row));
  std::copy(sorted.begin(), sorted.end(), &machine.at(base));
  machine.truncate(end);
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
  if (!machine.room(items.size() * sizeof(Item))) return false;
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
