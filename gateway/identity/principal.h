// Who asks, once we know: a partner and what it may do. Used by inbound (which makes it from a token or, later, a
// certificate) and service (which checks permissions and that a payload's sender is this partner). Thread rule: plain
// values. Failure rule: Result.
#pragma once

#include "gateway/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::identity {

enum class Permission : std::uint8_t {
  Intake,   // hand in source records: POST /intake/{channel}
  Message,  // exchange FHIR messages: POST /fhir/$process-message
  Read,     // read transfers, deliveries and FHIR resources
  Operate,  // the operator's verbs: resend, reprocess, park, pause, resume
};

/// "intake", "message", "read", "operate": the words of the partner files.
std::string_view permissionName(Permission permission);
/// Invalid: unknown word; the message lists the known ones.
Result<Permission> parsePermission(std::string_view word);

class Permissions {
 public:
  Permissions() = default;
  Permissions(std::initializer_list<Permission> granted) {
    for (const Permission permission : granted) add(permission);
  }
  void add(Permission permission) { bits_ |= bit(permission); }
  bool has(Permission permission) const { return (bits_ & bit(permission)) != 0; }
  bool operator==(const Permissions&) const = default;

 private:
  static std::uint32_t bit(Permission permission) { return std::uint32_t{1} << static_cast<unsigned>(permission); }
  std::uint32_t bits_ = 0;
};

struct Principal {
  std::string partner;  // id of the partner in the configuration
  Permissions permissions;

  /// Forbidden with a message that names the permission, never the content.
  Status require(Permission permission) const;
};

}  // namespace lotsen::identity
