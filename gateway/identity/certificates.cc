#include "gateway/identity/certificates.h"

#include <algorithm>

namespace lotsen::identity {

Result<CertificateRegistry> CertificateRegistry::load(const std::vector<CertificateSource>& sources) {
  CertificateRegistry registry;
  for (const CertificateSource& source : sources) {
    LOTSEN_TRY(std::string name, crypto::certificateName(source.name));
    const auto [there, added] = registry.byName_.emplace(name, Principal{source.partner, source.permissions});
    if (!added) {
      return fail(Code::Invalid, "the client certificate " + name + " of " + source.partner + " is that of " +
                                     there->second.partner + " already; a name belongs to one and stands once");
    }
  }
  return registry;
}

Result<const Principal*> CertificateRegistry::find(const crypto::Certificate& certificate) const {
  const Principal* found = nullptr;
  for (const std::string& name : certificate.names) {
    const auto here = byName_.find(name);
    if (here == byName_.end()) continue;
    if (found != nullptr && found->partner != here->second.partner) {
      return fail(Code::Forbidden, "the client certificate has names of two partners, " + found->partner + " and " +
                                       here->second.partner + "; use one certificate each");
    }
    found = &here->second;
  }
  return found;
}

bool CertificateRegistry::knows(std::string_view partner) const {
  return std::any_of(byName_.begin(), byName_.end(),
                     [&](const auto& entry) { return entry.second.partner == partner; });
}

}  // namespace lotsen::identity
