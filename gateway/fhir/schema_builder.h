// The only writer of a Schema: adds logical models, profiles' types and value sets to a copy of an existing one.
// Used by: definitions (packages), tests. Thread rule: one thread; the Schema that build() returns is immutable.
// Failure rule: none; the caller checks its definitions before it adds them. Ids of the base stay valid in the result.
#pragma once

#include "gateway/fhir/schema.h"

#include <set>
#include <span>
#include <utility>
#include <vector>

namespace lotsen::fhir {

class SchemaBuilder {
 public:
  explicit SchemaBuilder(const Schema& base);
  ~SchemaBuilder();

  /// What is known so far: for lookups while building.
  const Schema& schema() const { return schema_; }

  /// The id of a string or name; the same text has the same id.
  StringId string(std::string_view text);

  /// Makes a type known by `name` and `url`; its shape and root definition follow with complete(). A name that another
  /// type has already keeps meaning that type; the canonical always finds this one.
  TypeId declare(std::string_view name, std::string_view url, TypeKind kind, TypeId base, bool abstract = false);
  /// A second canonical of a type.
  void alias(TypeId type, std::string_view url);
  void complete(TypeId type, ShapeId shape, DefId root);
  /// For a base that was declared after `type`.
  void derive(TypeId type, TypeId base);

  /// Shapes may refer to each other, so they are made empty and filled once.
  ShapeId reserveShape();
  void fill(ShapeId shape, std::span<const Property> properties);

  struct NewTypeRef {
    TypeId type = kNone;
    std::vector<StringId> targets;
    StringId profile = kNone;
  };
  /// `def`'s type and constraint ranges are set here.
  DefId add(ElementDef def, std::span<const NewTypeRef> types, std::span<const Constraint> constraints,
            const XmlForm& form = {});

  /// Replaces what was known of the value set; `canonical` may name a version ("url|1.0"); then it
  /// comes after the same value set without it. `codes` are (system, code).
  /// It may have more codes of the systems `open`, which nobody can tell; "" is any system.
  void addValueSet(std::string_view canonical, std::span<const std::pair<std::string_view, std::string_view>> codes,
                   std::span<const std::string_view> open = {});
  /// Adds the codes of a value set of R4 to `codes`; false if the table does not list it.
  bool codesOf(std::string_view canonical, std::set<std::pair<std::string_view, std::string_view>>& codes) const;

  std::shared_ptr<const Schema> build() &&;

 private:
  Schema schema_;
  std::shared_ptr<Schema::Added> added_;  // the one that schema_ reads
};

}  // namespace lotsen::fhir
