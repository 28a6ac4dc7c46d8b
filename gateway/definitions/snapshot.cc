#include "gateway/definitions/snapshot.h"

#include "gateway/definitions/snapshot_merge.h"
#include "gateway/definitions/snapshot_path.h"
#include "gateway/fhir/r4/types.h"

#include <algorithm>
#include <map>

namespace lotsen::definitions {

namespace {

using fhir::child;
using fhir::Element;
using fhir::kNone;
using fhir::valueAt;

// Bounds on what a few lines of a differential may make: profiles that walk into each other multiply.
constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostNodes = 20'000;

class Maker {
 public:
  explicit Maker(const SnapshotContext& context)
      : context_(context), document_(*context.origin.document), trees_(context.schema, context.texts) {}

  Snapshot make() {
    if (!makeBase()) return {};
    nodes_ = sizeOf(*snapshot_.root);
    const Element* differential = child(document_, document_.root(), "differential");
    const Element* first = differential == nullptr ? nullptr : child(document_, differential, "element");
    std::vector<Stated> all;
    for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next)
      all.push_back(readElement(context_.origin, one, context_.schema, context_.texts, context_.issues));
    if (specialises_ && !all.empty() && !nameRoot(all[0])) return {};
    idsAgree_ = std::all_of(all.begin(), all.end(), [](const Stated& one) {
      return !one.id.empty() && agree(stepsOf(one.id), stepsOf(one.path), one.sliceName);
    });
    for (const Stated& one : all) apply(one);
    for (Node* choice : choices_) finishChoice(*choice);
    for (const auto& [node, stated] : newSlices_) checkSliced(*node, stated);
    tellOrder();
    return std::move(snapshot_);
  }

 private:
  void fault(const Stated& stated, std::string text) {
    tell(context_.issues, fhir::Severity::Error, context_.origin, stated.element,
         std::string(stated.id.empty() ? stated.path : stated.id) + ": " + std::move(text));
  }

  void faultOfDefinition(std::string text) {
    tell(context_.issues, fhir::Severity::Error, context_.origin, document_.root(), std::move(text));
  }

  /// What specialises has a root of its own name.
  bool nameRoot(const Stated& first) {
    snapshot_.root->segment = stepsOf(first.path)[0].name;
    if (!snapshot_.root->segment.ends_with(kChoice)) return true;
    fault(first, "a type is no choice; leave out [x]");
    return false;
  }

  bool makeBase() {
    const Element* root = document_.root();
    const std::string_view base = valueAt(document_, root, "baseDefinition");
    const std::string_view typeName = valueAt(document_, root, "type");
    specialises_ = valueAt(document_, root, "derivation") != "constraint";
    if (base.empty()) {
      faultOfDefinition("has no baseDefinition: name what it derives from");
      return false;
    }
    if (const fhir::TypeId type = context_.schema.findType(base); type != kNone) {
      snapshot_.type = type;
      snapshot_.root = trees_.ofType(type);
    } else if (const Profile* profile = context_.lookup(base); profile != nullptr) {
      snapshot_.type = profile->type();
      snapshot_.root = TreeMaker::ofProfile(*profile);
    } else {
      faultOfDefinition("its base " + std::string(base) +
                        " is not known, or has faults; add the package that defines it");
      return false;
    }
    if (!specialises_ && context_.schema.findType(typeName) != snapshot_.type) {
      faultOfDefinition("has the type " + std::string(typeName) + ", but its base " + std::string(base) +
                        " is of another type");
      return false;
    }
    return true;
  }

  /// The node of the last element whose path this one's begins with, or the root.
  struct Open {
    std::string_view path;
    Node* node;
  };

