// JSON events to an element tree. One pass: every object in the text is a frame that knows its element and the shape
// that its properties must fit. A resource's type must be known before its first property, so where "resourceType" is
// not the first member it is looked up ahead in the raw text; that is rare, and cheaper than building twice.
#include "gateway/fhir/forms.h"
#include "gateway/fhir/hints.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/v3_date.h"
#include "gateway/fhir/xml_shape.h"
#include "gateway/json/reader.h"

#include <vector>

namespace lotsen::fhir {

namespace {

constexpr std::size_t kMostFaults = 100;
constexpr std::string_view kResourceType = "resourceType";

std::string_view tokenName(Primitive primitive) {
  switch (primitive) {
    case Primitive::Boolean: return "true or false";
    case Primitive::Integer:
    case Primitive::Decimal: return "a number without quotes";
    default: return "a string in quotes";
  }
}

Token tokenOf(Primitive primitive) {
  switch (primitive) {
    case Primitive::Boolean: return Token::Boolean;
    case Primitive::Integer:
    case Primitive::Decimal: return Token::Number;
    default: return Token::String;
  }
}

/// Where the next value goes.
struct Slot {
  enum class Kind : std::uint8_t { Typed, Untyped, ResourceType, Skip };
  Kind kind = Kind::Skip;
  bool twin = false;  // "_name": id and extensions of a primitive
  const Property* property = nullptr;
  NameId name = kNone;
};

struct Frame {
  Element* node = nullptr;  // of an object: itself; of an array: the parent of its items
  ShapeId shape = kNone;
  Slot slot{};                // arrays: of every item
  Element* cursor = nullptr;  // arrays: the item made earlier by the twin array that the next item joins
  bool array = false;
  bool untyped = false;
  bool hasTwins = false;  // a "_name" was here: a later "name" may join an element that exists
  bool hasNulls = false;
  std::uint32_t items = 0;  // items or members so far, faulty ones too
};

class TreeBuilder final : public json::Handler {
 public:
  TreeBuilder(std::string_view text, Document& document, const ReadOptions& options, Issues& issues)
      : text_(text), document_(document), schema_(document.schema()), options_(options), issues_(issues), lines_(text) {
    stack_.reserve(options.maxDepth + 1);
  }

  bool null(std::size_t offset) override;
  bool boolean(bool value, std::size_t offset) override {
    return primitive(Token::Boolean, value ? "true" : "false", offset);
  }
  bool number(std::string_view digits, std::size_t offset) override { return primitive(Token::Number, digits, offset); }
  bool string(std::string_view value, std::size_t offset) override { return primitive(Token::String, value, offset); }
  bool key(std::string_view name, std::size_t offset) override;
  bool startObject(std::size_t offset) override;
  bool endObject(std::size_t offset) override;
  bool startArray(std::size_t offset) override;
  bool endArray(std::size_t offset) override;

  bool stoppedByLimit() const { return tooLarge_; }
  /// A fault of the text itself, told where the reader was.
  void textFault(const json::Fault& fault);

 private:
  bool primitive(Token token, std::string_view value, std::size_t offset);
  bool openRoot(std::size_t offset);
  bool openTyped(const Slot& slot, std::size_t offset);
  bool fault(std::string_view code, std::string_view rule, std::string text, std::size_t offset,
             const Slot* slot = nullptr);
  bool skipAfter(bool goOn) {
    skip_ = 1;
    return goOn;
  }
  TypeId knownResource(std::string_view name, std::size_t offset, const Slot* slot);
  bool misplaced(const Slot& slot, std::size_t offset);
  bool checkNulls(const Frame& frame);
  Element* place(const Slot& slot, std::size_t offset);
  Element* existing(const Frame& frame, const Slot& slot, std::size_t offset);
  /// The slot of the value that comes now; counts the items of an array.
  Slot nextSlot() {
    Frame& frame = stack_.back();
    if (!frame.array) return pending_;
    ++frame.items;
    return frame.slot;
  }
  std::string pathOfSlot(const Slot* slot) const;
  Position position(std::size_t offset) {
    const json::Place at = lines_.at(offset);
    return {at.line, at.column};
  }

