// From the slicing of a profile to the questions that tell its slices apart. Private to gateway/validation.
#pragma once

#include "gateway/validation/plan.h"

namespace lotsen::validation {

/// The conditions of the slice at `row`. Of a discriminator that says nothing about this slice there is none.
std::vector<Condition> conditionsOf(const definitions::Profile& profile, RowId row,
                                    const definitions::Definitions& definitions);

}  // namespace lotsen::validation