  void apply(const Stated& stated) {
    const std::vector<Step> path = stepsOf(stated.path);
    if (path.size() > kDeepest) return fault(stated, "is a path of more than 64 elements");
    if (path.empty() || path[0].name != snapshot_.root->segment) {
      return fault(stated, "is no path below " + std::string(snapshot_.root->segment));
    }
    Node* node = nullptr;
    if (idsAgree_) {
      std::vector<Step> steps = stepsOf(stated.id);
      if (steps.size() > 1 && !steps.back().slice.empty() && stated.sliceName.empty() &&
          steps.back().slice != path.back().name && !steps.back().name.ends_with(kChoice)) {
        return fault(stated, "its id names the slice " + std::string(steps.back().slice) + ", but it has no sliceName");
      }
      node = walk(stated, *snapshot_.root, steps, 1);
    } else {
      while (!open_.empty() &&
             !(stated.path.size() > open_.back().path.size() && stated.path.starts_with(open_.back().path) &&
               stated.path[open_.back().path.size()] == '.')) {
        open_.pop_back();
      }
      std::vector<Step> steps = path;
      if (steps.size() > 1) steps.back().slice = stated.sliceName;
      Node& from = open_.empty() ? *snapshot_.root : *open_.back().node;
      const std::size_t done = open_.empty() ? 1 : stepsOf(open_.back().path).size();
      node = walk(stated, from, steps, done);
      if (node != nullptr) open_.push_back({stated.path, node});
    }
    if (node == nullptr) return;
    applied_.emplace_back(node, &stated);
    if (!stated.types.empty() && !node->facts.contentReference.empty() && !unfold(stated, *node)) return;
    if (node->segment.ends_with(kChoice)) noteChoice(*node);
    merge(context_, stated, *node);
  }

  Node* walk(const Stated& stated, Node& from, const std::vector<Step>& steps, std::size_t at) {
    Node* node = &from;
    for (; at < steps.size(); ++at) {
      if (!unfold(stated, *node)) return nullptr;
      node = next(stated, *node, steps[at], at + 1 == steps.size());
      if (node == nullptr) return nullptr;
    }
    return node;
  }

  Node* next(const Stated& stated, Node& node, const Step& step, bool last) {
    Node* plain = find(node, step.name, {});
    std::string_view slice = step.slice;
    if (plain == nullptr) {
      plain = choiceOf(node, step.name);
      if (plain != nullptr) {
        if (!slice.empty() && slice != step.name && !slice.starts_with(std::string(step.name) + "/")) {
          fault(stated, "the slice of " + std::string(step.name) + " must be named so, not " + std::string(slice));
          return nullptr;
        }
        if (slice.empty() && isWhole(*plain) && find(node, plain->segment, step.name) == nullptr) return plain;
        if (slice.empty()) slice = step.name;
      }
    }
    if (plain == nullptr) {
      if (specialises_ && last && slice.empty()) return &addElement(node, step.name);
      fault(stated, "there is no element " + std::string(step.name) + " in " + pathOf(node));
      return nullptr;
    }
    if (slice.empty()) return plain;
    if (Node* known = find(node, plain->segment, slice); known != nullptr) return known;
    if (last && stated.constrainsSlice) {
      fault(stated, "says that it constrains the slice " + std::string(slice) + ", which the base does not have");
      return nullptr;
    }
    return addSlice(stated, *plain, slice);
  }

  static Node* find(Node& node, std::string_view segment, std::string_view slice) {
    for (const auto& one : node.children) {
      if (one->segment == segment && one->sliceName == slice) return one.get();
    }
    return nullptr;
  }

  /// The choice element that "valueQuantity" names a type of.
  static Node* choiceOf(Node& node, std::string_view name) {
    for (const auto& one : node.children) {
      if (!one->segment.ends_with(kChoice) || !one->sliceName.empty()) continue;
      const std::string_view bare = one->segment.substr(0, one->segment.size() - kChoice.size());
      if (name.starts_with(bare) && typeNamed(*one, name.substr(bare.size())) != nullptr) return one.get();
    }
    return nullptr;
  }

  static const Facts& baseFacts(const Node& node) { return node.inherited ? *node.inherited : node.facts; }

  /// Whether the base leaves a choice one type only: naming it with that type is then another way to name it.
  static bool isWhole(const Node& choice) { return baseFacts(choice).types.size() == 1; }

  static const TypeFacts* typeNamed(const Node& choice, std::string_view suffix) {
    for (const TypeFacts& type : choice.facts.types) {
      if (capitalised(type.code) == suffix) return &type;
    }
    return nullptr;
  }

