// Writes a snapshot tree as the rows of a Profile: ids, links, the Schema's definitions, and what is tighter than the
// type. Private to definitions.
#pragma once

#include "gateway/definitions/profile_storage.h"
#include "gateway/definitions/snapshot_tree.h"

#include <memory>

namespace lotsen::definitions {

/// What a Profile needs beside its rows.
struct ProfileHead {
  const fhir::Document* document = nullptr;  // the StructureDefinition
  fhir::TypeId type = fhir::kNone;
};

class ProfileWriter {
 public:
  explicit ProfileWriter(const fhir::Schema& schema) : schema_(schema), profile_(std::make_unique<Profile>()) {}

  /// For the texts that the tree is made with.
  TextPool& texts();
  /// Once.
  std::unique_ptr<const Profile> write(const ProfileHead& head, const Node& root);

 private:
  struct Totals {
    std::size_t rows = 0, constraints = 0, types = 0, canonicals = 0, slicings = 0, discriminators = 0, sources = 0;
    Totals& operator+=(const Totals& more);
  };

  void writeHead(const ProfileHead& head);
  static Totals count(const Node& node);
  void addRow(const Node& node, RowId parent);
  void addFacts(const Node& node, ProfileElement& row);
  void addTypes(const Facts& facts, ProfileElement& row);
  void define(ProfileElement& row, const Node& node, RowId parent);
  void markTightened(ProfileElement& row);
  void linkSlices();
  RowId slicedBy(const ProfileElement& slice, RowId at) const;

  const fhir::Schema& schema_;
  std::unique_ptr<Profile> profile_;
};

}  // namespace lotsen::definitions
