// Item: one member of a collection while it is evaluated, 16 bytes, freely copied. Arena: where the bytes behind items
// live. Used by: the evaluator only; callers see Value (fhirpath.h). Thread rule: one thread per arena. Failure rule:
// an arena over its limit hands out memory once more and says so by overLimit(); the evaluator then stops.
#pragma once

#include "gateway/fhir/element.h"
#include "gateway/fhirpath/decimal.h"
#include "gateway/fhirpath/units.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lotsen::fhirpath {

enum class ItemKind : std::uint8_t { Node, Boolean, Integer, Decimal, String, Date, DateTime, Time, Quantity, Type };

struct TypeName {  // what type() returns
  std::string_view space;
  std::string_view name;
};

struct Item {
  ItemKind kind = ItemKind::Node;
  bool truth = false;      // Boolean
  std::uint32_t size = 0;  // String, Date, DateTime, Time: bytes at data
  union {
    const fhir::Element* node = nullptr;
    std::int64_t integer;
    const char* data;
    const Decimal* decimal;
    const Quantity* quantity;
    const TypeName* type;
  };

  std::string_view text() const { return {data, size}; }
  bool isText() const { return kind >= ItemKind::String && kind <= ItemKind::Time; }
  bool isTemporal() const { return kind >= ItemKind::Date && kind <= ItemKind::Time; }
  bool isNumber() const { return kind == ItemKind::Integer || kind == ItemKind::Decimal; }

  static Item of(const fhir::Element* node) {
    Item item;
    item.node = node;
    return item;
  }
  static Item of(bool truth) {
    Item item;
    item.kind = ItemKind::Boolean;
    item.truth = truth;
    return item;
  }
  static Item ofInteger(std::int64_t value) {
    Item item;
    item.kind = ItemKind::Integer;
    item.integer = value;
    return item;
  }
  static Item ofText(ItemKind kind, std::string_view text) {
    Item item;
    item.kind = kind;
    item.data = text.data();
    item.size = static_cast<std::uint32_t>(text.size());
    return item;
  }
  static Item of(const Decimal* value) {
    Item item;
    item.kind = ItemKind::Decimal;
    item.decimal = value;
    return item;
  }
  static Item of(const Quantity* value) {
    Item item;
    item.kind = ItemKind::Quantity;
    item.quantity = value;
    return item;
  }
  static Item of(const TypeName* value) {
    Item item;
    item.kind = ItemKind::Type;
    item.type = value;
    return item;
  }
};

class Arena {
 public:
  std::string_view store(std::string_view text) {
    if (text.empty()) return std::string_view("", 0);
    char* copy = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }
  template <typename T>
  const T* make(const T& value) {
    static_assert(std::is_trivially_destructible_v<T>);
    return ::new (allocate(sizeof(T), alignof(T))) T(value);
  }
  void* allocate(std::size_t size, std::size_t alignment) {
    std::size_t start = (used_ + alignment - 1) / alignment * alignment;
    if (current_ >= blocks_.size() || start + size > blocks_[current_].size) {
      grow(size);
      start = 0;
    }
    used_ = start + size;
    return blocks_[current_].bytes.get() + start;
  }
  void reset() {
    current_ = 0;
    used_ = 0;
    filled_ = 0;
  }
  /// Bytes handed out since the last reset.
  std::size_t bytes() const { return filled_ + used_; }

  struct Mark {
    std::size_t block, used, filled;
  };
  Mark mark() const { return {current_, used_, filled_}; }
  void rewind(const Mark& mark) {
    current_ = mark.block;
    used_ = mark.used;
    filled_ = mark.filled;
  }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };
  static constexpr std::size_t kBlock = 16 * 1024;  // new[] aligns it for everything

  void grow(std::size_t size) {
    filled_ += used_;
    used_ = 0;
    if (current_ < blocks_.size()) ++current_;
    if (current_ < blocks_.size() && blocks_[current_].size >= size) return;
    Block block;
    block.size = size > kBlock ? size : kBlock;
    block.bytes = std::make_unique_for_overwrite<std::byte[]>(block.size);
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(current_), std::move(block));
  }

  std::vector<Block> blocks_;
  std::size_t current_ = 0;
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace lotsen::fhirpath
