#include "gateway/fhirpath/compare.h"

#include <algorithm>
#include <functional>

namespace lotsen::fhirpath {
namespace {

std::optional<Temporal> temporalOf(const Item& item) {
  if (item.kind == ItemKind::Date) return Temporal::parseDate(item.text());
  if (item.kind == ItemKind::DateTime) return Temporal::parseDateTime(item.text());
  return Temporal::parseTime(item.text());
}

Decimal decimalOf(const Item& item) {
  return item.kind == ItemKind::Integer ? Decimal(item.integer) : *item.decimal;
}

/// Both sides as System values, FHIR Quantities as quantities, and numbers beside a quantity as quantities.
void bring(Machine& machine, Item& a, Item& b) {
  a = machine.system(a);
  b = machine.system(b);
  if (a.kind == ItemKind::Node) a = machine.quantity(a);
  if (b.kind == ItemKind::Node) b = machine.quantity(b);
  if (a.kind == ItemKind::Quantity && b.isNumber()) b = machine.quantity(b);
  if (b.kind == ItemKind::Quantity && a.isNumber()) a = machine.quantity(a);
  constexpr std::uint64_t kUnitSteps = 20;  // reading two units
  if (a.isText() && b.isText()) machine.stepText(std::min(a.size, b.size));
  if (a.kind == ItemKind::Quantity && b.kind == ItemKind::Quantity) machine.step(kUnitSteps);
}

const fhir::Element* runEnd(const fhir::Element* node) {
  const fhir::NameId name = node->name;
  while (node != nullptr && node->name == name) node = node->next;
  return node;
}

std::size_t childCount(const fhir::Element* node) {
  std::size_t count = 0;
  for (const fhir::Element* child = node->first; child != nullptr; child = child->next) ++count;
  return count;
}

/// Children pairwise, in the order of each name; the order of the names does not matter.
Truth equalNodes(Machine& machine, const fhir::Element* a, const fhir::Element* b) {
  if (a == b) return Truth::True;
  if (!machine.step(1)) return Truth::Unknown;
  if (a->hasValue() != b->hasValue() || childCount(a) != childCount(b)) return Truth::False;
  Truth all = Truth::True;
  const auto both = [&](Truth truth) {
    if (truth == Truth::False || all == Truth::True) all = truth;
    return all != Truth::False;
  };
  if (a->hasValue()) {
    const Item x = machine.system(Item::of(a));
    const Item y = machine.system(Item::of(b));
    const bool plain = x.kind == ItemKind::Node || y.kind == ItemKind::Node;
    if (!both(plain ? (a->value() == b->value() ? Truth::True : Truth::False) : equalItems(machine, x, y))) return all;
  }
  for (const fhir::Element* run = a->first; run != nullptr; run = runEnd(run)) {
    const fhir::Element* other = fhir::child(b, run->name);
    const fhir::Element* end = runEnd(run);
    for (const fhir::Element* child = run; child != end; child = child->next) {
      if (other == nullptr || other->name != run->name) return Truth::False;
      if (!both(equalNodes(machine, child, other))) return all;
      other = other->next;
    }
  }
  return all;
}

bool equivalentNodes(Machine& machine, const fhir::Element* a, const fhir::Element* b) {
  if (a == b) return true;
  if (!machine.step(1)) return false;
  if (a->hasValue() != b->hasValue() || childCount(a) != childCount(b)) return false;
  if (a->hasValue() && !equivalentItems(machine, machine.system(Item::of(a)), machine.system(Item::of(b))))
    return false;
  for (const fhir::Element* run = a->first; run != nullptr; run = runEnd(run)) {
    std::vector<Item> left;
    std::vector<Item> right;
    for (const fhir::Element* child = run; child != nullptr && child->name == run->name; child = child->next)
      left.push_back(Item::of(child));
    for (const fhir::Element* child = fhir::child(b, run->name); child != nullptr && child->name == run->name;
         child = child->next) {
      right.push_back(Item::of(child));
    }
    if (!equivalentCollections(machine, left, right)) return false;
  }
  return true;
}

bool isSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Ignoring case and the amount of white space.
bool equivalentText(std::string_view a, std::string_view b) {
  const auto trimmed = [](std::string_view text) {
    while (!text.empty() && isSpace(text.front())) text.remove_prefix(1);
    while (!text.empty() && isSpace(text.back())) text.remove_suffix(1);
    return text;
  };
  a = trimmed(a);
  b = trimmed(b);
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (isSpace(a[i]) != isSpace(b[j])) return false;
    if (isSpace(a[i])) {
      while (isSpace(a[i])) ++i;
      while (isSpace(b[j])) ++j;
    } else if (lower(a[i++]) != lower(b[j++])) {
      return false;
    }
  }
  return i == a.size() && j == b.size();
}

std::uint64_t hashText(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

/// Numbers that are equal are spelled alike without their trailing zeros.
std::uint64_t hashNumber(const Decimal& value) {
  char buffer[Decimal::kMaxText];
  return hashText({buffer, value.stripped().write(buffer)});
}

/// A dimensionless quantity may be equal to a number; any other at most to one of the same dimensions.
std::uint64_t hashQuantity(const Quantity& quantity) {
  const auto unit = parseUnit(quantity.unit);
  if (!unit) return hashText(quantity.unit) ^ hashNumber(quantity.value);
  std::uint64_t hash = 0;
  for (const std::int8_t power : unit->dimensions) hash = hash * 31 + static_cast<std::uint64_t>(power);
  if (hash != 0) return hash;
  const auto number = convertQuantity(quantity, "1");
  return number ? hashNumber(*number) : 0;
}

/// Elements that are equal have equal children under equal names, in any order of the names.
std::uint64_t hashNode(Machine& machine, const fhir::Element* node, int depth) {
  machine.step(1);
  std::uint64_t hash = 1;
  for (const fhir::Element* child = node->first; child != nullptr; child = child->next) {
    const bool touched = child->touched;  // a look that decides nothing is no reading
    const Item value = machine.system(Item::of(child));
    child->touched = touched;
    std::uint64_t each = child->name * 0x9e3779b97f4a7c15ULL;
    if (value.kind != ItemKind::Node) {
      each ^= hashOf(machine, value);
    } else if (depth > 0) {
      each ^= hashNode(machine, child, depth - 1);
    }
    hash += each * (each | 1);
  }
  return hash;
}

}  // namespace

Truth equalItems(Machine& machine, const Item& left, const Item& right) {
  Item a = left;
  Item b = right;
  if (a.kind == ItemKind::Node && b.kind == ItemKind::Node && a.node == b.node && !a.node->hasValue())
    return Truth::True;
  bring(machine, a, b);
  const auto truth = [](bool value) { return value ? Truth::True : Truth::False; };
  if (a.isNumber() && b.isNumber()) {
    if (a.kind == ItemKind::Integer && b.kind == ItemKind::Integer) return truth(a.integer == b.integer);
    return truth(Decimal::compare(decimalOf(a), decimalOf(b)) == 0);
  }
  if (a.isTemporal() && b.isTemporal()) {
    if ((a.kind == ItemKind::Time) != (b.kind == ItemKind::Time)) return Truth::False;
    const auto x = temporalOf(a);
    const auto y = temporalOf(b);
    if (!x || !y) return truth(a.text() == b.text());
    const auto order = Temporal::compare(*x, *y);
    return order == Temporal::Order::Unknown ? Truth::Unknown : truth(order == Temporal::Order::Equal);
  }
  if (a.kind != b.kind) return Truth::False;
  switch (a.kind) {
    case ItemKind::Boolean: return truth(a.truth == b.truth);
    case ItemKind::String: return truth(a.text() == b.text());
    case ItemKind::Node: return equalNodes(machine, a.node, b.node);
    case ItemKind::Type: return truth(a.type->space == b.type->space && a.type->name == b.type->name);
    default: break;
  }
  const auto order = compareQuantities(*a.quantity, *b.quantity);
  if (!order) return Truth::Unknown;
  return truth(*order == 0);
}

Truth equalCollections(Machine& machine, std::span<const Item> a, std::span<const Item> b) {
  if (a.empty() || b.empty()) return Truth::Unknown;
  if (a.size() != b.size()) return Truth::False;
  Truth all = Truth::True;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Truth pair = equalItems(machine, a[i], b[i]);
    if (pair == Truth::False) return pair;
    if (pair == Truth::Unknown) all = pair;
  }
  return all;
}

