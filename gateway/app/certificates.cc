#include "gateway/app/certificates.h"

#include "gateway/inbound/server.h"
#include "gateway/outbound/endpoint.h"
#include "gateway/sweden/civil_time.h"

#include <algorithm>
#include <map>

namespace lotsen::app {

namespace {

constexpr auto kWarning = std::chrono::days(30);

int lineOf(const Section& section, std::string_view key) {
  for (const auto& entry : section.entries) {
    if (entry.key == key) return entry.line;
  }
  return section.line;
}

/// Of the certificates of a file, the one that expires first stands for all.
void note(const std::vector<crypto::Certificate>& certificates, const std::string& file, std::string_view use,
          const std::string& partner, Settings& settings) {
  const auto first = std::min_element(certificates.begin(), certificates.end(),
                                      [](const auto& one, const auto& other) { return one.notAfter < other.notAfter; });
  if (first != certificates.end()) settings.certificates.push_back({file, std::string(use), partner, *first});
}

/// The value of a key that names a file; its line is where faults of the file are told.
struct NamedFile {
  std::string path;
  int line = 0;
};

NamedFile file(Section& section, std::string_view key, const Resolve& resolve, Faults& faults) {
  return {resolve(section.optional(key, "", faults)), lineOf(section, key)};
}

bool onlyTls13(Section& section, Faults& faults) {
  return section.choice("min_tls", "1.2", {"1.2", "1.3"}, faults) == "1.3";
}

/// Both or none.
bool pairMissing(const Section& section, std::string_view certificateKey, const NamedFile& certificate,
                 std::string_view keyKey, const NamedFile& key, Faults& faults) {
  if (certificate.path.empty() == key.path.empty()) return false;
  const auto there = certificate.path.empty() ? keyKey : certificateKey;
  faults.add(section.file, lineOf(section, there),
             std::string(certificateKey) + " and " + std::string(keyKey) + " belong together: give both or neither");
  return true;
}

crypto::ClientCertificates clientMode(Section& listen, Faults& faults) {
  const auto word = listen.choice("client_certificate", "none", {"none", "optional", "required"}, faults);
  return word == "required"   ? crypto::ClientCertificates::Required
         : word == "optional" ? crypto::ClientCertificates::Optional
                              : crypto::ClientCertificates::None;
}

}  // namespace

void readListenTls(Section& listen, const Resolve& resolve, Settings& settings, Faults& faults) {
  const auto certificate = file(listen, "certificate_file", resolve, faults);
  const auto key = file(listen, "key_file", resolve, faults);
  const auto issuers = file(listen, "client_ca_file", resolve, faults);
  crypto::TlsSettings tls;
  tls.clients = clientMode(listen, faults);
  tls.onlyTls13 = onlyTls13(listen, faults);
  settings.clientCertificatesAsked = tls.clients != crypto::ClientCertificates::None;
  const bool asks = settings.clientCertificatesAsked;
  if (const auto sound = inbound::checkAddress(settings.address, !certificate.path.empty()); !sound.ok())
    faults.add(listen.file, lineOf(listen, "address"), sound.error().message);
  if (pairMissing(listen, "certificate_file", certificate, "key_file", key, faults)) return;
  for (const std::string_view other : {"client_ca_file", "client_certificate", "min_tls"}) {
    if (certificate.path.empty() && lineOf(listen, other) != listen.line)
      faults.add(listen.file, lineOf(listen, other),
                 std::string(other) + " needs TLS: give certificate_file and key_file");
  }
  if (certificate.path.empty()) return;
  if (asks == issuers.path.empty()) {
    faults.add(listen.file, lineOf(listen, asks ? "client_certificate" : "client_ca_file"),
               asks ? "client_certificate needs client_ca_file: whose client certificates are good"
                    : "client_ca_file is not used unless client_certificate is optional or required");
    return;
  }
  auto own = crypto::readKeyPair(certificate.path, key.path, crypto::KeyUse::Server);
  auto trusted = asks ? crypto::readTrusted(issuers.path) : Result<crypto::Trusted>(crypto::Trusted{});
  if (!own.ok()) faults.add(listen.file, certificate.line, own.error().message);
  if (!trusted.ok()) faults.add(listen.file, issuers.line, trusted.error().message);
  if (!own.ok() || !trusted.ok()) return;
  tls.own = std::move(*own);
  tls.clientIssuers = std::move(*trusted);
  auto server = crypto::TlsServer::create(tls);
  if (!server.ok()) {
    faults.add(listen.file, certificate.line, certificate.path + ": " + server.error().message);
    return;
  }
  settings.tls = std::move(*server);
  note(tls.own.certificates, certificate.path, "listen", "", settings);
  note(tls.clientIssuers.certificates, issuers.path, "client-ca", "", settings);
}

void readClientCertificates(Section& section, identity::Permissions permissions, Settings& settings, Faults& faults) {
  (void)section.all("client_certificate");
  for (const auto& entry : section.entries) {
    if (entry.key != "client_certificate") continue;
    if (!settings.clientCertificatesAsked) {
      faults.add(section.file, entry.line,
                 "the listener does not ask for client certificates: set client_certificate in [listen]");
      continue;
    }
    const auto name = crypto::certificateName(entry.value);
    if (!name.ok()) {
      faults.add(section.file, entry.line, name.error().message);
      continue;
    }
    const auto& known = settings.clientCertificates;
    const auto other =
        std::find_if(known.begin(), known.end(), [&](const auto& source) { return source.name == *name; });
    if (other != known.end()) {
      faults.add(section.file, entry.line,
                 *name + " is the certificate of " + other->partner + " already; it names one and stands once");
      continue;
    }
    settings.clientCertificates.push_back({section.name, *name, permissions});
  }
}

bool readPartnerTls(Section& partner, const Resolve& resolve, outbound::Endpoint& endpoint, Settings& settings,
                    Faults& faults) {
  const auto trusted = file(partner, "ca_file", resolve, faults);
  const auto certificate = file(partner, "send_certificate_file", resolve, faults);
  const auto key = file(partner, "send_key_file", resolve, faults);
  const bool newest = onlyTls13(partner, faults);
  if (pairMissing(partner, "send_certificate_file", certificate, "send_key_file", key, faults)) return false;
  if (trusted.path.empty()) {
    for (const std::string_view other : {"send_certificate_file", "min_tls"}) {
      if (lineOf(partner, other) == partner.line) continue;
      faults.add(partner.file, lineOf(partner, other),
                 std::string(other) + " needs ca_file: who signs its certificate");
      return false;
    }
    return true;  // checkEndpoint() tells whether it must be there
  }
  auto tls = outbound::readTls({trusted.path, certificate.path, key.path, newest});
  if (!tls.ok()) {
    faults.add(partner.file, trusted.line, tls.error().message);
    return false;
  }
  note((*tls)->trusted.certificates, trusted.path, "partner-ca", partner.name, settings);
  note((*tls)->own.certificates, certificate.path, "partner", partner.name, settings);
  endpoint.tls = std::move(*tls);
  return true;
}

std::vector<Expiry> expiries(const Settings& settings, Instant now) {
  std::vector<Expiry> found;
  for (const auto& used : settings.certificates) {
    const auto& [notBefore, notAfter] = std::pair(used.certificate.notBefore, used.certificate.notAfter);
    if (notBefore <= now && now + kWarning < notAfter) continue;
    const auto day = [](Instant at) { return sweden::formatCivilDate(sweden::civilDate(at)); };
    std::string text = "the certificate " + used.certificate.subject;
    if (notBefore > now)
      text += " is not valid before " + day(notBefore);
    else if (notAfter < now)
      text += " has expired on " + day(notAfter);
    else
      text += " expires on " + day(notAfter) + ", in " +
              std::to_string(std::chrono::floor<std::chrono::days>(notAfter - now).count()) + " days";
    found.push_back(
        {notBefore <= now && now <= notAfter, used.file, text + "; put a new one in its place and send SIGHUP"});
  }
  return found;
}

Status checkReplaced(const Settings& before, const Settings& after, Instant now) {
  for (const auto& used : after.certificates) {
    const auto& fresh = used.certificate;
    if (used.use != "listen" && used.use != "partner") continue;
    if (fresh.notBefore <= now && now <= fresh.notAfter) continue;
    const bool known = std::any_of(before.certificates.begin(), before.certificates.end(), [&](const auto& old) {
      return old.use == used.use && old.partner == used.partner && old.certificate.names == fresh.names;
    });
    if (!known)
      return fail(Code::Invalid,
                  used.file + " holds a certificate that is not valid now; the one that is in force is kept");
  }
  return done();
}

}  // namespace lotsen::app
