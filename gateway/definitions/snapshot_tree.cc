#include "gateway/definitions/snapshot_tree.h"

#include "gateway/fhir/r4/types.h"

namespace lotsen::definitions {

namespace {

using fhir::kNone;

constexpr std::string_view kR4Version = "|4.0.1";

/// Whether R4 or a package says it: only R4's own rows leave out what every element inherits.
bool isR4(fhir::DefId def) {
  return def < fhir::Schema::r4()->defCount();
}

std::string_view systemType(fhir::Primitive primitive) {
  switch (primitive) {
    case fhir::Primitive::Boolean: return "http://hl7.org/fhirpath/System.Boolean";
    case fhir::Primitive::Integer: return "http://hl7.org/fhirpath/System.Integer";
    case fhir::Primitive::Decimal: return "http://hl7.org/fhirpath/System.Decimal";
    case fhir::Primitive::Date: return "http://hl7.org/fhirpath/System.Date";
    case fhir::Primitive::DateTime: return "http://hl7.org/fhirpath/System.DateTime";
    case fhir::Primitive::Time: return "http://hl7.org/fhirpath/System.Time";
    case fhir::Primitive::None:
    case fhir::Primitive::String: break;
  }
  return "http://hl7.org/fhirpath/System.String";
}

}  // namespace

std::string_view lastSegment(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

std::string_view parentPath(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

std::string capitalised(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

std::unique_ptr<Node> TreeMaker::ofType(fhir::TypeId type) const {
  auto root = std::make_unique<Node>();
  const fhir::Type& row = schema_.type(type);
  root->segment = schema_.text(schema_.def(row.root).path);
  root->facts = factsOf(row.root);
  root->facts.types.clear();
  addTypeChildren(*root, type);
  return root;
}

void TreeMaker::addTypeChildren(Node& node, fhir::TypeId type) const {
  const fhir::Type& row = schema_.type(type);
  addShape(node, row.shape);
  if (row.kind != fhir::TypeKind::Primitive) return;
  Node& value = addChild(node, "value");  // R4 has it as an element; the table does not, as no instance carries it
  if (type == fhir::r4::kXhtml) value.facts.min = 1;
  value.facts.types.push_back({systemType(row.primitive), kNone, {}, {}, 0});
}

bool TreeMaker::addContentChildren(Node& node, std::string_view path) const {
  const std::string_view typeName = path.substr(0, path.find('.'));
  const fhir::TypeId type = schema_.findType(typeName);
  if (type == kNone) return false;
  fhir::ShapeId shape = schema_.type(type).shape;
  fhir::DefId def = kNone;
  for (std::size_t at = typeName.size(); at < path.size();) {
    const std::size_t end = std::min(path.find('.', at + 1), path.size());
    const fhir::Property* property = schema_.property(shape, schema_.findName(path.substr(at + 1, end - at - 1)));
    if (property == nullptr) return false;
    def = property->def;
    shape = schema_.shapeOf(def, property->type);
    at = end;
  }
  if (def == kNone) return false;
  node.facts.types = factsOf(def).types;
  node.facts.contentReference = {};
  addShape(node, shape);
  return true;
}

void TreeMaker::addShape(Node& node, fhir::ShapeId shape) const {
  if (shape == kNone) return;
  fhir::DefId last = kNone;
  for (const fhir::Property& property : schema_.properties(shape)) {
    if (property.def == last) continue;  // a choice has a row for each of its types
    last = property.def;
    const fhir::ElementDef& def = schema_.def(last);
    Node& child = addChild(node, lastSegment(schema_.text(def.path)));
    child.facts = factsOf(last);
    if (def.shape != kNone && child.facts.contentReference.empty()) addShape(child, def.shape);
  }
}

Node& TreeMaker::addChild(Node& node, std::string_view segment) const {
  Node& child = *node.children.emplace_back(std::make_unique<Node>());
  child.parent = &node;
  child.segment = segment;
  return child;
}

Facts TreeMaker::factsOf(fhir::DefId id) const {
  const fhir::ElementDef& def = schema_.def(id);
  Facts facts;
  facts.min = def.min;
  facts.max = def.max;
  facts.contentReference = contentReferenceOf(id);
  facts.modifier = def.modifier;
  facts.summary = def.summary;
  facts.strength = def.strength;
  facts.valueSet = schema_.text(def.valueSet);
  const std::string_view path = schema_.text(def.path);
  if (def.strength == fhir::Strength::Required && isR4(id) && facts.valueSet.find('|') == std::string_view::npos)
    facts.valueSet = store(std::string(facts.valueSet) + std::string(kR4Version));
  if (facts.contentReference.empty()) {
    const bool system = isR4(id) && (path.ends_with(".id") || path == "Extension.url");
    for (const fhir::TypeRef& ref : schema_.types(def)) {
      TypeFacts& type = facts.types.emplace_back();
      const fhir::Type& row = schema_.type(ref.type);
      type.type = ref.type;
      type.code = schema_.text(row.kind == fhir::TypeKind::Logical ? row.url : row.name);
      if (system) type.code = systemType(fhir::Primitive::String);
      if (ref.profile != kNone) type.profiles.push_back(schema_.text(ref.profile));
      for (const fhir::StringId target : schema_.targets(ref)) type.targets.push_back(schema_.text(target));
    }
  }
  addConstraints(facts, id);
  // Extensions of data types are published as sliced, those of resources are not.
  const bool extension = path.ends_with(".extension") || path == "DomainResource.modifierExtension";
  const fhir::TypeId owner = schema_.findType(path.substr(0, path.find('.')));
  if (isR4(id) && extension && owner != kNone &&
      (schema_.type(owner).kind == fhir::TypeKind::Complex || owner == fhir::r4::kDomainResource)) {
    facts.sliced = true;
    facts.discriminators = {{DiscriminatorType::Value, "url"}};
  }
  return facts;
}

/// What the table leaves out because it holds for every instance of the type, ele-1 and ext-1, in their published
/// order.
void TreeMaker::addConstraints(Facts& facts, fhir::DefId id) const {
  const fhir::ElementDef& def = schema_.def(id);
  const auto add = [&](const fhir::Constraint& row) {
    facts.constraints.push_back(
        {schema_.text(row.key), schema_.text(row.expression), schema_.text(row.human), {}, row.error, false});
  };
  const bool root = schema_.text(def.path).find('.') == std::string_view::npos;
  const bool system = !facts.types.empty() && facts.types[0].code.starts_with(kSystemTypes);
  const bool resource = !facts.types.empty() && schema_.isA(facts.types[0].type, fhir::r4::kResource);
  if (!root && !system && !resource && isR4(id)) {
    for (const fhir::Constraint& row : schema_.constraints(schema_.def(schema_.type(fhir::r4::kElement).root)))
      add(row);
    if (facts.types.size() == 1 && facts.types[0].type == fhir::r4::kExtension) {
      for (const fhir::Constraint& row : schema_.constraints(schema_.def(schema_.type(fhir::r4::kExtension).root))) {
        if (schema_.text(row.key) != "ele-1") add(row);
      }
    }
  }
  for (const fhir::Constraint& row : schema_.constraints(def)) add(row);
}

/// An element with a contentReference has the shape of another element.
std::string_view TreeMaker::contentReferenceOf(fhir::DefId id) const {
  const fhir::ElementDef& def = schema_.def(id);
  if (def.shape == kNone) return {};
  const auto properties = schema_.properties(def.shape);
  if (properties.empty()) return {};
  const std::string_view owner = parentPath(schema_.text(schema_.def(properties[0].def).path));
  return owner == schema_.text(def.path) ? std::string_view() : store("#" + std::string(owner));
}

std::unique_ptr<Node> TreeMaker::ofProfile(const Profile& profile) {
  std::vector<Node*> nodes;
  std::unique_ptr<Node> root;
  for (const ProfileElement& row : profile.rows()) {
    auto node = std::make_unique<Node>();
    node->segment = lastSegment(row.path);
    node->sliceName = row.sliceName;
    node->facts = definitions::factsOf(row);
    node->sources.assign(row.sources.begin(), row.sources.end());
    nodes.push_back(node.get());
    if (row.parent == kNoRow) {
      root = std::move(node);
    } else {
      node->parent = nodes[row.parent];
      node->parent->children.push_back(std::move(node));
    }
  }
  return root;
}

std::unique_ptr<Node> copyOf(const Node& node) {
  auto copy = std::make_unique<Node>();
  copy->segment = node.segment;
  copy->sliceName = node.sliceName;
  copy->facts = node.facts;
  copy->sources = node.sources;
  for (const auto& child : node.children) {
    copy->children.push_back(copyOf(*child));
    copy->children.back()->parent = copy.get();
  }
  return copy;
}

std::unique_ptr<Node> inheritedCopy(const Node& node) {
  auto copy = std::make_unique<Node>();
  copy->segment = node.segment;
  copy->facts = node.inherited ? *node.inherited : node.facts;
  copy->sliceName = node.sliceName;
  copy->sources = node.sources;
  for (const auto& child : node.children) {
    if (child->added) continue;
    copy->children.push_back(inheritedCopy(*child));
    copy->children.back()->parent = copy.get();
  }
  return copy;
}

}  // namespace lotsen::definitions
