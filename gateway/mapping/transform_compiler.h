// The transform of a target: its arguments, what it makes, and what is known of that. Used by: target_compiler,
// group_compiler. Thread rule: one thread. Failure rule: as in group_compiler.
#pragma once

#include "gateway/mapping/group_compiler.h"

#include <string>
#include <string_view>

namespace lotsen::mapping {

bool isTransform(std::string_view name);

struct CompiledTransform {
  StaticType result;
  const std::string* constant = nullptr;  // its text, if it is known now
  bool isElement = false;                 // can be filled, not only written somewhere
};

/// Fills the parts of `plan` that the transform needs. `sourceSlot` and `sourceType`: the rule's only source.
CompiledTransform compileTransform(GroupCompiler& group, const Transform& transform, TargetPlan& plan, Index sourceSlot,
                                   const StaticType& sourceType);

}  // namespace lotsen::mapping
