#include "gateway/definitions/snapshot_form.h"

#include "gateway/definitions/profile_writer.h"
#include "gateway/definitions/snapshot.h"
#include "gateway/fhir/r4/types.h"

#include <algorithm>
#include <array>

namespace lotsen::definitions {

namespace {

using fhir::child;
using fhir::Element;
using fhir::kNone;

constexpr std::array<std::string_view, 5> kStrengths = {"", "required", "extensible", "preferred", "example"};
constexpr std::array<std::string_view, 5> kDiscriminators = {"value", "exists", "pattern", "type", "profile"};
constexpr std::array<std::string_view, 3> kRules = {"closed", "open", "openAtEnd"};

class Writer {
 public:
  Writer(const fhir::Document& from, const Profile& profile)
      : from_(from), profile_(profile), schema_(from.schema()), to_(from.sharedSchema()) {}

  fhir::Document write() && {
    Element* root = to_.createRoot(fhir::r4::kStructureDefinition);
    const fhir::ShapeId shape = schema_.type(fhir::r4::kStructureDefinition).shape;
    for (const fhir::Property& property : schema_.properties(shape)) {
      if (schema_.nameText(property.name) == "snapshot") {
        Element* snapshot = to_.append(root, property);
        for (const ProfileElement& row : profile_.rows()) writeRow(*append(snapshot, "element"), row);
        continue;
      }
      for (const Element* one = from_.root()->first; one != nullptr; one = one->next) {
        if (one->name == property.name) copy(*root, *one);
      }
    }
    return std::move(to_);
  }

 private:
  const fhir::Property* propertyOf(const Element& parent, std::string_view name) const {
    return schema_.property(schema_.shapeOf(parent.def, parent.type), schema_.findName(name));
  }

  Element* append(Element* parent, std::string_view name) { return to_.append(parent, *propertyOf(*parent, name)); }

  void append(Element& parent, std::string_view name, std::string_view value) {
    to_.setValue(append(&parent, name), value);
  }

  /// As it is, extensions included.
  Element* copy(Element& parent, const Element& node) {
    Element* made = to_.clone(from_, &node);
    const fhir::Property property{node.name, node.def, node.type};
    to_.attach(&parent, property, made);
    return made;
  }

  static std::string countText(std::uint32_t count) { return count == fhir::kUnbounded ? "*" : std::to_string(count); }

  /// In the order of ElementDefinition: facts from the row, words from the newest definition that has some.
  void writeRow(Element& to, const ProfileElement& row) {
    fhir::DefId last = kNone;
    for (const fhir::Property& property : schema_.properties(schema_.shapeOf(to.def, to.type))) {
      if (property.def == last) continue;
      last = property.def;
      const std::string_view name = schema_.nameText(schema_.def(last).name);
      if (!writeFact(to, row, name)) copyWords(to, row, schema_.def(last).name);
    }
  }

  bool writeFact(Element& to, const ProfileElement& row, std::string_view name) {
    if (name == "id") {
      append(to, name, row.id);
    } else if (name == "path") {
      append(to, name, row.path);
    } else if (name == "sliceName") {
      if (!row.sliceName.empty()) append(to, name, row.sliceName);
    } else if (name == "min") {
      append(to, name, std::to_string(row.min));
    } else if (name == "max") {
      append(to, name, countText(row.max));
    } else if (name == "base") {
      writeBase(*append(&to, name), row);
    } else if (name == "contentReference") {
      if (!row.contentReference.empty()) append(to, name, row.contentReference);
    } else if (name == "type") {
      for (const AllowedType& type : row.types) writeType(*append(&to, name), type);
    } else if (name == "slicing") {
      if (row.slicing != nullptr) writeSlicing(*append(&to, name), row);
    } else if (name == "constraint") {
      for (const ProfileConstraint& constraint : row.constraints) writeConstraint(to, row, constraint);
    } else if (name == "binding") {
      if (row.strength != fhir::Strength::None) writeBinding(*append(&to, name), row);
    } else {
      return writeRest(to, row, name);
    }
    return true;
  }

  bool writeRest(Element& to, const ProfileElement& row, std::string_view name) {
    if (name == "fixed" || name == "pattern" || name == "minValue" || name == "maxValue") {
      const Element* value = name == "fixed"      ? row.fixed
                             : name == "pattern"  ? row.pattern
                             : name == "minValue" ? row.minValue
                                                  : row.maxValue;
      if (value != nullptr) copy(to, *value);
    } else if (name == "maxLength") {
      if (row.maxLength != 0) append(to, name, std::to_string(row.maxLength));
    } else if (name == "mustSupport") {
      if (row.mustSupport) append(to, name, "true");
    } else if (name == "isModifier") {
      append(to, name, row.modifier ? "true" : "false");
    } else if (name == "isSummary") {
      append(to, name, row.summary ? "true" : "false");
    } else {
      return false;
    }
    return true;
  }

  void copyWords(Element& to, const ProfileElement& row, fhir::NameId name) {
    for (const Element* source : row.sources) {
      const Element* first = child(source, name);
      if (first == nullptr) continue;
      for (const Element* one = first; one != nullptr && one->name == name; one = one->next) copy(to, *one);
      return;
    }
  }

