#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/v3_date.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/fhir/xml_shape.h"
#include "gateway/xml/reader.h"
#include "gateway/xml/writer.h"

namespace lotsen::fhir {

namespace {

/// The narrative must be one element of this name and namespace; what may stand in it is checked by validation.
class NarrativeCheck final : public xml::Handler {
 public:
  NarrativeCheck(std::string_view space, std::string name) : space_(space), name_(std::move(name)) {}
  const std::string& name() const { return name_; }

  bool startElement(std::string_view space, std::string_view name, std::span<const xml::Attribute>,
                    xml::Place) override {
    const bool good = space == space_ && (begun_ || name == name_);
    begun_ = true;
    return good;
  }
  bool endElement(xml::Place) override { return true; }
  bool text(std::string_view, xml::Place) override { return true; }

 private:
  std::string_view space_;
  std::string name_;
  bool begun_ = false;
};

/// U+FFFE and U+FFFF are characters in JSON but not in XML.
bool isXmlText(std::string_view text) {
  for (auto at = text.find("\xef\xbf"); at != std::string_view::npos; at = text.find("\xef\xbf", at + 1)) {
    if (text.substr(at + 2, 1) >= "\xbe") return false;
  }
  return true;
}

class TreeWriter {
 public:
  TreeWriter(const Document& document, Layout layout, std::string& out)
      : document_(document), schema_(document.schema()), writer_(out, layout == Layout::Indented ? 2 : 0) {}

  Status write(const Element* root) {
    writer_.declaration();
    const DefId def = schema_.type(root->type).root;
    const std::string_view space = elementSpace(schema_, def, root->type);
    writer_.start(elementName(schema_, def, root->type));
    if (!space.empty()) writer_.attribute("xmlns", space);
    if (anySaysType(root)) writer_.attribute("xmlns:xsi", kSchemaInstance);
    LOTSEN_TRY_DO(content(root, schema_.type(root->type).shape, space));
    writer_.end();
    return done();
  }

 private:
  bool anySaysType(const Element* node) const {
    if (schema_.isR4(schema_.type(node->type).shape)) return false;
    for (const Element* one = node->first; one != nullptr; one = one->next) {
      if (saysType(schema_, one->def, one->type) || anySaysType(one)) return true;
    }
    return false;
  }

  /// Attributes, then text, then children, each in the order of the definition. `space` is the default namespace here.
  Status content(const Element* node, ShapeId shape, std::string_view space) {
    LOTSEN_TRY_DO(attributes(node, shape));
    return children(node, shape, space);
  }

  Status attributes(const Element* node, ShapeId shape) {
    unsigned prefixes = 0;
    for (const Property& property : schema_.properties(shape)) {
      const ElementDef& def = schema_.def(property.def);
      if (!def.xmlAttribute) continue;
      const Element* run = child(node, def.name);
      if (run == nullptr) continue;
      std::string values;
      for (const Element* one = run; one != run->runLast->next; one = one->next) {
        if (one != run) values += ' ';
        LOTSEN_TRY(const std::string_view value, text(one));
        values += value;
      }
      std::string name = elementName(schema_, property.def, property.type);
      if (const std::string_view space = attributeSpace(schema_, property.def); !space.empty()) {
        const std::string prefix = "a" + std::to_string(++prefixes);
        writer_.attribute("xmlns:" + prefix, space);
        name = prefix + ":" + name;
      }
      writer_.attribute(name, values);
    }
    if (!node->hasValue()) return done();
    LOTSEN_TRY(const std::string_view value, text(node));
    writer_.attribute("value", value);
    return done();
  }

  /// The value as it stands in XML; valid until the next call.
  Result<std::string_view> text(const Element* node) {
    const std::string_view value = node->value();
    if (!isXmlText(value)) return fail(Code::Invalid, pathOf(document_, node) + ": holds a character that XML cannot");
    if (!schema_.xmlForm(node->def).v3Date) return value;
    const auto date = toV3Date(value);
    if (!date) return fail(Code::Invalid, pathOf(document_, node) + ": is no date");
    date_ = *date;
    return std::string_view(date_);
  }

  Status children(const Element* node, ShapeId shape, std::string_view space) {
    for (const Property& property : schema_.properties(shape)) {
      const ElementDef& def = schema_.def(property.def);
      if (def.xmlAttribute || (def.choice && property.type != kNone)) continue;  // a choice is found by its bare name
      const Element* run = child(node, def.name);
      if (run == nullptr) continue;
      for (const Element* end = run->runLast->next; run != end; run = run->next) LOTSEN_TRY_DO(element(run, space));
    }
    return done();
  }

  Status element(const Element* node, std::string_view space) {
    if (node->type == kNone)
      return fail(Code::Invalid, pathOf(document_, node) + ": an untyped element has no XML form");
    const XmlForm::Kind kind = schema_.xmlForm(node->def).kind;
    if (kind == XmlForm::Kind::Group) return children(node, schema_.shapeOf(node->def, node->type), space);
    if (kind == XmlForm::Kind::Text) {
      LOTSEN_TRY(const std::string_view value, text(node));
      writer_.text(value);
      return done();
    }
    if (node->type == r4::kXhtml) return narrative(node);
    // The element of a resource is around the one that has the resource's name.
    const TypeId type = node->isResource ? r4::kResource : node->type;
    writer_.start(elementName(schema_, node->def, type));
    space = enter(elementSpace(schema_, node->def, type), space);
    if (!node->isResource) {
      if (saysType(schema_, node->def, type)) writer_.attribute("xsi:type", schema_.nameText(schema_.type(type).name));
      LOTSEN_TRY_DO(content(node, schema_.shapeOf(node->def, type), space));
    } else {
      writer_.start(schema_.nameText(schema_.type(node->type).name));
      space = enter(kFhirSpace, space);
      LOTSEN_TRY_DO(content(node, schema_.type(node->type).shape, space));
      writer_.end();
    }
    writer_.end();
    return done();
  }

  /// Makes `wanted` the default namespace of the element just begun.
  std::string_view enter(std::string_view wanted, std::string_view space) {
    if (wanted != space) writer_.attribute("xmlns", wanted);
    return wanted;
  }

  Status narrative(const Element* node) {
    const bool markup = schema_.xmlForm(node->def).kind == XmlForm::Kind::Markup;
    NarrativeCheck check(elementSpace(schema_, node->def, node->type),
                         markup ? elementName(schema_, node->def, node->type) : "div");
    if (const auto fault = xml::parse(node->value(), {}, check)) {
      const bool foreign = fault->rule == "xml-stopped";
      return fail(Code::Invalid, pathOf(document_, node) + ": the narrative has no XML form: " +
                                     (foreign ? "it must be one <" + check.name() + "> with nothing foreign in it"
                                              : fault->text + ", at line " + std::to_string(fault->at.line) +
                                                    " column " + std::to_string(fault->at.column) + " of it"));
    }
    writer_.raw(node->value());
    return done();
  }

  const Document& document_;
  const Schema& schema_;
  xml::Writer writer_;
  std::string date_;
};

}  // namespace

Result<std::string> writeXml(const Document& document, const Element* node, Layout layout) {
  const TypeKind kind = node == nullptr ? TypeKind::Complex : document.schema().type(node->type).kind;
  if (kind != TypeKind::Resource && kind != TypeKind::Logical) {
    return fail(Code::Invalid, "only a FHIR resource or the record of a logical model has an XML form");
  }
  std::string out;
  LOTSEN_TRY_DO(TreeWriter(document, layout, out).write(node));
  return out;
}

}  // namespace lotsen::fhir
