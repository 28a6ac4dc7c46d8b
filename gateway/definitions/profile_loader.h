// From StructureDefinitions that constrain a type to Profiles: finds what they derive from among each other and in R4.
// Private to definitions.
#pragma once

#include "gateway/definitions/canonicals.h"
#include "gateway/definitions/snapshot.h"

#include <deque>
#include <memory>
#include <string>

namespace lotsen::definitions {

class ProfileLoader {
 public:
  /// `schema` has the types of all packages.
  ProfileLoader(std::shared_ptr<const fhir::Schema> schema, fhir::Issues& issues)
      : schema_(std::move(schema)), issues_(issues) {}

  void add(std::string file, std::shared_ptr<const fhir::Document> document);
  /// Makes all rows.
  std::shared_ptr<const Profiles> finish() &&;

 private:
  struct Entry {
    std::shared_ptr<const fhir::Document> document;
    Origin origin;
    bool begun = false;
    std::unique_ptr<const Profile> profile;
  };

  const Profile* make(Entry& entry);
  const Profile* find(std::string_view canonical);

  std::shared_ptr<const fhir::Schema> schema_;
  fhir::Issues& issues_;
  std::deque<Entry> entries_;
  Canonicals<Entry*> byUrl_;
};

/// The rows of one StructureDefinition, from the snapshot that it brings, else from its differential; nullptr if its
/// base is not known. Faults go to `issues`.
std::unique_ptr<const Profile> makeProfile(const Origin& origin, const fhir::Schema& schema, const Lookup& lookup,
                                           fhir::Issues& issues);

}  // namespace lotsen::definitions
