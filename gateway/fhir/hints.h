// Texts that the JSON and XML readers share. Private to gateway/fhir.
#pragma once

#include "gateway/fhir/schema.h"

#include <string>
#include <string_view>

namespace lotsen::fhir {

/// A name from a document as it may stand in a message: names are not values, but a broken sender may put anything
/// there.
std::string printable(std::string_view name);

/// `unknown property "birthdate"; did you mean "birthDate"?`
std::string unknownProperty(const Schema& schema, ShapeId shape, std::string_view name);

/// The type if `name` is one that a resource (or a record of a logical model) may have, else kNone with the reason in
/// `why`.
TypeId resourceType(const Schema& schema, std::string_view name, std::string& why);

}  // namespace lotsen::fhir
