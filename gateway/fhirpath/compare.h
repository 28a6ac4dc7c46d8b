// Equality, equivalence and order of items: FHIRPath 2.0 §6.1-6.2.
// Used by: operators and set functions. Thread rule: as Machine. Failure rule: none; incomparable types are an answer.
#pragma once

#include "gateway/fhirpath/machine.h"

#include <span>

namespace lotsen::fhirpath {

Truth equalItems(Machine& machine, const Item& a, const Item& b);
Truth equalCollections(Machine& machine, std::span<const Item> a, std::span<const Item> b);
bool equivalentItems(Machine& machine, const Item& a, const Item& b);
bool equivalentCollections(Machine& machine, std::span<const Item> a, std::span<const Item> b);

enum class Ordering : std::uint8_t { Less, Equal, Greater, Unknown, Incomparable };
Ordering compareItems(Machine& machine, const Item& a, const Item& b);

bool contains(Machine& machine, std::span<const Item> items, const Item& wanted);
/// Equal items have equal hashes (equal as in `=`).
std::uint64_t hashOf(Machine& machine, const Item& item);

}  // namespace lotsen::fhirpath
