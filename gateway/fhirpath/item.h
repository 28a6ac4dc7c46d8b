// Item: one member of a collection while it is evaluated, 16 bytes, freely copied; what it points to lives in an arena,
// the document or the plan. Used by: the evaluator and the plan only; callers see Value (fhirpath.h). Thread rule:
// plain values. Failure rule: none.
#pragma once

#include "gateway/fhir/element.h"
#include "gateway/fhirpath/decimal.h"
#include "gateway/fhirpath/units.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lotsen::fhirpath {

enum class ItemKind : std::uint8_t { Node, Boolean, Integer, Decimal, String, Date, DateTime, Time, Quantity, Type };

/// "String"; what is no System value is "Any".
inline std::string_view systemName(ItemKind kind) {
  constexpr std::string_view kNames[] = {"Any",  "Boolean",  "Integer", "Decimal",  "String",
                                         "Date", "DateTime", "Time",    "Quantity", "Any"};
  return kNames[static_cast<std::size_t>(kind)];
}

struct TypeName {  // what type() returns
  std::string_view space;
  std::string_view name;
};

struct Item {
  ItemKind kind = ItemKind::Node;
  bool truth = false;      // Boolean
  std::uint32_t size = 0;  // String, Date, DateTime, Time: bytes at data
  union {
    const fhir::Element* node = nullptr;
    std::int64_t integer;
    const char* data;
    const Decimal* decimal;
    const Quantity* quantity;
    const TypeName* type;
  };

  std::string_view text() const { return {data, size}; }
  bool isText() const { return kind >= ItemKind::String && kind <= ItemKind::Time; }
  bool isTemporal() const { return kind >= ItemKind::Date && kind <= ItemKind::Time; }
  bool isNumber() const { return kind == ItemKind::Integer || kind == ItemKind::Decimal; }

  static Item of(const fhir::Element* node) {
    Item item;
    item.node = node;
    return item;
  }
  static Item of(bool truth) {
    Item item;
    item.kind = ItemKind::Boolean;
    item.truth = truth;
    return item;
  }
  static Item ofInteger(std::int64_t value) {
    Item item;
    item.kind = ItemKind::Integer;
    item.integer = value;
    return item;
  }
  static Item ofText(ItemKind kind, std::string_view text) {
    Item item;
    item.kind = kind;
    item.data = text.data();
    item.size = static_cast<std::uint32_t>(text.size());
    return item;
  }
  static Item of(const Decimal* value) {
    Item item;
    item.kind = ItemKind::Decimal;
    item.decimal = value;
    return item;
  }
  static Item of(const Quantity* value) {
    Item item;
    item.kind = ItemKind::Quantity;
    item.quantity = value;
    return item;
  }
  static Item of(const TypeName* value) {
    Item item;
    item.kind = ItemKind::Type;
    item.type = value;
    return item;
  }
};

}  // namespace lotsen::fhirpath
