#include "gateway/fhir/element.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <unordered_map>

namespace lotsen::fhir {

/// Blocks that grow with use; nothing in them is freed alone, and nothing in them has a destructor.
struct Document::Arena {
  static constexpr std::size_t kFirstBlock = 16 * 1024;
  static constexpr std::size_t kLargestBlock = 1024 * 1024;

  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  void* take(std::size_t size, std::size_t alignment) {
    std::size_t gap = gapAt(next, alignment);
    if (static_cast<std::size_t>(end - next) < gap + size) {
      grow(size + alignment);
      gap = gapAt(next, alignment);
    }
    char* at = next + gap;
    next = at + size;
    return at;
  }

  /// Bytes from `place` to the next aligned one. REQUIRES: a power of two.
  static std::size_t gapAt(const char* place, std::size_t alignment) {
    return (alignment - (reinterpret_cast<std::uintptr_t>(place) & (alignment - 1))) & (alignment - 1);
  }

  void grow(std::size_t least) {
    const std::size_t usual = blocks.empty() ? kFirstBlock : std::min(kLargestBlock, blocks.back().size * 2);
    const std::size_t size = std::max(usual, least);
    if (!blocks.empty()) full += blocks.back().size - static_cast<std::size_t>(end - next);
    blocks.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    next = blocks.back().bytes.get();
    end = next + size;
  }

  std::size_t used() const {
    return blocks.empty() ? 0 : full + blocks.back().size - static_cast<std::size_t>(end - next);
  }

