#include "gateway/mapping/structure_map.h"
#include "gateway/mapping/token_cursor.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::mapping {

namespace {

using fhir::Element;

class StructureMapWriter {
 public:
  StructureMapWriter(const MapNode& map, const std::shared_ptr<const fhir::Schema>& schema, Faults& faults)
      : map_(map), schema_(*schema), faults_(faults), document_(schema) {}

  std::optional<fhir::Document> run() {
    Element* root = document_.createRoot(schema_.findType("StructureMap"));
    for (const ConceptMapNode& node : map_.conceptMaps) conceptMap(root, node);
    metadata(root);
    for (const UsesNode& uses : map_.uses) {
      static constexpr std::array<std::string_view, 4> kModes = {"source", "queried", "target", "produced"};
      Element* structure = add(root, "structure");
      put(structure, "url", uses.url.text);
      put(structure, "mode", kModes[static_cast<std::size_t>(uses.mode)]);
      put(structure, "alias", uses.alias.text);
    }
    for (const Name& url : map_.imports) put(root, "import", url.text);
    for (const ConstantNode& constant : map_.constants) refuse(constant.name.at, "a constant (let)");
    for (const GroupNode& node : map_.groups) group(root, node);
    if (refused_) return {};
    return std::move(document_);
  }

 private:
  void refuse(fhir::Position at, const std::string& what) {
    refused_ = true;
    faults_.error(map_.file, at, "fml-r4-form", "an R4 StructureMap has no place for " + what);
  }

  Element* add(Element* parent, std::string_view name) {
    const fhir::Property* property =
        schema_.property(schema_.shapeOf(parent->def, parent->type), schema_.findName(name));
    LOTSEN_CHECK(property != nullptr);
    return document_.append(parent, *property);
  }

  void put(Element* parent, std::string_view name, std::string_view text) {
    if (!text.empty()) document_.setValue(add(parent, name), text);
  }

  /// In the order of the resource; what `///` says beyond these elements has no place that FML names.
  void metadata(Element* root) {
    put(root, "url", map_.url.text);
    for (const std::string_view name : structureMapMetadata()) {
      if (name == "status" && metadataOf(name).empty()) put(root, name, "draft");
      put(root, name, name == "name" ? std::string_view(map_.name.text) : metadataOf(name));
    }
    for (const auto& [name, value] : map_.metadata) {
      const auto known = structureMapMetadata();
      if (name.text != "url" && std::find(known.begin(), known.end(), name.text) == known.end())
        refuse(name.at, "the metadata " + quoted(name.text));
    }
  }

  std::string_view metadataOf(std::string_view wanted) const {
    for (const auto& [name, value] : map_.metadata) {
      if (name.text == wanted) return value;
    }
    return {};
  }

  void conceptMap(Element* root, const ConceptMapNode& node) {
    static constexpr std::array<std::string_view, 10> kCodes = {"relatedto", "equal",   "equivalent", "wider",
                                                                "subsumes",  "inexact", "narrower",   "specializes",
                                                                "unmatched", "disjoint"};
    Element* map = document_.createRoot(schema_.findType("ConceptMap"));
    put(map, "id", node.id.text);
    put(map, "status", "draft");
    if (hasLoneUnmapped(node)) refuse(node.id.at, "a treatment of unmapped codes without a code that is mapped");
    Element* group = nullptr;
    const ConceptMapNode::Entry* before = nullptr;
    for (const ConceptMapNode::Entry& entry : node.entries) {
      if (before == nullptr || before->sourceSystem != entry.sourceSystem ||
          before->targetSystem != entry.targetSystem) {
        if (before != nullptr) unmapped(group, node, *before);
        group = add(map, "group");
        put(group, "source", entry.sourceSystem);
        put(group, "target", entry.targetSystem);
      }
      if (entry.conditional) refuse(node.id.at, "a translation that depends on other codes");
      Element* element = add(group, "element");
      put(element, "code", entry.source);
      Element* target = add(element, "target");
      put(target, "code", entry.target);
      put(target, "display", entry.display);
      put(target, "equivalence", kCodes[static_cast<std::size_t>(entry.equivalence)]);
      before = &entry;
    }
    if (before != nullptr) unmapped(group, node, *before);
    const fhir::Property* contained =
        schema_.property(schema_.shapeOf(root->def, root->type), schema_.findName("contained"));
    document_.attach(root, *contained, map);
  }

