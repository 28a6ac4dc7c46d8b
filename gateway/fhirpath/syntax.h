// The syntax tree of an expression: what the text says, before names mean anything.
// Used by: the parser (makes it), the compiler (reads it). Thread rule: one thread. Failure rule: Invalid with line and
// column.
#pragma once

#include "gateway/base/result.h"
#include "gateway/fhir/element.h"
#include "gateway/fhirpath/arena.h"

#include <string_view>

namespace lotsen::fhirpath {

enum class SyntaxKind : std::uint8_t {
  EmptySet,  // {}
  Boolean,   // text: "true", "false"
  String,    // text: decoded
  Integer,
  Decimal,
  Date,
  DateTime,
  Time,
  Quantity,  // text: number; unit: UCUM code or calendar word
  External,  // %text
  Dollar,    // $this, $index, $total
  Name,      // text, on the implicit focus or (first child) on a focus
  Call,      // text(…): first child is the focus (or Implicit), the others are arguments
  Implicit,  // the focus that is not written
  Index,     // first[second]
  Unary,     // text: "+" or "-"
  Binary,    // text: the operator
  TypeTest,  // first is/as type; text: "is" or "as"; unit: the type's name with its namespace
};

struct Syntax {
  SyntaxKind kind = SyntaxKind::Implicit;
  bool quoted = false;  // a Name in backticks
  std::uint16_t depth = 1;
  std::string_view text;
  std::string_view unit;
  std::size_t offset = 0;
  Syntax* first = nullptr;  // children
  Syntax* next = nullptr;   // sibling
};

/// Owns the nodes. Their text points into the source, or into the caller's arena when it had to be decoded.
struct SyntaxTree {
  Arena nodes;
  std::size_t count = 0;
  Syntax* root = nullptr;
  std::size_t length = 0;  // bytes of the source that the expression takes
};

struct ParseOptions {
  /// End where the grammar ends instead of demanding the end of the text.
  bool prefix = false;
  /// A prefix ends at an `as` or `is` outside brackets: in FML `where (…) as v` goes on.
  bool stopAtAs = false;
};

/// Fills `tree`. `at` is the position of the text's first byte; `decoded` keeps strings that had escapes.
Status parse(std::string_view source, fhir::Position at, const ParseOptions& options, Arena& decoded, SyntaxTree& tree);

}  // namespace lotsen::fhirpath
