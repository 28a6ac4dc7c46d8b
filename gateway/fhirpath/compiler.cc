#include "gateway/fhirpath/compiler.h"

#include "gateway/base/text.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/lexer.h"
#include "gateway/fhirpath/static_type.h"
#include "gateway/fhirpath/syntax.h"
#include "gateway/fhirpath/type_checks.h"

#include <algorithm>
#include <charconv>
#include <forward_list>
#include <utility>

namespace lotsen::fhirpath {
namespace {

constexpr std::size_t kMaxWarnings = 50;
constexpr std::size_t kMaxRegexes = 16;  // that a plan keeps compiled; a program with more pays for the others when run
constexpr std::string_view kStandardNames[] = {"context", "resource", "rootResource", "ucum", "sct", "loinc"};

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

/// A variable that defineVariable() made.
struct DefinedVariable {
  std::string_view name;  // empty: only the evaluation knows
  std::uint32_t slot = 0;
  StaticType type;
  const DefinedVariable* outer = nullptr;
};

/// What a name means where an expression stands. Cheap to copy: what is defined in a branch stays in it.
struct Scope {
  const StaticType* focus = nullptr;  // of $this
  const DefinedVariable* variables = nullptr;
};

class Compiler {
 public:
  Compiler(std::string_view text, std::shared_ptr<const fhir::Schema> schema, const CompileOptions& options,
           fhir::Position at)
      : options_(options), plan_(std::make_shared<Plan>()), schema_(*schema) {
    plan_->text = std::string(text);
    plan_->at = at;
    plan_->schema = std::move(schema);
    plan_->names = wellKnownNames();
    plan_->quantityType = fhir::r4::kQuantity;
  }

  Result<std::shared_ptr<const Plan>> run() {
    SyntaxTree tree;
    LOTSEN_TRY_DO(parse(plan_->text, plan_->at, {}, plan_->literals, tree));
    plan_->nodes.reserve(tree.count);
    plan_->kids.reserve(tree.count);
    const StaticType focus = StaticType::of(options_.context, options_.contextDef);
    Scope scope{&focus, nullptr};
    StaticType type;
    plan_->root = compile(*tree.root, scope, type);
    if (failed_) return error_;
    return std::shared_ptr<const Plan>(std::move(plan_));
  }

 private:
  struct Operands {
    std::vector<StaticType> types;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::string_view defined;  // defineVariable's name
  };

  // ---- faults

  std::string place(const Syntax& at) const {
    const fhir::Position position = positionOf(plan_->text, at.offset, plan_->at);
    return std::to_string(position.line) + ":" + std::to_string(position.column) + ": ";
  }
  std::uint32_t refuse(const Syntax& at, const std::string& message) {
    if (!failed_) error_ = fail(Code::Invalid, place(at) + message);
    failed_ = true;
    return 0;
  }
  /// An error in strict mode, else a warning.
  void doubt(const Syntax& at, const std::string& message) {
    if (options_.strict) {
      refuse(at, message);
    } else if (plan_->warnings.size() < kMaxWarnings) {
      plan_->warnings.push_back(place(at) + message);
    }
  }
  void check(const Syntax& at, const std::optional<std::string>& fault) {
    if (fault) doubt(at, *fault);
  }
  static std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& candidates) {
    const std::string_view near = nearest(wrong, candidates);
    return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
  }
  // ---- plan nodes

