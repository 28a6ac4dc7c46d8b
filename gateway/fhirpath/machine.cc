#include "gateway/fhirpath/machine.h"

#include "gateway/fhirpath/lexer.h"

#include <charconv>
#include <limits>

namespace lotsen::fhirpath {
namespace {

ItemKind kindOf(fhir::Primitive primitive) {
  switch (primitive) {
    case fhir::Primitive::Boolean: return ItemKind::Boolean;
    case fhir::Primitive::Integer: return ItemKind::Integer;
    case fhir::Primitive::Decimal: return ItemKind::Decimal;
    case fhir::Primitive::Date: return ItemKind::Date;
    case fhir::Primitive::DateTime: return ItemKind::DateTime;
    case fhir::Primitive::Time: return ItemKind::Time;
    default: return ItemKind::String;
  }
}

/// What an untyped value is, by the token it was written as.
ItemKind kindOf(fhir::Token token, std::string_view value) {
  if (token == fhir::Token::Boolean) return ItemKind::Boolean;
  if (token != fhir::Token::Number) return ItemKind::String;
  return value.find_first_of(".eE") == std::string_view::npos ? ItemKind::Integer : ItemKind::Decimal;
}

std::optional<std::int64_t> parseInteger(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::int64_t kMost = 1'000'000'000'000'000;  // beyond it a number is a Decimal, and sums cannot overflow
  if (value > kMost || value < -kMost) return std::nullopt;
  return value;
}

}  // namespace

Machine::Activation::Activation(Machine& machine, const Plan& plan)
    : machine_(machine), plan_(machine.plan_), rootBase_(machine.rootBase_), rootCount_(machine.rootCount_) {
  if (machine.nesting_++ == 0) {
    machine.steps_ = 0;
    machine.nextLook_ = 0;
  } else {
    locals_.swap(machine.locals_);
  }
  machine.plan_ = &plan;
  machine.rootBase_ = machine.top();
  machine.rootCount_ = 0;
  if (plan.localCount > 0) machine.locals_.assign(plan.localCount, Local{});
}

Machine::Activation::~Activation() {
  machine_.truncate(machine_.rootBase_);
  machine_.plan_ = plan_;
  machine_.rootBase_ = rootBase_;
  machine_.rootCount_ = rootCount_;
  if (--machine_.nesting_ > 0) locals_.swap(machine_.locals_);
}

Status Machine::Activation::run(std::span<const Value> focus) {
  constexpr std::uint32_t kMaxNesting = 16;
  if (machine_.nesting_ > kMaxNesting) return lotsen::fail(Code::TooLarge, "conformsTo() leads to itself without end");
  if (!machine_.pushValues(focus)) return machine_.error_;
  machine_.rootCount_ = machine_.top() - machine_.rootBase_;
  Frame frame;
  frame.thisBase = machine_.rootBase_;
  frame.thisCount = machine_.rootCount_;
  // What an operation ran into without a result to tell it by shows in the count.
  if (!machine_.eval(machine_.plan_->root, frame) || !machine_.step(0)) return machine_.error_;
  return done();
}

bool Machine::pushValues(std::span<const Value> values) {
  for (const Value& value : values) {
    if (value.kind != Kind::Node || value.node != nullptr) push(fromValue(value));
    if (!step(1)) return false;
  }
  return withinLimit();
}

Item Machine::fromValue(const Value& value) {
  switch (value.kind) {
    case Kind::Node: return Item::of(value.node);
    case Kind::Boolean: return Item::of(value.text == "true");
    case Kind::Integer:
      if (const auto integer = parseInteger(value.text)) return Item::ofInteger(*integer);
      [[fallthrough]];
    case Kind::Decimal: return Item::of(arena_.make(Decimal::parse(value.text).value_or(Decimal())));
    case Kind::Quantity: {
      const Quantity quantity{Decimal::parse(value.text).value_or(Decimal()), value.unit};
      return Item::of(arena_.make(quantity));
    }
    case Kind::String: return Item::ofText(ItemKind::String, value.text);
    case Kind::Date: return Item::ofText(ItemKind::Date, value.text);
    case Kind::DateTime: return Item::ofText(ItemKind::DateTime, value.text);
    case Kind::Time: return Item::ofText(ItemKind::Time, value.text);
  }
  return {};
}

Value Machine::toValue(const Item& item) {
  Value value;
  char buffer[Decimal::kMaxText];
  switch (item.kind) {
    case ItemKind::Node: value.node = item.node; return value;
    case ItemKind::Boolean:
      value.kind = Kind::Boolean;
      value.text = item.truth ? "true" : "false";
      return value;
    case ItemKind::Integer: {
      value.kind = Kind::Integer;
      const auto end = std::to_chars(buffer, buffer + sizeof buffer, item.integer).ptr;
      value.text = arena_.store({buffer, static_cast<std::size_t>(end - buffer)});
      return value;
    }
    case ItemKind::Decimal:
      value.kind = Kind::Decimal;
      value.text = arena_.store({buffer, item.decimal->write(buffer)});
      return value;
    case ItemKind::Quantity:
      value.kind = Kind::Quantity;
      value.text = arena_.store({buffer, item.quantity->value.write(buffer)});
      value.unit = item.quantity->unit.empty() ? std::string_view("1") : item.quantity->unit;
      return value;
    case ItemKind::Type:
      value.kind = Kind::String;
      value.text = arena_.store(std::string(item.type->space) + "." + std::string(item.type->name));
      return value;
    case ItemKind::String: value.kind = Kind::String; break;
    case ItemKind::Date: value.kind = Kind::Date; break;
    case ItemKind::DateTime: value.kind = Kind::DateTime; break;
    case ItemKind::Time: value.kind = Kind::Time; break;
  }
  value.text = item.text();
  return value;
}

bool Machine::resultInteger(std::int64_t value) {
  if (value > std::numeric_limits<std::int32_t>::max() || value < std::numeric_limits<std::int32_t>::min()) return true;
  return result(Item::ofInteger(value));
}

bool Machine::resultDecimal(const std::optional<Decimal>& value) {
  if (!value) return true;
  return result(Item::of(arena_.make(*value))) && withinLimit();
}

bool Machine::resultQuantity(const std::optional<Decimal>& value, std::string_view unit) {
  if (!value) return true;
  const Quantity quantity{*value, unit};
  return result(Item::of(arena_.make(quantity))) && withinLimit();
}

bool Machine::pushRun(std::uint32_t base, std::uint32_t count) {
  constexpr std::uint32_t kItemsPerStep = 8;
  if (!step(count / kItemsPerStep) || !room(count * sizeof(Item))) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Item item = stack_[base + i];
    stack_.push_back(item);
  }
  return true;
}

