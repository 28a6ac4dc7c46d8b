#include "gateway/definitions/snapshot_path.h"

#include <algorithm>

namespace lotsen::definitions {

std::vector<Step> stepsOf(std::string_view dotted) {
  std::vector<Step> steps;
  for (std::size_t at = 0; at <= dotted.size();) {
    const std::size_t end = std::min(dotted.find('.', at), dotted.size());
    const std::string_view part = dotted.substr(at, end - at);
    const auto colon = part.find(':');
    const bool sliced = colon != std::string_view::npos;
    steps.push_back({part.substr(0, colon), sliced ? part.substr(colon + 1) : std::string_view()});
    at = end + 1;
  }
  return steps;
}

bool agree(const std::vector<Step>& id, const std::vector<Step>& path, std::string_view sliceName) {
  if (id.size() != path.size()) return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (id[i].name != path[i].name && id[i].slice != path[i].name) return false;
  }
  return sliceName.empty() || id.back().slice == sliceName;
}

}  // namespace lotsen::definitions