  /// A group has one treatment of what it does not list.
  void unmapped(Element* group, const ConceptMapNode& node, const ConceptMapNode::Entry& entry) {
    static constexpr std::array<std::string_view, 3> kModes = {"provided", "fixed", "other-map"};
    const auto& systems = node.unmappedProvided;
    if (std::find(systems.begin(), systems.end(), entry.sourceSystem) != systems.end()) {
      put(add(group, "unmapped"), "mode", kModes[0]);
      return;
    }
    for (const auto& rest : node.unmapped) {
      if (rest.sourceSystem != entry.sourceSystem || rest.targetSystem != entry.targetSystem) continue;
      Element* element = add(group, "unmapped");
      put(element, "mode", kModes[static_cast<std::size_t>(rest.mode)]);
      put(element, "code", rest.code);
      put(element, "display", rest.display);
      put(element, "url", rest.url);
      return;
    }
  }

  /// What is said of codes of a system of which none is listed.
  bool hasLoneUnmapped(const ConceptMapNode& node) const {
    return std::any_of(node.unmappedProvided.begin(), node.unmappedProvided.end(), [&node](const std::string& system) {
      return std::none_of(node.entries.begin(), node.entries.end(),
                          [&system](const auto& entry) { return entry.sourceSystem == system; });
    });
  }

  void group(Element* root, const GroupNode& node) {
    Element* group = add(root, "group");
    put(group, "name", node.name.text);
    put(group, "extends", node.extends.text);
    put(group, "typeMode",
        node.typeMode == TypeMode::Types          ? "types"
        : node.typeMode == TypeMode::TypeAndTypes ? "type-and-types"
                                                  : "none");
    for (const InputNode& input : node.inputs) {
      Element* element = add(group, "input");
      put(element, "name", input.name.text);
      put(element, "type", input.type.text);
      put(element, "mode", input.mode == InputMode::Source ? "source" : "target");
    }
    for (const RuleNode& rule : node.rules) this->rule(group, rule);
  }

  void rule(Element* parent, const RuleNode& node) {
    Element* rule = add(parent, "rule");
    const std::string made =
        node.sources.empty() || node.sources[0].path.empty() ? "rule" : node.sources[0].path.back().text;
    put(rule, "name", node.name.empty() ? made : node.name.text);
    const bool simple = node.sources.size() == 1 && node.targets.size() == 1 && node.calls.empty() && !node.hasBody &&
                        node.sources[0].variable.empty() && node.targets[0].variable.empty() &&
                        !node.targets[0].transform && node.sources[0].path.size() > 1 &&
                        node.targets[0].path.size() > 1;
    for (const SourceNode& source : node.sources) this->source(rule, source, simple);
    for (const TargetNode& target : node.targets) this->target(rule, target, simple);
    for (const RuleNode& inner : node.rules) this->rule(rule, inner);
    for (const CallNode& call : node.calls) {
      Element* dependent = add(rule, "dependent");
      put(dependent, "name", call.group.text);
      for (const Operand& argument : call.arguments) {
        if (argument.kind == Operand::Kind::Path && argument.steps.size() == 1) {
          put(dependent, "variable", argument.steps[0].text);
        } else {
          refuse(argument.text.at, "an argument of a group that is not a variable");
        }
      }
    }
  }

  /// `src.a -> tgt.b;` is written with variables and a create without type, as the specification has it.
  void source(Element* rule, const SourceNode& node, bool simple) {
    static constexpr std::array<std::string_view, 6> kModes = {"",     "first",    "not_first",
                                                               "last", "not_last", "only_one"};
    Element* source = add(rule, "source");
    put(source, "context", node.path[0].text);
    if (node.min) {
      put(source, "min", std::to_string(*node.min));
      put(source, "max", node.max == fhir::kUnbounded ? "*" : std::to_string(node.max));
    }
    put(source, "type", node.type.text);
    if (node.fallback) {
      if (node.fallback->kind == Operand::Kind::Literal) {
        static constexpr std::array<std::string_view, 7> kDefaults = {
            "defaultValueString", "defaultValueInteger",  "defaultValueDecimal", "defaultValueBoolean",
            "defaultValueDate",   "defaultValueDateTime", "defaultValueTime"};
        put(source, kDefaults[static_cast<std::size_t>(node.fallback->literal)], node.fallback->text.text);
      } else {
        refuse(node.path[0].at, "a default that is an expression");
      }
    }
    element(source, node.path);
    put(source, "listMode", kModes[static_cast<std::size_t>(node.listMode)]);
    put(source, "variable", simple ? "vvv" : node.variable.text);
    put(source, "condition", node.where.text);
    put(source, "check", node.check.text);
    put(source, "logMessage", node.log.text);
  }

