// Where a FHIRPath expression inside a map ends. FML puts FHIRPath into its own text without always bracketing it
// (`where type = 'author' -> …`), so the parser must know how far it reaches before the FHIRPath engine sees it.
// Used by: parser. Thread rule: pure. Failure rule: a token that cannot stand where it stands is reported with what was
// expected.
//
// The scanner alternates operands and operators and understands brackets; it judges nothing else. Rejected: handing the
// rest of the file to the FHIRPath parser, because names there resolve to variables that are known only when the whole
// map is parsed, and because FML allows "double-quoted" strings, which FHIRPath reads as names.
#pragma once

#include "gateway/mapping/lexer.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::mapping {

struct ExpressionExtent {
  bool ok = false;
  std::size_t end =
      0;  // index of the first token after the expression; if not ok, of the token that cannot stand there
  std::string_view expected;  // if not ok
};

/// `asIsAlias`: an `as` outside brackets belongs to the map (`tgt.x = a & b as y`), not to the expression.
ExpressionExtent scanExpression(const std::vector<Token>& tokens, std::size_t from, bool asIsAlias);

/// The expression as FHIRPath wants it: "double-quoted" strings become 'single-quoted' ones, of the same length where
/// possible.
std::string expressionText(std::string_view source, const std::vector<Token>& tokens, std::size_t from,
                           std::size_t end);

/// year, days … : with a number in front it is a quantity.
bool isCalendarUnit(const Token& token);

/// True if the token may go on with an expression after an operand: an operator, a dot or a bracket.
bool continuesExpression(const Token& token);

}  // namespace lotsen::mapping
