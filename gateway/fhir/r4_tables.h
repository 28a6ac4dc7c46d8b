// The generated R4 rows as spans: private to gateway/fhir. Their form is that of schema.h; the string and property
// indexes are open-addressing tables with linear probing whose hash functions stand in ops/dev/generate-r4 and below.
#pragma once

#include "gateway/fhir/schema.h"

#include <cstring>
#include <optional>
#include <span>

namespace lotsen::fhir {

struct ValueSetRow {
  StringId url = kNone;
  std::uint32_t firstCode = 0;
  std::uint32_t codeCount = 0;
};

struct CodeRow {
  StringId code = kNone;  // rows of a value set are sorted by this
  StringId system = kNone;
};

struct R4Tables {
  const char* pool;                        // all strings, one after the other
  std::span<const std::uint32_t> offsets;  // one more than there are strings
  std::span<const std::uint16_t> stringIndex;
  std::span<const std::uint16_t> propertyIndex;
  std::span<const Type> types;
  std::span<const Shape> shapes;
  std::span<const Property> properties;
  std::span<const ElementDef> defs;
  std::span<const TypeRef> typeRefs;
  std::span<const Constraint> constraints;
  std::span<const StringId> targets;
  std::span<const ValueSetRow> valueSets;
  std::span<const CodeRow> codes;
};

const R4Tables& r4Tables();

/// The codes of a value set of R4, sorted by code; nullopt if the table does not list it.
std::optional<std::span<const CodeRow>> r4ValueSet(StringId url);

inline std::uint64_t hashText(std::string_view text) {
  std::uint64_t hash = text.size() * 0x9E3779B97F4A7C15U;
  const char* at = text.data();
  for (std::size_t left = text.size(); left > 0;) {
    const std::size_t count = left < 8 ? left : 8;
    std::uint64_t word = 0;
    if (count == 8) {
      std::memcpy(&word, at, 8);
    } else {
      for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
    }
    hash = (hash ^ word) * 0xD6E8FEB86659FD93U;
    hash ^= hash >> 32;
    at += count;
    left -= count;
  }
  return hash;
}

inline std::uint64_t hashPair(ShapeId shape, NameId name) {
  const std::uint64_t hash = (std::uint64_t{shape} << 32 | name) * 0xD6E8FEB86659FD93U;
  return hash ^ hash >> 32;
}

}  // namespace lotsen::fhir