  std::uint32_t emit(const Syntax& at, Run function, std::initializer_list<std::uint32_t> kids, std::uint32_t a = 0,
                     std::uint32_t b = 0) {
    return emit(at, function, std::span<const std::uint32_t>(kids.begin(), kids.size()), a, b);
  }
  std::uint32_t emit(const Syntax& at, Run function, std::span<const std::uint32_t> kids, std::uint32_t a = 0,
                     std::uint32_t b = 0) {
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
  std::uint32_t constant(const Syntax& at, const Item& item, StaticType& type) {
    type = StaticType::of(item.kind);
    plan_->constants.push_back(item);
    return emit(at, runConstant, {}, static_cast<std::uint32_t>(plan_->constants.size() - 1));
  }
  /// Text of the syntax tree lives as long as the plan.
  std::uint32_t keep(std::string_view text) {
    plan_->texts.push_back(text);
    return static_cast<std::uint32_t>(plan_->texts.size() - 1);
  }
  std::uint32_t fixedText(const Syntax& at, std::string_view prefix, std::string_view rest, StaticType& type) {
    return constant(at, Item::ofText(ItemKind::String, plan_->literals.store(std::string(prefix).append(rest))), type);
  }

  // ---- expressions

  std::uint32_t compile(const Syntax& at, Scope& scope, StaticType& type) {
    if (failed_) return 0;
    switch (at.kind) {
      case SyntaxKind::EmptySet: type = StaticType{true, true, {}}; return emit(at, runEmptySet, {});
      case SyntaxKind::Boolean: return constant(at, Item::of(at.text == "true"), type);
      case SyntaxKind::String: return constant(at, Item::ofText(ItemKind::String, at.text), type);
      case SyntaxKind::Integer: return integer(at, type);
      case SyntaxKind::Decimal:
      case SyntaxKind::Quantity: return number(at, type);
      case SyntaxKind::Date:
      case SyntaxKind::DateTime:
      case SyntaxKind::Time: return moment(at, type);
      case SyntaxKind::External: return external(at, scope, type);
      case SyntaxKind::Dollar: return dollar(at, scope, type);
      case SyntaxKind::Implicit: type = *scope.focus; return emit(at, runThis, {});
      case SyntaxKind::Name: return name(at, scope, type);
      case SyntaxKind::Call: return call(at, scope, type);
      case SyntaxKind::Index: return index(at, scope, type);
      case SyntaxKind::Unary: {
        const std::uint32_t operand = compile(*at.first, scope, type);
        check(at, signFault(schema_, type));
        return emit(at, at.text == "-" ? runNegate : runPlus, {operand});
      }
      case SyntaxKind::Binary: return binary(at, scope, type);
      case SyntaxKind::TypeTest: return typeTest(at, scope, type);
    }
    return 0;
  }

  std::uint32_t integer(const Syntax& at, StaticType& type) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(at.text.data(), at.text.data() + at.text.size(), value);
    if (error != std::errc())
      return refuse(at, "an Integer is at most 2147483647; write a larger number with a decimal point");
    return constant(at, Item::ofInteger(value), type);
  }

  std::uint32_t number(const Syntax& at, StaticType& type) {
    const auto value = Decimal::parse(at.text);
    if (!value) return refuse(at, "a number has at most 37 digits");
    if (at.kind == SyntaxKind::Decimal) return constant(at, Item::of(plan_->literals.make(*value)), type);
    return constant(at, Item::of(plan_->literals.make(Quantity{*value, at.unit})), type);
  }

