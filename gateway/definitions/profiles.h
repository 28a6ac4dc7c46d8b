// Profiles: what StructureDefinitions that constrain a type ask of its instances, as flat rows made of their snapshots.
// Used by: validation, service (message kinds), app (snapshot). Thread rule: immutable once loaded, shared by all
// threads; `find` makes the rows of an R4 core profile when it is first asked for, under a lock of its own. Failure
// rule: a profile with faults is told by definitions::load, which then fails; a Profile that one holds is whole.
//
// The rows of a profile are its snapshot in pre-order: a row, the rows below it, then its next sibling. `end` says
// where the rows below end, so a subtree is a range and the children of a row are one loop without looking at any text:
//
//   for (RowId at = row + 1; at < rows[row].end; at = rows[at].end) …
//
//   0 Patient                     end 7
//   1   identifier                end 3   sliced by value of system, firstSlice 3
//   2     system                  end 3
//   3   identifier:pnr            end 5   unsliced 1, nextSlice 5
//   4     system  fixed …         end 5
//   5   identifier:reserve        end 7   unsliced 1
//   6     system  fixed …         end 7
//
// Slices follow the element that they slice, and a slice of a slice ("a/b") follows its slice: to walk the elements of
// an instance, skip rows with a slice name and come to them over firstSlice and nextSlice. Rows exist below a row only
// where some definition on the way down has walked into it; otherwise the children are those of the row's type profiles
// (AllowedType::profiles), of the row that contentReference names (`content`), or of the type itself (fhir::Schema).
//
// A slice need not repeat what its unsliced row and the rows below that one say: an element in a slice must meet both.
// Without such an element a slice's own `min` still asks for it. The rows below a primitive's row end in "value" (def
// kNone, no children): it stands for the primitive's own value.
//
// Texts are views: into the StructureDefinitions, which the Profiles keep, into the Schema's strings, or into texts
// that the profile owns. Rejected: keeping the snapshot as ElementDefinition nodes and reading those while validating
// (a text search a step, and 20 nodes where one row is), children as lists of pointers (nothing gained over `end`).
#pragma once

#include "gateway/fhir/element.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lotsen::definitions {

using RowId = std::uint32_t;  // place of a row in its profile; the root is 0
constexpr RowId kNoRow = 0xffffffffU;

/// A type that may stand at an element.
struct AllowedType {
  std::string_view code;            // "Quantity", "http://hl7.org/fhirpath/System.String", a model's canonical
  fhir::TypeId type = fhir::kNone;  // what instances carry (System.String: the FHIR type, as id, uri or string)
  std::span<const std::string_view> profiles;  // of which an instance must meet one, for Profiles::part; none: any
  std::span<const std::string_view> targets;   // of Reference and canonical: what it may point to; none: anything
  std::uint8_t aggregation = 0;                // Aggregation bits, of which one must hold; 0: any
};
enum Aggregation : std::uint8_t { kContained = 1, kReferenced = 2, kBundled = 4 };

struct ProfileConstraint {
  std::string_view key;         // "se-pat-1"
  std::string_view expression;  // FHIRPath; never empty
  std::string_view human;       // may be empty: R4's own are not kept
  std::string_view source;      // canonical of the definition that brought it in; empty: R4 itself
  bool error = true;            // false: a warning
  bool base = false;  // the type says it as well: who has checked the instance against the Schema has checked it
};

enum class DiscriminatorType : std::uint8_t { Value, Exists, Pattern, Type, Profile };
struct Discriminator {
  DiscriminatorType type = DiscriminatorType::Value;
  std::string_view path;  // restricted FHIRPath: "$this", "code.coding", "resolve()", "extension('url').value"
};

enum class SlicingRules : std::uint8_t { Closed, Open, OpenAtEnd };
struct Slicing {
  std::span<const Discriminator> discriminators;  // none: only the order or the names tell the slices apart
  SlicingRules rules = SlicingRules::Open;
  bool ordered = false;
};

struct ProfileElement {
  std::string_view id;              // "Patient.identifier:pnr.system"
  std::string_view path;            // "Patient.identifier.system"
  std::string_view sliceName;       // "pnr", of a slice of a slice "pnr/old"; empty: no slice
  fhir::NameId name = fhir::kNone;  // as elements of instances carry it ("value" for value[x]); kNone: the root
  fhir::DefId def = fhir::kNone;    // what the type says of this element; kNone: the value of a primitive

  RowId parent = kNoRow;
  RowId end = 0;              // one past the last row below this one
  RowId unsliced = kNoRow;    // of a slice: the row it slices (for "a/b": the row of "a")
  RowId firstSlice = kNoRow;  // of a sliced row
  RowId nextSlice = kNoRow;   // of a slice: the next one of the same `unsliced`
  RowId content = kNoRow;     // of a row with contentReference: the row whose children it has

