#include "gateway/definitions/known_codes.h"

#include "gateway/definitions/canonicals.h"
#include "gateway/definitions/code_system.h"

#include <algorithm>

namespace lotsen::definitions {

namespace {

std::string lowered(std::string_view code) {
  std::string text(code);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

void KnownCodes::add(const CodeSystem& system) {
  System made{std::string(system.version()), system.caseSensitive(), {}};
  for (const std::string_view code : system.all()) {
    made.codes.push_back(made.caseSensitive ? std::string(code) : lowered(code));
  }
  std::sort(made.codes.begin(), made.codes.end());
  auto& all = byUrl_[std::string(system.url())];
  const auto after =
      std::find_if(all.begin(), all.end(), [&](const System& one) { return olderVersion(one.version, made.version); });
  all.insert(after, std::move(made));
}

std::optional<bool> KnownCodes::has(std::string_view system, std::string_view version, std::string_view code) const {
  const auto found = byUrl_.find(system);
  if (found == byUrl_.end()) return {};
  for (const System& one : found->second) {
    if (!version.empty() && one.version != version) continue;
    return one.caseSensitive ? std::binary_search(one.codes.begin(), one.codes.end(), code)
                             : std::binary_search(one.codes.begin(), one.codes.end(), lowered(code));
  }
  return {};
}

}  // namespace lotsen::definitions
