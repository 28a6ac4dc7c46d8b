#include "gateway/fhirpath/plan_builder.h"

#include "gateway/base/text.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/lexer.h"

#include <charconv>
#include <utility>

namespace lotsen::fhirpath {
namespace {

constexpr std::size_t kMaxWarnings = 50;
constexpr std::size_t kMaxRegexes = 16;  // that a plan keeps compiled; a program with more pays for the others when run

/// The names of R4 have the same ids in every Schema.
const WellKnownNames& wellKnownNames() {
  static const WellKnownNames names = [] {
    const auto schema = fhir::Schema::r4();
    const auto name = [&](std::string_view text) { return schema->findName(text); };
    return WellKnownNames{name("value"),
                          name("unit"),
                          name("code"),
                          name("system"),
                          name("coding"),
                          name("extension"),
                          name("modifierExtension"),
                          name("url"),
                          name("contained"),
                          name("reference")};
  }();
  return names;
}

}  // namespace

PlanBuilder::PlanBuilder(std::string_view text, std::shared_ptr<const fhir::Schema> schema,
                         const CompileOptions& options, fhir::Position at)
    : options_(options), plan_(std::make_shared<Plan>()), schema_(*schema) {
  plan_->text = std::string(text);
  plan_->at = at;
  plan_->schema = std::move(schema);
  plan_->names = wellKnownNames();
  plan_->quantityType = fhir::r4::kQuantity;
}

std::string PlanBuilder::place(const Syntax& at) const {
  const fhir::Position position = positionOf(plan_->text, at.offset, plan_->at);
  return std::to_string(position.line) + ":" + std::to_string(position.column) + ": ";
}

std::uint32_t PlanBuilder::refuse(const Syntax& at, const std::string& message) {
  if (!failed_) error_ = fail(Code::Invalid, place(at) + message);
  failed_ = true;
  return 0;
}

void PlanBuilder::doubt(const Syntax& at, const std::string& message) {
  if (options_.strict) {
    refuse(at, message);
  } else if (plan_->warnings.size() < kMaxWarnings) {
    plan_->warnings.push_back(place(at) + message);
  }
}

std::string PlanBuilder::suggestion(std::string_view wrong, const std::vector<std::string_view>& candidates) {
  const std::string_view near = nearest(wrong, candidates);
  return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
}

std::uint32_t PlanBuilder::emit(const Syntax& at, Run function, std::span<const std::uint32_t> kids, std::uint32_t a,
                                std::uint32_t b) {
  PlanNode node;
  node.run = function;
  node.firstKid = static_cast<std::uint32_t>(plan_->kids.size());
  node.kidCount = static_cast<std::uint32_t>(kids.size());
  node.a = a;
  node.b = b;
  node.offset = static_cast<std::uint32_t>(at.offset);
  plan_->kids.insert(plan_->kids.end(), kids.begin(), kids.end());
  plan_->nodes.push_back(node);
  return static_cast<std::uint32_t>(plan_->nodes.size() - 1);
}

std::uint32_t PlanBuilder::constant(const Syntax& at, const Item& item, StaticType& type) {
  type = StaticType::of(item.kind);
  plan_->constants.push_back(item);
  return emit(at, runConstant, {}, static_cast<std::uint32_t>(plan_->constants.size() - 1));
}

std::uint32_t PlanBuilder::keep(std::string_view text) {
  plan_->texts.push_back(text);
  return static_cast<std::uint32_t>(plan_->texts.size() - 1);
}

std::uint32_t PlanBuilder::fixedText(const Syntax& at, std::string_view prefix, std::string_view rest,
                                     StaticType& type) {
  return constant(at, Item::ofText(ItemKind::String, plan_->literals.store(std::string(prefix).append(rest))), type);
}

std::uint32_t PlanBuilder::integer(const Syntax& at, StaticType& type) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(at.text.data(), at.text.data() + at.text.size(), value);
  if (error != std::errc())
    return refuse(at, "an Integer is at most 2147483647; write a larger number with a decimal point");
  return constant(at, Item::ofInteger(value), type);
}

std::uint32_t PlanBuilder::number(const Syntax& at, StaticType& type) {
  const auto value = Decimal::parse(at.text);
  if (!value) return refuse(at, "a number has at most 37 digits");
  if (at.kind == SyntaxKind::Decimal) return constant(at, Item::of(plan_->literals.make(*value)), type);
  return constant(at, Item::of(plan_->literals.make(Quantity{*value, at.unit})), type);
}

std::uint32_t PlanBuilder::moment(const Syntax& at, StaticType& type) {
  std::string_view text = at.text;
  if (at.kind == SyntaxKind::Date) {
    if (!Temporal::parseDate(text)) return refuse(at, "there is no such date");
    return constant(at, Item::ofText(ItemKind::Date, text), type);
  }
  if (at.kind == SyntaxKind::Time) {
    if (!Temporal::parseTime(text)) return refuse(at, "there is no such time of day");
    return constant(at, Item::ofText(ItemKind::Time, text), type);
  }
  if (text.ends_with('T')) text.remove_suffix(1);
  if (!Temporal::parseDateTime(text)) return refuse(at, "there is no such date and time");
  return constant(at, Item::ofText(ItemKind::DateTime, text), type);
}

bool PlanBuilder::regex(const Syntax& at, std::uint32_t& out) {
  if (plan_->regexes.size() >= kMaxRegexes) return true;
  auto compiled = Regex::compile(at.text);
  if (!compiled) return refuse(at, compiled.error().message) != 0;
  plan_->regexes.push_back(std::move(*compiled));
  out = static_cast<std::uint32_t>(plan_->regexes.size());
  return true;
}

}  // namespace lotsen::fhirpath
