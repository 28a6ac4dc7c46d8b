// What differs between two results of mapping one record, told by place and kind, never by value: the report of a
// what-if is read over many patients at once, and values would be a disclosure that nobody could log patient by
// patient. Used by: what_if.h. Thread rule: pure. Failure rule: none.
//
// Two things would drown what matters, and are taken out:
//   ids     a map makes ids from (record, maps, ordinal), so every one of them differs after any edit. A version 5 UUID
//           that does not stand in the original is such an id; two of them are equal when the one stands wherever the
//           other stood. A reference that now leads elsewhere is told.
//   places  the items of a list are paired by their content first, then by what they are (type of the resource, url,
//           system), then by their order: one new entry at the top of a Bundle is one difference and not a hundred.
// Rejected: comparing text line by line (order of members, ids), index by index (see above), a shortest edit script
// (its cost grows with the square, and what it saves is not legible).
#pragma once

#include "gateway/fhir/element.h"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace lotsen::service {

enum class Change : std::uint8_t {
  Value,    // both have the element, with different values
  Added,    // only the new result has it, with all that is inside
  Removed,  // only the old one has it
  Order,    // a list has the same items in another order
};

/// "value-changed", "added", "removed", "order-changed".
std::string_view name(Change change);

struct Difference {
  Change change = Change::Value;
  std::string path;  // FHIRPath without indexes: "Bundle.entry.resource.ofType(Patient).name.family"
};

struct Comparing {
  /// The UUIDs of the original: these are values, not ids that a map made.
  std::unordered_set<std::string> given;
  /// True if a path may show this extension's url: it stands in a map, so it is no data.
  std::function<bool(std::string_view url)> mayShow = [](std::string_view) { return false; };
};

/// Everything that looks like a UUID in a text.
std::unordered_set<std::string> uuidsIn(std::string_view text);

/// In the order of the old result; what is new comes after what was beside it. REQUIRES: one Schema, and both read by
/// the same reader (a result that was never written differs from itself in layout).
std::vector<Difference> differences(const fhir::Document& before, const fhir::Document& after,
                                    const Comparing& comparing);

/// "Bundle.entry[3].resource" to "Bundle.entry.resource".
std::string withoutIndexes(std::string_view path);

}  // namespace lotsen::service
