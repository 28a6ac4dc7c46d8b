#include "gateway/validation/values.h"

#include "gateway/fhir/r4/types.h"
#include "gateway/fhirpath/decimal.h"
#include "gateway/fhirpath/temporal.h"
#include "gateway/fhirpath/units.h"

#include <algorithm>

namespace lotsen::validation {

using fhir::Element;
using fhirpath::Decimal;
using fhirpath::Temporal;

bool isFixed(const Element* fixed, const Element* node) {
  if (fixed->hasValue() != node->hasValue() || fixed->value() != node->value()) return false;
  const Element* other = node->first;
  for (const Element* part = fixed->first; part != nullptr; part = part->next, other = other->next) {
    if (other == nullptr || other->name != part->name || !isFixed(part, other)) return false;
  }
  return other == nullptr;
}

bool hasPattern(const Element* pattern, const Element* node) {
  if (pattern->hasValue() && (!node->hasValue() || pattern->value() != node->value())) return false;
  for (const Element* part = pattern->first; part != nullptr; part = part->next) {
    const Element* at = fhir::child(node, part->name);
    while (at != nullptr && at->name == part->name && !hasPattern(part, at)) at = at->next;
    if (at == nullptr || at->name != part->name) return false;
  }
  return true;
}

namespace {

std::optional<int> compareNumbers(std::string_view one, std::string_view other) {
  const auto left = Decimal::parse(one);
  const auto right = Decimal::parse(other);
  if (!left || !right) return std::nullopt;
  return Decimal::compare(*left, *right);
}

std::optional<int> compareTimes(fhir::TypeId type, std::string_view one, std::string_view other) {
  const auto parse = type == fhir::r4::kTime ? Temporal::parseTime : Temporal::parseDateTime;
  const auto left = parse(one);
  const auto right = parse(other);
  if (!left || !right) return std::nullopt;
  switch (Temporal::compare(*left, *right)) {
    case Temporal::Order::Less: return -1;
    case Temporal::Order::Equal: return 0;
    case Temporal::Order::Greater: return 1;
    case Temporal::Order::Unknown: break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> compare(const fhir::Document& document, const Element* node, const fhir::Document& definition,
                           const Element* bound) {
  const fhir::Type& type = document.schema().type(node->type);
  switch (type.primitive) {
    case fhir::Primitive::Integer:
    case fhir::Primitive::Decimal: return compareNumbers(node->value(), bound->value());
    case fhir::Primitive::Date:
    case fhir::Primitive::DateTime:
    case fhir::Primitive::Time: return compareTimes(node->type, node->value(), bound->value());
    default: break;
  }
  if (!document.schema().isA(node->type, fhir::r4::kQuantity)) return std::nullopt;
  const auto value = Decimal::parse(fhir::valueAt(document, node, "value"));
  const auto limit = Decimal::parse(fhir::valueAt(definition, bound, "value"));
  if (!value || !limit || fhir::valueAt(document, node, "system") != fhir::valueAt(definition, bound, "system")) {
    return std::nullopt;
  }
  const std::string_view unit = fhir::valueAt(document, node, "code");
  const std::string_view limitUnit = fhir::valueAt(definition, bound, "code");
  if (unit == limitUnit) return Decimal::compare(*value, *limit);
  return fhirpath::compareQuantities({*value, unit}, {*limit, limitUnit});
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace lotsen::validation
