#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/xml/reader.h"
#include "gateway/xml/writer.h"

namespace lotsen::fhir {

namespace {

/// The narrative must be one XHTML <div>; what may stand in it is checked by validation.
class DivCheck final : public xml::Handler {
 public:
  bool startElement(std::string_view space, std::string_view name, std::span<const xml::Attribute>,
                    xml::Place) override {
    const bool good = space == "http://www.w3.org/1999/xhtml" && (begun_ || name == "div");
    begun_ = true;
    return good;
  }
  bool endElement(xml::Place) override { return true; }
  bool text(std::string_view, xml::Place) override { return true; }

 private:
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

  Status write(const Element* resource) {
    writer_.declaration();
    return this->resource(resource, true);
  }

 private:
  Status resource(const Element* node, bool outermost) {
    writer_.start(schema_.nameText(schema_.type(node->type).name));
    if (outermost) writer_.attribute("xmlns", "http://hl7.org/fhir");
    LOTSEN_TRY_DO(content(node, schema_.type(node->type).shape));
    writer_.end();
    return done();
  }

  /// Attributes, then children, both in the order of the definition.
  Status content(const Element* node, ShapeId shape) {
    const auto properties = schema_.properties(shape);
    for (const Property& property : properties) {
      const ElementDef& def = schema_.def(property.def);
      if (!def.xmlAttribute) continue;
      if (const Element* attribute = child(node, def.name))
        writer_.attribute(schema_.nameText(def.name), attribute->value());
    }
    if (node->hasValue()) {
      if (!isXmlText(node->value()))
        return fail(Code::Invalid, pathOf(document_, node) + ": holds a character that XML cannot");
      writer_.attribute("value", node->value());
    }
    for (const Property& property : properties) {
      const ElementDef& def = schema_.def(property.def);
      if (def.xmlAttribute || (def.choice && property.type != kNone)) continue;  // a choice is found by its bare name
      const Element* run = child(node, def.name);
      if (run == nullptr) continue;
      for (const Element* end = run->runLast->next; run != end; run = run->next) LOTSEN_TRY_DO(element(run));
    }
    return done();
  }

  Status element(const Element* node) {
    if (node->type == kNone)
      return fail(Code::Invalid, pathOf(document_, node) + ": an untyped element has no XML form");
    if (node->type == r4::kXhtml) return narrative(node);
    writer_.start(writtenName(node));
    if (node->isResource) {
      LOTSEN_TRY_DO(resource(node, false));
    } else {
      LOTSEN_TRY_DO(content(node, schema_.shapeOf(node->def, node->type)));
    }
    writer_.end();
    return done();
  }

  Status narrative(const Element* node) {
    DivCheck check;
    if (const auto fault = xml::parse(node->value(), {}, check)) {
      const bool foreign = fault->rule == "xml-stopped";
      return fail(Code::Invalid, pathOf(document_, node) + ": the narrative has no XML form: " +
                                     (foreign ? "it must be one <div> with XHTML in it" : fault->text));
    }
    writer_.raw(node->value());
    return done();
  }

  std::string writtenName(const Element* node) const {
    std::string name(document_.nameText(node->name));
    if (!schema_.def(node->def).choice) return name;
    const std::size_t start = name.size();
    name += schema_.nameText(schema_.type(node->type).name);
    if (name[start] >= 'a' && name[start] <= 'z') name[start] = static_cast<char>(name[start] - 'a' + 'A');
    return name;
  }

  const Document& document_;
  const Schema& schema_;
  xml::Writer writer_;
};

}  // namespace

Result<std::string> writeXml(const Document& document, const Element* node, Layout layout) {
  if (node == nullptr || !node->isResource || document.schema().type(node->type).kind != TypeKind::Resource) {
    return fail(Code::Invalid, "only a FHIR resource has a FHIR XML form");
  }
  std::string out;
  LOTSEN_TRY_DO(TreeWriter(document, layout, out).write(node));
  return out;
}

}  // namespace lotsen::fhir
