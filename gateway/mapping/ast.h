// The syntax tree of one map: what the text says, with positions, before any name is resolved.
// Used by: parser (makes it), compiler (resolves it). Thread rule: plain values. Failure rule: none, these are values.
//
// Grammar: the union of the published R4 and R5 forms (R4 mapping.g4, R5 FmlMapping.g4) and what the reference parser
// accepts beyond them: unbracketed conditions, double-quoted strings inside FHIRPath, `;` after `uses`, rule names as
// identifiers.
#pragma once

#include "gateway/definitions/concept_maps.h"
#include "gateway/fhir/element.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lotsen::mapping {

/// A name or any other piece of text and where it stands. Empty text: not written.
struct Name {
  std::string text;
  fhir::Position at;
  bool empty() const { return text.empty(); }
};

enum class LiteralKind : std::uint8_t { String, Integer, Decimal, Boolean, Date, DateTime, Time };

/// What stands where a value is wanted: 'text', src, src.name.family, or a FHIRPath expression.
struct Operand {
  enum class Kind : std::uint8_t { Literal, Path, Expression };
  Kind kind = Kind::Literal;
  LiteralKind literal = LiteralKind::String;
  Name text;                // the literal without quotes or '@'; the expression
  std::vector<Name> steps;  // Path: a variable or constant, then elements
};

struct Transform {
  Name name;  // "copy", "create" …; "evaluate" for an expression in brackets
  std::vector<Operand> arguments;
};

enum class SourceListMode : std::uint8_t { None, First, NotFirst, Last, NotLast, OnlyOne };
/// Single is R5's word for R4's `collate`.
enum class TargetListMode : std::uint8_t { None, First, Last, Share, Single };

struct SourceNode {
  std::vector<Name> path;  // the context variable, then elements
  Name type;
  std::optional<std::uint32_t> min;
  std::uint32_t max = 0;            // used with min; fhir::kUnbounded for *
  std::optional<Operand> fallback;  // `default`
  SourceListMode listMode = SourceListMode::None;
  Name variable;
  Name where;
  Name check;
  Name log;
  bool logIsText = false;  // log 'text': nothing of the record in it
};

struct TargetNode {
  std::vector<Name> path;  // the context variable, then elements; empty: a value without a place
  std::optional<Transform> transform;
  Name variable;
  TargetListMode listMode = TargetListMode::None;
  Name shareId;
  fhir::Position at;
};

/// `then Group(a, b)`
struct CallNode {
  Name group;
  std::vector<Operand> arguments;
};

struct RuleNode {
  std::vector<SourceNode> sources;
  std::vector<TargetNode> targets;
  std::vector<CallNode> calls;
  std::vector<RuleNode> rules;
  bool hasBody = false;   // `then { … }` was written, even if empty
  bool sameName = false;  // one of those that `src -> tgt: a, b;` stands for
  Name name;              // as written; the compiler makes one up from the source if it is empty
  fhir::Position at;
};

enum class InputMode : std::uint8_t { Source, Target };
enum class TypeMode : std::uint8_t { None, Types, TypeAndTypes };

struct InputNode {
  InputMode mode = InputMode::Source;
  Name name;
  Name type;
};

struct GroupNode {
  Name name;
  std::vector<InputNode> inputs;
  Name extends;
  TypeMode typeMode = TypeMode::None;
  std::vector<RuleNode> rules;
};

enum class ModelMode : std::uint8_t { Source, Queried, Target, Produced };

struct UsesNode {
  Name url;
  Name alias;
  ModelMode mode = ModelMode::Source;
};

struct ConstantNode {
  Name name;
  Name expression;
};

using definitions::Equivalence;

struct ConceptMapNode {
  struct Entry {
    std::string sourceSystem;
    std::string source;
    Equivalence equivalence = Equivalence::RelatedTo;
    std::string targetSystem;
    std::string target;
    fhir::Position at;
    std::string display = {};  // the rest: only in resources
    bool conditional = false;  // has dependsOn
  };
  Name id;  // without '#'
  std::vector<Entry> entries;
  std::vector<std::string> unmappedProvided;  // source systems whose unmapped codes go through as they are
  std::vector<definitions::ConceptMap::Unmapped> unmapped;  // other treatments: only in resources
};

struct MapNode {
  std::string file;
  Name url;
  Name name;
  std::vector<std::pair<Name, std::string>> metadata;  // `/// key = value`
  std::vector<UsesNode> uses;
  std::vector<Name> imports;
  std::vector<ConstantNode> constants;
  std::vector<ConceptMapNode> conceptMaps;
  std::vector<GroupNode> groups;
};

}  // namespace lotsen::mapping
