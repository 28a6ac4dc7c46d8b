// XML events to an element tree. A frame per open element; a property of a resource type ("contained", "resource") is a
// wrapper around the element that is named after the type. The narrative is collected as text.
#include "gateway/fhir/hints.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/xml/reader.h"
#include "gateway/xml/writer.h"

#include <vector>

namespace lotsen::fhir {

namespace {

constexpr std::size_t kMostFaults = 100;
constexpr std::string_view kFhir = "http://hl7.org/fhir";
constexpr std::string_view kXhtml = "http://www.w3.org/1999/xhtml";
constexpr std::string_view kXml = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kSchemaInstance = "http://www.w3.org/2001/XMLSchema-instance";

/// Places to byte offsets, forward only. expat counts characters, and takes CR, LF and CR LF for one line end each.
class Offsets {
 public:
  explicit Offsets(std::string_view text) : text_(text) {}
  std::size_t at(xml::Place place) {
    while (line_ < place.line && lineStart_ < text_.size()) {
      const auto end = text_.find_first_of("\r\n", lineStart_);
      if (end == std::string_view::npos) return text_.size();
      lineStart_ = end + (text_.substr(end, 2) == "\r\n" ? 2 : 1);
      ++line_;
    }
    std::size_t offset = lineStart_;
    for (std::uint32_t left = place.column - 1; left > 0 && offset < text_.size(); --left) {
      ++offset;
      while (offset < text_.size() && (static_cast<unsigned char>(text_[offset]) & 0xc0) == 0x80) ++offset;
    }
    return offset;
  }

 private:
  std::string_view text_;
  std::size_t lineStart_ = 0;
  std::uint32_t line_ = 1;
};

/// The '>' that ends the tag at `start`; one in an attribute's value does not.
std::size_t endOfTag(std::string_view text, std::size_t start) {
  char quote = 0;
  for (std::size_t at = start; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return at;
    }
  }
  return std::string_view::npos;
}

/// True if the text is a document of its own: no names or prefixes from around it.
bool standsAlone(std::string_view text) {
  class Accept final : public xml::Handler {
   public:
    bool startElement(std::string_view space, std::string_view, std::span<const xml::Attribute>, xml::Place) override {
      return space == kXhtml;
    }
    bool endElement(xml::Place) override { return true; }
    bool text(std::string_view, xml::Place) override { return true; }
  } accept;
  return !xml::parse(text, {}, accept);
}

/// The narrative, written down again from its events: for one that uses names declared around it.
class NarrativeText {
 public:
  bool active() const { return depth_ > 0; }
  void start(std::string_view name, std::span<const xml::Attribute> attributes) {
    closeTag();
    names_.emplace_back(name);
    text_ += '<';
    text_ += name;
    if (depth_ == 0) text_ += " xmlns=\"http://www.w3.org/1999/xhtml\"";
    for (const xml::Attribute& attribute : attributes) {
      text_ += attribute.space == kXml ? " xml:" : " ";
      text_ += attribute.name;
      text_ += "=\"";
      xml::appendValue(text_, attribute.value);
      text_ += '"';
    }
    inTag_ = true;
    ++depth_;
  }
  void characters(std::string_view characters) {
    closeTag();
    xml::appendText(text_, characters);
  }
  /// True when the outermost element ended: text() is whole.
  bool end() {
    if (inTag_) {
      text_ += "/>";
      inTag_ = false;
    } else {
      text_ += "</" + names_.back() + ">";
    }
    names_.pop_back();
    return --depth_ == 0;
  }
  std::string take() { return std::move(text_); }

 private:
  void closeTag() {
    if (inTag_) text_ += '>';
    inTag_ = false;
  }
  std::string text_;
  std::vector<std::string> names_;
  std::size_t depth_ = 0;
  bool inTag_ = false;
};

struct Frame {
  Element* node = nullptr;
  ShapeId shape = kNone;
  bool wrapper = false;  // of a resource: the next element is named after its type
  bool faulty = false;   // something in it was refused, so it is not simply empty
};

class TreeBuilder final : public xml::Handler {
 public:
  TreeBuilder(std::string_view text, Document& document, const ReadOptions& options, Issues& issues)
      : source_(text),
        document_(document),
        schema_(document.schema()),
        options_(options),
        issues_(issues),
        offsets_(text) {}

