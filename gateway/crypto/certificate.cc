#include "gateway/crypto/certificate.h"

#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/crypto/x509.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

namespace lotsen::crypto {

namespace {

constexpr std::string_view kDns = "san:dns:", kUri = "san:uri:", kFingerprint = "sha256:";

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio bioOf(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  LOTSEN_CHECK(bio != nullptr);
  return bio;
}

std::string lowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

// In place of OpenSSL's own, which asks at the terminal.
int noPassphrase(char*, int, int, void*) {
  return -1;
}

Instant instantOf(const ASN1_TIME* time) {
  std::tm parts{};
  LOTSEN_CHECK(ASN1_TIME_to_tm(time, &parts) == 1);
  return Instant(std::chrono::seconds(timegm(&parts)));
}

std::string subjectOf(X509& certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  LOTSEN_CHECK(out != nullptr);
  X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(std::max(size, 0L)));
}

std::string fingerprintOf(X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  LOTSEN_CHECK(X509_digest(&certificate, EVP_sha256(), digest, &size) == 1);
  return std::string(kFingerprint) + hex({reinterpret_cast<const char*>(digest), size});
}

void addAlternativeNames(X509& certificate, std::vector<std::string>& names) {
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS && name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.ia5;
    const std::string_view value(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                 static_cast<std::size_t>(ASN1_STRING_length(text)));
    // "a.example\0.evil.example": somebody else would read it as a.example.
    if (value.empty() || value.find('\0') != std::string_view::npos) continue;
    names.push_back(name->type == GEN_DNS ? std::string(kDns) + lowerCase(value)
                                          : std::string(kUri) + std::string(value));
  }
  GENERAL_NAMES_free(alternatives);
}

Error unusable(const std::string& file, std::string_view why) {
  return fail(Code::Invalid, file + " " + std::string(why));
}

Result<std::string> readPem(const std::string& file) {
  std::string text;
  if (!readFile(file, text)) return unusable(file, "cannot be read: is it there, and may the gateway's user read it?");
  return text;
}

Result<std::string> readKey(const std::string& file) {
  std::error_code failed;
  const auto mode = std::filesystem::status(file, failed).permissions();
  if (!failed && (mode & std::filesystem::perms::others_all) != std::filesystem::perms::none)
    return unusable(file, "is a key and open to all users of this machine; run: chmod o= " + file);
  return readPem(file);
}

Result<std::vector<Certificate>> described(const std::vector<X509Pointer>& certificates, const std::string& file) {
  if (certificates.empty())
    return unusable(file, "holds no certificates in PEM form (-----BEGIN CERTIFICATE-----), or one is broken");
  std::vector<Certificate> facts;
  facts.reserve(certificates.size());
  for (const auto& certificate : certificates) facts.push_back(describe(*certificate));
  return facts;
}

}  // namespace

void FreeX509::operator()(x509_st* certificate) const {
  X509_free(certificate);
}
void FreeKey::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

std::vector<X509Pointer> parseCertificates(std::string_view pem) {
  std::vector<X509Pointer> certificates;
  ERR_clear_error();
  const Bio in = bioOf(pem);
  while (X509Pointer certificate{PEM_read_bio_X509(in.get(), nullptr, noPassphrase, nullptr)})
    certificates.push_back(std::move(certificate));
  // The end is told by an error too; every other one means that something in the file is broken.
  const auto last = ERR_peek_last_error();
  const bool ended = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!ended) certificates.clear();
  return certificates;
}

KeyPointer parseKey(std::string_view pem) {
  ERR_clear_error();
  const Bio in = bioOf(pem);
  KeyPointer key(PEM_read_bio_PrivateKey(in.get(), nullptr, noPassphrase, nullptr));
  ERR_clear_error();
  return key;
}

Certificate describe(x509_st& certificate) {
  Certificate facts;
  addAlternativeNames(certificate, facts.names);
  facts.names.push_back(fingerprintOf(certificate));
  facts.subject = subjectOf(certificate);
  facts.notBefore = instantOf(X509_get0_notBefore(&certificate));
  facts.notAfter = instantOf(X509_get0_notAfter(&certificate));
  ERR_clear_error();
  return facts;
}

Result<std::string> certificateName(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(Code::Invalid, "\"" + std::string(text) + "\" " + std::string(why) +
                                   "; write san:dns:NAME, san:uri:URI or sha256:FINGERPRINT, as it stands in the "
                                   "certificate (openssl x509 -noout -ext subjectAltName -fingerprint -sha256)");
  };
  if (text.find('*') != text.npos) return wrong("has a wildcard: a partner is one name");
  if (text.starts_with(kDns) && text.size() > kDns.size()) return lowerCase(text);
  if (text.starts_with(kUri) && text.size() > kUri.size()) return std::string(text);
  if (!text.starts_with(kFingerprint)) return wrong("is no name of a certificate");
  std::string digits = lowerCase(text.substr(kFingerprint.size()));
  std::erase(digits, ':');
  if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != digits.npos)
    return wrong("is no SHA-256 fingerprint of 64 hexadecimal digits");
  return std::string(kFingerprint) + digits;
}

Result<KeyPair> readKeyPair(const std::string& certificateFile, const std::string& keyFile, KeyUse use) {
  KeyPair pair;
  LOTSEN_TRY(pair.certificatePem, readPem(certificateFile));
  LOTSEN_TRY(pair.keyPem, readKey(keyFile));
  const auto certificates = parseCertificates(pair.certificatePem);
  LOTSEN_TRY(pair.certificates, described(certificates, certificateFile));
  const auto key = parseKey(pair.keyPem);
  if (!key) return unusable(keyFile, "holds no key in PEM form, or one with a passphrase; store it without");
  X509& own = *certificates.front();
  const bool fits = X509_check_private_key(&own, key.get()) == 1;
  const int purpose = use == KeyUse::Server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
  const bool allowed = X509_check_purpose(&own, purpose, 0) == 1;
  ERR_clear_error();
  if (!fits) {
    return unusable(keyFile, "is not the key of the first certificate in " + certificateFile +
                                 "; replace both files together, and put the gateway's own certificate first");
  }
  if (!allowed) {
    return unusable(certificateFile, use == KeyUse::Server
                                         ? "must not be used by a server (extended key usage serverAuth is missing)"
                                         : "must not be used by a client (extended key usage clientAuth is missing)");
  }
  return pair;
}

Result<Trusted> readTrusted(const std::string& file) {
  Trusted trusted;
  LOTSEN_TRY(trusted.pem, readPem(file));
  LOTSEN_TRY(trusted.certificates, described(parseCertificates(trusted.pem), file));
  return trusted;
}

std::string_view verifyFault(long code) {
  switch (code) {
    case X509_V_OK: return "";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "it, or a certificate that it hangs on, has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "it is not yet valid (or a clock is wrong)";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "it is self-signed and not among the trusted certificates";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return "its root is not among the trusted certificates";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its issuer is not among the trusted certificates, or an intermediate certificate was not sent along";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "it is not for the host that was asked for, which must stand in its subjectAltName";
    case X509_V_ERR_INVALID_PURPOSE: return "it must not be used for this side of a connection (extended key usage)";
    case X509_V_ERR_INVALID_CA: return "its issuer is no certificate authority";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "its signature is wrong";
    case X509_V_ERR_CERT_REVOKED: return "it has been revoked";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return "its key or signature is too weak";
    default: break;
  }
  return X509_verify_cert_error_string(code);  // a table of constants
}

}  // namespace lotsen::crypto
