// The element tree: one node type for every resource, data type, logical model and source record. A Document owns the
// nodes in an arena; nothing is freed one by one. A node knows its definition (when its type is known), its place in
// the source file, and whether a mapping made something of it. Used by: json/xml forms, fhirpath, mapping, validation,
// transfer, letter. Thread rule: a Document belongs to one thread at a time. Failure rule: building never fails (memory
// is bounded by the limits of the reader that feeds it); navigation returns nullptr.
//
// Decimals, dates and all other primitives stay the text that came in (design.md D4). Values live in the arena, so a
// Document does not need its source bytes. Siblings of one name are always adjacent, in their order: a list is a run of
// nodes.
#pragma once

#include "gateway/fhir/schema.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace lotsen::fhir {

struct Position {
  std::uint32_t line = 0;    // from 1; 0: made by us, not read
  std::uint32_t column = 0;  // from 1, in bytes
};

/// What kind of JSON token an untyped primitive was, so that it is written back the same way.
enum class Token : std::uint8_t { None, String, Number, Boolean };

struct Element {
  Element* parent = nullptr;
  Element* first = nullptr;  // children; same-named ones are adjacent
  Element* last = nullptr;
  Element* next = nullptr;
  Element* runLast = nullptr;  // on the first of a run of same-named siblings: the last of the run
  const char* data = nullptr;  // primitive value, text exactly as in the source; nullptr: no value
  std::uint32_t size = 0;
  NameId name = kNone;  // "value" for valueQuantity; a root carries its type's name
  TypeId type = kNone;  // concrete type; kNone: untyped
  DefId def = kNone;    // kNone: untyped, or a root
  Position at;
  Token token = Token::None;
  bool listed = false;           // untyped: stood in a JSON array
  bool isResource = false;       // carries resourceType (JSON) or is an element named after its type (XML)
  mutable bool touched = false;  // a rule of a mapping made something of this value (loss account)

  bool hasValue() const { return data != nullptr; }
  std::string_view value() const { return {data, size}; }
  bool empty() const { return data == nullptr && first == nullptr; }
};

class Document {
 public:
  explicit Document(std::shared_ptr<const Schema> schema);
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  const Schema& schema() const { return *schema_; }
  const std::shared_ptr<const Schema>& sharedSchema() const { return schema_; }

  Element* root() { return root_; }
  const Element* root() const { return root_; }

  /// A new root of this type ("Bundle"); the first one made is root(). Further roots are detached trees in the same
  /// arena.
  Element* createRoot(TypeId type);
  /// An untyped root (a source record of an unknown structure).
  Element* createUntypedRoot();

  /// A new child of `parent` for the property; placed after the last sibling of the same name, else at the end. The
  /// cost grows with the number of different names under `parent`, not with the length of its lists.
  Element* append(Element* parent, const Property& property);
  /// A new untyped child.
  Element* append(Element* parent, NameId name);
  /// Puts a detached node (a root made here, or a clone) under `parent` as `property`; its type stays.
  void attach(Element* parent, const Property& property, Element* node);
  /// A deep copy in this arena, detached. `from` may belong to another Document of the same Schema.
  Element* clone(const Document& owner, const Element* from);
  void remove(Element* node);

  /// Copies the bytes into the arena.
  void setValue(Element* node, std::string_view text);
  std::string_view store(std::string_view text);
  /// `size` bytes of the arena, for a caller that fills them (readers decode in place there).
  char* allocate(std::size_t size);

  NameId intern(std::string_view name);  // Schema name, else a local one
  std::string_view nameText(NameId name) const;

  std::size_t bytes() const;  // arena bytes in use

 private:
  struct Arena;
  Element* create(NameId name, TypeId type, DefId def);
  static void insert(Element* parent, Element* node);
  std::shared_ptr<const Schema> schema_;
  std::unique_ptr<Arena> arena_;
  Element* root_ = nullptr;
};

/// First child of that name, or nullptr.
const Element* child(const Element* parent, NameId name);
inline Element* child(Element* parent, NameId name) {
  return const_cast<Element*>(child(static_cast<const Element*>(parent), name));
}
/// By text, for code that is not hot: child(doc, patient, "birthDate").
const Element* child(const Document& document, const Element* parent, std::string_view name);
/// Value of a path of first children, "code.coding.code"; empty if there is none.
std::string_view valueAt(const Document& document, const Element* from, std::string_view path);
/// "Bundle.entry[0].resource.ofType(Patient).name[1].family" style FHIRPath of a node, indexes only where the element
/// may repeat.
std::string pathOf(const Document& document, const Element* node);

}  // namespace lotsen::fhir