void Machine::collapse(std::uint32_t to, std::uint32_t from) {
  if (to == from) return;
  std::copy(stack_.begin() + from, stack_.end(), stack_.begin() + to);
  stack_.resize(stack_.size() - (from - to));
}

bool Machine::single(const PlanNode& node, const Frame& frame, std::uint32_t i, Item& item, bool& present) {
  const std::uint32_t base = top();
  if (!eval(kid(node, i), frame)) return false;
  const std::uint32_t count = top() - base;
  if (count > 1)
    return fail(node, "one item is needed here, but there are " + std::to_string(count) + "; use first() or where(…)");
  present = count == 1;
  if (present) item = stack_[base];
  truncate(base);
  return true;
}

bool Machine::text(const PlanNode& node, const Frame& frame, std::uint32_t i, std::optional<std::string_view>& out) {
  Item item;
  bool present = false;
  if (!single(node, frame, i, item, present)) return false;
  out.reset();
  if (!present) return true;
  out = textOf(item);
  if (out && !stepText(out->size())) return false;
  if (out || (item.kind == ItemKind::Node && item.node->first != nullptr && item.node->type != fhir::kNone &&
              schema().type(item.node->type).primitive != fhir::Primitive::None)) {
    return true;  // a primitive with extensions and no value is empty
  }
  return fail(node, "text is needed here, not an element with parts");
}

bool Machine::integer(const PlanNode& node, const Frame& frame, std::uint32_t i, std::optional<std::int64_t>& out) {
  Item item;
  bool present = false;
  if (!single(node, frame, i, item, present)) return false;
  out.reset();
  if (!present) return true;
  item = system(item);
  if (item.kind == ItemKind::Integer) {
    out = item.integer;
    return true;
  }
  return fail(node, "an Integer is needed here");
}

bool Machine::criterion(const PlanNode& node, std::span<const Item> items, Truth& out) {
  if (items.empty()) {
    out = Truth::Unknown;
    return true;
  }
  if (items.size() > 1)
    return fail(node, "a Boolean is needed here, but there are " + std::to_string(items.size()) + " items");
  const Item item = system(items[0]);
  out = item.kind != ItemKind::Boolean || item.truth ? Truth::True : Truth::False;
  return true;
}

bool Machine::criterion(const PlanNode& node, const Frame& frame, std::uint32_t i, Truth& out) {
  const std::uint32_t base = top();
  if (!eval(kid(node, i), frame) || !criterion(node, from(base), out)) return false;
  truncate(base);
  return true;
}