  std::vector<Block> blocks;
  char* next = nullptr;
  char* end = nullptr;
  std::size_t full = 0;  // bytes used in all blocks but the last
  std::vector<std::string_view> localNames;
  std::unordered_map<std::string_view, NameId> localIndex;
};

Document::Document(std::shared_ptr<const Schema> schema)
    : schema_(std::move(schema)), arena_(std::make_unique<Arena>()) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Element* Document::create(NameId name, TypeId type, DefId def) {
  auto* node = new (arena_->take(sizeof(Element), alignof(Element))) Element;
  node->runLast = node;
  node->name = name;
  node->type = type;
  node->def = def;
  return node;
}

void Document::insert(Element* parent, Element* node) {
  node->parent = parent;
  node->runLast = node;
  node->next = nullptr;
  if (parent->first == nullptr) {
    parent->first = parent->last = node;
    return;
  }
  for (Element* run = parent->first; run != nullptr; run = run->runLast->next) {
    if (run->name != node->name) continue;
    Element* before = run->runLast;
    node->next = before->next;
    before->next = node;
    run->runLast = node;
    if (parent->last == before) parent->last = node;
    return;
  }
  parent->last->next = node;
  parent->last = node;
}

Element* Document::createRoot(TypeId type) {
  Element* node = create(schema_->type(type).name, type, kNone);
  node->isResource = schema_->type(type).kind == TypeKind::Resource;
  if (root_ == nullptr) root_ = node;
  return node;
}

Element* Document::createUntypedRoot() {
  Element* node = create(kNone, kNone, kNone);
  if (root_ == nullptr) root_ = node;
  return node;
}

Element* Document::append(Element* parent, const Property& property) {
  const NameId name = property.def == kNone ? property.name : schema_->def(property.def).name;
  Element* node = create(name, property.type, property.def);
  insert(parent, node);
  return node;
}

Element* Document::append(Element* parent, NameId name) {
  Element* node = create(name, kNone, kNone);
  insert(parent, node);
  return node;
}

void Document::attach(Element* parent, const Property& property, Element* node) {
  node->name = property.def == kNone ? property.name : schema_->def(property.def).name;
  node->def = property.def;
  insert(parent, node);
}

Element* Document::clone(const Document& owner, const Element* from) {
  const bool own = &owner == this;
  const NameId name = own || from->name < kLocalNames ? from->name : intern(owner.nameText(from->name));
  Element* copy = create(name, from->type, from->def);
  if (from->data != nullptr) {
    const std::string_view text = own ? from->value() : store(from->value());
    copy->data = text.data();
    copy->size = from->size;
  }
  copy->at = from->at;
  copy->token = from->token;
  copy->listed = from->listed;
  copy->isResource = from->isResource;
  copy->touched = from->touched;
  Element* run = nullptr;
  for (const Element* child = from->first; child != nullptr; child = child->next) {
    Element* node = clone(owner, child);
    node->parent = copy;
    (copy->last == nullptr ? copy->first : copy->last->next) = node;
    copy->last = node;
    if (run == nullptr || run->name != node->name) run = node;
    run->runLast = node;
  }
  return copy;
}

void Document::remove(Element* node) {
  Element* parent = node->parent;
  if (parent == nullptr) return;
  Element* before = nullptr;
  Element* run = parent->first;  // the first of the run that holds `before`, then that of `node`
  for (Element* at = parent->first; at != node; at = at->next) {
    if (at->name != run->name) run = at;
    before = at;
  }
  if (before == nullptr || before->name != node->name) {  // first of its run: the next one takes over
    if (node->runLast != node) node->next->runLast = node->runLast;
  } else if (run->runLast == node) {
    run->runLast = before;
  }
  (before == nullptr ? parent->first : before->next) = node->next;
  if (parent->last == node) parent->last = before;
  node->parent = nullptr;
  node->next = nullptr;
  node->runLast = node;
}

std::string_view Document::store(std::string_view text) {
  char* bytes = allocate(text.size() + 1);  // never nullptr, so that an empty value is still a value
  if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

void Document::setValue(Element* node, std::string_view text) {
  const std::string_view stored = store(text);
  node->data = stored.data();
  node->size = static_cast<std::uint32_t>(stored.size());
}

char* Document::allocate(std::size_t size) {
  return static_cast<char*>(arena_->take(size, 1));
}

NameId Document::intern(std::string_view name) {
  if (const NameId known = schema_->findName(name); known != kNone) return known;
  if (const auto found = arena_->localIndex.find(name); found != arena_->localIndex.end()) return found->second;
  const auto id = kLocalNames + static_cast<NameId>(arena_->localNames.size());
  const std::string_view stored = store(name);
  arena_->localNames.push_back(stored);
  arena_->localIndex.emplace(stored, id);
  return id;
}

std::string_view Document::nameText(NameId name) const {
  return name < kLocalNames ? schema_->nameText(name) : arena_->localNames[name - kLocalNames];
}

std::size_t Document::bytes() const {
  return arena_->used();
}

const Element* child(const Element* parent, NameId name) {
  for (const Element* run = parent->first; run != nullptr; run = run->runLast->next) {
    if (run->name == name) return run;
  }
  return nullptr;
}

const Element* child(const Document& document, const Element* parent, std::string_view name) {
  if (const NameId known = document.schema().findName(name); known != kNone) return child(parent, known);
  for (const Element* run = parent->first; run != nullptr; run = run->runLast->next) {
    if (document.nameText(run->name) == name) return run;
  }
  return nullptr;
}

std::string_view valueAt(const Document& document, const Element* from, std::string_view path) {
  while (from != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    from = child(document, from, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return from == nullptr ? std::string_view{} : from->value();
}

namespace {

/// ".name[1]", ".resource.ofType(Patient)"
std::string step(const Document& document, const Element* node) {
  const Schema& schema = document.schema();
  std::string text = "." + std::string(document.nameText(node->name));
  const Element* run = child(node->parent, node->name);
  const ElementDef& def = schema.def(node->def);
  const bool repeats = node->def == kNone ? node->listed || run->runLast != run : def.max != 1;
  if (repeats) {
    std::size_t index = 0;
    for (const Element* at = run; at != node; at = at->next) ++index;
    text += "[" + std::to_string(index) + "]";
  }
  if (node->type != kNone && (node->isResource || def.choice)) {
    text += ".ofType(" + std::string(schema.nameText(schema.type(node->type).name)) + ")";
  }
  return text;
}

}  // namespace

std::string pathOf(const Document& document, const Element* node) {
  std::vector<const Element*> way;
  for (; node != nullptr && node->parent != nullptr; node = node->parent) way.push_back(node);
  if (node == nullptr) return {};
  std::string path(node->name == kNone ? std::string_view("%root") : document.nameText(node->name));
  for (auto at = way.rbegin(); at != way.rend(); ++at) path += step(document, *at);
  return path;
}

}  // namespace lotsen::fhir
