// What is known about a collection before it is evaluated: the types its items can have, and whether they are in order.
// Used by: the compiler. Thread rule: plain values. Failure rule: "not known" is an answer and stops all checks behind
// it.
#pragma once

#include "gateway/fhir/schema.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/plan.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhirpath {

struct StaticType {
  struct Alternative {
    ItemKind kind = ItemKind::Node;  // Node: a FHIR type, else that System type
    fhir::TypeId type = fhir::kNone;
    fhir::DefId def = fhir::kNone;  // of a backbone element
    bool operator==(const Alternative&) const = default;
  };
  bool known = false;
  bool ordered = true;
  std::vector<Alternative> types;

  static StaticType of(ItemKind kind) { return {true, true, {{kind, fhir::kNone, fhir::kNone}}}; }
  static StaticType of(fhir::TypeId type, fhir::DefId def = fhir::kNone) {
    return type == fhir::kNone ? StaticType{} : StaticType{true, true, {{ItemKind::Node, type, def}}};
  }
  /// Either this or the other.
  void merge(const StaticType& other);
};

/// The elements called `name` of everything in `focus`. What `found` says: No means that no alternative has it for
/// sure.
struct StaticChild {
  enum class Found : std::uint8_t { Yes, No, Unknown };
  Found found = Found::Unknown;
  StaticType type;
  /// The name is a choice written out ("valueQuantity"): the element's own name and the one type.
  fhir::NameId choiceName = fhir::kNone;
  fhir::TypeId choiceType = fhir::kNone;
  std::vector<std::string_view> siblings;  // names to suggest, filled when No
};
/// A type as it is written: "Quantity", "FHIR.Patient", "System.String". A System type that does not exist matches
/// nothing; any other unknown name is nullopt.
std::optional<TypeTarget> findTarget(const fhir::Schema& schema, std::string_view text, StaticType& type);

StaticChild childOf(const fhir::Schema& schema, const StaticType& focus, std::string_view name);

/// "HumanName", "Patient.contact, Person": for messages.
std::string typeNames(const fhir::Schema& schema, const StaticType& type);
/// "valueQuantity" where the type of the focus is not known: "value" of type Quantity as well as an element of that
/// name.
bool splitChoice(const fhir::Schema& schema, std::string_view text, ChoiceStep& out);
/// The type of a function's result.
StaticType resultOf(const fhir::Schema& schema, Gives gives, const StaticType& focus,
                    const std::vector<StaticType>& arguments);

}  // namespace lotsen::fhirpath
