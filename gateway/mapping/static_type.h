// What the compiler knows about a variable before anything runs: which types it may have and which elements those have.
// Used by: compiler. Thread rule: values; TypeLookup only reads the Schema. Failure rule: not known is a normal answer.
#pragma once

#include "gateway/fhir/schema.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

struct StaticType {
  std::vector<fhir::TypeId> types;  // the concrete types it may have; empty: not known, nothing is checked
  fhir::DefId def = fhir::kNone;    // the element it is, when its children are defined there (backbone elements)

  bool known() const { return !types.empty(); }
};

class TypeLookup {
 public:
  explicit TypeLookup(const fhir::Schema& schema);

  /// True if elements of the type cannot be enumerated here: not known, or an abstract type such as Resource or
  /// BackboneElement.
  bool open(const StaticType& type) const;
  /// A logical model that calls itself abstract is used as it is.
  bool isAbstract(fhir::TypeId type) const;

  /// Properties that `name` means in `type`: one, or one per allowed type if it is the short name of a choice
  /// ("value"), or the one variant written out ("valueQuantity"). Empty: no such element.
  std::vector<const fhir::Property*> find(const StaticType& type, std::string_view name) const;
  /// Element names for suggestions: as written, choices by their short name too.
  std::vector<std::string_view> names(const StaticType& type) const;

  /// The type of a variable that holds one of these.
  StaticType of(const std::vector<const fhir::Property*>& properties) const;
  StaticType of(fhir::TypeId type) const {
    return type == fhir::kNone ? StaticType() : StaticType{{type}, fhir::kNone};
  }

  bool isPrimitive(fhir::TypeId type) const { return schema_.type(type).kind == fhir::TypeKind::Primitive; }
  bool allPrimitive(const StaticType& type) const;
  bool repeats(const fhir::Property& property) const;
  /// "Patient", "Quantity or string".
  std::string describe(const StaticType& type) const;
  /// Two types with the same key have the same elements: groups are compiled once per key.
  std::string key(const StaticType& type) const;

  fhir::TypeId string() const { return string_; }

 private:
  const fhir::Schema& schema_;
  fhir::TypeId string_;
};

/// Which of the properties of one element a value of this type goes into, or nullptr. `text` (if not null) decides
/// between primitives when the type itself is not allowed: '2026-03-02' into deceased[x] is a dateTime.
const fhir::Property* chooseProperty(const fhir::Schema& schema, std::span<const fhir::Property* const> candidates,
                                     fhir::TypeId type, const std::string_view* text);
/// Whether a value of type `from` may be written to an element of type `to`, converted if need be (convert in
/// target_writer.cc).
bool convertible(const fhir::Schema& schema, fhir::TypeId from, fhir::TypeId to);

}  // namespace lotsen::mapping
