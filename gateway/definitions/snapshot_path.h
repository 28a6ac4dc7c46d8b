// Ids and paths of elements, step by step. Private to definitions.
#pragma once

#include <string_view>
#include <vector>

namespace lotsen::definitions {

inline constexpr std::string_view kChoice = "[x]";

struct Step {
  std::string_view name, slice;  // "identifier", "pnr"; no slice: empty
};

/// "Patient.identifier:pnr.system" in three steps.
std::vector<Step> stepsOf(std::string_view dotted);

/// Whether an id names the elements that the path does: "value[x]:valueQuantity" is "valueQuantity" too.
bool agree(const std::vector<Step>& id, const std::vector<Step>& path, std::string_view sliceName);

inline bool isExtensionName(std::string_view segment) {
  return segment == "extension" || segment == "modifierExtension";
}

}  // namespace lotsen::definitions
