#include "gateway/mapping/loss.h"

#include "gateway/base/text.h"
#include "gateway/mapping/faults.h"
#include "gateway/mapping/token_cursor.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

namespace lotsen::mapping {

using fhir::Element;
using fhir::kNone;

namespace {

constexpr std::uint32_t kNoEntry = 0xffffffffU;

}  // namespace

/// Reads the lines into the list, which is a tree of the names in its paths.
class DropParser {
 public:
  DropParser(DropList& list, const fhir::Schema& schema, fhir::TypeId model, Faults& faults)
      : list_(list), schema_(schema), model_(model), faults_(faults) {
    list_.nodes_.emplace_back();
  }

  void run(std::string_view text) {
    for (const auto raw : split(text, '\n')) {
      ++number_;
      raw_ = raw;
      const auto line = trim(raw);
      if (!line.empty() && line.front() != '#') entry(line);
    }
  }

 private:
  void entry(std::string_view line) {
    const auto bar = line.find('|');
    path_ = trim(line.substr(0, bar));
    const auto reason = bar == std::string_view::npos ? std::string_view() : trim(line.substr(bar + 1));
    if (path_.empty() || reason.empty())
      return fault(line, "drop-form", "a dropped path needs a reason: Model.path | reason");
    const auto steps = split(path_, '.');
    const std::string_view root = model_ == kNone ? steps[0] : schema_.nameText(schema_.type(model_).name);
    if (steps[0] != root)
      return fault(path_, "drop-unknown-path", "the map's source is " + quoted(root) + ", not " + quoted(steps[0]));
    if (steps.size() == 1) return fault(path_, "drop-form", "a whole record cannot be dropped");
    std::uint32_t at = 0;
    fhir::ShapeId shape = model_ == kNone ? kNone : schema_.type(model_).shape;
    for (std::size_t i = 1; i < steps.size(); ++i) {
      const std::optional<std::uint32_t> next = step(at, steps[i], shape);
      if (!next || !isFree(*next, i + 1 == steps.size())) return;
      at = *next;
    }
    list_.nodes_[at].entry = static_cast<std::uint32_t>(list_.entries_.size());
    list_.entries_.push_back({std::string(path_), std::string(reason), number_});
  }

  /// One name further: the node for it, made if need be; `shape` becomes that of the element.
  std::optional<std::uint32_t> step(std::uint32_t at, std::string_view name, fhir::ShapeId& shape) {
    DropList::Node node{std::string(name), kNone, kNone, kNoEntry, {}};
    if (model_ != kNone) {
      const fhir::Property* property = schema_.property(shape, schema_.findName(name));
      if (property == nullptr) {
        unknown(name, shape);
        return {};
      }
      node.name = property->def == kNone ? property->name : schema_.def(property->def).name;
      if (node.name != property->name) node.only = property->type;
      shape = property->type == kNone ? kNone : schema_.shapeOf(property->def, property->type);
    }
    for (const std::uint32_t child : list_.nodes_[at].children) {
      if (list_.nodes_[child].text == name) return child;
    }
    const auto made = static_cast<std::uint32_t>(list_.nodes_.size());
    list_.nodes_[at].children.push_back(made);
    list_.nodes_.push_back(std::move(node));
    return made;
  }

  void unknown(std::string_view name, fhir::ShapeId shape) {
    std::vector<std::string_view> names;
    for (const fhir::Property& property : schema_.properties(shape)) names.push_back(schema_.nameText(property.name));
    const auto parent = path_.substr(0, static_cast<std::size_t>(name.data() - path_.data()) - 1);
    fault(name, "drop-unknown-path", quoted(parent) + " has no element " + quoted(name) + suggestion(name, names));
  }

  bool isFree(std::uint32_t at, bool last) {
    const DropList::Node& node = list_.nodes_[at];
    if (node.entry != kNoEntry) {
      fault(path_, "drop-twice",
            quoted(path_) + " is dropped already by line " + std::to_string(list_.entries_[node.entry].line));
      return false;
    }
    if (last && !node.children.empty()) {
      fault(path_, "drop-twice", "other lines drop parts of " + quoted(path_) + ": keep this one or those");
      return false;
    }
    return true;
  }

