// A certificate authority for tests: makes keys (P-256) and certificates of any kind, good and bad, and writes them as
// files. Nothing of it is ever stored in the repository. Used by the tests of crypto, inbound, outbound and app. Thread
// rule: one thread. Failure rule: aborts the test process.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace lotsen::support {

struct CertificateWish {
  std::string commonName = "test";
  /// "DNS:a.example", "URI:urn:x", "IP:127.0.0.1", …; as many as wanted.
  std::vector<std::string> alternativeNames{};
  std::string extendedKeyUsage{};  // "serverAuth", "clientAuth", "serverAuth,clientAuth"; empty: none is said
  bool authority = false;
  long beginsInSeconds = -3600;
  long endsInSeconds = 86400;
};

/// A certificate and its key, in memory and, when asked for, in files.
class TestCertificate {
 public:
  std::string pem() const;
  std::string keyPem() const;
  /// Writes FOLDER/NAME.pem and FOLDER/NAME.key (mode 0600); what is there is replaced. Returns FOLDER/NAME.
  std::string write(const std::string& folder, const std::string& name) const;
  /// The same with these certificates behind it.
  std::string write(const std::string& folder, const std::string& name,
                    const std::vector<TestCertificate>& chain) const;

  /// Signed by this one, which must be an authority.
  TestCertificate issue(const CertificateWish& wish) const;

  x509_st* certificate() const { return certificate_.get(); }
  evp_pkey_st* key() const { return key_.get(); }

 private:
  friend TestCertificate selfSigned(const CertificateWish& wish);
  static TestCertificate make(const CertificateWish& wish, const TestCertificate* issuer);

  std::shared_ptr<x509_st> certificate_;
  std::shared_ptr<evp_pkey_st> key_;
};

TestCertificate selfSigned(const CertificateWish& wish);
/// An authority of its own.
TestCertificate authority(const std::string& commonName);

}  // namespace lotsen::support
