// A snapshot in the making: a tree of nodes, one for each element that it lists. Private to definitions.
//
// A node has children only where some definition walks into it; `unfold` gives it those of its type, of its type's
// profile, or of the element that it refers to. Slices are siblings that follow the element they slice. A tree that a
// differential works on remembers what each node was before (`inherited`): a new slice starts from what the base says,
// not from what this differential says of the unsliced element (which holds for elements in slices anyway).
#pragma once

#include "gateway/definitions/element_facts.h"

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::definitions {

struct Node {
  Node* parent = nullptr;
  std::string_view segment;    // "identifier", "value[x]"
  std::string_view sliceName;  // "pnr", "pnr/old"
  Facts facts;
  std::vector<std::unique_ptr<Node>> children;
  std::vector<const fhir::Element*> sources;  // the ElementDefinitions that it is made of, newest first
  std::unique_ptr<Facts> inherited;           // what it was, once this differential has changed it
  bool added = false;                         // by this differential: a slice, or a child of what it walked into
};

class TreeMaker {
 public:
  TreeMaker(const fhir::Schema& schema, TextPool& texts) : schema_(schema), texts_(texts) {}

  /// What the Schema says of a type, its backbone elements unfolded.
  std::unique_ptr<Node> ofType(fhir::TypeId type) const;
  /// A profile's rows.
  static std::unique_ptr<Node> ofProfile(const Profile& profile);
  /// The children of a type below a node that has none.
  void addTypeChildren(Node& node, fhir::TypeId type) const;
  /// The children of the element that the contentReference `path` names ("Questionnaire.item"), whose type it then has.
  bool addContentChildren(Node& node, std::string_view path) const;
  /// What the Schema says of the element `def`.
  Facts factsOf(fhir::DefId def) const;

 private:
  void addShape(Node& node, fhir::ShapeId shape) const;
  Node& addChild(Node& node, std::string_view segment) const;
  std::string_view contentReferenceOf(fhir::DefId id) const;
  void addConstraints(Facts& facts, fhir::DefId id) const;
  std::string_view store(std::string text) const { return texts_.emplace_back(std::move(text)); }

  const fhir::Schema& schema_;
  TextPool& texts_;
};

/// A slice that this differential makes has inherited nothing as such.
inline bool isNewSlice(const Node& node) {
  return node.added && !node.sliceName.empty();
}

/// A copy of a node and of what stands below it, as it was before the differential; for a slice.
std::unique_ptr<Node> inheritedCopy(const Node& node);
/// A copy as it is now.
std::unique_ptr<Node> copyOf(const Node& node);

/// The last segment of a path, what precedes it, and a name with its first letter capitalised.
std::string_view lastSegment(std::string_view path);
std::string_view parentPath(std::string_view path);
std::string capitalised(std::string_view text);

}  // namespace lotsen::definitions
