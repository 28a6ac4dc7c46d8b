#include "gateway/crypto/digest.h"

#include "gateway/base/random.h"
#include "gateway/base/result.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace lotsen::crypto {

namespace {

// Fetched once: the implicit fetch of EVP_sha256() costs more than the digest of a short text.
const EVP_MD* sha256Method() {
  static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  LOTSEN_CHECK(method != nullptr);
  return method;
}

std::string_view view(const Digest256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

unsigned nibble(char c) {
  return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

}  // namespace

struct Sha256::State {
  State() : context(EVP_MD_CTX_new()) { begin(); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void begin() { LOTSEN_CHECK(context != nullptr && EVP_DigestInit_ex2(context, sha256Method(), nullptr) == 1); }

  EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  LOTSEN_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Digest256 Sha256::finish() {
  Digest256 digest;
  LOTSEN_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
  state_->begin();
  return digest;
}

std::string Sha256::finishHex() {
  return hex(view(finish()));
}

Digest256 sha256(std::string_view bytes) {
  Digest256 digest;
  LOTSEN_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, sha256Method(), nullptr) == 1);
  return digest;
}

std::string sha256Hex(std::string_view bytes) {
  return hex(view(sha256(bytes)));
}

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out(bytes.size() * 2, '0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out[2 * i] = kDigits[byte >> 4];
    out[2 * i + 1] = kDigits[byte & 15];
  }
  return out;
}

bool constantTimeEquals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool constantTimeEquals(const Digest256& a, const Digest256& b) {
  return constantTimeEquals(view(a), view(b));
}

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

std::string uuidV5(std::string_view space, std::string_view name) {
  LOTSEN_CHECK(isUuid(space));
  std::string message;
  message.reserve(16 + name.size());
  for (std::size_t i = 0; i < space.size(); i += 2) {
    if (space[i] == '-') ++i;
    message.push_back(static_cast<char>(nibble(space[i]) << 4 | nibble(space[i + 1])));
  }
  message.append(name);

  std::array<unsigned char, 20> digest{};
  LOTSEN_CHECK(EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);  // version 5
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);  // variant of RFC 9562
  std::string out = hex({reinterpret_cast<const char*>(digest.data()), 16});
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) out.insert(dash, 1, '-');
  return out;
}

}  // namespace lotsen::crypto