  std::string_view text_;
  Document& document_;
  const Schema& schema_;
  const ReadOptions& options_;
  Issues& issues_;
  json::LineCounter lines_;
  std::vector<Frame> stack_;
  Slot pending_;
  std::uint32_t skip_ = 0;  // open containers of a value that is passed over
  std::uint32_t elements_ = 0;
  std::size_t faults_ = 0;
  bool lenient_ = false;  // the record is a logical model or untyped
  bool tooLarge_ = false;
};

std::string TreeBuilder::pathOfSlot(const Slot* slot) const {
  if (stack_.empty()) return {};
  std::string path = pathOf(document_, stack_.back().node);
  if (slot != nullptr && slot->name != kNone) {
    path += '.';
    path += document_.nameText(slot->name);
    if (stack_.back().array) path += "[" + std::to_string(stack_.back().items - 1) + "]";
  }
  return path;
}

bool TreeBuilder::fault(std::string_view code, std::string_view rule, std::string text, std::size_t offset,
                        const Slot* slot) {
  issues_.error(code, rule, std::move(text), pathOfSlot(slot), position(offset));
  if (++faults_ < kMostFaults) return true;
  issues_.error("too-costly", "json-too-many-faults",
                "more than " + std::to_string(kMostFaults) + " faults: the rest of the text was not read");
  return false;
}

void TreeBuilder::textFault(const json::Fault& fault) {
  if (fault.rule == "json-stopped") return;
  // The counter only goes forward, and a fault of the bytes is found before the first event.
  const json::Place at = json::LineCounter(text_).at(fault.offset);
  const std::string_view code = fault.rule == "json-duplicate-key"  ? "duplicate"
                                : fault.code == Code::TooLarge      ? "too-long"
                                : fault.rule == "json-number-range" ? "value"
                                                                    : "structure";
  const bool atValue = !stack_.empty() && skip_ == 0 && fault.rule == "json-number-range";
  const Slot slot = atValue ? nextSlot() : Slot{};
  // Fatal: nothing after this place was read.
  issues_.add({Severity::Fatal,
               std::string(code),
               std::string(fault.rule),
               std::string(fault.text),
               pathOfSlot(&slot),
               {},
               {at.line, at.column}});
}

bool TreeBuilder::key(std::string_view name, std::size_t offset) {
  if (skip_ > 0) return true;
  Frame& frame = stack_.back();
  ++frame.items;
  pending_ = {};
  if (frame.untyped) {
    if (name == kResourceType && frame.node->parent == nullptr) {
      return fault("structure", "json-resource-type",
                   "resourceType must be the name of a resource type, written without escapes", offset);
    }
    pending_.kind = Slot::Kind::Untyped;
    pending_.name = document_.intern(name);
    return true;
  }
  if (name == kResourceType && (frame.node->isResource || schema_.type(frame.node->type).kind == TypeKind::Logical)) {
    pending_.kind = Slot::Kind::ResourceType;
    if (frame.node->parent == nullptr) frame.node->isResource = true;
    return true;
  }
  const Property* property = schema_.property(frame.shape, schema_.findName(name));
  if (property == nullptr && name.size() > 1 && name.front() == '_') {
    property = schema_.property(frame.shape, schema_.findName(name.substr(1)));
    const bool primitive =
        property != nullptr && property->type != kNone && schema_.type(property->type).primitive != Primitive::None;
    if (!primitive) property = nullptr;
    pending_.twin = true;
  }
  // A choice stands under its bare name where the record says the type (saidType), else under that of the type.
  if (property == nullptr ||
      (property->type == kNone) != (schema_.def(property->def).choice && schema_.xmlForm(property->def).typed)) {
    return fault("structure", "json-unknown-property", unknownProperty(schema_, frame.shape, name), offset);
  }
  pending_.kind = Slot::Kind::Typed;
  pending_.property = property;
  pending_.name = schema_.def(property->def).name;
  frame.hasTwins |= pending_.twin;
  return true;
}

/// The element that the twin of this property made already; a choice of another type is a fault, and told.
Element* TreeBuilder::existing(const Frame& frame, const Slot& slot, std::size_t offset) {
  if (slot.kind != Slot::Kind::Typed) return nullptr;
  const bool choice = schema_.def(slot.property->def).choice;
  if (!choice && !slot.twin && !frame.hasTwins) return nullptr;
  Element* found = child(frame.node, slot.name);
  if (found == nullptr || found->type == slot.property->type) return found;
  fault("structure", "json-choice", "only one type of this element may be there at a time", offset, &slot);
  return nullptr;
}

Element* TreeBuilder::place(const Slot& slot, std::size_t offset) {
  Frame& frame = stack_.back();
  Element* node = frame.array ? frame.cursor : existing(frame, slot, offset);
  if (frame.array && node != nullptr)
    frame.cursor = node->next != nullptr && node->next->name == node->name ? node->next : nullptr;
  if (node != nullptr) return node;
  if (++elements_ > options_.maxElements) tooLarge_ = true;
  node = slot.kind == Slot::Kind::Typed ? document_.append(frame.node, *slot.property)
                                        : document_.append(frame.node, slot.name);
  node->listed = frame.array && slot.kind == Slot::Kind::Untyped;
  node->at = position(offset);
  return node;
}

/// A single value where the definition wants an array; told. (An array where it wants a single value is told when it
/// starts.)
bool TreeBuilder::misplaced(const Slot& slot, std::size_t offset) {
  if (stack_.back().array || schema_.def(slot.property->def).max == 1) return false;
  fault("structure", "json-array-expected", "this element may repeat: write it as an array, [ … ], even for one value",
        offset, &slot);
  return true;
}

bool TreeBuilder::primitive(Token token, std::string_view value, std::size_t offset) {
  if (skip_ > 0) return true;
  if (stack_.empty())
    return fault("structure", "json-root", "expected an object, { … }, as the whole document", offset);
  const Slot slot = nextSlot();
  switch (slot.kind) {
    case Slot::Kind::Skip: return true;
    case Slot::Kind::ResourceType: {
      const Element* node = stack_.back().node;
      // Models may bear the name of a type of R4.
      const bool same = token == Token::String && (schema_.findType(value) == node->type ||
                                                   schema_.nameText(schema_.type(node->type).name) == value);
      return same || fault("structure", "json-resource-type",
                           "resourceType does not name the type that is expected here", offset);
    }
    case Slot::Kind::Untyped: break;
    case Slot::Kind::Typed: {
      if (misplaced(slot, offset)) return faults_ < kMostFaults;
      const Type& type = schema_.type(slot.property->type);
      const std::string name(schema_.nameText(type.name));
      if (slot.twin || type.primitive == Primitive::None) {
        return fault("structure", "json-object-expected",
                     "expected an object, { … }" + (slot.twin ? "" : ", of type " + name), offset, &slot);
      }
      if (token != tokenOf(type.primitive)) {
        return fault("structure", "json-wrong-type",
                     "a " + name + " is written as " + std::string(tokenName(type.primitive)), offset, &slot);
      }
      const bool valid = schema_.xmlForm(slot.property->def).v3Date
                             ? toV3Date(value).has_value()
                             : isValidPrimitive(schema_, slot.property->type, value);
      if (!valid && !fault("value", "json-invalid-value", "not a valid " + name + (value.empty() ? ": empty" : ""),
                           offset, &slot)) {
        return false;
      }
      break;
    }
  }
  Element* node = place(slot, offset);
  node->at = position(offset);
  node->data = value.data();
  node->size = static_cast<std::uint32_t>(value.size());
  node->token = token;
  return !tooLarge_;
}

bool TreeBuilder::null(std::size_t offset) {
  if (skip_ > 0) return true;
  if (stack_.empty())
    return fault("structure", "json-root", "expected an object, { … }, as the whole document", offset);
  const Slot slot = nextSlot();
  if (slot.kind == Slot::Kind::Skip) return true;
  Frame& frame = stack_.back();
  const bool primitive =
      slot.kind == Slot::Kind::Typed && schema_.type(slot.property->type).primitive != Primitive::None;
  if (frame.array && primitive) {
    place(slot, offset);
    stack_[stack_.size() - 2].hasNulls = true;
    return !tooLarge_;
  }
  if (lenient_) return true;
  return fault("structure", "json-null", "null is allowed only in arrays of primitives; leave the property out", offset,
               &slot);
}

TypeId TreeBuilder::knownResource(std::string_view name, std::size_t offset, const Slot* slot) {
  if (name.empty()) {
    fault("structure", "json-resource-type", "a resource needs \"resourceType\": the name of its type", offset, slot);
    return kNone;
  }
  std::string why;
  const TypeId type = resourceType(schema_, name, why);
  if (type == kNone) fault("structure", "json-resource-type", std::move(why), offset, slot);
  return type;
}

bool TreeBuilder::openRoot(std::size_t offset) {
  TypeId type = options_.type;
  // The record of a model says at most what it is known to be, wherever it says it: see key().
  const bool model = schema_.type(type).kind == TypeKind::Logical;
  const std::string_view named = model ? std::string_view{} : peekResourceType(text_.substr(offset));
  if (type == kNone && !named.empty()) {
    type = knownResource(named, offset, nullptr);
    if (type == kNone) return false;
  }
  const TypeKind kind = schema_.type(type).kind;
  lenient_ = type == kNone || kind == TypeKind::Logical;
  if (kind == TypeKind::Resource && named.empty()) {
    fault("structure", "json-resource-type",
          "expected \"resourceType\": \"" + std::string(schema_.nameText(schema_.type(type).name)) + "\"", offset);
  }
  Element* root = type == kNone ? document_.createUntypedRoot() : document_.createRoot(type);
  root->at = position(offset);
  root->isResource = kind == TypeKind::Resource || (kind == TypeKind::Logical && !named.empty());
  stack_.push_back({.node = root, .shape = schema_.type(type).shape, .untyped = type == kNone});
  return true;
}

bool TreeBuilder::openTyped(const Slot& slot, std::size_t offset) {
  if (misplaced(slot, offset)) return skipAfter(faults_ < kMostFaults);
  TypeId type = slot.property->type;
  const Type& row = schema_.type(type);
  if (row.primitive != Primitive::None && !slot.twin) {
    const std::string name(schema_.nameText(row.name));
    return skipAfter(fault("structure", "json-wrong-type",
                           "a " + name + " is written as " + std::string(tokenName(row.primitive)), offset, &slot));
  }
  const bool resource = row.kind == TypeKind::Resource;
  if (resource) {
    type = knownResource(peekResourceType(text_.substr(offset)), offset, &slot);
    if (type == kNone) return skipAfter(faults_ < kMostFaults);
    if (!schema_.isA(type, slot.property->type)) {
      return skipAfter(
          fault("structure", "json-resource-type", "this type of resource may not stand here", offset, &slot));
    }
  }
  if (row.kind == TypeKind::Logical || type == kNone) {
    type = saidType(schema_, *slot.property, peekResourceType(text_.substr(offset)));
    if (type == kNone) {
      return skipAfter(fault("structure", "json-resource-type",
                             "resourceType must name one of the types that may stand here", offset, &slot));
    }
  }
  Element* node = place(slot, offset);
  node->type = type;
  node->isResource = resource;
  const ShapeId shape = resource || slot.twin ? schema_.type(type).shape : schema_.shapeOf(slot.property->def, type);
  stack_.push_back({.node = node, .shape = shape, .untyped = shape == kNone});
  return !tooLarge_;
}

bool TreeBuilder::startObject(std::size_t offset) {
  if (skip_ > 0) {
    ++skip_;
    return true;
  }
  if (stack_.empty()) return openRoot(offset);
  const Slot slot = nextSlot();
  switch (slot.kind) {
    case Slot::Kind::Skip: return skipAfter(true);
    case Slot::Kind::ResourceType:
      return skipAfter(fault("structure", "json-resource-type", "resourceType is written as a string", offset));
    case Slot::Kind::Typed: return openTyped(slot, offset);
    case Slot::Kind::Untyped: break;
  }
  Element* node = place(slot, offset);
  stack_.push_back({.node = node, .untyped = true});
  return !tooLarge_;
}

/// After an object that had nulls in its arrays: each of them needs the other half, a value or an extension.
bool TreeBuilder::checkNulls(const Frame& frame) {
  for (const Element* node = frame.node->first; node != nullptr; node = node->next) {
    if (!node->empty() || schema_.type(node->type).primitive == Primitive::None) continue;
    ++faults_;
    issues_.error("structure", "json-null",
                  "a null in the list needs an id or an extension in the same place of the \"_\" list",
                  pathOf(document_, node), node->at);
    if (faults_ >= kMostFaults) return false;
  }
  return true;
}

bool TreeBuilder::endObject(std::size_t offset) {
  if (skip_ > 0) {
    --skip_;
    return true;
  }
  const Frame frame = stack_.back();
  bool goOn = true;
  if (frame.items == 0 && !lenient_ && !frame.untyped) {
    goOn = fault("structure", "json-empty", "an empty object; leave the property out", offset);
  }
  if (goOn && frame.hasNulls && !lenient_) goOn = checkNulls(frame);
  stack_.pop_back();
  return goOn;
}

bool TreeBuilder::startArray(std::size_t offset) {
  if (skip_ > 0) {
    ++skip_;
    return true;
  }
  if (stack_.empty())
    return fault("structure", "json-root", "expected an object, { … }, as the whole document", offset) && false;
  const Slot slot = nextSlot();
  if (stack_.back().array && slot.kind != Slot::Kind::Skip) {
    return skipAfter(fault("structure", "json-nested-array", "an array directly inside an array has no meaning here",
                           offset, &slot));
  }
  if (slot.kind == Slot::Kind::Skip) return skipAfter(true);
  if (slot.kind == Slot::Kind::ResourceType) {
    return skipAfter(fault("structure", "json-resource-type", "resourceType is written as a string", offset));
  }
  if (slot.kind == Slot::Kind::Typed && schema_.def(slot.property->def).max == 1) {
    return skipAfter(fault("structure", "json-array-unexpected",
                           "this element occurs once: write the value without [ ]", offset, &slot));
  }
  Frame& frame = stack_.back();
  Element* cursor = existing(frame, slot, offset);
  stack_.push_back({.node = frame.node, .shape = frame.shape, .slot = slot, .cursor = cursor, .array = true});
  return true;
}

bool TreeBuilder::endArray(std::size_t offset) {
  if (skip_ > 0) {
    --skip_;
    return true;
  }
  const Frame frame = stack_.back();
  stack_.pop_back();
  if (frame.items > 0 || lenient_) return true;
  return fault("structure", "json-empty", "an empty array; leave the property out", offset, &frame.slot);
}

}  // namespace

Result<Document> readJson(std::string_view bytes, std::shared_ptr<const Schema> schema, const ReadOptions& options,
                          Issues& issues) {
  Document document(std::move(schema));
  Issues found;
  TreeBuilder builder(bytes, document, options, found);
  const json::Limits limits{options.maxDepth, options.maxBytes};
  const bool fits = bytes.size() <= options.maxBytes;
  char* scratch = fits ? document.allocate(json::scratchSize(bytes.size())) : nullptr;
  const auto fault = json::parse(bytes, scratch, limits, builder);
  if (fault) builder.textFault(*fault);
  if (builder.stoppedByLimit()) {
    found.error("too-long", "json-elements",
                "more than " + std::to_string(options.maxElements) + " elements in one document");
  }
  const bool tooLarge = builder.stoppedByLimit() || (fault && fault->code == Code::TooLarge);
  issues.append(found);
  if (tooLarge) return fail(Code::TooLarge, "the JSON document is over a limit: " + found.list().back().text);
  if (found.hasErrors()) {
    const Issue& first = found.list().front();
    return fail(Code::Invalid, "the JSON document has " + std::to_string(found.list().size()) +
                                   " faults; the first, at line " + std::to_string(first.at.line) + " column " +
                                   std::to_string(first.at.column) + ": " + first.text);
  }
  return document;
}

}  // namespace lotsen::fhir