  bool startElement(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                    xml::Place at) override;
  bool endElement(xml::Place at) override;
  bool text(std::string_view characters, xml::Place at) override;
  void textFault(const xml::Fault& fault);

 private:
  bool fault(std::string_view code, std::string_view rule, std::string text, xml::Place at, NameId name = kNone);
  bool skipAfter(bool goOn) {
    skip_ = 1;
    return goOn;
  }
  bool openResource(Element* node, std::string_view space, std::string_view name, xml::Place at);
  bool openProperty(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                    xml::Place at);
  bool narrative(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                 xml::Place at);
  std::string_view narrativeSource(xml::Place end);
  bool readAttributes(Element* node, ShapeId shape, std::span<const xml::Attribute> attributes, xml::Place at);
  bool readAttribute(Element* node, ShapeId shape, const xml::Attribute& attribute, xml::Place at);
  bool setPrimitive(Element* node, std::string_view value, xml::Place at);
  std::string pathHere(NameId name) const;

  std::string_view source_;
  Document& document_;
  const Schema& schema_;
  const ReadOptions& options_;
  Issues& issues_;
  Offsets offsets_;
  std::vector<Frame> stack_;
  NarrativeText narrative_;
  std::size_t narrativeStart_ = 0;
  std::uint32_t skip_ = 0;
  std::size_t faults_ = 0;
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

bool TreeBuilder::openResource(Element* node, std::string_view space, std::string_view name, xml::Place at) {
  std::string why;
  TypeId type = resourceType(schema_, name, why);
  if (type != kNone && schema_.type(type).kind != TypeKind::Resource) {
    why = printable(name) + " is not a type of resource in FHIR R4";
    type = kNone;
  }
  if (space != kFhir) {
    return skipAfter(
        fault("structure", "xml-namespace", "expected a resource in the namespace " + std::string(kFhir), at));
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
  stack_.push_back({node, schema_.type(type).shape});
  return true;
}

bool TreeBuilder::startElement(std::string_view space, std::string_view name,
                               std::span<const xml::Attribute> attributes, xml::Place at) {
  if (skip_ > 0) {
    ++skip_;
    return true;
  }
  if (narrative_.active()) return narrative(space, name, attributes, at);
  if (!stack_.empty() && !stack_.back().wrapper) return openProperty(space, name, attributes, at);
  if (!stack_.empty() && stack_.back().node->isResource) {
    return skipAfter(fault("structure", "xml-cardinality", "only one resource may stand here", at));
  }
  if (!openResource(stack_.empty() ? nullptr : stack_.back().node, space, name, at)) return false;
  return skip_ > 0 || readAttributes(stack_.back().node, stack_.back().shape, attributes, at);
}

bool TreeBuilder::openProperty(std::string_view space, std::string_view name,
                               std::span<const xml::Attribute> attributes, xml::Place at) {
  const Frame frame = stack_.back();
  const Property* property = schema_.property(frame.shape, schema_.findName(name));
  const bool known = property != nullptr && property->type != kNone && !schema_.def(property->def).xmlAttribute;
  if (!known)
    return skipAfter(fault("structure", "xml-unknown-element", unknownProperty(schema_, frame.shape, name), at));
  const ElementDef& def = schema_.def(property->def);
  if (space != (property->type == r4::kXhtml ? kXhtml : kFhir)) {
    return skipAfter(fault("structure", "xml-namespace", "the element is in the wrong namespace", at, def.name));
  }
  const Element* before = child(frame.node, def.name);
  if (before != nullptr && def.max == 1) {
    const bool other = before->type != property->type;
    return skipAfter(fault("structure", other ? "xml-choice" : "xml-cardinality",
                           other ? "only one type of this element may be there at a time" : "this element occurs once",
                           at, def.name));
  }
  Element* node = document_.append(frame.node, *property);
  node->at = {at.line, at.column};
  const Type& type = schema_.type(property->type);
  stack_.push_back({node, schema_.shapeOf(property->def, property->type), type.kind == TypeKind::Resource});
  if (property->type == r4::kXhtml) narrativeStart_ = offsets_.at(at);
  if (property->type == r4::kXhtml) return narrative(space, name, attributes, at);
  return readAttributes(node, stack_.back().shape, attributes, at);
}

/// Foreign names cannot be written down again without their prefixes, and do not belong in a narrative.
bool TreeBuilder::narrative(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                            xml::Place at) {
  bool foreign = space != kXhtml;
  for (const xml::Attribute& attribute : attributes)
    foreign = foreign || !(attribute.space.empty() || attribute.space == kXml);
  narrative_.start(name, foreign ? std::span<const xml::Attribute>() : attributes);
  return !foreign || fault("structure", "xml-namespace", "only XHTML may stand in the narrative", at);
}

bool TreeBuilder::readAttributes(Element* node, ShapeId shape, std::span<const xml::Attribute> attributes,
                                 xml::Place at) {
  for (const xml::Attribute& attribute : attributes) {
    if (attribute.space == kSchemaInstance) continue;
    if (!readAttribute(node, shape, attribute, at)) return false;
  }
  return true;
}

bool TreeBuilder::readAttribute(Element* node, ShapeId shape, const xml::Attribute& attribute, xml::Place at) {
  const bool primitive = schema_.type(node->type).primitive != Primitive::None;
  if (primitive && attribute.space.empty() && attribute.name == "value") return setPrimitive(node, attribute.value, at);
  const Property* property =
      attribute.space.empty() ? schema_.property(shape, schema_.findName(attribute.name)) : nullptr;
  if (property == nullptr || !schema_.def(property->def).xmlAttribute) {
    return fault("structure", "xml-unknown-attribute", "unknown attribute " + printable(attribute.name), at);
  }
  Element* child = document_.append(node, *property);
  child->at = {at.line, at.column};
  return setPrimitive(child, attribute.value, at);
}

bool TreeBuilder::setPrimitive(Element* node, std::string_view value, xml::Place at) {
  document_.setValue(node, value);
  if (isValidPrimitive(schema_, node->type, value)) return true;
  const std::string type(schema_.nameText(schema_.type(node->type).name));
  issues_.error("value", "xml-invalid-value", "not a valid " + type + (value.empty() ? ": empty" : ""),
                pathOf(document_, node), {at.line, at.column});
  return ++faults_ < kMostFaults;
}

/// The narrative as it stands in the source, so that nothing in it changes; empty if it cannot stand alone.
std::string_view TreeBuilder::narrativeSource(xml::Place end) {
  const std::size_t at = offsets_.at(end);
  // Without an end tag of its own the whole is one empty tag.
  const auto close =
      source_.substr(at).starts_with("</div") ? source_.find('>', at) : endOfTag(source_, narrativeStart_);
  if (close == std::string_view::npos || close < narrativeStart_) return {};
  const std::string_view text = source_.substr(narrativeStart_, close + 1 - narrativeStart_);
  return text.starts_with("<div") && standsAlone(text) ? text : std::string_view{};
}

bool TreeBuilder::endElement(xml::Place at) {
  if (skip_ > 0) {
    --skip_;
    return true;
  }
  if (narrative_.active()) {
    if (!narrative_.end()) return true;
    const std::string rewritten = narrative_.take();
    const std::string_view original = narrativeSource(at);
    document_.setValue(stack_.back().node, original.empty() ? std::string_view(rewritten) : original);
    stack_.pop_back();
    return true;
  }
  const Frame frame = stack_.back();
  bool goOn = true;
  const bool empty = !frame.node->isResource && frame.node->empty();
  if (empty && !frame.faulty)
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
  if (characters.find_first_not_of(" \t\r\n") == std::string_view::npos) return true;
  return fault("structure", "xml-text", "text between elements: FHIR values stand in the attribute \"value\"", at);
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
  issues.append(found);
  if (fault && fault->code == Code::TooLarge)
    return fail(Code::TooLarge, "the XML document is over a limit: " + fault->text);
  if (found.hasErrors()) {
    const Issue& first = found.list().front();
    return fail(Code::Invalid, "the XML document has " + std::to_string(found.list().size()) +
                                   " faults; the first, at line " + std::to_string(first.at.line) + " column " +
                                   std::to_string(first.at.column) + ": " + first.text);
  }
  return document;
}

}  // namespace lotsen::fhir
