#include "gateway/fhir/json_writer.h"

#include "gateway/fhir/xml_shape.h"
#include "gateway/json/writer.h"

#include <algorithm>
#include <vector>

namespace lotsen::fhir {

namespace {

class TreeWriter {
 public:
  TreeWriter(const Document& document, Layout layout, Order order, std::string& out)
      : document_(document),
        schema_(document.schema()),
        writer_(out, layout == Layout::Indented ? 2 : 0),
        order_(order) {}

  void value(const Element* node) {
    if (isPrimitive(node)) {
      primitive(node);
    } else {
      object(node);
    }
  }

 private:
  bool isPrimitive(const Element* node) const {
    return node->type == kNone ? node->token != Token::None || (node->hasValue() && node->first == nullptr)
                               : schema_.type(node->type).primitive != Primitive::None;
  }

  void primitive(const Element* node) {
    if (!node->hasValue()) {
      writer_.null();
    } else if (isBare(node)) {
      writer_.number(node->value());
    } else {
      writer_.string(node->value());
    }
  }

  /// Written without quotes: numbers and booleans.
  bool isBare(const Element* node) const {
    if (node->type == kNone) return node->token == Token::Number || node->token == Token::Boolean;
    const Primitive primitive = schema_.type(node->type).primitive;
    return primitive == Primitive::Boolean || primitive == Primitive::Integer || primitive == Primitive::Decimal;
  }

  void object(const Element* node) {
    writer_.startObject();
    if (order_ == Order::Sorted) {
      sortedMembers(node);
    } else {
      if (node->isResource || saysType(schema_, node->def, node->type)) resourceType(node);
      for (const Element* run = node->first; run != nullptr; run = run->runLast->next) members(run);
    }
    writer_.endObject();
  }

  void resourceType(const Element* node) {
    writer_.member("resourceType", document_.nameText(schema_.type(node->type).name));
  }

  void sortedMembers(const Element* node) {
    std::vector<std::pair<std::string, const Element*>> runs;
    if (node->isResource || saysType(schema_, node->def, node->type)) runs.emplace_back("resourceType", nullptr);
    for (const Element* run = node->first; run != nullptr; run = run->runLast->next)
      runs.emplace_back(writtenName(run), run);
    std::sort(runs.begin(), runs.end());
    for (const auto& [name, run] : runs) {
      if (run == nullptr) {
        resourceType(node);
      } else {
        members(run);
      }
    }
  }

  std::string_view writtenName(const Element* node) {
    const std::string_view name = document_.nameText(node->name);
    if (node->def == kNone || !schema_.def(node->def).choice || node->type == kNone) return name;
    if (schema_.xmlForm(node->def).typed) return name;
    const std::string_view type = schema_.nameText(schema_.type(node->type).name);
    name_.assign(name);
    name_ += type.front() >= 'a' && type.front() <= 'z' ? static_cast<char>(type.front() - 'a' + 'A') : type.front();
    name_ += type.substr(1);
    return name_;
  }

  bool isList(const Element* run) const {
    return run->def == kNone ? run->listed || run->runLast != run : schema_.def(run->def).max != 1;
  }

  /// One property with all its values, and its "_" twin if a primitive has an id or extensions.
  void members(const Element* run) {
    const std::string name(writtenName(run));
    const Element* end = run->runLast->next;
    const bool primitives = isPrimitive(run);
    if (!isList(run)) {
      if (!primitives || run->hasValue()) {
        writer_.key(name);
        value(run);
      }
      if (primitives && run->first != nullptr) {
        writer_.key('_', name);
        object(run);
      }
      return;
    }
    bool values = !primitives;
    bool twins = false;
    for (const Element* node = run; node != end; node = node->next) {
      values |= node->hasValue();
      twins |= primitives && node->first != nullptr;
    }
    if (values) {
      writer_.key(name).startArray();
      for (const Element* node = run; node != end; node = node->next) value(node);
      writer_.endArray();
    }
    if (twins) {
      writer_.key('_', name).startArray();
      for (const Element* node = run; node != end; node = node->next) {
        if (node->first == nullptr) {
          writer_.null();
        } else {
          object(node);
        }
      }
      writer_.endArray();
    }
  }

  const Document& document_;
  const Schema& schema_;
  json::Writer writer_;
  Order order_;
  std::string name_;
};

}  // namespace

std::string writeJson(const Document& document, const Element* node, Layout layout, Order order) {
  std::string out;
  if (node == nullptr) return out;
  if (node == document.root()) out.reserve(document.bytes() / 4);
  TreeWriter(document, layout, order, out).value(node);
  return out;
}

std::string writeJson(const Document& document, const Element* node, Layout layout) {
  return writeJson(document, node, layout, Order::AsIs);
}

}  // namespace lotsen::fhir
