#include "gateway/definitions/model.h"

#include "gateway/fhir/r4/types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <span>

namespace lotsen::definitions {

namespace {

using fhir::child;
using fhir::Element;
using fhir::kNone;
using fhir::valueAt;

constexpr std::string_view kSystemTypes = "http://hl7.org/fhirpath/System.";

std::string_view parentOf(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view lastOf(std::string_view path, char separator) {
  return path.substr(path.rfind(separator) + 1);
}

std::string capitalised(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

// How a model stands in XML is told by extensions; the second name of each is that of older tools.
constexpr std::array<std::string_view, 2> kNamespace = {
    "http://hl7.org/fhir/tools/StructureDefinition/xml-namespace",
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-namespace"};
constexpr std::array<std::string_view, 2> kXmlName = {
    "http://hl7.org/fhir/tools/StructureDefinition/xml-name",
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-xml-name"};
constexpr std::array<std::string_view, 2> kDateFormat = {
    "http://hl7.org/fhir/tools/StructureDefinition/elementdefinition-date-format",
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-dateformat"};
constexpr std::array<std::string_view, 1> kChoiceGroup = {
    "http://hl7.org/fhir/tools/StructureDefinition/xml-choice-group"};

/// The value of the first extension of `node` that has one of these urls; empty if there is none.
std::string_view extensionOf(const fhir::Document& document, const Element* node,
                             std::span<const std::string_view> urls) {
  const Element* first = child(document, node, "extension");
  for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
    if (std::find(urls.begin(), urls.end(), valueAt(document, one, "url")) != urls.end())
      return valueAt(document, one, "value");
  }
  return {};
}

class Definer {
 public:
  Definer(const Model& model, fhir::SchemaBuilder& builder, fhir::Issues& issues)
      : model_(model), document_(*model.document), builder_(builder), issues_(issues) {}

  void define() {
    const Element* part = child(document_, document_.root(), "snapshot");
    const bool whole = part != nullptr;
    if (!whole) part = child(document_, document_.root(), "differential");
    const Element* first = part == nullptr ? nullptr : child(document_, part, "element");
    if (first == nullptr) return fault(document_.root(), "has neither snapshot nor differential");
    root_ = valueAt(document_, first, "path");
    collect(first);
    for (const auto& [path, elements] : children_) shapes_.emplace(path, builder_.reserveShape());
    const fhir::DefId rootDef = addDef(first, {}, kNone);
    for (const auto& [path, elements] : children_) fill(path, elements, whole ? kNone : inheritedShape(path));
    const auto shape = shapes_.find(root_);
    builder_.complete(model_.type, shape == shapes_.end() ? inheritedShape(root_) : shape->second, rootDef);
  }

 private:
  void fault(const Element* at, const std::string& text) {
    fhir::Issue issue{fhir::Severity::Error,       "structure", "definition", text,
                      fhir::pathOf(document_, at), model_.file, at->at};
    issues_.add(std::move(issue));
  }

  void collect(const Element* first) {
    for (const Element* element = first; element != nullptr && element->name == first->name; element = element->next) {
      const std::string_view path = valueAt(document_, element, "path");
      const std::string_view parent = parentOf(path);
      byPath_.emplace(path, element);
      if (element == first) continue;
      if (!byPath_.contains(parent)) {
        fault(element, "the element above it in the path is not defined before it");
        continue;
      }
      children_[parent].push_back(element);
    }
  }

  /// What a differential does not repeat: the root has it from the base, an element with children from its type.
  fhir::ShapeId inheritedShape(std::string_view path) const {
    const fhir::Schema& schema = builder_.schema();
    const auto written =
        path == root_ ? schema.type(model_.type).base : typeOf(valueAt(document_, byPath_.at(path), "type.code"));
    const fhir::Type& type = schema.type(written.value_or(kNone));
    return type.kind == fhir::TypeKind::Logical ? type.shape : kNone;
  }

  void fill(std::string_view path, const std::vector<const Element*>& elements, fhir::ShapeId inherited) {
    const fhir::Schema& schema = builder_.schema();
    std::vector<fhir::Property> properties;
    const auto base = schema.properties(inherited);
    properties.assign(base.begin(), base.end());
    for (const Element* element : elements) {
      const fhir::NameId name = schema.findName(bareName(valueAt(document_, element, "path")));
      std::erase_if(properties, [&](const auto& old) { return schema.def(old.def).name == name; });  // said anew
      addProperties(element, properties);
    }
    builder_.fill(shapes_.at(path), properties);
  }

  void addProperties(const Element* element, std::vector<fhir::Property>& properties) {
    const std::string_view path = valueAt(document_, element, "path");
    const Element* content = contentOf(element);
    if (content == nullptr) return;
    const std::string_view contentPath = valueAt(document_, content, "path");
    const auto shape = shapes_.find(contentPath);
    std::vector<fhir::SchemaBuilder::NewTypeRef> types = typesOf(content, shape != shapes_.end());
    if (types.empty()) return;
    const std::string_view name = bareName(path);
    const fhir::DefId def = addDef(element, types, shape == shapes_.end() ? kNone : shape->second);
    const bool choice = builder_.schema().def(def).choice;
    const bool text = builder_.schema().xmlForm(def).kind == fhir::XmlForm::Kind::Text;
    const bool plain = text || builder_.schema().def(def).xmlAttribute;
    if (!choice && types.size() > 1) {
      return fault(element, "more than one type: end the name with [x], or keep one type");
    }
    const bool anyPrimitive =
        std::any_of(types.begin(), types.end(), [&](const auto& one) { return isPrimitive(one.type); });
    if (has(element, "typeAttr") && anyPrimitive) return fault(element, "a primitive value cannot say its type");
    if (plain && std::any_of(types.begin(), types.end(), [&](const auto& one) { return !isPrimitive(one.type); })) {
      return fault(element, std::string(text ? "the text of an element" : "an attribute") + " needs a primitive type");
    }
    properties.push_back({builder_.string(name), def, choice ? kNone : types[0].type});
    if (!choice) return;
    for (const auto& type : types) {
      const std::string_view typeName = builder_.schema().nameText(builder_.schema().type(type.type).name);
      properties.push_back({builder_.string(std::string(name) + capitalised(typeName)), def, type.type});
    }
  }

  /// The element itself, or the one that its contentReference names; nullptr (told) if that is not there.
  const Element* contentOf(const Element* element) {
    const std::string_view reference = valueAt(document_, element, "contentReference");
    if (reference.empty()) return element;
    const auto found = byPath_.find(lastOf(reference, '#'));
    if (found != byPath_.end()) return found->second;
    fault(element, "its contentReference names no element of this definition");
    return nullptr;
  }

  std::vector<fhir::SchemaBuilder::NewTypeRef> typesOf(const Element* element, bool hasChildren) {
    std::vector<fhir::SchemaBuilder::NewTypeRef> types;
    const Element* first = child(document_, element, "type");
    for (const Element* type = first; type != nullptr && type->name == first->name; type = type->next) {
      const std::string_view code = valueAt(document_, type, "code");
      const auto id = typeOf(code);
      if (!id) {
        fault(type, "the type \"" + std::string(code) + "\" is not known; add the package that defines it");
        return {};
      }
      addType(element, {*id, targetsOf(type)}, types);
    }
    if (types.empty() && hasChildren) types.push_back({fhir::r4::kBackboneElement, {}});
    if (types.empty()) fault(element, "has no type");
    return types;
  }

  /// xsi:type may name whatever derives from the type, so that such an element is a choice of all these.
  void addType(const Element* element, fhir::SchemaBuilder::NewTypeRef type,
               std::vector<fhir::SchemaBuilder::NewTypeRef>& types) {
    const fhir::Schema& schema = builder_.schema();
    const fhir::TypeId declared = type.type;
    if (!schema.type(declared).abstract || !has(element, "typeAttr")) types.push_back(std::move(type));
    if (!has(element, "typeAttr")) return;
    for (fhir::TypeId id = fhir::r4::kLastType + 1; id < schema.typeCount(); ++id) {
      const bool there = std::any_of(types.begin(), types.end(), [&](const auto& one) { return one.type == id; });
      if (!there && !schema.type(id).abstract && schema.isA(id, declared)) types.push_back({id, {}});
    }
  }

  bool isPrimitive(fhir::TypeId type) const { return builder_.schema().type(type).primitive != fhir::Primitive::None; }

  /// Whether the element's `representation` says so.
  bool has(const Element* element, std::string_view representation) const {
    const Element* first = child(document_, element, "representation");
    for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
      if (one->value() == representation) return true;
    }
    return false;
  }

  static std::string_view bareName(std::string_view path) {
    std::string_view name = lastOf(path, '.');
    if (name.ends_with("[x]")) name.remove_suffix(3);
    return name;
  }

  fhir::XmlForm formOf(const Element* element) {
    fhir::XmlForm form;
    std::string_view space = extensionOf(document_, element, kNamespace);
    // A model's namespace is that of its elements; attributes stand in none of their own.
    if (space.empty() && !has(element, "xmlAttr")) space = extensionOf(document_, document_.root(), kNamespace);
    form.space = builder_.string(space);
    const bool root = valueAt(document_, element, "path") == root_;
    form.name = builder_.string(extensionOf(document_, root ? document_.root() : element, kXmlName));
    form.typed = has(element, "typeAttr");
    const std::string_view date = extensionOf(document_, element, kDateFormat);
    form.v3Date = date == "v3" || date.starts_with("YYYYMMDD");
    if (has(element, "xmlText")) form.kind = fhir::XmlForm::Kind::Text;
    if (has(element, "cdaText")) form.kind = fhir::XmlForm::Kind::Markup;
    if (extensionOf(document_, element, kChoiceGroup) == "true") form.kind = fhir::XmlForm::Kind::Group;
    return form;
  }

  std::optional<fhir::TypeId> typeOf(std::string_view code) const {
    const fhir::Schema& schema = builder_.schema();
    if (code == "Base" || code == "http://hl7.org/fhir/StructureDefinition/Base") return fhir::r4::kElement;
    if (code.starts_with(kSystemTypes)) {  // System.String is written like string, System.DateTime like dateTime
      std::string name(code.substr(kSystemTypes.size()));
      if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] - 'A' + 'a');
      code = schema.nameText(schema.findName(name));
      const fhir::TypeId type = schema.findType(code);
      return type == kNone ? std::nullopt : std::optional(type);
    }
    const fhir::TypeId type = schema.findType(code);
    return type == kNone ? std::nullopt : std::optional(type);
  }

  std::vector<fhir::StringId> targetsOf(const Element* type) {
    std::vector<fhir::StringId> targets;
    const Element* first = child(document_, type, "targetProfile");
    for (const Element* target = first; target != nullptr && target->name == first->name; target = target->next) {
      targets.push_back(builder_.string(target->value()));
    }
    return targets;
  }

  fhir::DefId addDef(const Element* element, const std::vector<fhir::SchemaBuilder::NewTypeRef>& types,
                     fhir::ShapeId shape) {
    const std::string_view path = valueAt(document_, element, "path");
    fhir::ElementDef def;
    def.choice = path.ends_with("[x]") || (has(element, "typeAttr") && types.size() > 1);
    def.path = builder_.string(path);
    def.name = builder_.string(bareName(path));
    def.shape = shape;
    def.min = number(element, "min", 0);
    def.max = valueAt(document_, element, "max") == "*" ? fhir::kUnbounded : number(element, "max", 1);
    def.summary = valueAt(document_, element, "isSummary") == "true";
    def.modifier = valueAt(document_, element, "isModifier") == "true";
    def.xmlAttribute = has(element, "xmlAttr");
    const std::string_view valueSet = valueAt(document_, element, "binding.valueSet");
    def.valueSet = builder_.string(valueSet.substr(0, valueSet.find('|')));
    def.strength = strengthOf(valueAt(document_, element, "binding.strength"));
    return builder_.add(def, types, constraintsOf(element), formOf(element));
  }

  std::uint32_t number(const Element* element, std::string_view name, std::uint32_t otherwise) {
    const std::string_view text = valueAt(document_, element, name);
    if (text.empty()) return otherwise;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    fault(element, std::string(name) + " is not a number");
    return otherwise;
  }

  static fhir::Strength strengthOf(std::string_view code) {
    if (code == "required") return fhir::Strength::Required;
    if (code == "extensible") return fhir::Strength::Extensible;
    if (code == "preferred") return fhir::Strength::Preferred;
    return code == "example" ? fhir::Strength::Example : fhir::Strength::None;
  }

  std::vector<fhir::Constraint> constraintsOf(const Element* element) {
    std::vector<fhir::Constraint> rows;
    const Element* first = child(document_, element, "constraint");
    for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
      const std::string_view expression = valueAt(document_, one, "expression");
      if (expression.empty()) continue;  // XPath only: not for us
      rows.push_back({builder_.string(valueAt(document_, one, "key")), builder_.string(expression),
                      builder_.string(valueAt(document_, one, "human")),
                      valueAt(document_, one, "severity") != "warning"});
    }
    return rows;
  }

  const Model& model_;
  const fhir::Document& document_;
  fhir::SchemaBuilder& builder_;
  fhir::Issues& issues_;
  std::string_view root_;
  std::map<std::string_view, const Element*> byPath_;
  std::map<std::string_view, std::vector<const Element*>>
      children_;  // by path of the parent, in the order of the definition
  std::map<std::string_view, fhir::ShapeId> shapes_;
};

}  // namespace

bool definesType(const fhir::Document& definition) {
  return valueAt(definition, definition.root(), "derivation") != "constraint";
}

void declareModel(Model& model, fhir::SchemaBuilder& builder) {
  const fhir::Document& document = *model.document;
  const Element* root = document.root();
  const std::string_view url = valueAt(document, root, "url");
  std::string_view name = valueAt(document, root, "snapshot.element.path");
  if (name.empty()) name = valueAt(document, root, "differential.element.path");
  if (name.empty()) name = lastOf(url, '/');
  const std::string_view kind = valueAt(document, root, "kind");
  const fhir::TypeKind typeKind = kind == "resource"       ? fhir::TypeKind::Resource
                                  : kind == "complex-type" ? fhir::TypeKind::Complex
                                                           : fhir::TypeKind::Logical;
  model.type = builder.declare(name, url, typeKind, kNone, valueAt(document, root, "abstract") == "true");
  if (const std::string_view type = valueAt(document, root, "type"); type.find(':') != type.npos)
    builder.alias(model.type, type);  // other models may name it by either
}

std::vector<fhir::TypeId> neededBy(const Model& model, const fhir::Schema& schema) {
  const fhir::Document& document = *model.document;
  std::vector<fhir::TypeId> needed{schema.type(model.type).base};
  const Element* part = child(document, document.root(), "differential");
  const Element* first = part == nullptr ? nullptr : child(document, part, "element");
  std::string_view before;  // the path of the element before: a child of it follows
  fhir::TypeId type = kNone;
  for (const Element* element = first; element != nullptr && element->name == first->name; element = element->next) {
    const std::string_view path = valueAt(document, element, "path");
    if (type != kNone && parentOf(path) == before) needed.push_back(type);
    before = path;
    type = schema.findType(valueAt(document, element, "type.code"));
  }
  return needed;
}

fhir::TypeId baseOf(const Model& model, const fhir::Schema& schema) {
  const std::string_view url = valueAt(*model.document, model.document->root(), "baseDefinition");
  return lastOf(url, '/') == "Base" ? kNone : schema.findType(url);
}

void defineModel(const Model& model, fhir::SchemaBuilder& builder, fhir::Issues& issues) {
  Definer(model, builder, issues).define();
}

}  // namespace lotsen::definitions
