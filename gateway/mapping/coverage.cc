#include "gateway/mapping/coverage.h"

#include "gateway/mapping/ast.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace lotsen::mapping {

namespace {

// The order of enumerators in ast.h is the order of their names here.
constexpr std::array<std::string_view, 4> kModelModes = {"source", "queried", "target", "produced"};
constexpr std::array<std::string_view, 10> kEquivalences = {"relatedto", "equal",   "equivalent", "wider",
                                                            "subsumes",  "inexact", "narrower",   "specializes",
                                                            "unmatched", "disjoint"};
constexpr std::array<std::string_view, 6> kSourceModes = {"", "first", "not_first", "last", "not_last", "only_one"};
constexpr std::array<std::string_view, 5> kTargetModes = {"", "first", "last", "share", "single"};
constexpr std::array<std::string_view, 7> kLiterals = {"string", "integer",  "decimal", "boolean",
                                                       "date",   "dateTime", "time"};

constexpr Construct kConstructs[] = {
    {"map", "url and name"},
    {"map", "metadata"},
    {"uses", "source"},
    {"uses", "queried"},
    {"uses", "target"},
    {"uses", "produced"},
    {"uses", "alias"},
    {"imports", "one map"},
    {"imports", "wildcard"},
    {"let", "constant"},
    {"conceptmap", "inline"},
    {"conceptmap", "unmapped provided"},
    {"equivalence", kEquivalences[0]},
    {"equivalence", kEquivalences[1]},
    {"equivalence", kEquivalences[2]},
    {"equivalence", kEquivalences[3]},
    {"equivalence", kEquivalences[4]},
    {"equivalence", kEquivalences[5]},
    {"equivalence", kEquivalences[6]},
    {"equivalence", kEquivalences[7]},
    {"equivalence", kEquivalences[8]},
    {"equivalence", kEquivalences[9]},
    {"group", "source parameter"},
    {"group", "target parameter"},
    {"group", "typed parameter"},
    {"group", "untyped parameter"},
    {"group", "extends"},
    {"group", "<<types>>"},
    {"group", "<<type+>>"},
    {"rule", "name"},
    {"rule", "several sources"},
    {"rule", "several targets"},
    {"rule", "no target"},
    {"rule", "by the types alone"},
    {"rule", "of several elements"},
    {"rule", "then group"},
    {"rule", "then several groups"},
    {"rule", "then rules"},
    {"rule", "then group and rules"},
    {"source", "variable"},
    {"source", "element"},
    {"source", "type"},
    {"source", "cardinality"},
    {"source", "cardinality *"},
    {"source", "default"},
    {"source", "alias"},
    {"source", "where"},
    {"source", "check"},
    {"source", "log"},
    {"source list mode", kSourceModes[1]},
    {"source list mode", kSourceModes[2]},
    {"source list mode", kSourceModes[3]},
    {"source list mode", kSourceModes[4]},
    {"source list mode", kSourceModes[5]},
    {"target", "variable"},
    {"target", "element"},
    {"target", "element of an element"},
    {"target", "no place"},
    {"target", "made without a value"},
    {"target", "alias"},
    {"target list mode", kTargetModes[1]},
    {"target list mode", kTargetModes[2]},
    {"target list mode", kTargetModes[3]},
    {"target list mode", kTargetModes[4]},
    {"transform", "create"},
    {"transform", "copy"},
    {"transform", "truncate"},
    {"transform", "escape"},
    {"transform", "cast"},
    {"transform", "append"},
    {"transform", "translate"},
    {"transform", "reference"},
    {"transform", "dateOp"},
    {"transform", "uuid"},
    {"transform", "pointer"},
    {"transform", "evaluate"},
    {"transform", "cc"},
    {"transform", "c"},
    {"transform", "qty"},
    {"transform", "id"},
    {"transform", "cp"},
    {"transform", "toDate"},
    {"transform", "toDateTime"},
    {"transform", "toTime"},
    {"transform", "unixToDate"},
    {"transform", "unixToDateTime"},
    {"transform", "unixToTime"},
    {"argument", kLiterals[0]},
    {"argument", kLiterals[1]},
    {"argument", kLiterals[2]},
    {"argument", kLiterals[3]},
    {"argument", kLiterals[4]},
    {"argument", kLiterals[5]},
    {"argument", kLiterals[6]},
    {"argument", "variable"},
    {"argument", "path"},
    {"argument", "expression"},
};

template <typename Enum>
std::size_t at(Enum value) {
  return static_cast<std::size_t>(value);
}

class Walk {
 public:
  explicit Walk(std::vector<std::uint64_t>& counts) : counts_(counts) {}

  void map(const MapNode& map) {
    use("map", "url and name", !map.url.empty());
    use("map", "metadata", !map.metadata.empty());
    for (const UsesNode& uses : map.uses) {
      use("uses", kModelModes[at(uses.mode)]);
      use("uses", "alias", !uses.alias.empty());
    }
    for (const Name& url : map.imports)
      use("imports", url.text.find('*') == std::string::npos ? "one map" : "wildcard");
    for (const ConstantNode& constant : map.constants) use("let", "constant", !constant.name.empty());
    for (const ConceptMapNode& table : map.conceptMaps) {
      use("conceptmap", "inline");
      use("conceptmap", "unmapped provided", !table.unmappedProvided.empty());
      for (const ConceptMapNode::Entry& entry : table.entries) use("equivalence", kEquivalences[at(entry.equivalence)]);
    }
    for (const GroupNode& each : map.groups) group(each);
  }

 private:
  void use(std::string_view kind, std::string_view name, bool really = true) {
    if (!really) return;
    const auto found = std::find(std::begin(kConstructs), std::end(kConstructs), Construct{kind, name});
    if (found == std::end(kConstructs)) return;  // the parser takes any word for a transform, the compiler refuses it
    ++counts_[static_cast<std::size_t>(found - std::begin(kConstructs))];
  }