  std::uint32_t moment(const Syntax& at, StaticType& type) {
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

  std::uint32_t external(const Syntax& at, const Scope& scope, StaticType& type) {
    for (const DefinedVariable* variable = scope.variables; variable != nullptr; variable = variable->outer) {
      if (variable->name != at.text) continue;
      type = variable->type;
      return emit(at, runLocal, {}, variable->slot);
    }
    for (std::size_t i = 0; i < options_.slots.size(); ++i) {
      if (options_.slots[i].name == at.text) return slot(at, i, type);
    }
    if (at.text == "context") {
      type = StaticType::of(options_.context, options_.contextDef);
      return emit(at, runContext, {});
    }
    if (at.text == "resource" || at.text == "rootResource") {
      type = StaticType{};
      const bool resource =
          options_.context != fhir::kNone && schema_.type(options_.context).kind == fhir::TypeKind::Resource;
      if (resource && at.text == "resource") type = StaticType::of(options_.context);
      return emit(at, at.text == "resource" ? runResource : runRootResource, {});
    }
    if (at.text == "ucum") return fixedText(at, "http://unitsofmeasure.org", {}, type);
    if (at.text == "sct") return fixedText(at, "http://snomed.info/sct", {}, type);
    if (at.text == "loinc") return fixedText(at, "http://loinc.org", {}, type);
    if (at.text.starts_with("vs-")) return fixedText(at, "http://hl7.org/fhir/ValueSet/", at.text.substr(3), type);
    if (at.text.starts_with("ext-"))
      return fixedText(at, "http://hl7.org/fhir/StructureDefinition/", at.text.substr(4), type);
    type = StaticType{};
    for (const std::string& variable : options_.variables) {
      if (variable == at.text) return emit(at, runVariable, {}, keep(at.text));
    }
    std::vector<std::uint32_t> slots;  // of variables whose names are not known yet
    for (const DefinedVariable* variable = scope.variables; variable != nullptr; variable = variable->outer) {
      if (variable->name.empty()) slots.push_back(variable->slot);
    }
    if (!slots.empty()) return emit(at, runNamedLocal, slots, keep(at.text));
    std::vector<std::string_view> known(std::begin(kStandardNames), std::end(kStandardNames));
    for (const DefinedVariable* variable = scope.variables; variable != nullptr; variable = variable->outer)
      known.push_back(variable->name);
    for (const SlotVariable& variable : options_.slots) known.push_back(variable.name);
    known.insert(known.end(), options_.variables.begin(), options_.variables.end());
    return refuse(at, "there is no variable %" + std::string(at.text) + suggestion(at.text, known));
  }

  std::uint32_t slot(const Syntax& at, std::size_t i, StaticType& type) {
    type = StaticType::of(options_.slots[i].type, options_.slots[i].def);
    return emit(at, runSlot, {}, static_cast<std::uint32_t>(i));
  }

  std::uint32_t dollar(const Syntax& at, const Scope& scope, StaticType& type) {
    if (at.text == "this") {
      type = *scope.focus;
      return emit(at, runThis, {});
    }
    if (at.text == "index") {
      type = StaticType::of(ItemKind::Integer);
      return emit(at, runThisIndex, {});
    }
    type = StaticType{};
    return emit(at, runTotal, {});
  }

  std::uint32_t index(const Syntax& at, Scope& scope, StaticType& type) {
    const std::uint32_t focus = compile(*at.first, scope, type);
    if (!type.ordered) doubt(at, "an index on a collection that has no order");
    Scope inner = scope;
    StaticType ignored;
    const std::uint32_t position = compile(*at.first->next, inner, ignored);
    check(*at.first->next, argumentFault(schema_, 'w', ignored));
    return emit(at, runIndexer, {focus, position});
  }

  std::uint32_t binary(const Syntax& at, const Scope& scope, StaticType& type) {
    Scope leftScope = scope;
    Scope rightScope = scope;
    StaticType right;
    const std::uint32_t a = compile(*at.first, leftScope, type);
    const std::uint32_t b = compile(*at.first->next, rightScope, right);
    check(at, operatorFault(schema_, at.text, type, right));
    if (at.text == "|") {
      type.merge(right);
    } else if (at.text == "&") {
      type = StaticType::of(ItemKind::String);
    } else if (at.text == "div") {
      type = StaticType::of(ItemKind::Integer);
    } else if (std::string_view("+-*/mod").find(at.text) != std::string_view::npos) {
      type = StaticType{};
    } else {
      type = StaticType::of(ItemKind::Boolean);
    }
    return emit(at, binaryOperator(at.text), {a, b});
  }

  // ---- types

  /// Index in Plan::types; `type` narrows to it.
  std::uint32_t target(const Syntax& at, std::string_view text, StaticType& type) {
    const auto found = findTarget(schema_, text, type);
    if (!found) return refuse(at, "there is no type " + std::string(text));
    plan_->types.push_back(*found);
    return static_cast<std::uint32_t>(plan_->types.size() - 1);
  }

  /// The type named by an argument: Name, or Name on Name.
  std::uint32_t targetArgument(const Syntax& at, StaticType& type) {
    if (at.kind == SyntaxKind::Name && at.first->kind == SyntaxKind::Implicit) return target(at, at.text, type);
    if (at.kind == SyntaxKind::Name && at.first->kind == SyntaxKind::Name &&
        at.first->first->kind == SyntaxKind::Implicit) {
      return target(at, std::string(at.first->text) + "." + std::string(at.text), type);
    }
    return refuse(at, "a type name is needed here, such as Quantity or FHIR.Patient");
  }

  std::uint32_t typeTest(const Syntax& at, Scope& scope, StaticType& type) {
    const std::uint32_t focus = compile(*at.first, scope, type);
    StaticType narrowed;
    const std::uint32_t index = target(at, at.unit, narrowed);
    narrowed.ordered = type.ordered;
    type = at.text == "is" ? StaticType::of(ItemKind::Boolean) : narrowed;
    return emit(at, at.text == "is" ? runIs : options_.strict ? runAs : runOfType, {focus}, 0, index);
  }

  // ---- names

  /// "Patient" at the start of a path: the focus if it is one.
  bool rootType(const Syntax& at, const Scope& scope, StaticType& type, std::uint32_t& node) {
    if (at.text.empty() || at.text[0] < 'A' || at.text[0] > 'Z') return false;
    const fhir::TypeId wanted = schema_.findType(at.text);
    if (wanted == fhir::kNone) return false;
    if (scope.focus->known && childOf(schema_, *scope.focus, at.text).found == StaticChild::Found::Yes) return false;
    type = StaticType::of(wanted);
    if (scope.focus->known) {
      bool possible = false;
      for (const auto& alternative : scope.focus->types) {
        if (alternative.kind != ItemKind::Node) continue;
        if (schema_.isA(alternative.type, wanted)) type = StaticType::of(alternative.type, alternative.def);
        possible = possible || schema_.isA(alternative.type, wanted) || schema_.isA(wanted, alternative.type);
      }
      if (!possible)
        doubt(at,
              "the expression starts from " + typeNames(schema_, *scope.focus) + ", not from " + std::string(at.text));
    }
    const std::uint32_t self = emit(at, runThis, {});
    node = emit(at, runRootType, {self}, 0, wanted);
    return true;
  }

  std::uint32_t name(const Syntax& at, Scope& scope, StaticType& type) {
    const bool implicit = at.first->kind == SyntaxKind::Implicit;
    if (implicit && !at.quoted) {
      for (std::size_t i = 0; i < options_.slots.size(); ++i) {
        if (options_.slots[i].bare && options_.slots[i].name == at.text) return slot(at, i, type);
      }
    }
    std::uint32_t node = 0;
    if (implicit && rootType(at, scope, type, node)) return node;
    StaticType written;
    const std::uint32_t focus = implicit ? 0 : compile(*at.first, scope, written);
    if (failed_) return 0;
    const StaticType& focusType = implicit ? *scope.focus : written;
    StaticChild child = childOf(schema_, focusType, at.text);
    const bool choice = child.choiceName != fhir::kNone;
    if (choice) {
      doubt(at, "'" + std::string(at.text) + "' is one type of the choice '" +
                    std::string(schema_.nameText(child.choiceName)) + "': write " +
                    std::string(schema_.nameText(child.choiceName)) + ".ofType(" +
                    std::string(schema_.nameText(schema_.type(child.choiceType).name)) + ")");
    } else if (child.found == StaticChild::Found::No && !focusType.types.empty()) {
      doubt(at, typeNames(schema_, focusType) + " has no element '" + std::string(at.text) + "'" +
                    suggestion(at.text, child.siblings));
    }
    type = std::move(child.type);
    return step(at, focusType, implicit, focus, child);
  }

  std::uint32_t choiceStep(const Syntax& at, std::uint32_t focus, const ChoiceStep& choice) {
    plan_->choices.push_back(choice);
    return emit(at, runChoice, {focus}, static_cast<std::uint32_t>(plan_->choices.size() - 1));
  }

  /// The node for one step along the tree; the focus is compiled unless it is implicit.
  std::uint32_t step(const Syntax& at, const StaticType& focusType, bool implicit, std::uint32_t focus,
                     const StaticChild& child) {
    const fhir::NameId id = schema_.findName(at.text);
    bool system = !focusType.known;  // items that are no nodes have elements too: type().name, (4 'mg').unit
    for (const auto& alternative : focusType.types) system = system || alternative.kind != ItemKind::Node;
    const bool member = system && (at.text == "name" || at.text == "namespace" || at.text == "unit" ||
                                   at.text == "code" || at.text == "value");
    ChoiceStep choice{id, child.choiceName, child.choiceType};
    const bool split =
        !focusType.known && !options_.strict && !member && id != fhir::kNone && splitChoice(schema_, at.text, choice);
    const bool plain = !member && !split && child.choiceName == fhir::kNone && id != fhir::kNone && at.text != "value";
    if (implicit && plain) return emit(at, runThisChild, {}, id);
    if (implicit) focus = emit(at, runThis, {});
    if (child.choiceName != fhir::kNone || split) return choiceStep(at, focus, choice);
    if (member) return emit(at, runMember, {focus}, keep(at.text), id);
    return id == fhir::kNone ? emit(at, runChildByText, {focus}, keep(at.text)) : emit(at, runChild, {focus}, id);
  }

  // ---- functions

  std::uint32_t call(const Syntax& at, Scope& scope, StaticType& type) {
    const FunctionRow* row = findFunction(at.text);
    if (row == nullptr)
      return refuse(at, "there is no function " + std::string(at.text) + "()" + suggestion(at.text, functionNames()));
    std::uint32_t count = 0;
    for (const Syntax* argument = at.first->next; argument != nullptr; argument = argument->next) ++count;
    if (count < row->minimum || count > row->maximum) {
      const std::string wanted = row->minimum == row->maximum
                                     ? std::to_string(row->minimum)
                                     : std::to_string(row->minimum) + " to " + std::to_string(row->maximum);
      return refuse(at, std::string(at.text) + "() takes " + wanted + " arguments, not " + std::to_string(count));
    }
    StaticType focus;
    std::vector<std::uint32_t> kids{compile(*at.first, scope, focus)};
    if (failed_) return 0;
    if (row->ordered && !focus.ordered) doubt(at, std::string(at.text) + "() on a collection that has no order");
    check(at, focusFault(schema_, *row, focus));
    return arguments(at, *row, scope, focus, kids, type);
  }

  std::uint32_t arguments(const Syntax& at, const FunctionRow& row, Scope& scope, const StaticType& focus,
                          std::vector<std::uint32_t>& kids, StaticType& type) {
    Operands operands;
    std::size_t i = 0;
    for (const Syntax* argument = at.first->next; argument != nullptr; argument = argument->next, ++i) {
      const char mode = row.modes[std::min(i, row.modes.size() - 1)];
      StaticType argumentType;
      if (!operand(mode, *argument, scope, focus, operands, kids, argumentType, i)) return 0;
      check(*argument, argumentFault(schema_, mode, argumentType));
      operands.types.push_back(std::move(argumentType));
    }
    if (row.gives == Gives::Branches) {  // iif
      operands.a = at.first->kind == SyntaxKind::Implicit ? 0 : 1;
      check(at, criterionFault(schema_, operands.types[0]));
    }
    if (row.modes.starts_with('n')) define(operands, scope, focus);
    type = resultOf(schema_, row.gives, focus, operands.types);
    // Published invariants use as() on lists (dom-3): only strict mode holds it to one item.
    const Run function = row.run == runAs && !options_.strict ? runOfType : row.run;
    return emit(at, function, kids, operands.a, operands.b);
  }

  /// Compiles one argument the way its mode says (functions.h).
  bool operand(char mode, const Syntax& argument, const Scope& scope, const StaticType& focus, Operands& operands,
               std::vector<std::uint32_t>& kids, StaticType& type, std::size_t i) {
    Scope inner = scope;
    const Syntax* body = &argument;
    switch (mode) {
      case 't': operands.b = targetArgument(argument, type); return !failed_;
      case 'n':
        if (argument.kind == SyntaxKind::String) return variableName(argument, scope, operands.defined);
        operands.b = 1;  // told by an operand
        break;
      case 'r':
        if (argument.kind == SyntaxKind::String && plan_->regexes.size() < kMaxRegexes && !regex(argument, operands.a))
          return false;
        break;
      case 's':
        if (argument.kind == SyntaxKind::Unary && argument.text == "-") {
          operands.b |= 1U << std::min<std::size_t>(i, 31);
          body = argument.first;
        }
        inner.focus = &focus;
        break;
      case 'l':
      case 'i': inner.focus = &focus; break;
      default: break;
    }
    kids.push_back(compile(*body, inner, type));
    return !failed_;
  }

  bool regex(const Syntax& at, std::uint32_t& out) {
    auto compiled = Regex::compile(at.text);
    if (!compiled) return refuse(at, compiled.error().message) != 0;
    plan_->regexes.push_back(std::move(*compiled));
    out = static_cast<std::uint32_t>(plan_->regexes.size());
    return true;
  }

  bool variableName(const Syntax& at, const Scope& scope, std::string_view& out) {
    bool taken = false;
    for (const std::string_view name : kStandardNames) taken = taken || name == at.text;
    for (const DefinedVariable* variable = scope.variables; variable != nullptr; variable = variable->outer)
      taken = taken || variable->name == at.text;
    for (const SlotVariable& variable : options_.slots) taken = taken || variable.name == at.text;
    for (const std::string& variable : options_.variables) taken = taken || variable == at.text;
    if (taken) return refuse(at, "the variable %" + std::string(at.text) + " exists already") != 0;
    out = at.text;
    return true;
  }

  void define(Operands& operands, Scope& scope, const StaticType& focus) {
    operands.a = plan_->localCount++;
    variables_.push_front(
        {operands.defined, operands.a, operands.types.size() > 1 ? operands.types[1] : focus, scope.variables});
    scope.variables = &variables_.front();
  }

  const CompileOptions& options_;
  std::shared_ptr<Plan> plan_;
  const fhir::Schema& schema_;
  std::forward_list<DefinedVariable> variables_;
  bool failed_ = false;
  Error error_;
};

}  // namespace

Result<std::shared_ptr<const Plan>> compilePlan(std::string_view text, std::shared_ptr<const fhir::Schema> schema,
                                                const CompileOptions& options, fhir::Position at) {
  return Compiler(text, std::move(schema), options, at).run();
}

}  // namespace lotsen::fhirpath