  void element(Element* parent, const std::vector<Name>& path) {
    if (path.size() > 2) refuse(path[2].at, "several elements in one path; use a variable for the one between");
    if (path.size() > 1) put(parent, "element", path[1].text);
  }

  void target(Element* rule, const TargetNode& node, bool simple) {
    Element* target = add(rule, "target");
    if (!node.path.empty()) {
      put(target, "context", node.path[0].text);
      put(target, "contextType", "variable");
      element(target, node.path);
    }
    put(target, "variable", simple ? "vvv" : node.variable.text);
    static constexpr std::array<std::string_view, 5> kModes = {"", "first", "last", "share", "collate"};
    put(target, "listMode", kModes[static_cast<std::size_t>(node.listMode)]);
    put(target, "listRuleId", node.shareId.text);
    if (simple) put(target, "transform", "create");
    if (!node.transform) return;
    if (isTemporalCopy(*node.transform)) {  // a parameter cannot be a date; FHIRPath can
      put(target, "transform", "evaluate");
      const Operand& value = node.transform->arguments[0];
      put(add(target, "parameter"), "valueString", (value.literal == LiteralKind::Time ? "@T" : "@") + value.text.text);
      return;
    }
    if (node.transform->name.text.starts_with("to") || node.transform->name.text.starts_with("unixTo"))
      refuse(node.transform->name.at, "the transform " + quoted(node.transform->name.text) + ", which came after R4");
    put(target, "transform", node.transform->name.text);
    const bool evaluates = node.transform->name.text == "evaluate";
    for (const Operand& argument : node.transform->arguments) {
      parameter(target, argument, evaluates && &argument == &node.transform->arguments.back());
    }
  }

  static bool isTemporal(const Operand& value) {
    return value.kind == Operand::Kind::Literal && value.literal >= LiteralKind::Date;
  }
  static bool isTemporalCopy(const Transform& transform) {
    return transform.name.text == "copy" && transform.arguments.size() == 1 && isTemporal(transform.arguments[0]);
  }

  void parameter(Element* target, const Operand& argument, bool expression) {
    static constexpr std::array<std::string_view, 4> kValues = {"valueString", "valueInteger", "valueDecimal",
                                                                "valueBoolean"};
    if (!expression && isTemporal(argument)) {
      refuse(argument.text.at, "a date or time as an argument; write it as a text");
      return;
    }
    if (!expression && argument.kind == Operand::Kind::Expression) {
      refuse(argument.text.at, "an expression as an argument; bind it to a variable first");
      return;
    }
    if (!expression && argument.kind == Operand::Kind::Path && argument.steps.size() > 1) {
      refuse(argument.steps[1].at, "a path as an argument; bind it to a variable first");
      return;
    }
    Element* parameter = add(target, "parameter");
    if (expression) {
      std::string text = argument.text.text;
      if (argument.kind == Operand::Kind::Path) {
        text.clear();
        for (const Name& step : argument.steps) text += (text.empty() ? "" : ".") + step.text;
      }
      put(parameter, "valueString", text);
    } else if (argument.kind == Operand::Kind::Path) {
      put(parameter, "valueId", argument.steps[0].text);
    } else {
      put(parameter, kValues[static_cast<std::size_t>(argument.literal)], argument.text.text);
    }
  }

  const MapNode& map_;
  const fhir::Schema& schema_;
  Faults& faults_;
  fhir::Document document_;
  bool refused_ = false;
};

}  // namespace

std::optional<fhir::Document> writeStructureMap(const MapNode& map, const std::shared_ptr<const fhir::Schema>& schema,
                                                Faults& faults) {
  return StructureMapWriter(map, schema, faults).run();
}

}  // namespace lotsen::mapping
