// What an ElementDefinition says, as values: read from a StructureDefinition or taken from the Schema's rows, changed
// by differentials, written as the rows of a Profile. Private to definitions. Texts are views into documents that are
// kept, into the Schema's strings, or into a TextPool.
#pragma once

#include "gateway/definitions/profiles.h"
#include "gateway/fhir/issues.h"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace lotsen::definitions {

inline constexpr std::string_view kSystemTypes = "http://hl7.org/fhirpath/System.";
/// The extension by which a type's profile means one element of that profile.
inline constexpr std::string_view kProfileElement =
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element";

struct TypeFacts {
  std::string_view code;
  fhir::TypeId type = fhir::kNone;  // kNone: a System type, or one that is not known
  std::vector<std::string_view> profiles, targets;
  std::uint8_t aggregation = 0;
};

/// Texts that are made while definitions are read; they live as long as the pool.
using TextPool = std::deque<std::string>;

/// All that a row says of its element.
struct Facts {
  std::uint32_t min = 0, max = 1, maxLength = 0;
  std::vector<TypeFacts> types;
  std::vector<ProfileConstraint> constraints;
  const fhir::Element *fixed = nullptr, *pattern = nullptr, *minValue = nullptr, *maxValue = nullptr;
  std::string_view valueSet, contentReference;
  fhir::Strength strength = fhir::Strength::None;
  bool sliced = false, ordered = false;
  SlicingRules rules = SlicingRules::Open;
  std::vector<Discriminator> discriminators;
  std::vector<std::string_view> valueAlternatives;
  bool mustSupport = false, modifier = false, summary = false, mustHaveValue = false;
};

/// What one ElementDefinition states; the rest it leaves as it was.
struct Stated {
  const fhir::Element* element = nullptr;
  std::string_view id, path, sliceName;
  std::optional<std::uint32_t> min, max, maxLength;
  std::vector<TypeFacts> types;                // empty: not stated
  std::vector<ProfileConstraint> constraints;  // to be added
  const fhir::Element *fixed = nullptr, *pattern = nullptr, *minValue = nullptr, *maxValue = nullptr;
  bool binding = false;
  std::string_view valueSet, contentReference;
  fhir::Strength strength = fhir::Strength::None;
  bool slicing = false;
  std::optional<bool> ordered;
  std::optional<SlicingRules> rules;
  std::vector<Discriminator> discriminators;
  std::optional<bool> mustSupport, modifier, summary;
  std::vector<std::string_view> valueAlternatives;  // empty: not stated
  bool mustHaveValue = false, constrainsSlice = false;
};

/// Where the definition stands and where its faults go.
struct Origin {
  std::string file;
  const fhir::Document* document = nullptr;  // a StructureDefinition
};

/// Adds an issue of a definition at `at`.
void tell(fhir::Issues& issues, fhir::Severity severity, const Origin& origin, const fhir::Element* at,
          std::string text);

/// Reads an ElementDefinition. Numbers that are none are told and left out.
Stated readElement(const Origin& origin, const fhir::Element* element, const fhir::Schema& schema, TextPool& texts,
                   fhir::Issues& issues);

/// The facts of an element of a snapshot, which states everything.
Facts factsOf(const Stated& stated);
/// The facts of a row.
Facts factsOf(const ProfileElement& row);

}  // namespace lotsen::definitions
