#include "gateway/fhir/r4_tables.h"

#include "gateway/fhir/r4/types.h"

#include <algorithm>

namespace lotsen::fhir {

namespace {

// One literal of 324 kB is what this table is; the standard only promises 64 kB, both our compilers take more.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
constexpr char kPool[] = {
#include "gateway/fhir/r4/strings.inc"
};
#pragma GCC diagnostic pop
constexpr std::uint32_t kOffsets[] = {
#include "gateway/fhir/r4/offsets.inc"
};
constexpr std::uint16_t kStringIndex[] = {
#include "gateway/fhir/r4/string_index.inc"
};
constexpr std::uint16_t kPropertyIndex[] = {
#include "gateway/fhir/r4/property_index.inc"
};
constexpr Type kTypes[] = {
#include "gateway/fhir/r4/types.inc"
};
constexpr Shape kShapes[] = {
#include "gateway/fhir/r4/shapes.inc"
};
constexpr Property kProperties[] = {
#include "gateway/fhir/r4/properties.inc"
};
constexpr ElementDef kDefs[] = {
#include "gateway/fhir/r4/defs.inc"
};
constexpr TypeRef kTypeRefs[] = {
#include "gateway/fhir/r4/type_refs.inc"
};
constexpr Constraint kConstraints[] = {
#include "gateway/fhir/r4/constraints.inc"
};
constexpr StringId kTargets[] = {
#include "gateway/fhir/r4/targets.inc"
};
constexpr ValueSetRow kValueSets[] = {
#include "gateway/fhir/r4/value_sets.inc"
};
constexpr CodeRow kCodes[] = {
#include "gateway/fhir/r4/codes.inc"
};

constexpr R4Tables kTables{kPool, kOffsets,  kStringIndex, kPropertyIndex, kTypes,     kShapes, kProperties,
                           kDefs, kTypeRefs, kConstraints, kTargets,       kValueSets, kCodes};

static_assert(std::size(kTypes) == r4::kLastType + 1);

}  // namespace

const R4Tables& r4Tables() {
  return kTables;
}

std::optional<std::span<const CodeRow>> r4ValueSet(StringId url) {
  const std::span<const ValueSetRow> rows = kTables.valueSets;
  const auto row = std::lower_bound(rows.begin(), rows.end(), url,
                                    [](const ValueSetRow& candidate, StringId id) { return candidate.url < id; });
  if (url == kNone || row == rows.end() || row->url != url) return {};
  return kTables.codes.subspan(row->firstCode, row->codeCount);
}

}  // namespace lotsen::fhir
