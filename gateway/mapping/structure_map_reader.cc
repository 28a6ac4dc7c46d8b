#include "gateway/base/text.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/mapping/structure_map.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::Element;

constexpr std::uint32_t kMaxElements = 200'000;  // of a resource: a rule costs more here than there

class StructureMapReader {
 public:
  StructureMapReader(const std::string& file, const fhir::Document& document, Faults& faults)
      : document_(document), faults_(faults) {
    map_.file = file;
  }

  MapNode run() {
    const Element* root = document_.root();
    map_.url = text(root, "url");
    map_.name = text(root, "name");
    for (const std::string_view name : structureMapMetadata()) {
      if (const Name value = text(root, name); !value.empty() && name != "name")
        map_.metadata.emplace_back(Name{std::string(name), value.at}, value.text);
    }
    each(root, "structure", [this](const Element* node) { structure(node); });
    each(root, "import", [this](const Element* node) { map_.imports.push_back(nameOf(node)); });
    each(root, "contained", [this](const Element* node) {
      if (document_.nameText(document_.schema().type(node->type).name) == "ConceptMap") conceptMap(node);
    });
    each(root, "group", [this](const Element* node) { group(node); });
    if (map_.groups.empty()) fault(root, "a StructureMap needs at least one group");
    return std::move(map_);
  }

 private:
  template <typename Visit>
  void each(const Element* parent, std::string_view name, Visit visit) {
    const Element* at = fhir::child(document_, parent, name);
    if (at == nullptr) return;
    for (const Element* end = at->runLast->next; at != end; at = at->next) visit(at);
  }

  static Name nameOf(const Element* node) {
    return node == nullptr ? Name() : Name{std::string(node->value()), node->at};
  }
  Name text(const Element* parent, std::string_view name) { return nameOf(fhir::child(document_, parent, name)); }
  void fault(const Element* at, const std::string& what) { faults_.error(map_.file, at->at, "fml-syntax", what); }

  void structure(const Element* node) {
    static constexpr std::array<std::string_view, 4> kModes = {"source", "queried", "target", "produced"};
    UsesNode uses;
    uses.url = text(node, "url");
    uses.alias = text(node, "alias");
    const auto mode = std::find(kModes.begin(), kModes.end(), text(node, "mode").text);
    if (mode == kModes.end()) fault(node, "a structure needs the mode source, queried, target or produced");
    uses.mode = static_cast<ModelMode>(mode == kModes.end() ? 0 : mode - kModes.begin());
    map_.uses.push_back(std::move(uses));
  }

  void conceptMap(const Element* node) {
    ConceptMapNode out;
    out.id = text(node, "id");
    each(node, "group", [&](const Element* group) {
      const std::string source = text(group, "source").text;
      const std::string target = text(group, "target").text;
      each(group, "element", [&](const Element* element) {
        each(element, "target", [&](const Element* to) {
          ConceptMapNode::Entry entry{source, text(element, "code").text, Equivalence::Equivalent,
                                      target, text(to, "code").text,      to->at};
          entry.display = text(to, "display").text;
          entry.conditional = fhir::child(document_, to, "dependsOn") != nullptr;
          if (const Name code = text(to, "equivalence"); !code.empty())
            entry.equivalence = definitions::equivalenceOf(code.text);
          out.entries.push_back(std::move(entry));
        });
      });
      if (const Element* rest = fhir::child(document_, group, "unmapped"); rest != nullptr)
        unmapped(rest, source, target, out);
    });
    map_.conceptMaps.push_back(std::move(out));
  }

  void unmapped(const Element* node, const std::string& source, const std::string& target, ConceptMapNode& out) {
    const std::string mode = text(node, "mode").text;
    if (mode == "provided") {
      out.unmappedProvided.push_back(source);
      return;
    }
    using Mode = definitions::ConceptMap::UnmappedMode;
    out.unmapped.push_back({source, mode == "fixed" ? Mode::Fixed : Mode::OtherMap, target, text(node, "code").text,
                            text(node, "display").text, text(node, "url").text});
  }

  void group(const Element* node) {
    GroupNode out;
    out.name = text(node, "name");
    if (out.name.empty()) fault(node, "a group needs a name");
    out.extends = text(node, "extends");
    const std::string mode = text(node, "typeMode").text;
    out.typeMode = mode == "types"            ? TypeMode::Types
                   : mode == "type-and-types" ? TypeMode::TypeAndTypes
                                              : TypeMode::None;
    each(node, "input", [&](const Element* input) {
      const bool source = text(input, "mode").text != "target";
      out.inputs.push_back({source ? InputMode::Source : InputMode::Target, text(input, "name"), text(input, "type")});
    });
    each(node, "rule", [&](const Element* rule) { out.rules.push_back(this->rule(rule)); });
    map_.groups.push_back(std::move(out));
  }

  RuleNode rule(const Element* node) {
    RuleNode out;
    out.at = node->at;
    out.name = text(node, "name");
    each(node, "source", [&](const Element* source) { out.sources.push_back(this->source(source)); });
    if (out.sources.empty()) fault(node, "a rule needs a source");
    each(node, "target", [&](const Element* target) { out.targets.push_back(this->target(target)); });
    each(node, "rule", [&](const Element* rule) { out.rules.push_back(this->rule(rule)); });
    out.hasBody = !out.rules.empty();
    each(node, "dependent", [&](const Element* dependent) {
      CallNode call;
      call.group = text(dependent, "name");
      each(dependent, "variable",
           [&](const Element* variable) { call.arguments.push_back(variableOperand(nameOf(variable))); });
      out.calls.push_back(std::move(call));
    });
    return out;
  }

