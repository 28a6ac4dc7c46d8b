// XML events to an element tree. A frame per open element; a property of a resource type ("contained", "resource") is a
// wrapper around the element that is named after the type. The narrative is collected as text. Records of logical
// models differ in names, namespaces, text and xsi:type only, all of which xml_shape.h tells.
#include "gateway/fhir/hints.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/v3_date.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/fhir/xml_narrative.h"
#include "gateway/fhir/xml_shape.h"

#include <vector>

namespace lotsen::fhir {

namespace {

constexpr std::size_t kMostFaults = 100;
constexpr std::string_view kBlanks = " \t\r\n";

struct Frame {
  Element* node = nullptr;
  ShapeId shape = kNone;
  bool wrapper = false;  // of a resource: the next element is named after its type
  bool faulty = false;   // something in it was refused, so it is not simply empty
  bool textual = false;  // characters in it are a value of the model
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

class TreeBuilder final : public xml::Handler {
 public:
  TreeBuilder(std::string_view text, Document& document, const ReadOptions& options, Issues& issues)
      : document_(document), schema_(document.schema()), options_(options), issues_(issues), narrative_(text) {}

  bool startElement(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                    xml::Place at) override;
  bool endElement(xml::Place at) override;
  bool text(std::string_view characters, xml::Place at) override;
  void textFault(const xml::Fault& fault);
  bool stoppedByLimit() const { return nodes_ > options_.maxElements; }

 private:
  bool fault(std::string_view code, std::string_view rule, std::string text, xml::Place at, NameId name = kNone);
  bool skipAfter(bool goOn) {
    skip_ = 1;
    return goOn;
  }
  bool openRoot(std::string_view space, std::string_view name, xml::Place at);
  bool openResource(Element* node, std::string_view space, std::string_view name, xml::Place at);
  bool openProperty(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                    xml::Place at);
  Element* make(Element* parent, const Property& property, xml::Place at);
  bool push(Element* node, ShapeId shape, bool wrapper = false);
  Element* parentOf(Element* node, const XmlMatch& match, xml::Place at);
  TypeId typeOf(const Property& property, std::span<const xml::Attribute> attributes) const;
  bool flushText();
  bool narrative(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                 xml::Place at);
  bool readAttributes(Element* node, ShapeId shape, std::span<const xml::Attribute> attributes, xml::Place at);
  bool readAttribute(Element* node, ShapeId shape, const xml::Attribute& attribute, xml::Place at);
  bool readSchemaInstance(const xml::Attribute& attribute, ShapeId shape, xml::Place at);
  bool setPrimitive(Element* node, std::string_view value, xml::Place at);
  std::string pathHere(NameId name) const;

