#include "gateway/fhir/hints.h"

#include "gateway/base/text.h"

namespace lotsen::fhir {

namespace {

std::string didYouMean(std::string_view wrong, const std::vector<std::string_view>& known, std::string_view otherwise) {
  const std::string_view near = nearest(wrong, known);
  return near.empty() ? std::string(otherwise) : "; did you mean \"" + std::string(near) + "\"?";
}

}  // namespace

std::string printable(std::string_view name) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
  const bool plain = !name.empty() && name.size() <= 64 && name.find_first_not_of(kPlain) == std::string_view::npos;
  return plain ? "\"" + std::string(name) + "\"" : "(a name that is not a FHIR name)";
}

std::string unknownProperty(const Schema& schema, ShapeId shape, std::string_view name) {
  std::vector<std::string_view> known;
  for (const Property& property : schema.properties(shape)) {
    if (property.type != kNone) known.push_back(schema.nameText(property.name));
  }
  return "unknown property " + printable(name) + didYouMean(name, known, "; remove it or use an extension");
}

TypeId resourceType(const Schema& schema, std::string_view name, std::string& why) {
  const TypeId type = schema.findType(name);
  const Type& row = schema.type(type);
  if (type != kNone && !row.abstract && (row.kind == TypeKind::Resource || row.kind == TypeKind::Logical)) return type;
  std::vector<std::string_view> known;
  for (TypeId id = 1; id < schema.typeCount(); ++id) {
    const Type& candidate = schema.type(id);
    if (candidate.kind == TypeKind::Resource && !candidate.abstract) known.push_back(schema.nameText(candidate.name));
  }
  why = printable(name) + " is not a type of resource in FHIR R4" + didYouMean(name, known, "");
  return kNone;
}

}  // namespace lotsen::fhir
