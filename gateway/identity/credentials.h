// All by which somebody can be known: bearer tokens and client certificates. Either is enough. Whoever shows both must
// be the same by both: a token that turns up on another's connection is stolen or mistaken. A certificate that is
// nobody's says nothing (a region may demand certificates of all that connect and tell them apart by tokens), unless
// the token's owner has certificates of its own. Used by app (loads, replaces on reload) and inbound (asks). Thread
// rule: Credentials are immutable; CurrentCredentials from any thread. Failure rule: Result.
#pragma once

#include "gateway/base/in_force.h"
#include "gateway/identity/certificates.h"
#include "gateway/identity/tokens.h"

#include <optional>

namespace lotsen::identity {

class Credentials {
 public:
  static Result<Credentials> load(const std::vector<TokenSource>& tokens,
                                  const std::vector<CertificateSource>& certificates);

  /// `authorization`: the field's value, empty when there is none. `certificate`: what the handshake found good; it may
  /// have expired since. Unauthenticated, with a fixed text; Forbidden: token and certificate, or the names of the
  /// certificate, are of different partners.
  Result<Principal> authenticate(std::string_view authorization, const std::optional<crypto::Certificate>& certificate,
                                 Instant now) const;

 private:
  Credentials(TokenRegistry tokens, CertificateRegistry certificates)
      : tokens_(std::move(tokens)), certificates_(std::move(certificates)) {}

  TokenRegistry tokens_;
  CertificateRegistry certificates_;
};

/// Those in force.
using CurrentCredentials = InForce<Credentials>;

}  // namespace lotsen::identity