  std::string pathOf(const Node& node) const {
    const std::string above = node.parent == nullptr ? std::string() : pathOf(*node.parent) + ".";
    return above + std::string(node.segment) +
           (node.sliceName.empty() ? std::string() : ":" + std::string(node.sliceName));
  }

  Node& addElement(Node& node, std::string_view segment) {
    Node& added = *node.children.emplace_back(std::make_unique<Node>());
    added.parent = &node;
    added.segment = segment;
    added.added = true;
    added.facts.max = fhir::kUnbounded;
    return added;
  }

  // --- unfolding -----------------------------------------------------------------------------------------------

  bool unfold(const Stated& stated, Node& node) {
    if (!node.children.empty()) return true;
    if (!node.facts.contentReference.empty()) {
      const std::string_view reference = node.facts.contentReference;
      remember(node);
      if (!trees_.addContentChildren(node, reference.substr(reference.find('#') + 1))) {
        fault(stated, "its contentReference " + std::string(reference) + " names no element that is known");
        return false;
      }
    } else if (const Profile* profile = profileOf(node); profile != nullptr) {
      std::unique_ptr<Node> tree = TreeMaker::ofProfile(*profile);
      for (auto& one : tree->children) {
        one->parent = &node;
        node.children.push_back(std::move(one));
      }
    } else {
      const fhir::TypeId type = typeToUnfold(node);
      if (type != kNone) trees_.addTypeChildren(node, type);
    }
    for (const auto& one : node.children) one->added = true;
    if (!count(stated, node)) return false;
    if (!node.children.empty()) return true;
    fault(stated, pathOf(node) + " has no elements to walk into: it needs a type");
    return false;
  }

  static std::size_t sizeOf(const Node& node) {
    std::size_t size = 1;
    for (const auto& one : node.children) size += sizeOf(*one);
    return size;
  }

  /// Whether the snapshot still has room for what was put at `node`.
  bool count(const Stated& stated, const Node& node) {
    nodes_ += sizeOf(node);
    if (nodes_ <= kMostNodes) return true;
    if (!tooLarge_) fault(stated, "makes the snapshot larger than 20000 elements");
    tooLarge_ = true;
    return false;
  }

  const Profile* profileOf(const Node& node) const {
    const auto& types = node.facts.types;
    if (types.size() != 1 || types[0].profiles.size() != 1 || types[0].profiles[0] == context_.url) return nullptr;
    const std::string_view canonical = types[0].profiles[0];
    return canonical.find('#') == std::string_view::npos ? context_.lookup(canonical) : nullptr;
  }

  static fhir::TypeId typeToUnfold(const Node& node) {
    const auto& types = node.facts.types;
    if (types.size() == 1) return types[0].type;
    return types.empty() ? kNone : fhir::r4::kElement;  // whatever the type: id and extension
  }

  // --- slices --------------------------------------------------------------------------------------------------

  Node* addSlice(const Stated& stated, Node& plain, std::string_view name) {
    const auto slash = name.rfind('/');
    Node* from = &plain;
    if (slash != std::string_view::npos) {
      if (Node* above = find(*plain.parent, plain.segment, name.substr(0, slash)); above != nullptr) from = above;
    }
    std::unique_ptr<Node> slice = inheritedCopy(*from);
    slice->parent = plain.parent;
    slice->sliceName = name;
    slice->added = true;
    if (!plain.segment.ends_with(kChoice) || !isWhole(plain)) slice->facts.min = 0;
    slice->facts.sliced = false;
    slice->facts.discriminators.clear();
    if (plain.segment.ends_with(kChoice) && from == &plain && !narrowToType(stated, plain, *slice)) return nullptr;
    if (isExtensionName(plain.segment)) {
      remember(plain);
      implySlicing(plain, {DiscriminatorType::Value, "url"});
    }
    if (!count(stated, *slice)) return nullptr;
    Node* added = slice.get();
    newSlices_.emplace_back(added, stated);
    auto& siblings = plain.parent->children;
    siblings.insert(placeOf(siblings, *from), std::move(slice));
    return added;
  }

  static void remember(Node& node) {
    if (!node.inherited && !isNewSlice(node)) node.inherited = std::make_unique<Facts>(node.facts);
  }