  std::uint32_t min = 0;
  std::uint32_t max = 1;                           // kUnbounded for *
  std::uint32_t maxLength = 0;                     // in characters; 0: no bound
  std::span<const AllowedType> types;              // none: the root, or a contentReference
  std::span<const ProfileConstraint> constraints;  // all that hold here, inherited ones first
  const fhir::Element* fixed = nullptr;            // the value's node in the StructureDefinition
  const fhir::Element* pattern = nullptr;
  const fhir::Element* minValue = nullptr;
  const fhir::Element* maxValue = nullptr;
  const Slicing* slicing = nullptr;   // of a sliced row
  std::string_view valueSet;          // canonical, with its version if it has one
  std::string_view contentReference;  // "#Bundle.link"
  std::span<const fhir::Element* const>
      sources;  // ElementDefinitions it is made of, newest first; none: R4's type only
  fhir::Strength strength = fhir::Strength::None;
  std::span<const std::string_view> valueAlternatives;  // extensions of which one must stand where there is no value
  bool mustSupport = false;
  bool modifier = false;
  bool summary = false;
  bool mustHaveValue = false;   // of a primitive: a value, not only an extension (R5's word)
  bool tightened = false;       // says more than the type does: has something to check beyond the Schema
  bool tightenedBelow = false;  // so does a row below: a walk may pass over rows without either
};

/// Where an extension may stand.
struct ExtensionContext {
  enum class Kind : std::uint8_t { Element, Extension, Fhirpath };
  Kind kind = Kind::Element;
  std::string_view expression;  // an element's id or path, an extension's canonical, FHIRPath
};

class Profile {
 public:
  Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  std::string_view url() const { return url_; }
  std::string_view version() const { return version_; }
  std::string_view name() const { return name_; }
  std::string_view baseUrl() const { return baseUrl_; }
  fhir::TypeId type() const { return type_; }  // what it constrains: Patient, Extension, a logical model
  bool abstract() const { return abstract_; }
  /// Not empty; rows()[0] is the root.
  std::span<const ProfileElement> rows() const { return rows_; }
  const ProfileElement& operator[](RowId row) const { return rows_[row]; }
  /// The row of `name` (no slice) below `parent`; kNoRow if the profile does not go there.
  RowId child(RowId parent, fhir::NameId name) const;
  /// By element id; kNoRow if there is none. Compares texts.
  RowId find(std::string_view id) const;
  /// The constraints of all rows: each row's are a part of this span.
  std::span<const ProfileConstraint> constraints() const { return constraints_; }
  /// Of an extension: where it may stand. Empty: nowhere is named, so anywhere.
  std::span<const ExtensionContext> contexts() const { return contexts_; }
  /// FHIRPath expressions that must hold where the extension stands.
  std::span<const std::string_view> contextInvariants() const { return contextInvariants_; }
  /// The StructureDefinition as it was read.
  const fhir::Document& document() const { return *document_; }

 private:
  friend class ProfileWriter;  // profile_writer.h: the only writer
  struct Storage;

  std::string_view url_, version_, name_, baseUrl_;
  fhir::TypeId type_ = fhir::kNone;
  bool abstract_ = false;
  std::span<const ProfileElement> rows_;
  std::span<const ProfileConstraint> constraints_;
  std::span<const ExtensionContext> contexts_;
  std::span<const std::string_view> contextInvariants_;
  const fhir::Document* document_ = nullptr;
  std::unique_ptr<Storage> storage_;
};

/// One element of a profile; of row 0 the whole.
struct ProfilePart {
  const Profile* profile = nullptr;
  RowId row = 0;
};

class Profiles {
 public:
  ~Profiles();
  Profiles(const Profiles&) = delete;
  Profiles& operator=(const Profiles&) = delete;

  /// The profiles and extensions of R4 core and nothing else; made once per process.
  static std::shared_ptr<const Profiles> r4();

  /// By canonical, "url" or "url|version"; without a version the newest one. nullptr if it is not known here: a type's
  /// own canonical (".../StructureDefinition/Patient") is the Schema's to know.
  const Profile* find(std::string_view canonical) const;

  /// What a type's profile names: a profile, or "url#Composition.section:plan", one element of it. No profile if either
  /// is not known.
  ProfilePart part(std::string_view name) const;

  /// The canonicals of what packages brought in, in order.
  std::span<const std::string_view> added() const;

 private:
  friend class ProfileLoader;  // profile_loader.h
  struct State;
  explicit Profiles(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace lotsen::definitions
