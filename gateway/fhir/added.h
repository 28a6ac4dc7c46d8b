// What packages add to the R4 table beside rows: strings, type names, value sets. Private to gateway/fhir.
#pragma once

#include "gateway/fhir/r4_tables.h"

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace lotsen::fhir {

struct Schema::Added {
  std::deque<std::string> strings;  // ids go on after those of R4
  std::unordered_map<std::string_view, StringId> index;
  std::unordered_map<StringId, TypeId> types;                    // by short name and by canonical
  std::unordered_map<StringId, std::vector<CodeRow>> valueSets;  // sorted by code
};

}  // namespace lotsen::fhir
