// Memory that is handed out piece by piece and freed as a whole: what items, plans and syntax trees point to.
// Used by: this folder. Thread rule: one thread while it grows; reading is free. Failure rule: none here; the evaluator
// compares bytes() with its limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lotsen::fhirpath {

class Arena {
 public:
  std::string_view store(std::string_view text) {
    if (text.empty()) return "";
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
  void reset() { rewind({0, 0, 0}); }
  /// Bytes taken since the last reset, with what was left over at the ends of blocks.
  std::size_t bytes() const { return filled_ + used_; }

  struct Mark {
    std::size_t block, used, filled;
  };
  Mark mark() const { return {current_, used_, filled_}; }
  void rewind(const Mark& mark) {
    current_ = mark.block;
    used_ = mark.used;
    filled_ = mark.filled;
    // Blocks of the usual size are kept for the next evaluation, large ones are not.
    const auto unused = blocks_.begin() + static_cast<std::ptrdiff_t>(used_ == 0 ? current_ : current_ + 1);
    if (unused < blocks_.end())
      blocks_.erase(std::remove_if(unused, blocks_.end(), [](const Block& block) { return block.size > kBlock; }),
                    blocks_.end());
  }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };
  // The first block is small, because most expressions need little and many plans are kept; new[] aligns it for
  // everything.
  static constexpr std::size_t kFirstBlock = 1000;
  static constexpr std::size_t kBlock = 16 * 1024;

  void grow(std::size_t size) {
    if (current_ < blocks_.size()) filled_ += blocks_[current_++].size;
    used_ = 0;
    if (current_ < blocks_.size() && blocks_[current_].size >= size) return;
    Block block;
    block.size = std::max(size, blocks_.empty() ? kFirstBlock : kBlock);
    block.bytes = std::make_unique_for_overwrite<std::byte[]>(block.size);
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(current_), std::move(block));
  }

  std::vector<Block> blocks_;
  std::size_t current_ = 0;
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace lotsen::fhirpath
