// The Schema: what types exist, what elements they have, and what may stand in them. The R4 part is a generated table
// that is read in place (gateway/fhir/r4, made by ops/dev/generate-r4); `definitions` adds logical models and profiles
// from packages. Used by: everything that reads, writes, navigates or checks resources. Thread rule: immutable once
// built; shared as std::shared_ptr<const Schema> and swapped as a whole on reload. Failure rule: a broken table is a
// broken build (its test fails), never a run-time error.
//
// Rows are plain integers, so the generated part is read-only data without relocations: it costs no start-up time and
// its pages are shared. Ids are dense; 0 means "none" everywhere. Rows that belong together (the types of an element,
// the properties of a shape) are contiguous. Rejected: virtual schema interface (a call per child on the hottest path),
// structs holding string_view (a relocation per string), one node class per FHIR type (650 classes and no logical
// models).
#pragma once

#include "gateway/base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhir {

using StringId = std::uint32_t;  // a string of the table
using NameId = std::uint32_t;    // an interned name: element, type, property
using TypeId = std::uint32_t;    // a type: resource, data type, logical model
using ShapeId = std::uint32_t;   // a set of named children: of a type, or of a backbone element inside one
using DefId = std::uint32_t;     // an ElementDefinition

constexpr std::uint32_t kNone = 0;
constexpr NameId kLocalNames = 0x80000000U;  // names the Schema does not know are interned per Document, from here on
constexpr std::uint32_t kUnbounded = 0xffffffffU;

enum class TypeKind : std::uint8_t { Primitive, Complex, Resource, Logical };
/// How a primitive is written in JSON and which System type it is in FHIRPath.
enum class Primitive : std::uint8_t { None, Boolean, Integer, Decimal, String, Date, DateTime, Time };
enum class Strength : std::uint8_t { None, Required, Extensible, Preferred, Example };

struct Type {
  NameId name = kNone;   // "Patient"; for a logical model its short name
  StringId url = kNone;  // canonical
  TypeId base = kNone;   // Patient -> DomainResource -> Resource
  ShapeId shape = kNone;
  DefId root = kNone;  // the definition of the type itself (constraints that hold for every instance)
  TypeKind kind = TypeKind::Complex;
  Primitive primitive = Primitive::None;
  bool abstract = false;
};

/// One property as it stands in JSON or XML, in the order of the definition. A choice element has one row with its bare
/// name and no type ("value": for navigation only, no document may write it), then one per allowed type
/// ("valueQuantity", "valueString" …).
struct Property {
  NameId name = kNone;  // as written
  DefId def = kNone;
  TypeId type = kNone;  // the concrete type ("Resource" is one); BackboneElement or Element for inline children; kNone:
                        // a bare choice
};

struct Shape {
  std::uint32_t firstProperty = 0;
  std::uint32_t propertyCount = 0;
};

struct TypeRef {
  TypeId type = kNone;
  std::uint32_t firstTarget = 0;  // StringIds in targets(): for Reference and canonical the allowed target canonicals
  std::uint32_t targetCount = 0;
  StringId profile = kNone;  // canonical of the profile on the type that it asks for (SimpleQuantity)
};

struct Constraint {
  StringId key = kNone;         // "dom-3"
  StringId expression = kNone;  // FHIRPath
  StringId human = kNone;
  bool error = true;  // false: a warning
};

/// One element of a type, as its StructureDefinition says it.
struct ElementDef {
  StringId path = kNone;  // "Patient.contact.name"
  NameId name = kNone;    // "value" for value[x]
  ShapeId shape = kNone;  // own children (backbone) or those of the contentReference; kNone: the children of its type
  std::uint32_t min = 0;
  std::uint32_t max = 1;  // kUnbounded for *
  std::uint32_t firstType = 0;
  std::uint32_t typeCount = 0;
  std::uint32_t firstConstraint = 0;
  std::uint32_t constraintCount = 0;
  StringId valueSet = kNone;  // canonical; its version only where it is not R4's own
  Strength strength = Strength::None;
  bool choice = false;  // value[x]
  bool summary = false;
  bool modifier = false;
  bool xmlAttribute = false;
};

/// How an element of a logical model stands in XML. FHIR's own elements, and those of models that say nothing else,
/// have the default: an element of its own name in FHIR's namespace, or an attribute (ElementDef::xmlAttribute).
struct XmlForm {
  enum class Kind : std::uint8_t {
    Plain,
    Text,    // the characters of the element around it (representation xmlText)
    Group,   // stands for its children, which stand in its place (xml-choice-group)
    Markup,  // a narrative in the model's own namespace (representation cdaText)
  };
  StringId space = kNone;  // namespace, "noNamespace" for none; kNone: FHIR's for an element, none for an attribute
  StringId name = kNone;   // where it differs from the element's (xml-name)
  Kind kind = Kind::Plain;
  bool typed = false;   // the type stands in xsi:type, not in the name (representation typeAttr)
  bool v3Date = false;  // 20260131 for 2026-01-31 (elementdefinition-date-format); the tree has FHIR's writing
};

