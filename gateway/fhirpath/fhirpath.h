// FHIRPath: an expression is compiled once against a Schema into a Program, then evaluated many times.
// Used by: mapping (conditions, evaluate), validation (invariants), letter (variables), the `fhirpath` verb.
// Thread rule: a Program is immutable and may be shared; an Evaluator belongs to one thread. Pure: no I/O, the clock is
// an input. Failure rule: compile errors are Invalid with line, column and what was expected; evaluation errors are
// Invalid; a program that exceeds its limits is TooLarge. Spec: http://hl7.org/fhirpath (2.0 normative; the R4 file's
// later functions too), http://hl7.org/fhir/R4/fhirpath.html.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/fhir/element.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhirpath {

struct Plan;  // the compiled form, private to this folder

/// The door to what an expression may ask of its surroundings. Defaults answer "unknown". An answer may be found with
/// the same Evaluator: evaluations nest, up to 16 deep.
class Host {
 public:
  virtual ~Host() = default;
  /// The resource a reference names, outside the document at hand; nullptr if unknown. (Bundle and contained are
  /// handled before.)
  virtual const fhir::Element* resolve(std::string_view) { return nullptr; }
  virtual std::optional<bool> memberOf(std::string_view /*system*/, std::string_view /*code*/,
                                       std::string_view /*valueSet*/) {
    return {};
  }
  virtual std::optional<bool> conformsTo(const fhir::Element*, std::string_view /*profile*/) { return {}; }
  /// Whether code `general` subsumes `special` in the system. Equal codes are answered before.
  virtual std::optional<bool> subsumes(std::string_view /*system*/, std::string_view /*general*/,
                                       std::string_view /*special*/) {
    return {};
  }
  /// Whether the element is in that slice of the profile; nullopt: no such profile or slice is known.
  virtual std::optional<bool> inSlice(const fhir::Element*, std::string_view /*profile*/, std::string_view /*slice*/) {
    return {};
  }
};

enum class Kind : std::uint8_t { Node, Boolean, Integer, Decimal, String, Date, DateTime, Time, Quantity };

/// One item of a collection: a node of the tree, or a System value. Text forms are FHIRPath literals without '@' and
/// quotes. The bytes of `text` and `unit` live in the document, the Program or the Evaluator that produced the value.
struct Value {
  Kind kind = Kind::Node;
  const fhir::Element* node = nullptr;
  std::string_view text;  // "true", "42", "1.50", "2026-03-02", "2026-03-02T08:00:00+01:00"; Quantity: its number
  std::string_view unit;  // Quantity only: UCUM code or calendar word
};
using Collection = std::vector<Value>;

/// A variable that lives in a slot of Environment::slots (its index is its place in CompileOptions::slots): an FML rule
/// variable. Read as %name and, unless `bare` is false, as `name` at the start of a path, where it goes before an
/// element.
struct SlotVariable {
  std::string name;
  fhir::TypeId type = fhir::kNone;  // kNone: not known, no check of paths on it
  fhir::DefId def = fhir::kNone;    // of a backbone element
  bool bare = true;
};

struct CompileOptions {
  /// The type the expression starts from ("Patient"); kNone: not known, no semantic check of paths.
  fhir::TypeId context = fhir::kNone;
  /// With a backbone element as context: its definition.
  fhir::DefId contextDef = fhir::kNone;
  /// Refuse what an official engine refuses (unknown element, valueQuantity written out …); otherwise a warning is
  /// recorded.
  bool strict = false;
  /// Names usable as %name beside the standard ones.
  std::vector<std::string> variables;
  /// Variables resolved to slots when compiling: no search by name when evaluating.
  std::vector<SlotVariable> slots;
};

/// How many bytes of `text` the expression at its start takes (trailing space not counted): for languages that embed
/// FHIRPath. Syntax only. `stopAtAs`: outside brackets an `as` or `is` ends the expression, as in FML `where (…) as v`.
/// Two-character `->` always ends it.
Result<std::size_t> expressionLength(std::string_view text, fhir::Position at = {1, 1}, bool stopAtAs = false);

class Program {
 public:
  /// `at` is where the text stands in its file, so that errors point there.
  static Result<Program> compile(std::string_view text, std::shared_ptr<const fhir::Schema> schema,
                                 const CompileOptions& options = {}, fhir::Position at = {1, 1});
  const std::string& text() const;
  const std::vector<std::string>& warnings() const;
  const Plan& plan() const { return *plan_; }

 private:
  std::shared_ptr<const Plan> plan_;
};

struct Limits {
  std::uint64_t steps = 10'000'000;  // evaluated operations
  std::size_t bytes = 64u << 20;     // for values and strings made
};

/// What stays the same over many evaluations on one document.
struct Environment {
  const fhir::Document* document = nullptr;
  const fhir::Element* resource = nullptr;      // %resource; nullptr: the nearest enclosing resource of the focus
  const fhir::Element* rootResource = nullptr;  // %rootResource
  Instant now{};                                // now(), today(), timeOfDay()
  int offsetMinutes = 0;                        // zone in which they are told
  Host* host = nullptr;
  std::function<const Collection*(std::string_view name)> variable;  // %name; nullptr result: unknown
  /// Values of CompileOptions::slots, by index; the arrays belong to the caller and must outlive the evaluation.
  std::span<const std::span<const Value>> slots;
  std::function<void(std::string_view name, const Collection&)> trace;
  /// Gets every leaf whose value an evaluation uses, as often as it does; nullptr: nobody asks. `a.exists()` uses none.
  std::vector<const fhir::Element*>* reads = nullptr;
  Limits limits;
};

/// Owns the memory of the values it returns: they are valid until the next evaluate() with `reset`, or its destruction.
class Evaluator {
 public:
  explicit Evaluator(Environment environment);
  ~Evaluator();
  Environment& environment();
  Result<Collection> evaluate(const Program& program, const Collection& focus);
  Result<Collection> evaluate(const Program& program, const fhir::Element* focus);
  /// The same without a new vector: `out` is emptied first, its capacity is kept.
  Status evaluateInto(const Program& program, std::span<const Value> focus, Collection& out);
  /// Evaluates a criterion: empty is false, one Boolean is itself, one other item is true (spec 4.5, singleton
  /// evaluation).
  Result<bool> test(const Program& program, const fhir::Element* focus);
  /// Operations of the last evaluation, for who bounds many of them together.
  std::uint64_t steps() const;
  /// Frees the memory of all values it returned. Not while an evaluation runs (from a Host).
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "FHIR.code", "System.String": the type name of a value as `type()` tells it.
std::string typeName(const fhir::Document& document, const Value& value);
/// The value in FHIR JSON form: "abc", 1.50, true, {"value":4,"unit":"mg"}, or the element's JSON.
std::string toJson(const fhir::Document& document, const Value& value);
/// The text of a value for string use: a primitive node's value, a System value's text; empty for complex nodes.
std::string_view toText(const Value& value);

}  // namespace lotsen::fhirpath
