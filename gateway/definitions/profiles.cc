#include "gateway/definitions/profiles.h"

#include "gateway/definitions/profile_storage.h"

namespace lotsen::definitions {

Profile::Profile() : storage_(std::make_unique<Storage>()) {}
Profile::~Profile() = default;

RowId Profile::child(RowId parent, fhir::NameId name) const {
  for (RowId at = parent + 1; at < rows_[parent].end; at = rows_[at].end) {
    if (rows_[at].name == name && rows_[at].sliceName.empty()) return at;
  }
  return kNoRow;
}

RowId Profile::find(std::string_view id) const {
  for (RowId at = 0; at < rows_.size(); ++at) {
    if (rows_[at].id == id) return at;
  }
  return kNoRow;
}

Profiles::Profiles(std::unique_ptr<State> state) : state_(std::move(state)) {}
Profiles::~Profiles() = default;

std::shared_ptr<const Profiles> Profiles::r4() {
  static const std::shared_ptr<const Profiles> profiles = [] {
    auto state = std::make_unique<State>();
    state->core = std::make_unique<R4Profiles>();
    return std::shared_ptr<const Profiles>(new Profiles(std::move(state)));
  }();
  return profiles;
}

ProfilePart Profiles::part(std::string_view name) const {
  const auto hash = name.find('#');
  const Profile* profile = find(name.substr(0, hash));
  if (profile == nullptr || hash == std::string_view::npos) return {profile, 0};
  const RowId row = profile->find(name.substr(hash + 1));
  return row == kNoRow ? ProfilePart() : ProfilePart{profile, row};
}

const Profile* Profiles::find(std::string_view canonical) const {
  if (state_->core) return state_->core->find(canonical.substr(0, canonical.find('|')));
  const Profile* added = state_->byUrl.find(canonical);
  return added != nullptr ? added : state_->base->find(canonical);
}

std::span<const std::string_view> Profiles::added() const {
  return state_->added;
}

}  // namespace lotsen::definitions
