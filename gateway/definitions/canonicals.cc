#include "gateway/definitions/canonicals.h"

namespace lotsen::definitions {

namespace {

/// Takes the part before the next dot away from `version`.
std::string_view takePart(std::string_view& version) {
  const std::string_view part = version.substr(0, version.find('.'));
  version.remove_prefix(std::min(part.size() + 1, version.size()));
  return part;
}

bool isNumber(std::string_view part) {
  return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view withoutZeros(std::string_view number) {
  return number.substr(std::min(number.find_first_not_of('0'), number.size()));
}

bool olderPart(std::string_view part, std::string_view other) {
  if (!isNumber(part) || !isNumber(other)) return part < other;
  part = withoutZeros(part);
  other = withoutZeros(other);
  return part.size() != other.size() ? part.size() < other.size() : part < other;
}

}  // namespace

bool olderVersion(std::string_view version, std::string_view other) {
  while (!version.empty() && !other.empty()) {
    const std::string_view mine = takePart(version);
    const std::string_view its = takePart(other);
    if (olderPart(mine, its)) return true;
    if (olderPart(its, mine)) return false;
  }
  return !other.empty();
}

bool isVersion(std::string_view asked, std::string_view version) {
  while (!asked.empty()) {
    const std::string_view part = takePart(asked);
    if (part == "x" || part == "X" || part == "*") return true;
    if (version.empty() || part != takePart(version)) return false;
  }
  return true;
}

}  // namespace lotsen::definitions