  /// The element of the type, or of the type that it has it from, before anybody constrained it.
  void writeBase(Element& to, const ProfileElement& row) {
    if (row.def == kNone) {
      append(to, "path", row.path);
      append(to, "min", std::to_string(row.min));
      append(to, "max", countText(row.max));
      return;
    }
    const fhir::ElementDef& def = schema_.def(row.def);
    std::string_view path = schema_.text(def.path);
    const fhir::TypeId owner = schema_.findType(parentPath(path));
    for (fhir::TypeId type = owner; type != kNone; type = schema_.type(type).base) {
      const fhir::Property* property = schema_.property(schema_.type(type).shape, def.name);
      if (property != nullptr) path = schema_.text(schema_.def(property->def).path);
    }
    if (owner == kNone && path.find('.') != std::string_view::npos) path = inBackbone(def, path);
    append(to, "path", path);
    append(to, "min", std::to_string(def.min));
    append(to, "max", countText(def.max));
  }

  /// What every backbone element has is BackboneElement's, or Element's.
  std::string_view inBackbone(const fhir::ElementDef& def, std::string_view path) const {
    for (const fhir::TypeId type : {fhir::r4::kElement, fhir::r4::kBackboneElement}) {
      const fhir::Property* property = schema_.property(schema_.type(type).shape, def.name);
      if (property != nullptr) return schema_.text(schema_.def(property->def).path);
    }
    return path;
  }

  void writeType(Element& to, const AllowedType& type) {
    append(to, "code", type.code);
    for (const std::string_view one : type.profiles) writeProfile(to, one);
    for (const std::string_view one : type.targets) append(to, "targetProfile", one);
    if ((type.aggregation & kContained) != 0) append(to, "aggregation", "contained");
    if ((type.aggregation & kReferenced) != 0) append(to, "aggregation", "referenced");
    if ((type.aggregation & kBundled) != 0) append(to, "aggregation", "bundled");
  }

  void writeProfile(Element& to, std::string_view name) {
    const auto hash = name.find('#');
    Element* profile = append(&to, "profile");
    to_.setValue(profile, name.substr(0, hash));
    if (hash == std::string_view::npos) return;
    Element* extension = append(profile, "extension");
    append(*extension, "url", kProfileElement);
    append(*extension, "valueString", name.substr(hash + 1));
  }

  void writeSlicing(Element& to, const ProfileElement& row) {
    for (const Discriminator& one : row.slicing->discriminators) {
      Element* discriminator = append(&to, "discriminator");
      append(*discriminator, "type", kDiscriminators[static_cast<std::size_t>(one.type)]);
      append(*discriminator, "path", one.path);
    }
    copyPart(to, row, "slicing", "description");
    append(to, "ordered", row.slicing->ordered ? "true" : "false");
    append(to, "rules", kRules[static_cast<std::size_t>(row.slicing->rules)]);
  }

  void writeBinding(Element& to, const ProfileElement& row) {
    append(to, "strength", kStrengths[static_cast<std::size_t>(row.strength)]);
    copyPart(to, row, "binding", "description");
    if (!row.valueSet.empty()) append(to, "valueSet", row.valueSet);
  }

  /// `part` of the newest `whole` that a definition states.
  void copyPart(Element& to, const ProfileElement& row, std::string_view whole, std::string_view part) {
    for (const Element* source : row.sources) {
      const Element* found = child(source, schema_.findName(whole));
      if (found == nullptr) continue;
      if (const Element* words = child(found, schema_.findName(part)); words != nullptr) copy(to, *words);
      return;
    }
  }

  void writeConstraint(Element& to, const ProfileElement& row, const ProfileConstraint& constraint) {
    Element* made = nullptr;
    for (const Element* source : row.sources) {
      const Element* first = child(source, schema_.findName("constraint"));
      for (const Element* one = first; one != nullptr && one->name == first->name && made == nullptr; one = one->next) {
        const Element* key = child(one, schema_.findName("key"));
        if (key != nullptr && key->value() == constraint.key) made = copy(to, *one);
      }
      if (made != nullptr) break;
    }
    if (made == nullptr) {
      made = append(&to, "constraint");
      append(*made, "key", constraint.key);
      append(*made, "severity", constraint.error ? "error" : "warning");
      append(*made, "human", constraint.human.empty() ? constraint.expression : constraint.human);
      append(*made, "expression", constraint.expression);
    }
    if (!constraint.source.empty() && child(made, schema_.findName("source")) == nullptr)
      append(*made, "source", constraint.source);
  }

  const fhir::Document& from_;
  const Profile& profile_;
  const fhir::Schema& schema_;
  fhir::Document to_;
};

}  // namespace

Result<fhir::Document> withSnapshot(const Definitions& definitions, const std::string& file,
                                    const fhir::Document& definition, fhir::Issues& issues) {
  const Origin origin{file, &definition};
  if (definition.root() == nullptr || definition.root()->type != fhir::r4::kStructureDefinition)
    return fail(Code::Invalid, file + ": not a StructureDefinition");
  const Lookup lookup = [&](std::string_view canonical) { return definitions.profiles->find(canonical); };
  ProfileWriter writer(*definitions.schema);
  fhir::Issues found;
  const Snapshot snapshot = makeSnapshot({origin, fhir::valueAt(definition, definition.root(), "url"),
                                          *definitions.schema, lookup, writer.texts(), found});
  issues.append(found);
  if (snapshot.root == nullptr || found.hasErrors())
    return fail(Code::Invalid, file + ": the differential has faults; no snapshot was made");
  const auto profile = writer.write({&definition, snapshot.type}, *snapshot.root);
  return Writer(definition, *profile).write();
}

}  // namespace lotsen::definitions
