// What a Profile and the Profiles own. Private to definitions.
#pragma once

#include "gateway/definitions/canonicals.h"
#include "gateway/definitions/r4_profiles.h"

#include <deque>
#include <string>
#include <vector>

namespace lotsen::definitions {

/// What a Profile's spans and views point to: room is made before the first span is taken, and nothing moves
/// afterwards.
struct Profile::Storage {
  std::vector<ProfileElement> rows;
  std::vector<ProfileConstraint> constraints;
  std::vector<AllowedType> types;
  std::vector<Slicing> slicings;
  std::vector<Discriminator> discriminators;
  std::vector<std::string_view> canonicals;
  std::vector<const fhir::Element*> sources;
  std::vector<ExtensionContext> contexts;
  std::vector<std::string_view> contextInvariants;
  std::deque<std::string> texts;
};

struct Profiles::State {
  std::shared_ptr<const Profiles> base;        // R4's, beside those of packages
  std::unique_ptr<R4Profiles> core;            // of R4's own
  std::shared_ptr<const fhir::Schema> schema;  // whose texts the profiles point to
  std::vector<std::shared_ptr<const fhir::Document>> documents;
  std::vector<std::unique_ptr<const Profile>> profiles;
  Canonicals<const Profile*> byUrl;
  std::vector<std::string_view> added;
};

}  // namespace lotsen::definitions
