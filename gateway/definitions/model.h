// A StructureDefinition that defines a type (a logical model, mostly) as rows of a Schema. Private to definitions.
#pragma once

#include "gateway/fhir/issues.h"
#include "gateway/fhir/schema_builder.h"

#include <string>
#include <vector>

namespace lotsen::definitions {

struct Model {
  std::string file;
  const fhir::Document* document = nullptr;  // a StructureDefinition
  fhir::TypeId type = fhir::kNone;           // what declare() made
};

/// True if the StructureDefinition makes a type of its own; false for profiles.
bool definesType(const fhir::Document& definition);

/// Makes the type known by short name and canonical, so that other models may use it.
void declareModel(Model& model, fhir::SchemaBuilder& builder);

/// The type it derives from, as far as it is known; kNone otherwise. Every model must have been declared.
fhir::TypeId baseOf(const Model& model, const fhir::Schema& schema);

/// The types that must be defined before this one: what a differential does not repeat comes from them.
std::vector<fhir::TypeId> neededBy(const Model& model, const fhir::Schema& schema);

/// Fills the declared type with its elements. Every model must have been declared and have its base, and those that
/// neededBy() tells must have been defined.
void defineModel(const Model& model, fhir::SchemaBuilder& builder, fhir::Issues& issues);

}  // namespace lotsen::definitions
