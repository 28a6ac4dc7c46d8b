// What a Profile and the Profiles own. Private to definitions.
#pragma once

#include "gateway/definitions/profiles.h"

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace lotsen::definitions {

/// What a Profile's spans and views point to: filled before the first span is taken, never changed afterwards.
struct Profile::Storage {
  std::vector<ProfileElement> rows;
  std::vector<ProfileConstraint> constraints;
  std::vector<AllowedType> types;
  std::vector<Slicing> slicings;
  std::vector<Discriminator> discriminators;
  std::vector<std::string_view> canonicals;
  std::vector<ExtensionContext> contexts;
  std::deque<std::string> texts;
};

struct Profiles::State {
  std::unordered_map<std::string_view, std::unique_ptr<const Profile>> byUrl;
  std::vector<std::string_view> added;
};

}  // namespace lotsen::definitions
