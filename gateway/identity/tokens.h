// Bearer tokens of partners (RFC 6750), from files. The registry keeps SHA-256 digests only, so a core dump or a
// debugger shows no token; comparing takes the same time whatever was sent. A token file holds one token a line; more
// than one line is how a token is rotated: add the new one, let the partner change, take the old one out. Blank lines
// are skipped. Used by app (loads it, again on reload) and inbound (asks it). Thread rule: immutable after load; any
// thread. Failure rule: Result; no message ever holds a token.
#pragma once

#include "gateway/base/result.h"
#include "gateway/crypto/digest.h"
#include "gateway/identity/principal.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::identity {

struct TokenSource {
  std::string partner;
  std::string file;
  Permissions permissions;
};

class TokenRegistry {
 public:
  static constexpr std::size_t kMinLength = 32;  // 32 characters of base64 are 192 bits
  static constexpr std::size_t kMaxLength = 4096;

  /// Reads every file. Invalid: a file that cannot be read, is open to other users of the machine, holds no token, one
  /// that is too short, too long or of other characters than RFC 6750 allows, or a token that another line has already.
  static Result<TokenRegistry> load(const std::vector<TokenSource>& sources);

  /// `header` is the value of the Authorization field, empty when there is none. Unauthenticated with kRefusal,
  /// whatever was wrong: the answer must not help to guess.
  Result<Principal> authenticate(std::string_view header) const;

  std::size_t size() const { return entries_.size(); }

  static constexpr std::string_view kRefusal =
      "authentication required: send the field Authorization: Bearer <token> with a token of this gateway";

 private:
  struct Entry {
    crypto::Digest256 digest;
    std::size_t principal;
  };

  TokenRegistry() = default;
  Status addFile(const TokenSource& source);
  Status addToken(std::string_view token, const std::string& where);

  std::vector<Principal> principals_;  // one a source
  std::vector<Entry> entries_;
};

}  // namespace lotsen::identity
