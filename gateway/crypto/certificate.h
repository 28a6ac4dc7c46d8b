// X.509 certificates and keys as files hold them (PEM), and what a certificate can be known by. Used by app (reads the
// files of the configuration, all at once, so that a half-replaced pair is noticed before it is in force), crypto and
// outbound (give the texts to TLS), identity (compares names). A certificate is known by its subject alternative names
// or its fingerprint, exactly as they stand in the configuration: no wildcard, and never by the common name, which
// anybody may write into any certificate of the same CA. Thread rule: plain values. Failure rule: Result; a message
// names the file and what to do, and never holds anything of a key.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::crypto {

struct Certificate {
  /// "san:dns:…" (lower case) and "san:uri:…" of each such alternative name, then "sha256:" with 64 hexadecimal digits:
  /// the fingerprint.
  std::vector<std::string> names;
  std::string subject;  // for people (RFC 2253); says nothing about who it is
  Instant notBefore, notAfter;
};

/// A name as configuration gives it, in the form of Certificate::names; fingerprints may have colons and capitals.
/// Invalid: another kind of name, or a wildcard.
Result<std::string> certificateName(std::string_view text);

enum class KeyUse : std::uint8_t { Server, Client };

/// A certificate with its chain, and its key: what one side of a connection shows of itself.
struct KeyPair {
  std::string certificatePem, keyPem;
  std::vector<Certificate> certificates;  // its own first
};

/// Certificates that are trusted, and nothing else is: roots, or intermediates without their root.
struct Trusted {
  std::string pem;
  std::vector<Certificate> certificates;
};

/// Invalid: a file cannot be read or holds something else, the key is encrypted, open to all users of the machine or
/// another's, or the certificate must not be used for that.
Result<KeyPair> readKeyPair(const std::string& certificateFile, const std::string& keyFile, KeyUse use);
Result<Trusted> readTrusted(const std::string& file);

/// What a refused certificate lacks, in words for people, by OpenSSL's number (X509_V_ERR_…; libcurl hands it on);
/// empty for 0. Fixed texts: nothing of the certificate.
std::string_view verifyFault(long code);

}  // namespace lotsen::crypto