bool equivalentItems(Machine& machine, const Item& left, const Item& right) {
  Item a = left;
  Item b = right;
  bring(machine, a, b);
  if (a.isNumber() && b.isNumber()) {
    const Decimal x = decimalOf(a).stripped();
    const Decimal y = decimalOf(b).stripped();
    const int scale = std::min(x.scale(), y.scale());
    return Decimal::compare(x.rounded(scale), y.rounded(scale)) == 0;
  }
  if (a.isTemporal() && b.isTemporal()) {
    const auto x = temporalOf(a);
    const auto y = temporalOf(b);
    return x && y ? Temporal::equivalent(*x, *y) : a.text() == b.text();
  }
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case ItemKind::String: return equivalentText(a.text(), b.text());
    case ItemKind::Node: return equivalentNodes(machine, a.node, b.node);
    case ItemKind::Quantity: return equivalentQuantities(*a.quantity, *b.quantity);
    default: return equalItems(machine, a, b) == Truth::True;
  }
}

bool equivalentCollections(Machine& machine, std::span<const Item> a, std::span<const Item> b) {
  if (a.size() != b.size()) return false;
  std::vector<bool> taken(b.size(), false);
  for (const Item& item : a) {
    std::size_t i = 0;
    if (!machine.step(b.size())) return false;
    while (i < b.size() && (taken[i] || !equivalentItems(machine, item, b[i]))) ++i;
    if (i == b.size()) return false;
    taken[i] = true;
  }
  return true;
}