  static void implySlicing(Node& node, const Discriminator& discriminator) {
    if (!node.facts.sliced) node.facts.rules = SlicingRules::Open;
    node.facts.sliced = true;
    if (node.facts.discriminators.empty()) node.facts.discriminators.push_back(discriminator);
  }

  /// After the last slice of `from`.
  static std::vector<std::unique_ptr<Node>>::iterator placeOf(std::vector<std::unique_ptr<Node>>& siblings,
                                                              const Node& from) {
    auto at = std::find_if(siblings.begin(), siblings.end(), [&](const auto& one) { return one.get() == &from; });
    const std::string above = from.sliceName.empty() ? std::string() : std::string(from.sliceName) + "/";
    for (++at; at != siblings.end() && (*at)->segment == from.segment && !(*at)->sliceName.empty() &&
               (*at)->sliceName.starts_with(above);
         ++at) {}
    return at;
  }

  /// A slice by type is named after the choice and its type.
  bool narrowToType(const Stated& stated, const Node& plain, Node& slice) {
    const std::string_view bare = plain.segment.substr(0, plain.segment.size() - kChoice.size());
    const TypeFacts* type = nullptr;
    if (slice.sliceName.starts_with(bare)) {
      const Facts& base = plain.facts;
      for (const TypeFacts& one : base.types) {
        if (capitalised(one.code) == slice.sliceName.substr(bare.size())) type = &one;
      }
    }
    if (type != nullptr) {
      slice.facts.types = {*type};
      if (!canBeBound(context_.schema, slice.facts.types)) {
        slice.facts.strength = fhir::Strength::None;
        slice.facts.valueSet = {};
      }
      return true;
    }
    const auto& discriminators = plain.facts.discriminators;
    const bool byType = discriminators.empty() ||
                        std::any_of(discriminators.begin(), discriminators.end(), [](const Discriminator& one) {
                          return one.type == DiscriminatorType::Type && one.path == "$this";
                        });
    if (!byType) return true;
    fault(stated, "a slice by type is named " + std::string(bare) + " and one of its types (as " + std::string(bare) +
                      capitalised(plain.facts.types.empty() ? "Quantity" : plain.facts.types[0].code) + "), not " +
                      std::string(slice.sliceName));
    return false;
  }

  void checkSliced(const Node& slice, const Stated& stated) {
    for (const auto& one : slice.parent->children) {
      if (one->segment == slice.segment && one->sliceName.empty() && one->facts.sliced) return;
    }
    fault(stated, "is a slice, but nothing says how " + pathOf(*slice.parent) + "." + std::string(slice.segment) +
                      " is sliced: give that element a slicing before its slices");
  }

  // --- choices -------------------------------------------------------------------------------------------------

  void noteChoice(Node& node) {
    Node* plain = find(*node.parent, node.segment, {});
    if (std::find(choices_.begin(), choices_.end(), plain) == choices_.end()) choices_.push_back(plain);
  }

  bool isOfExtension(const Node& choice) const {
    const Node& above = *choice.parent;
    if (above.parent == nullptr) return snapshot_.type == fhir::r4::kExtension;
    return above.facts.types.size() == 1 && above.facts.types[0].type == fhir::r4::kExtension;
  }

  /// Made here, with its type written out.
  bool ownSlice(const Node& slice) const {
    return isNewSlice(slice) && std::any_of(newSlices_.begin(), newSlices_.end(), [&](const auto& one) {
             return one.first == &slice && !one.second.types.empty();
           });
  }