  void group(const GroupNode& group) {
    for (const InputNode& input : group.inputs) {
      use("group", input.mode == InputMode::Source ? "source parameter" : "target parameter");
      use("group", input.type.empty() ? "untyped parameter" : "typed parameter");
    }
    use("group", "extends", !group.extends.empty());
    use("group", "<<types>>", group.typeMode == TypeMode::Types);
    use("group", "<<type+>>", group.typeMode == TypeMode::TypeAndTypes);
    for (const RuleNode& each : group.rules) rule(each);
  }

  void rule(const RuleNode& rule) {
    use("rule", "name", !rule.name.empty());
    use("rule", "several sources", rule.sources.size() > 1);
    use("rule", "several targets", rule.targets.size() > 1);
    use("rule", "no target", rule.targets.empty());
    // src.a -> tgt.b; : one source, one target, nothing said about how
    use("rule", "by the types alone",
        rule.sources.size() == 1 && rule.targets.size() == 1 && !rule.targets[0].transform &&
            rule.targets[0].variable.empty() && rule.targets[0].path.size() > 1 && rule.calls.empty() && !rule.hasBody);
    use("rule", "of several elements", rule.sameName);
    use("rule", "then group", !rule.calls.empty());
    use("rule", "then several groups", rule.calls.size() > 1);
    use("rule", "then rules", rule.hasBody);
    use("rule", "then group and rules", rule.hasBody && !rule.calls.empty());
    for (const SourceNode& each : rule.sources) source(each);
    for (const TargetNode& each : rule.targets) target(each);
    for (const CallNode& call : rule.calls) {
      for (const Operand& each : call.arguments) argument(each);
    }
    for (const RuleNode& each : rule.rules) this->rule(each);
  }

  void source(const SourceNode& source) {
    use("source", source.path.size() > 1 ? "element" : "variable");
    use("source", "type", !source.type.empty());
    use("source", "cardinality", source.min.has_value());
    use("source", "cardinality *", source.min.has_value() && source.max == fhir::kUnbounded);
    use("source", "default", source.fallback.has_value());
    use("source", "alias", !source.variable.empty());
    use("source", "where", !source.where.empty());
    use("source", "check", !source.check.empty());
    use("source", "log", !source.log.empty());
    use("source list mode", kSourceModes[at(source.listMode)], source.listMode != SourceListMode::None);
    if (source.fallback) argument(*source.fallback);
  }

  void target(const TargetNode& target) {
    use("target", target.path.empty()       ? "no place"
                  : target.path.size() == 1 ? "variable"
                  : target.path.size() == 2 ? "element"
                                            : "element of an element");
    use("target", "made without a value", !target.transform && target.path.size() > 1 && !target.variable.empty());
    use("target", "alias", !target.variable.empty());
    use("target list mode", kTargetModes[at(target.listMode)], target.listMode != TargetListMode::None);
    if (!target.transform) return;
    use("transform", target.transform->name.text);
    for (const Operand& each : target.transform->arguments) argument(each);
  }

  void argument(const Operand& operand) {
    switch (operand.kind) {
      case Operand::Kind::Literal: use("argument", kLiterals[at(operand.literal)]); return;
      case Operand::Kind::Path: use("argument", operand.steps.size() > 1 ? "path" : "variable"); return;
      case Operand::Kind::Expression: use("argument", "expression"); return;
    }
  }

  std::vector<std::uint64_t>& counts_;
};

}  // namespace

std::span<const Construct> constructs() {
  return kConstructs;
}

GrammarCoverage::GrammarCoverage() : counts_(std::size(kConstructs)) {}

void GrammarCoverage::add(const MapNode& map) {
  Walk(counts_).map(map);
}

std::size_t GrammarCoverage::used() const {
  return counts_.size() - static_cast<std::size_t>(std::count(counts_.begin(), counts_.end(), 0U));
}

FieldCoverage::FieldCoverage(const fhir::Schema& schema, fhir::TypeId model) {
  if (model == fhir::kNone) return;
  root_ = schema.nameText(schema.type(model).name);
  std::vector<fhir::ShapeId> inside;
  fields(schema, root_, schema.type(model).shape, inside);
}

void FieldCoverage::fields(const fhir::Schema& schema, const std::string& path, fhir::ShapeId shape,
                           std::vector<fhir::ShapeId>& inside) {
  if (std::find(inside.begin(), inside.end(), shape) != inside.end()) return;  // a model that contains itself
  inside.push_back(shape);
  for (const fhir::Property& property : schema.properties(shape)) {
    const fhir::ElementDef& def = schema.def(property.def);
    const std::string name = path + "." + std::string(schema.nameText(def.name));
    if (def.shape == fhir::kNone) {
      used_.try_emplace(name, false);
    } else {
      fields(schema, name, def.shape, inside);
    }
  }
  inside.pop_back();
}

void FieldCoverage::add(const fhir::Document& record) {
  if (record.root() != nullptr) use(record, root_, record.root());
}

void FieldCoverage::use(const fhir::Document& record, const std::string& path, const fhir::Element* node) {
  const auto found = used_.find(path);
  if (found != used_.end()) {
    found->second = true;
    return;
  }
  for (const fhir::Element* child = node->first; child != nullptr; child = child->next)
    use(record, path + "." + std::string(record.nameText(child->name)), child);
}

std::vector<std::string> FieldCoverage::unused() const {
  std::vector<std::string> paths;
  for (const auto& [path, used] : used_) {
    if (!used) paths.push_back(path);
  }
  return paths;
}

}  // namespace lotsen::mapping
