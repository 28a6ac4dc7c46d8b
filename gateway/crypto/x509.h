// What certificate.cc and tls.cc share. Private to this folder; OpenSSL's types only by name.
#pragma once

#include "gateway/crypto/certificate.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace lotsen::crypto {

struct FreeX509 {
  void operator()(x509_st* certificate) const;
};
struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using X509Pointer = std::unique_ptr<x509_st, FreeX509>;
using KeyPointer = std::unique_ptr<evp_pkey_st, FreeKey>;

/// All certificates of a PEM text, in order; empty if one of them cannot be read or there is none.
std::vector<X509Pointer> parseCertificates(std::string_view pem);
/// Null: no key, or one that needs a passphrase. Nobody is ever asked for it.
KeyPointer parseKey(std::string_view pem);

Certificate describe(x509_st& certificate);

}  // namespace lotsen::crypto
