// Client certificates of partners. A partner is known by names of its certificate (crypto::Certificate::names), given
// in the configuration one by one and compared exactly. That the certificate is genuine, valid and meant for clients
// was found in the TLS handshake; here it is only told whose it is. Used by credentials.h. Thread rule: immutable after
// load; any thread. Failure rule: Result.
#pragma once

#include "gateway/base/result.h"
#include "gateway/crypto/certificate.h"
#include "gateway/identity/principal.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::identity {

struct CertificateSource {
  std::string partner;
  std::string name;  // san:dns:…, san:uri:… or sha256:…
  Permissions permissions;
};

class CertificateRegistry {
 public:
  /// Invalid: a name has another form, or stands at two partners or twice.
  static Result<CertificateRegistry> load(const std::vector<CertificateSource>& sources);

  /// Null: it is nobody's. Forbidden: its names belong to more than one partner.
  Result<const Principal*> find(const crypto::Certificate& certificate) const;

  /// There is a certificate by which this partner is known.
  bool knows(std::string_view partner) const;

 private:
  std::map<std::string, Principal, std::less<>> byName_;
};

}  // namespace lotsen::identity
