#include "tests/support/certificates.h"

#include "gateway/base/result.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>

namespace lotsen::support {

namespace {

std::string textOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  LOTSEN_CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void write(const std::string& file, const std::string& text) {
  // Never half a file: a reload may read at any moment.
  const std::string draft = file + ".new";
  std::ofstream(draft) << text;
  std::filesystem::permissions(draft, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::rename(draft, file);
}

}  // namespace

TestCertificate TestCertificate::make(const CertificateWish& wish, const TestCertificate* issuer) {
  TestCertificate made;
  made.key_ = {EVP_EC_gen("P-256"), EVP_PKEY_free};
  made.certificate_ = {X509_new(), X509_free};
  LOTSEN_CHECK(made.key_ && made.certificate_);
  X509* certificate = made.certificate_.get();
  X509* signer = issuer == nullptr ? certificate : issuer->certificate();
  X509_set_version(certificate, X509_VERSION_3);
  unsigned char serial[8];
  LOTSEN_CHECK(RAND_bytes(serial, sizeof serial) == 1);
  serial[0] = 0x40;  // a leading zero would be an encoding that no reader takes
  ASN1_STRING_set(X509_get_serialNumber(certificate), serial, sizeof serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.beginsInSeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.endsInSeconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.commonName.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  X509_set_pubkey(certificate, made.key());
  extend(certificate, signer, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(certificate, signer, NID_key_usage,
         wish.authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  extend(certificate, signer, NID_subject_key_identifier, "hash");
  extend(certificate, signer, NID_authority_key_identifier, "keyid");
  if (!wish.extendedKeyUsage.empty()) extend(certificate, signer, NID_ext_key_usage, wish.extendedKeyUsage);
  std::string names;
  for (const auto& name : wish.alternativeNames) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) extend(certificate, signer, NID_subject_alt_name, names);
  LOTSEN_CHECK(X509_sign(certificate, issuer == nullptr ? made.key() : issuer->key(), EVP_sha256()) > 0);
  return made;
}

TestCertificate selfSigned(const CertificateWish& wish) {
  return TestCertificate::make(wish, nullptr);
}

TestCertificate authority(const std::string& commonName) {
  CertificateWish wish;
  wish.commonName = commonName;
  wish.authority = true;
  return selfSigned(wish);
}

TestCertificate TestCertificate::issue(const CertificateWish& wish) const {
  return make(wish, this);
}

std::string TestCertificate::pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  LOTSEN_CHECK(PEM_write_bio_X509(bio, certificate()) == 1);
  return textOf(bio);
}

std::string TestCertificate::keyPem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  LOTSEN_CHECK(PEM_write_bio_PrivateKey(bio, key(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return textOf(bio);
}

std::string TestCertificate::write(const std::string& folder, const std::string& name) const {
  return write(folder, name, {});
}

std::string TestCertificate::write(const std::string& folder, const std::string& name,
                                   const std::vector<TestCertificate>& chain) const {
  std::string text = pem();
  for (const auto& issuer : chain) text += issuer.pem();
  support::write(folder + "/" + name + ".pem", text);
  support::write(folder + "/" + name + ".key", keyPem());
  return folder + "/" + name;
}

}  // namespace lotsen::support