  Document& document_;
  const Schema& schema_;
  const ReadOptions& options_;
  Issues& issues_;
  std::vector<Frame> stack_;
  Narrative narrative_;
  std::string text_;  // since the last tag, where text is a value
  xml::Place textAt_;
  std::uint32_t skip_ = 0;
  std::size_t faults_ = 0;
  std::size_t nodes_ = 0;  // an attribute of two bytes may be one
  bool lenient_ = false;   // the record is a logical model
};

std::string TreeBuilder::pathHere(NameId name) const {
  if (stack_.empty()) return {};
  std::string path = pathOf(document_, stack_.back().node);
  if (name != kNone) path += "." + std::string(document_.nameText(name));
  return path;
}

bool TreeBuilder::fault(std::string_view code, std::string_view rule, std::string text, xml::Place at, NameId name) {
  issues_.error(code, rule, std::move(text), pathHere(name), {at.line, at.column});
  if (!stack_.empty()) stack_.back().faulty = true;
  if (++faults_ < kMostFaults) return true;
  issues_.error("too-costly", "xml-too-many-faults",
                "more than " + std::to_string(kMostFaults) + " faults: the rest of the text was not read");
  return false;
}

void TreeBuilder::textFault(const xml::Fault& fault) {
  if (fault.rule == "xml-stopped") return;
  issues_.error(fault.code == Code::TooLarge ? "too-long" : "structure", fault.rule, fault.text, pathHere(kNone),
                {fault.at.line, fault.at.column});
}

Element* TreeBuilder::make(Element* parent, const Property& property, xml::Place at) {
  ++nodes_;
  Element* node = document_.append(parent, property);
  node->at = {at.line, at.column};
  return node;
}

bool TreeBuilder::push(Element* node, ShapeId shape, bool wrapper) {
  const bool textual = !schema_.isR4(shape) && findText(schema_, shape).property != nullptr;
  stack_.push_back({.node = node, .shape = shape, .wrapper = wrapper, .textual = textual});
  return true;
}

/// A resource, or the record of the logical model that is wanted or has this root element.
bool TreeBuilder::openRoot(std::string_view space, std::string_view name, xml::Place at) {
  TypeId type = options_.type;
  if (type == kNone && space != kFhirSpace) type = findRootType(schema_, space, name);
  if (schema_.type(type).kind != TypeKind::Logical) return openResource(nullptr, space, name, at);
  const DefId def = schema_.type(type).root;
  if (const std::string wanted = elementName(schema_, def, type); wanted != name) {
    return skipAfter(fault("structure", "xml-resource-type", "expected <" + wanted + "> as the whole document", at));
  }
  if (const std::string_view wanted = elementSpace(schema_, def, type); wanted != space) {
    return skipAfter(fault("structure", "xml-namespace",
                           wanted.empty() ? "expected this element in no namespace"
                                          : "expected this element in the namespace " + std::string(wanted),
                           at));
  }
  lenient_ = true;
  Element* root = document_.createRoot(type);
  root->at = {at.line, at.column};
  return push(root, schema_.type(type).shape);
}

bool TreeBuilder::openResource(Element* node, std::string_view space, std::string_view name, xml::Place at) {
  std::string why;
  TypeId type = resourceType(schema_, name, why);
  if (type != kNone && schema_.type(type).kind != TypeKind::Resource) {
    why = printable(name) + " is not a type of resource in FHIR R4";
    type = kNone;
  }
  if (space != kFhirSpace) {
    return skipAfter(
        fault("structure", "xml-namespace", "expected a resource in the namespace " + std::string(kFhirSpace), at));
  }
  if (type == kNone) return skipAfter(fault("structure", "xml-resource-type", std::move(why), at));
  const TypeId wanted = node == nullptr ? options_.type : node->type;
  if (wanted != kNone && !schema_.isA(type, wanted)) {
    return skipAfter(fault("structure", "xml-resource-type", "this type of resource may not stand here", at));
  }
  if (node == nullptr) node = document_.createRoot(type);
  node->type = type;
  node->isResource = true;
  node->at = {at.line, at.column};
  return push(node, schema_.type(type).shape);
}

bool TreeBuilder::startElement(std::string_view space, std::string_view name,
                               std::span<const xml::Attribute> attributes, xml::Place at) {
  if (skip_ > 0) {
    ++skip_;
    return true;
  }
  if (narrative_.active()) return narrative(space, name, attributes, at);
  if (!flushText()) return false;
  if (!stack_.empty() && !stack_.back().wrapper) return openProperty(space, name, attributes, at);
  if (!stack_.empty() && stack_.back().node->isResource) {
    return skipAfter(fault("structure", "xml-cardinality", "only one resource may stand here", at));
  }
  const bool goOn = stack_.empty() ? openRoot(space, name, at) : openResource(stack_.back().node, space, name, at);
  if (!goOn || skip_ > 0) return goOn;
  return readAttributes(stack_.back().node, stack_.back().shape, attributes, at);
}

/// Under a group, its element: one for each of what it stands for, unless it occurs once.
Element* TreeBuilder::parentOf(Element* node, const XmlMatch& match, xml::Place at) {
  if (match.group == nullptr) return node;
  const ElementDef& def = schema_.def(match.group->def);
  Element* group = def.max == 1 ? child(node, def.name) : nullptr;
  if (group != nullptr) return group;
  return make(node, *match.group, at);
}

/// What xsi:type says, else what the definition says.
TypeId TreeBuilder::typeOf(const Property& property, std::span<const xml::Attribute> attributes) const {
  std::string_view said;
  for (const xml::Attribute& attribute : attributes) {
    if (attribute.space == kSchemaInstance && attribute.name == "type") said = trimmed(attribute.value);
  }
  said.remove_prefix(said.find(':') + 1);  // the prefix stands for the namespace of the types
  return saidType(schema_, property, said);
}

bool TreeBuilder::openProperty(std::string_view space, std::string_view name,
                               std::span<const xml::Attribute> attributes, xml::Place at) {
  const Frame frame = stack_.back();
  const XmlMatch match = findElement(schema_, frame.shape, space, name);
  if (match.property == nullptr && match.otherSpace)
    return skipAfter(
        fault("structure", "xml-namespace", "the element is in the wrong namespace", at, document_.intern(name)));
  if (match.property == nullptr)
    return skipAfter(fault("structure", "xml-unknown-element", unknownProperty(schema_, frame.shape, name), at));
  const ElementDef& def = schema_.def(match.property->def);
  const bool model = !schema_.isR4(frame.shape);
  const TypeId type = model ? typeOf(*match.property, attributes) : match.property->type;
  if (type == kNone) {
    return skipAfter(
        fault("structure", "xml-type", "xsi:type must name one of the types that may stand here", at, def.name));
  }
  Element* parent = parentOf(frame.node, match, at);
  const Element* before = child(parent, def.name);
  if (before != nullptr && def.max == 1) {
    const bool other = before->type != type;
    return skipAfter(fault("structure", other ? "xml-choice" : "xml-cardinality",
                           other ? "only one type of this element may be there at a time" : "this element occurs once",
                           at, def.name));
  }
  Element* node = make(parent, *match.property, at);
  node->type = type;
  push(node, schema_.shapeOf(match.property->def, type), schema_.type(type).kind == TypeKind::Resource);
  if (type == r4::kXhtml) return narrative(space, name, attributes, at);
  return readAttributes(node, stack_.back().shape, attributes, at);
}

bool TreeBuilder::narrative(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                            xml::Place at) {
  return narrative_.start(space, name, attributes, at) ||
         fault("structure", "xml-namespace", "only XHTML may stand in the narrative", at);
}

bool TreeBuilder::readAttributes(Element* node, ShapeId shape, std::span<const xml::Attribute> attributes,
                                 xml::Place at) {
  for (const xml::Attribute& attribute : attributes) {
    const bool goOn = attribute.space == kSchemaInstance ? readSchemaInstance(attribute, shape, at)
                                                         : readAttribute(node, shape, attribute, at);
    if (!goOn) return false;
  }
  return true;
}

/// Where a schema lies says nothing about the record; xsi:type was heeded when the element was opened.
bool TreeBuilder::readSchemaInstance(const xml::Attribute& attribute, ShapeId shape, xml::Place at) {
  if (attribute.name == "schemaLocation" || attribute.name == "noNamespaceSchemaLocation") return true;
  if (attribute.name == "type" && stack_.size() > 1 && !schema_.isR4(shape)) return true;
  return fault("structure", "xml-unknown-attribute",
               "xsi attribute " + printable(attribute.name) + " has no meaning here", at);
}

bool TreeBuilder::readAttribute(Element* node, ShapeId shape, const xml::Attribute& attribute, xml::Place at) {
  const bool primitive = schema_.type(node->type).primitive != Primitive::None;
  if (primitive && attribute.space.empty() && attribute.name == "value") return setPrimitive(node, attribute.value, at);
  const Property* property = findAttribute(schema_, shape, attribute.space, attribute.name);
  if (property == nullptr)
    return fault("structure", "xml-unknown-attribute", "unknown attribute " + printable(attribute.name), at);
  const bool list = schema_.def(property->def).max != 1;
  std::string_view left = list ? trimmed(attribute.value) : attribute.value;
  do {  // a list is one value a word
    const std::size_t end = list ? left.find_first_of(kBlanks) : std::string_view::npos;
    if (!setPrimitive(make(node, *property, at), left.substr(0, end), at)) return false;
    left = end == std::string_view::npos ? std::string_view{} : trimmed(left.substr(end));
  } while (!left.empty());
  return true;
}

bool TreeBuilder::setPrimitive(Element* node, std::string_view value, xml::Place at) {
  const bool v3Date = schema_.xmlForm(node->def).v3Date;
  const auto date = v3Date ? fromV3Date(value) : std::nullopt;
  document_.setValue(node, date ? std::string_view(*date) : value);
  if (v3Date ? date.has_value() : isValidPrimitive(schema_, node->type, value)) return !stoppedByLimit();
  const std::string type(schema_.nameText(schema_.type(node->type).name));
  issues_.error("value", "xml-invalid-value", "not a valid " + type + (value.empty() ? ": empty" : ""),
                pathOf(document_, node), {at.line, at.column});
  return ++faults_ < kMostFaults && !stoppedByLimit();
}

bool TreeBuilder::endElement(xml::Place at) {
  if (skip_ > 0) {
    --skip_;
    return true;
  }
  if (narrative_.active()) {
    if (!narrative_.end(at)) return true;
    document_.setValue(stack_.back().node, narrative_.text());
    stack_.pop_back();
    return true;
  }
  if (!flushText()) return false;
  const Frame frame = stack_.back();
  bool goOn = true;
  const bool empty = !frame.node->isResource && frame.node->empty();
  if (empty && !frame.faulty && !lenient_)
    goOn = fault("structure", "xml-empty", "an element without value and content; leave it out", at);
  stack_.pop_back();
  return goOn;
}

bool TreeBuilder::text(std::string_view characters, xml::Place at) {
  if (skip_ > 0) return true;
  if (narrative_.active()) {
    narrative_.characters(characters);
    return true;
  }
  const bool blank = characters.find_first_not_of(kBlanks) == std::string_view::npos;
  if (!stack_.back().textual) {
    return blank ||
           fault("structure", "xml-text", "text between elements: FHIR values stand in the attribute \"value\"", at);
  }
  if (text_.empty() && blank) return true;
  if (text_.empty()) textAt_ = at;
  text_ += characters;
  return true;
}

/// The text since the last tag, without blanks around it.
bool TreeBuilder::flushText() {
  if (text_.empty()) return true;
  const std::string text(trimmed(text_));
  text_.clear();
  const Frame& frame = stack_.back();
  const XmlMatch match = findText(schema_, frame.shape);
  const ElementDef& def = schema_.def(match.property->def);
  Element* parent = parentOf(frame.node, match, textAt_);
  if (child(parent, def.name) != nullptr && def.max == 1)
    return fault("structure", "xml-text", "the text of this element is split by other elements", textAt_, def.name);
  Element* node = make(parent, *match.property, textAt_);
  if (node->type == kNone) {  // a choice takes the first type whose grammar fits
    for (const TypeRef& ref : schema_.types(def)) {
      node->type = ref.type;
      if (isValidPrimitive(schema_, ref.type, text)) break;
    }
  }
  return setPrimitive(node, text, textAt_);
}

}  // namespace

Result<Document> readXml(std::string_view bytes, std::shared_ptr<const Schema> schema, const ReadOptions& options,
                         Issues& issues) {
  Document document(std::move(schema));
  Issues found;
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  TreeBuilder builder(bytes, document, options, found);
  const auto fault = xml::parse(bytes, {options.maxDepth, options.maxBytes, options.maxElements}, builder);
  if (fault) builder.textFault(*fault);
  if (builder.stoppedByLimit()) {
    found.error("too-long", "xml-elements",
                "more than " + std::to_string(options.maxElements) + " elements and attributes in one document");
  }
  issues.append(found);
  if (builder.stoppedByLimit() || (fault && fault->code == Code::TooLarge))
    return fail(Code::TooLarge, "the XML document is over a limit: " + found.list().back().text);
  if (found.hasErrors()) {
    const Issue& first = found.list().front();
    return fail(Code::Invalid, "the XML document has " + std::to_string(found.list().size()) +
                                   " faults; the first, at line " + std::to_string(first.at.line) + " column " +
                                   std::to_string(first.at.column) + ": " + first.text);
  }
  return document;
}

}  // namespace lotsen::fhir
