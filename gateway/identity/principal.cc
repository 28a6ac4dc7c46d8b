#include "gateway/identity/principal.h"

namespace lotsen::identity {

namespace {

constexpr std::string_view kNames[] = {"intake", "message", "read", "operate"};

}  // namespace

std::string_view permissionName(Permission permission) {
  return kNames[static_cast<std::size_t>(permission)];
}

Result<Permission> parsePermission(std::string_view word) {
  std::string known;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == word) return static_cast<Permission>(i);
    known.append(i == 0 ? "" : ", ").append(kNames[i]);
  }
  return fail(Code::Invalid, "unknown permission '" + std::string(word) + "'; known are: " + known);
}

Status Principal::require(Permission permission) const {
  if (permissions.has(permission)) return done();
  return fail(Code::Forbidden, "partner " + partner + " does not have the permission '" +
                                   std::string(permissionName(permission)) +
                                   "'; grant it in the partner's configuration if it should");
}

}  // namespace lotsen::identity
