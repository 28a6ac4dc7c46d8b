// The profiles and extensions of R4 core: compact StructureDefinitions in the binary (r4/, made by
// ops/dev/generate-r4), each parsed and made into rows when it is first asked for. Private to definitions. Thread rule:
// find may be called by all threads; making is under a lock, finding what is made is not.
#pragma once

#include "gateway/definitions/profiles.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace lotsen::definitions {

class R4Profiles {
 public:
  R4Profiles();
  ~R4Profiles();

  /// By URL, without a version; nullptr if R4 has none of that name.
  const Profile* find(std::string_view url) const;

  static std::size_t count();
  static std::string_view url(std::size_t at);
  /// The StructureDefinition as JSON.
  static std::string_view text(std::size_t at);

 private:
  struct Entry {
    std::unique_ptr<const fhir::Document> document;
    std::unique_ptr<const Profile> profile;
    std::atomic<const Profile*> ready = nullptr;
    bool begun = false;
  };

  const Profile* make(std::string_view url) const;  // under the lock

  mutable std::mutex mutex_;
  mutable std::vector<Entry> entries_;
};

}  // namespace lotsen::definitions
