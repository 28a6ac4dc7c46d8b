#include "gateway/base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

namespace lotsen {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Kept from one word to the next.
struct Rows {
  std::vector<std::size_t> before, row, next;
};

/// Insertions, deletions, replacements and two neighbours in the wrong order ("scr" for "src") count one each.
std::size_t distance(std::string_view a, std::string_view b, Rows& rows) {
  auto& [before, row, next] = rows;
  before.resize(b.size() + 1);
  row.resize(b.size() + 1);
  next.resize(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const auto end = text.find(separator, at);
    parts.push_back(text.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

bool equalsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool isUtf8(std::string_view text, std::size_t* badAt) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  for (std::size_t i = 0; i < size;) {
    if (i + 8 <= size) {  // eight ASCII bytes a step; NUL and the rest go the careful way
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, 8);
      if (((word | (word - 0x0101010101010101U)) & 0x8080808080808080U) == 0) {
        i += 8;
        continue;
      }
    }
    const unsigned char c = bytes[i];
    std::size_t length = 1;
    bool good = c != 0;
    if (c >= 0x80) {
      length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
      good = c >= 0xc2 && c <= 0xf4 && i + length <= size;
      for (std::size_t k = 1; good && k < length; ++k) good = (bytes[i + k] & 0xc0) == 0x80;
      if (good && c == 0xe0) good = bytes[i + 1] >= 0xa0;
      if (good && c == 0xed) good = bytes[i + 1] <= 0x9f;
      if (good && c == 0xf0) good = bytes[i + 1] >= 0x90;
      if (good && c == 0xf4) good = bytes[i + 1] <= 0x8f;
    }
    if (!good) {
      if (badAt != nullptr) *badAt = i;
      return false;
    }
    i += length;
  }
  return true;
}

std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& candidates) {
  Rows rows;
  std::string_view best;
  std::size_t bestDistance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const auto candidate : candidates) {
    // The distance is at least the difference in length. Without this a name of megabytes in a record costs seconds.
    const std::size_t longer = std::max(wrong.size(), candidate.size());
    if (longer - std::min(wrong.size(), candidate.size()) >= bestDistance) continue;
    const auto d = distance(wrong, candidate, rows);
    if (d < bestDistance) {
      bestDistance = d;
      best = candidate;
    }
  }
  return best;
}

bool readFile(const std::string& path, std::string& out) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return false;
  out.clear();
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) out.append(buffer, n);
  return std::ferror(file.get()) == 0;
}

}  // namespace lotsen
