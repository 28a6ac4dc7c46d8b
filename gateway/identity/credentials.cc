#include "gateway/identity/credentials.h"

namespace lotsen::identity {

Result<Credentials> Credentials::load(const std::vector<TokenSource>& tokens,
                                      const std::vector<CertificateSource>& certificates) {
  LOTSEN_TRY(TokenRegistry tokenRegistry, TokenRegistry::load(tokens));
  LOTSEN_TRY(CertificateRegistry certificateRegistry, CertificateRegistry::load(certificates));
  return Credentials(std::move(tokenRegistry), std::move(certificateRegistry));
}

Result<Principal> Credentials::authenticate(std::string_view authorization,
                                            const std::optional<crypto::Certificate>& certificate, Instant now) const {
  const Principal* byCertificate = nullptr;
  if (certificate) {
    // The connection may have lived longer than the certificate with which it began.
    if (now > certificate->notAfter) {
      return fail(Code::Unauthenticated,
                  "the client certificate of this connection has expired; connect with one that is valid");
    }
    LOTSEN_TRY(byCertificate, certificates_.find(*certificate));
  }
  if (authorization.empty() && byCertificate != nullptr) return *byCertificate;
  LOTSEN_TRY(Principal byToken, tokens_.authenticate(authorization));
  const bool disagree = byCertificate != nullptr ? byCertificate->partner != byToken.partner
                                                 : certificate.has_value() && certificates_.knows(byToken.partner);
  if (disagree) {
    return fail(Code::Forbidden,
                "token and client certificate are not of the same partner; show those that belong together, or one");
  }
  return byToken;
}

}  // namespace lotsen::identity
