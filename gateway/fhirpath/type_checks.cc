#include "gateway/fhirpath/type_checks.h"

#include "gateway/fhir/r4/types.h"

#include <algorithm>
#include <span>
#include <utility>

namespace lotsen::fhirpath {
namespace {

/// What a value can be for operators; a type can be several.
enum Category : unsigned {
  kBoolean = 1,
  kNumber = 2,
  kText = 4,
  kMoment = 8,  // Date, DateTime
  kTime = 16,
  kQuantity = 32,
  kParts = 64,
  kInteger = 128,  // beside kNumber
  kAnything = 255
};

unsigned categoryOf(ItemKind kind) {
  switch (kind) {
    case ItemKind::Boolean: return kBoolean;
    case ItemKind::Integer: return kNumber | kInteger;
    case ItemKind::Decimal: return kNumber;
    case ItemKind::String: return kText;
    case ItemKind::Date:
    case ItemKind::DateTime: return kMoment;
    case ItemKind::Time: return kTime;
    case ItemKind::Quantity: return kQuantity;
    case ItemKind::Type: return kParts;
    case ItemKind::Node: return kAnything;
  }
  return kAnything;
}

unsigned categoryOf(fhir::Primitive primitive) {
  switch (primitive) {
    case fhir::Primitive::Boolean: return kBoolean;
    case fhir::Primitive::Integer: return kNumber | kInteger;
    case fhir::Primitive::Decimal: return kNumber;
    case fhir::Primitive::Date:
    case fhir::Primitive::DateTime: return kMoment;
    case fhir::Primitive::Time: return kTime;
    default: return kText;
  }
}

unsigned categoryOf(const fhir::Schema& schema, const StaticType::Alternative& alternative) {
  if (alternative.kind != ItemKind::Node) return categoryOf(alternative.kind);
  const fhir::Type& type = schema.type(alternative.type);
  if (alternative.type == fhir::kNone || (type.abstract && alternative.def == fhir::kNone)) return kAnything;
  if (type.primitive != fhir::Primitive::None) return categoryOf(type.primitive);
  if (type.kind == fhir::TypeKind::Primitive) return kText;
  return schema.isA(alternative.type, fhir::r4::kQuantity) ? kQuantity | kParts : kParts;
}

unsigned categoriesOf(const fhir::Schema& schema, const StaticType& type) {
  if (!type.known || type.types.empty()) return kAnything;
  unsigned all = 0;
  for (const auto& alternative : type.types) all |= categoryOf(schema, alternative);
  return all;
}

using Pair = std::pair<unsigned, unsigned>;
constexpr unsigned kMeasure = kNumber | kQuantity;
constexpr Pair kAddition[] = {{kMeasure, kMeasure}, {kText, kText}, {kMoment | kTime, kQuantity}};
constexpr Pair kSubtraction[] = {{kMeasure, kMeasure}, {kMoment | kTime, kQuantity}};
constexpr Pair kProduct[] = {{kMeasure, kMeasure}};
constexpr Pair kWhole[] = {{kNumber, kNumber}};
constexpr Pair kJoined[] = {
    {kAnything & ~unsigned{kParts}, kAnything & ~unsigned{kParts}}};  // any primitive has a text
constexpr Pair kOrder[] = {{kMeasure, kMeasure}, {kText, kText}, {kMoment, kMoment}, {kTime, kTime}};

std::span<const Pair> operandsOf(std::string_view text) {
  if (text == "+") return kAddition;
  if (text == "-") return kSubtraction;
  if (text == "*" || text == "/") return kProduct;
  if (text == "div" || text == "mod") return kWhole;
  if (text == "&") return kJoined;
  if (text == "<" || text == "<=" || text == ">" || text == ">=") return kOrder;
  return {};
}

bool isOneOf(const FunctionRow& row, std::span<const FunctionRow> table) {
  return &row >= table.data() && &row < table.data() + table.size();
}

}  // namespace

std::optional<std::string> operatorFault(const fhir::Schema& schema, std::string_view text, const StaticType& left,
                                         const StaticType& right) {
  const auto operands = operandsOf(text);
  const unsigned a = categoriesOf(schema, left);
  const unsigned b = categoriesOf(schema, right);
  const bool suits = operands.empty() || std::any_of(operands.begin(), operands.end(), [&](const Pair& pair) {
                       return (pair.first & a) != 0 && (pair.second & b) != 0;
                     });
  if (suits) return std::nullopt;
  return "'" + std::string(text) + "' cannot be done with " + typeNames(schema, left) + " and " +
         typeNames(schema, right);
}

std::optional<std::string> signFault(const fhir::Schema& schema, const StaticType& operand) {
  if ((categoriesOf(schema, operand) & kMeasure) != 0) return std::nullopt;
  return "a sign can stand only before a number or a quantity, not before " + typeNames(schema, operand);
}

std::optional<std::string> focusFault(const fhir::Schema& schema, const FunctionRow& row, const StaticType& focus) {
  const unsigned found = categoriesOf(schema, focus);
  const bool text = isOneOf(row, textFunctions());
  const bool number = isOneOf(row, numberFunctions());
  // Any primitive has a text form.
  if (!(text && (found & ~unsigned{kParts}) == 0) && !(number && (found & kMeasure) == 0)) return std::nullopt;
  return std::string(row.name) + "() needs " + (text ? "text" : "a number") + ", not " + typeNames(schema, focus);
}

std::optional<std::string> argumentFault(const fhir::Schema& schema, char mode, const StaticType& argument) {
  const unsigned found = categoriesOf(schema, argument);
  const bool suits = mode == 'w' ? (found & kInteger) != 0 : mode != 'x' || (found & ~unsigned{kParts}) != 0;
  if (suits) return std::nullopt;
  return (mode == 'w' ? "an Integer is needed here, not " : "text is needed here, not ") + typeNames(schema, argument);
}

std::optional<std::string> criterionFault(const fhir::Schema& schema, const StaticType& criterion) {
  if ((categoriesOf(schema, criterion) & kBoolean) != 0) return std::nullopt;
  return "a Boolean is needed here, not " + typeNames(schema, criterion);
}

}  // namespace lotsen::fhirpath
