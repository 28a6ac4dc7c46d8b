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
  static const std::shared_ptr<const Profiles> profiles(new Profiles(std::make_unique<State>()));
  return profiles;
}

const Profile* Profiles::find(std::string_view canonical) const {
  const auto found = state_->byUrl.find(canonical.substr(0, canonical.find('|')));
  return found == state_->byUrl.end() ? nullptr : found->second.get();
}

std::span<const std::string_view> Profiles::added() const {
  return state_->added;
}

}  // namespace lotsen::definitions