/// Rows of one kind: a generated part read in place, and a part added by packages. Index 0 is the "none" row.
template <typename Row>
class Table {
 public:
  Table() = default;
  explicit Table(std::span<const Row> base) : base_(base) {}
  const Row& operator[](std::uint32_t id) const { return id < base_.size() ? base_[id] : extra_[id - base_.size()]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(base_.size() + extra_.size()); }
  /// `count` rows from `first`: rows that belong together never straddle the two parts.
  std::span<const Row> range(std::uint32_t first, std::uint32_t count) const {
    if (count == 0) return {};
    return first < base_.size() ? base_.subspan(first, count)
                                : std::span<const Row>(extra_).subspan(first - base_.size(), count);
  }
  std::uint32_t add(Row row) {
    extra_.push_back(std::move(row));
    return size() - 1;
  }
  /// A row of the added part, to be filled in later. REQUIRES: id came from add().
  Row& added(std::uint32_t id) { return extra_[id - base_.size()]; }

 private:
  std::span<const Row> base_;
  std::vector<Row> extra_;
};

class SchemaBuilder;

class Schema {
 public:
  /// R4 and nothing else; made once per process.
  static std::shared_ptr<const Schema> r4();

  std::string_view text(StringId id) const;
  std::string_view nameText(NameId id) const {
    return text(id);
  }                                              // REQUIRES: id < kLocalNames; names are strings of the table
  NameId findName(std::string_view text) const;  // kNone if unknown
  TypeId findType(
      std::string_view nameOrUrl) const;  // "Patient" or its canonical (a "|version" is ignored); kNone if unknown

  const Type& type(TypeId id) const { return types_[id]; }
  const ElementDef& def(DefId id) const { return defs_[id]; }
  std::span<const Property> properties(ShapeId id) const {
    const Shape& shape = shapes_[id];
    return properties_.range(shape.firstProperty, shape.propertyCount);
  }
  std::span<const TypeRef> types(const ElementDef& def) const { return typeRefs_.range(def.firstType, def.typeCount); }
  std::span<const Constraint> constraints(const ElementDef& def) const {
    return constraints_.range(def.firstConstraint, def.constraintCount);
  }
  std::span<const StringId> targets(const TypeRef& ref) const {
    return targets_.range(ref.firstTarget, ref.targetCount);
  }

  /// False for what packages added.
  bool isR4(ShapeId id) const { return id < firstAddedShape_; }
  const XmlForm& xmlForm(DefId id) const {
    static constexpr XmlForm kPlain;
    return id < firstAddedDef_ ? kPlain : xmlForms_[id - firstAddedDef_];
  }

  /// The property written `name` in `shape`, or nullptr.
  const Property* property(ShapeId shape, NameId name) const;
  /// The shape an element has: its own, else that of its type.
  ShapeId shapeOf(DefId def, TypeId type) const {
    const ShapeId own = def == kNone ? kNone : defs_[def].shape;
    return own != kNone ? own : type == kNone ? kNone : types_[type].shape;
  }
  /// True if `type` is `ancestor` or derives from it.
  bool isA(TypeId type, TypeId ancestor) const;

  enum class Membership : std::uint8_t { In, NotIn, Unknown };
  /// Whether the code is in the value set, as far as the Schema can tell (Unknown: not enumerable here, e.g. SNOMED
  /// CT).
  Membership inValueSet(std::string_view valueSet, std::string_view system, std::string_view code) const;
  /// The codes of a value set, in alphabetical order, if all are known here and they are at most `most`; else none.
  std::vector<std::string_view> codesOf(std::string_view valueSet, std::size_t most) const;

  /// Type ids run from 1 to typeCount() - 1; the R4 types come first and keep their ids (gateway/fhir/r4/types.h).
  std::uint32_t typeCount() const { return types_.size(); }
  std::uint32_t defCount() const { return defs_.size(); }
  std::uint32_t shapeCount() const { return shapes_.size(); }

 private:
  friend class SchemaBuilder;  // gateway/fhir/schema_builder.h: the only writer
  Schema();

  Table<Type> types_;
  Table<Shape> shapes_;
  Table<Property> properties_;
  Table<ElementDef> defs_;
  Table<TypeRef> typeRefs_;
  Table<Constraint> constraints_;
  Table<StringId> targets_;
  ShapeId firstAddedShape_ = kNone;
  DefId firstAddedDef_ = kNone;
  std::vector<XmlForm> xmlForms_;  // of the definitions from firstAddedDef_ on
  // What packages added to the strings, the type names and the value sets: see schema.cc.
  struct Added;
  std::shared_ptr<const Added> added_;
  struct Content;
  /// Nothing: the value set, or this version of it, is not enumerated here.
  std::optional<Content> contentOf(std::string_view valueSet) const;
};

}  // namespace lotsen::fhir
