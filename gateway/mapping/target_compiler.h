// One target of a rule: the place it goes to and the transform that makes its value. Used by: group_compiler.
// Thread rule: one thread. Failure rule: as in group_compiler.
#pragma once

#include "gateway/mapping/group_compiler.h"

namespace lotsen::mapping {

/// `implicit`: `src.a -> tgt.b;`, by the groups for the types. `sourceSlot` and `sourceType`: the rule's only source.
TargetPlan compileTarget(GroupCompiler& group, const TargetNode& node, bool implicit, Index sourceSlot,
                         const StaticType& sourceType);

}  // namespace lotsen::mapping
