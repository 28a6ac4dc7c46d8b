// What packages add to the R4 table beside rows: strings, type names, value sets. Private to gateway/fhir.
#pragma once

#include "gateway/fhir/r4_tables.h"

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace lotsen::fhir {

struct ValueSetContent {
  std::vector<CodeRow> codes;  // sorted by code
  std::vector<StringId> open;  // systems of which it may have other codes; kNone: any
  bool versioned = false;      // its versions are there under "url|version"
};

struct Schema::Content {
  std::span<const CodeRow> codes;
  std::span<const StringId> open;
};

struct Schema::Added {
  std::deque<std::string> strings;  // ids go on after those of R4
  std::unordered_map<std::string_view, StringId> index;
  std::unordered_map<StringId, TypeId> types;               // by short name and by canonical
  std::unordered_map<StringId, ValueSetContent> valueSets;  // by URL, and by URL and version
};

}  // namespace lotsen::fhir