  static Operand variableOperand(Name name) {
    Operand operand;
    operand.kind = Operand::Kind::Path;
    operand.text = name;
    operand.steps.push_back(std::move(name));
    return operand;
  }

  SourceNode source(const Element* node) {
    static constexpr std::array<std::string_view, 6> kModes = {"",     "first",    "not_first",
                                                               "last", "not_last", "only_one"};
    SourceNode out;
    out.path.push_back(text(node, "context"));
    if (out.path[0].empty()) fault(node, "a source needs a context");
    if (const Name element = text(node, "element"); !element.empty()) out.path.push_back(element);
    out.type = text(node, "type");
    const Name min = text(node, "min");
    const Name max = text(node, "max");
    if (!min.empty() || !max.empty()) {
      out.min = number(min, 0);
      out.max = max.text == "*" ? fhir::kUnbounded : number(max, fhir::kUnbounded);
    }
    if (const Element* value = fhir::child(document_, node, "defaultValue"); value != nullptr) {
      if (value->hasValue())
        out.fallback = literal(value);
      else
        fault(value, "only primitive default values are supported");
    }
    const auto mode = std::find(kModes.begin(), kModes.end(), text(node, "listMode").text);
    if (mode == kModes.end()) fault(node, "unknown list mode of a source");
    out.listMode = static_cast<SourceListMode>(mode == kModes.end() ? 0 : mode - kModes.begin());
    out.variable = text(node, "variable");
    out.where = text(node, "condition");
    out.check = text(node, "check");
    out.log = text(node, "logMessage");
    return out;
  }

  static std::uint32_t number(const Name& name, std::uint32_t otherwise) {
    std::uint32_t value = otherwise;
    std::from_chars(name.text.data(), name.text.data() + name.text.size(), value);
    return value;
  }

  TargetNode target(const Element* node) {
    TargetNode out;
    out.at = node->at;
    if (const Name context = text(node, "context"); !context.empty()) out.path.push_back(context);
    if (text(node, "contextType").text == "type")
      fault(node, "a target whose context is a type is not supported; make it with create() and name its variable");
    if (const Name element = text(node, "element"); !element.empty()) out.path.push_back(element);
    out.variable = text(node, "variable");
    each(node, "listMode", [&](const Element* mode) {
      const std::string_view code = mode->value();
      out.listMode = code == "first"   ? TargetListMode::First
                     : code == "last"  ? TargetListMode::Last
                     : code == "share" ? TargetListMode::Share
                                       : TargetListMode::Single;
    });
    out.shareId = text(node, "listRuleId");
    if (const Name transform = text(node, "transform"); !transform.empty()) {
      out.transform = Transform{transform, {}};
      each(node, "parameter", [&](const Element* parameter) {
        if (const Element* value = fhir::child(document_, parameter, "value"); value != nullptr) {
          out.transform->arguments.push_back(argument(value));
        }
      });
      if (transform.text == "evaluate" && !out.transform->arguments.empty()) {
        Operand& expression = out.transform->arguments.back();
        if (expression.kind == Operand::Kind::Literal) expression.kind = Operand::Kind::Expression;
      }
    }
    return out;
  }

  std::string_view typeName(const Element* node) const {
    return document_.nameText(document_.schema().type(node->type).name);
  }

  Operand argument(const Element* value) {
    return typeName(value) == "id" ? variableOperand(nameOf(value)) : literal(value);
  }

  Operand literal(const Element* value) {
    Operand operand;
    operand.text = nameOf(value);
    switch (document_.schema().type(value->type).primitive) {
      case fhir::Primitive::Boolean: operand.literal = LiteralKind::Boolean; break;
      case fhir::Primitive::Integer: operand.literal = LiteralKind::Integer; break;
      case fhir::Primitive::Decimal: operand.literal = LiteralKind::Decimal; break;
      case fhir::Primitive::Date: operand.literal = LiteralKind::Date; break;
      case fhir::Primitive::DateTime: operand.literal = LiteralKind::DateTime; break;
      case fhir::Primitive::Time: operand.literal = LiteralKind::Time; break;
      default: operand.literal = LiteralKind::String;
    }
    return operand;
  }

  const fhir::Document& document_;
  Faults& faults_;
  MapNode map_;
};

}  // namespace

std::span<const std::string_view> structureMapMetadata() {
  static constexpr std::array<std::string_view, 10> kNames = {
      "version", "name", "title", "status", "experimental", "date", "publisher", "description", "purpose", "copyright"};
  return kNames;
}

bool looksLikeResource(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = trim(text);
  return text.starts_with('{') || text.starts_with('<');
}

MapNode readStructureMap(const std::string& file, std::string_view text,
                         const std::shared_ptr<const fhir::Schema>& schema, Faults& faults) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  fhir::Issues issues;
  fhir::ReadOptions options;
  options.type = schema->findType("StructureMap");
  options.maxElements = kMaxElements;
  const bool json = trim(text).starts_with('{');
  const auto document =
      json ? fhir::readJson(text, schema, options, issues) : fhir::readXml(text, schema, options, issues);
  for (const fhir::Issue& issue : issues.list()) {
    if (issue.severity == fhir::Severity::Error || issue.severity == fhir::Severity::Fatal) {
      faults.error(file, issue.at, issue.rule, issue.text);
    }
  }
  if (!document) {
    if (!issues.hasErrors()) faults.error(file, {1, 1}, "fml-syntax", document.error().message);
    MapNode empty;
    empty.file = file;
    return empty;
  }
  return StructureMapReader(file, *document, faults).run();
}

}  // namespace lotsen::mapping
