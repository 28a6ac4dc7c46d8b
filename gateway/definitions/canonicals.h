// Things known by canonical, "url" or "url|version". Private to definitions. The texts are views: they must outlive it.
#pragma once

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lotsen::definitions {

/// True if `version` comes before `other`: numbers between dots count as numbers, "1.10.0" after "1.9.2".
bool olderVersion(std::string_view version, std::string_view other);
/// True if `asked` names `version`: "1.2.3" itself, or "1.2", "1.2.x", "1.x", "x" and what they leave open.
bool isVersion(std::string_view asked, std::string_view version);

/// `Item` is a pointer.
template <typename Item>
class Canonicals {
 public:
  void add(std::string_view url, std::string_view version, Item item) {
    auto& all = byUrl_[url];
    const auto after =
        std::find_if(all.begin(), all.end(), [&](const Versioned& one) { return olderVersion(one.version, version); });
    all.insert(after, {version, item});
  }

  /// The newest of the versions that it names; nullptr if there is none. What has no version answers to all.
  Item find(std::string_view canonical) const {
    const auto bar = canonical.find('|');
    const auto found = byUrl_.find(canonical.substr(0, bar));
    if (found == byUrl_.end()) return nullptr;
    if (bar == std::string_view::npos) return found->second.front().item;
    for (const Versioned& one : found->second) {
      if (one.version.empty() || isVersion(canonical.substr(bar + 1), one.version)) return one.item;
    }
    return nullptr;
  }

 private:
  struct Versioned {
    std::string_view version;
    Item item;
  };
  std::unordered_map<std::string_view, std::vector<Versioned>> byUrl_;  // the newest first
};

}  // namespace lotsen::definitions
