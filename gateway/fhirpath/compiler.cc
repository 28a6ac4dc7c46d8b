#include "gateway/fhirpath/compiler.h"

#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/plan_builder.h"
#include "gateway/fhirpath/static_type.h"
#include "gateway/fhirpath/syntax.h"
#include "gateway/fhirpath/type_checks.h"

#include <algorithm>
#include <forward_list>
#include <utility>

namespace lotsen::fhirpath {
namespace {

constexpr std::string_view kStandardNames[] = {"context", "resource", "rootResource", "ucum", "sct", "loinc"};

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

/// The part of the compiler that knows what names mean.
class Compiler : private PlanBuilder {
 public:
  using PlanBuilder::PlanBuilder;

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
      const bool function = findFunction(at.text) != nullptr;
      doubt(at, typeNames(schema_, focusType) + " has no element '" + std::string(at.text) + "'" +
                    (function ? "; the function is written with brackets: " + std::string(at.text) + "()"
                              : suggestion(at.text, child.siblings)));
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
        if (argument.kind == SyntaxKind::String && !regex(argument, operands.a)) return false;
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

  std::forward_list<DefinedVariable> variables_;
};

}  // namespace

Result<std::shared_ptr<const Plan>> compilePlan(std::string_view text, std::shared_ptr<const fhir::Schema> schema,
                                                const CompileOptions& options, fhir::Position at) {
  return Compiler(text, std::move(schema), options, at).run();
}

}  // namespace lotsen::fhirpath
