// The rules of a group: sources, targets, transforms, nested rules and calls. Used by: parser.
// Thread rule: one thread. Failure rule: after a fault it goes on at the next rule.
#pragma once

#include "gateway/mapping/token_cursor.h"

#include <vector>

namespace lotsen::mapping {

/// Reads rules up to the '}' that ends the block (not consumed) and appends them to `list`.
void parseRules(TokenCursor& cursor, std::vector<RuleNode>& list);

}  // namespace lotsen::mapping