Item Machine::system(const Item& item) {
  if (item.kind != ItemKind::Node || !item.node->hasValue()) return item;
  const fhir::Element& node = *item.node;
  ItemKind kind = ItemKind::String;
  if (node.type == fhir::kNone) {
    kind = kindOf(node.token, node.value());
  } else {
    const fhir::Primitive primitive = schema().type(node.type).primitive;
    if (primitive == fhir::Primitive::None) return item;
    kind = kindOf(primitive);
  }
  read(node);
  switch (kind) {
    case ItemKind::Boolean: return Item::of(node.value() == "true");
    case ItemKind::Integer:
      if (const auto value = parseInteger(node.value())) return Item::ofInteger(*value);
      [[fallthrough]];
    case ItemKind::Decimal:
      if (const auto value = Decimal::parse(node.value())) return Item::of(arena_.make(*value));
      return Item::ofText(ItemKind::String, node.value());  // not a number after all
    default: return Item::ofText(kind, node.value());
  }
}

Item Machine::quantity(const Item& item) {
  if (item.kind == ItemKind::Integer) {
    const Quantity quantity{Decimal(item.integer), "1"};
    return Item::of(arena_.make(quantity));
  }
  if (item.kind == ItemKind::Decimal) {
    const Quantity quantity{*item.decimal, "1"};
    return Item::of(arena_.make(quantity));
  }
  if (item.kind != ItemKind::Node || item.node->type == fhir::kNone ||
      !schema().isA(item.node->type, plan_->quantityType))
    return item;
  const WellKnownNames& names = plan_->names;
  const fhir::Element* value = child(item.node, names.value);
  const auto number = value != nullptr && value->hasValue() ? Decimal::parse(value->value()) : std::nullopt;
  if (!number) return item;
  const fhir::Element* code = child(item.node, names.code);
  const fhir::Element* unit = code != nullptr && code->hasValue() ? code : child(item.node, names.unit);
  read(*value);
  Quantity quantity{*number, "1"};
  if (unit != nullptr && unit->hasValue()) {
    read(*unit);
    quantity.unit = unit->value();
  }
  return Item::of(arena_.make(quantity));
}

std::optional<std::string_view> Machine::textOf(const Item& item) {
  switch (item.kind) {
    case ItemKind::Node:
      if (!item.node->hasValue()) return std::nullopt;
      read(*item.node);
      return item.node->value();
    case ItemKind::String:
    case ItemKind::Date:
    case ItemKind::DateTime:
    case ItemKind::Time: return item.text();
    case ItemKind::Quantity: {
      char buffer[Decimal::kMaxText];
      std::string text(buffer, item.quantity->value.write(buffer));
      const std::string_view unit = item.quantity->unit.empty() ? std::string_view("1") : item.quantity->unit;
      text += calendarUnit(unit) ? " " + std::string(unit) : " '" + std::string(unit) + "'";
      return arena_.store(text);
    }
    default: return toValue(item).text;
  }
}

bool Machine::regex(const PlanNode& node, std::string_view pattern, const Regex*& out) {
  constexpr std::uint64_t kCompileSteps = 2000;
  constexpr std::uint64_t kStepsPerInstruction = 20;
  if (regex_ == nullptr || pattern_ != pattern) {
    auto compiled = Regex::compile(pattern);
    if (!compiled) return fail(node, compiled.error().message);
    regex_ = std::move(*compiled);
    pattern_ = std::string(pattern);
    if (!step(kCompileSteps + kStepsPerInstruction * regex_->size())) return false;
  }
  out = regex_.get();
  return true;
}

bool Machine::fail(const PlanNode& node, std::string message, Code code) {
  const fhir::Position at = positionOf(plan_->text, node.offset, plan_->at);
  error_ = lotsen::fail(code, std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + std::move(message));
  return false;
}

bool Machine::look() {
  nextLook_ = std::min(steps_ + kLookEvery, environment_.limits.steps + 1);
  if (withinLimit()) return true;
  nextLook_ = 0;  // and from now on always
  return false;
}

bool Machine::failSteps() {
  error_ = lotsen::fail(Code::TooLarge, "the expression needs more than " + std::to_string(environment_.limits.steps) +
                                            " steps and was stopped");
  return false;
}

bool Machine::failBytes() {
  error_ = lotsen::fail(Code::TooLarge, "the expression needs more than " + std::to_string(environment_.limits.bytes) +
                                            " bytes and was stopped");
  return false;
}

}  // namespace lotsen::fhirpath