  void fault(std::string_view part, std::string_view rule, const std::string& text) {
    const auto column = static_cast<std::uint32_t>(part.data() - raw_.data()) + 1;
    faults_.error(list_.file_, {number_, column}, rule, text);
  }

  DropList& list_;
  const fhir::Schema& schema_;
  const fhir::TypeId model_;
  Faults& faults_;
  std::uint32_t number_ = 0;
  std::string_view raw_, path_;  // the line, its path
};

Result<DropList> DropList::parse(const std::string& file, std::string_view text, const fhir::Schema& schema,
                                 fhir::TypeId model, fhir::Issues& issues) {
  DropList list;
  list.file_ = file;
  Faults faults(issues);
  DropParser(list, schema, model, faults).run(text);
  if (faults.hasErrors()) return fail(Code::Invalid, file + ": the list of drops has faults");
  return list;
}

std::string dropFileOf(std::string_view mapFile) {
  const auto dot = mapFile.rfind('.');
  const auto slash = mapFile.rfind('/');
  const bool ending = dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash + 1);
  return std::string(ending ? mapFile.substr(0, dot) : mapFile) + ".drop";
}

/// Visits the leaves of a source together with the drop that holds for each.
class LossWalk {
 public:
  LossWalk(const fhir::Document& source, const DropList& drops) : source_(source), drops_(drops) {}

  /// visit(leaf, number of the drop's entry or kNoEntry), in document order.
  template <typename Visit>
  void run(Visit visit) const {
    if (source_.root() != nullptr) walk(source_.root(), drops_.nodes_.empty() ? nullptr : &drops_.nodes_[0], visit);
  }

 private:
  template <typename Visit>
  void walk(const Element* node, const DropList::Node* drop, Visit& visit) const {
    if (node->hasValue()) visit(node, drop == nullptr ? kNoEntry : drop->entry);
    for (const Element* child = node->first; child != nullptr; child = child->next)
      walk(child, drop == nullptr || drop->entry != kNoEntry ? drop : inside(*drop, child), visit);
  }

  const DropList::Node* inside(const DropList::Node& drop, const Element* child) const {
    for (const std::uint32_t index : drop.children) {
      const DropList::Node& node = drops_.nodes_[index];
      const bool same = node.name != kNone ? node.name == child->name : node.text == source_.nameText(child->name);
      if (same && (node.only == kNone || node.only == child->type)) return &node;
    }
    return nullptr;
  }

  const fhir::Document& source_;
  const DropList& drops_;
};

std::vector<LossEntry> unaccounted(const fhir::Document& source, const DropList& drops) {
  std::vector<LossEntry> list;
  LossWalk(source, drops).run([&](const Element* leaf, std::uint32_t drop) {
    if (!leaf->touched && drop == kNoEntry) list.push_back({fhir::pathOf(source, leaf), leaf->at});
  });
  return list;
}

LossAccount lossAccount(const fhir::Document& source, const DropList& drops, const Trace& trace) {
  std::unordered_map<const Element*, std::vector<std::size_t>> readers;
  for (const Trace::Read& read : trace.reads) {
    auto& rules = readers[read.leaf];
    if (std::find(rules.begin(), rules.end(), read.rule) == rules.end()) rules.push_back(read.rule);
  }
  LossAccount account;
  LossWalk(source, drops).run([&](const Element* leaf, std::uint32_t drop) {
    LossEntry entry{fhir::pathOf(source, leaf), leaf->at};
    if (leaf->touched) {
      account.mapped.push_back({std::move(entry), readers[leaf]});
    } else if (drop != kNoEntry) {
      account.dropped.push_back({std::move(entry), drop});
    } else {
      account.unaccounted.push_back(std::move(entry));
    }
  });
  return account;
}

}  // namespace lotsen::mapping