  void finishChoice(Node& choice) {
    std::vector<Node*> slices;
    for (const auto& one : choice.parent->children) {
      if (one->segment == choice.segment && !one->sliceName.empty() && one->facts.types.size() == 1 &&
          one->sliceName.find('/') == std::string_view::npos)
        slices.push_back(one.get());
    }
    if (slices.empty()) return;
    remember(choice);
    implySlicing(choice, {DiscriminatorType::Type, "$this"});
    const Discriminator& by = choice.facts.discriminators[0];
    if (by.type != DiscriminatorType::Type || by.path != "$this") return;
    if (isOfExtension(choice) && slices.size() == 1 && ownSlice(*slices[0]))
      choice.facts.types = slices[0]->facts.types;
    const auto needed = std::find_if(slices.begin(), slices.end(), [](const Node* one) { return one->facts.min > 0; });
    if (needed != slices.end()) {
      for (const Node* other : slices) {
        const bool stated = isNewSlice(*other) || other->inherited;  // inherited ones just stay without use
        if (!stated || other == *needed || other->facts.max == 0 ||
            other->facts.types[0].code == (*needed)->facts.types[0].code)
          continue;
        tell(context_.issues, fhir::Severity::Error, context_.origin,
             other->sources.empty() ? nullptr : other->sources[0],
             pathOf(*other) + ": can never occur, as " + std::string((*needed)->sliceName) + " must");
      }
      std::erase_if(choice.facts.types,
                    [&](const TypeFacts& type) { return type.code != (*needed)->facts.types[0].code; });
      choice.facts.min = std::max(choice.facts.min, (*needed)->facts.min);
    }
    const bool all = std::all_of(choice.facts.types.begin(), choice.facts.types.end(), [&](const TypeFacts& type) {
      return std::any_of(slices.begin(), slices.end(),
                         [&](const Node* one) { return one->facts.types[0].code == type.code; });
    });
    if (all) choice.facts.rules = SlicingRules::Closed;
  }

  // --- order ---------------------------------------------------------------------------------------------------

  void number(const Node& node, std::map<const Node*, std::size_t>& places) {
    places.emplace(&node, places.size());
    for (const auto& one : node.children) number(*one, places);
  }

  void tellOrder() {
    std::map<const Node*, std::size_t> places;
    number(*snapshot_.root, places);
    std::size_t last = 0;
    for (const auto& [node, stated] : applied_) {
      const std::size_t place = places.at(node);
      if (place < last) {
        tell(
            context_.issues, fhir::Severity::Warning, context_.origin, stated->element,
            std::string(stated->path) + " stands after elements that follow it in the snapshot: sort the differential");
        return;
      }
      last = place;
    }
  }

  const SnapshotContext& context_;
  const fhir::Document& document_;
  TreeMaker trees_;
  Snapshot snapshot_;
  bool specialises_ = false;
  bool idsAgree_ = false;
  bool tooLarge_ = false;
  std::size_t nodes_ = 0;
  std::vector<Open> open_;
  std::vector<std::pair<const Node*, const Stated*>> applied_;
  std::vector<Node*> choices_;
  std::vector<std::pair<Node*, Stated>> newSlices_;
};

}  // namespace

Snapshot makeSnapshot(const SnapshotContext& context) {
  return Maker(context).make();
}

Snapshot readSnapshot(const SnapshotContext& context) {
  const fhir::Document& document = *context.origin.document;
  const Element* listed = child(document, document.root(), "snapshot");
  const Element* first = listed == nullptr ? nullptr : child(document, listed, "element");
  Snapshot snapshot;
  snapshot.type = context.schema.findType(valueAt(document, document.root(), "type"));
  std::vector<std::pair<std::string_view, Node*>> open;  // paths and nodes from the root to the last element
  for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
    const Stated stated = readElement(context.origin, one, context.schema, context.texts, context.issues);
    auto node = std::make_unique<Node>();
    node->segment = lastSegment(stated.path);
    node->sliceName = stated.sliceName;
    node->facts = factsOf(stated);
    node->sources = {one};
    const std::string_view above = parentPath(stated.path);
    while (!open.empty() && open.back().first != above) open.pop_back();
    if (open.size() > kDeepest) {
      tell(context.issues, fhir::Severity::Error, context.origin, one, "is a path of more than 64 elements");
      return {};
    }
    Node* made = node.get();
    if (snapshot.root == nullptr) {
      snapshot.root = std::move(node);
    } else if (open.empty()) {
      tell(context.issues, fhir::Severity::Error, context.origin, one,
           std::string(stated.path) + ": the element above it in the path is not listed before it");
      return {};
    } else {
      node->parent = open.back().second;
      node->parent->children.push_back(std::move(node));
    }
    open.emplace_back(stated.path, made);
  }
  return snapshot;
}

}  // namespace lotsen::definitions