Ordering compareItems(Machine& machine, const Item& left, const Item& right) {
  Item a = left;
  Item b = right;
  bring(machine, a, b);
  const auto ordering = [](int order) {
    return order < 0 ? Ordering::Less : order > 0 ? Ordering::Greater : Ordering::Equal;
  };
  if (a.isNumber() && b.isNumber()) {
    if (a.kind == ItemKind::Integer && b.kind == ItemKind::Integer)
      return ordering(a.integer < b.integer ? -1 : a.integer > b.integer ? 1 : 0);
    return ordering(Decimal::compare(decimalOf(a), decimalOf(b)));
  }
  if (a.kind == ItemKind::String && b.kind == ItemKind::String) return ordering(a.text().compare(b.text()));
  if (a.kind == ItemKind::Quantity && b.kind == ItemKind::Quantity) {
    const auto order = compareQuantities(*a.quantity, *b.quantity);
    return order ? ordering(*order) : Ordering::Unknown;
  }
  if (!a.isTemporal() || !b.isTemporal() || (a.kind == ItemKind::Time) != (b.kind == ItemKind::Time))
    return Ordering::Incomparable;
  const auto x = temporalOf(a);
  const auto y = temporalOf(b);
  if (!x || !y) return Ordering::Unknown;
  switch (Temporal::compare(*x, *y)) {
    case Temporal::Order::Less: return Ordering::Less;
    case Temporal::Order::Greater: return Ordering::Greater;
    case Temporal::Order::Equal: return Ordering::Equal;
    default: return Ordering::Unknown;
  }
}

bool contains(Machine& machine, std::span<const Item> items, const Item& wanted) {
  for (const Item& item : items) {
    if (equalItems(machine, item, wanted) == Truth::True) return true;
  }
  return false;
}

std::uint64_t hashOf(Machine& machine, const Item& original) {
  constexpr int kDepth = 3;
  Item item = machine.system(original);
  if (item.isNumber()) return hashNumber(decimalOf(item));
  item = machine.quantity(item);
  switch (item.kind) {
    case ItemKind::Boolean: return item.truth ? 1 : 2;
    case ItemKind::Quantity: return hashQuantity(*item.quantity);
    case ItemKind::Node: return hashNode(machine, item.node, kDepth);
    case ItemKind::Type: return hashText(item.type->name);
    default: break;
  }
  machine.stepText(item.size);
  if (item.isTemporal()) {
    if (const auto value = temporalOf(item)) return value->hash();
  }
  return hashText(item.text());
}

}  // namespace lotsen::fhirpath
