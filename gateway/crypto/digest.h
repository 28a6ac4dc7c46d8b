// Digests and what is built from them: SHA-256 of records and tokens, name-based UUIDs, comparison of secrets in
// constant time. Used by fhir (canonical digest), identity (tokens), store (digests of originals), service (name-based
// ids). Thread rule: functions from any thread; a Sha256 belongs to one. Failure rule: none of these can fail but for
// lack of memory, which ends the process.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace lotsen::crypto {

using Digest256 = std::array<unsigned char, 32>;

/// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);

  /// The digest of all bytes since construction or the last finish; the object is then ready for a new message.
  Digest256 finish();
  std::string finishHex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest256 sha256(std::string_view bytes);

/// 64 lower-case hexadecimal digits.
std::string sha256Hex(std::string_view bytes);

/// Lower case, two digits a byte.
std::string hex(std::string_view bytes);

/// The time taken depends on the lengths only, never on where the contents differ. Different lengths: false.
bool constantTimeEquals(std::string_view a, std::string_view b);
bool constantTimeEquals(const Digest256& a, const Digest256& b);

/// Overwrites a secret that is no longer needed, in a way that the compiler keeps, and empties it.
void wipe(std::string& secret);

/// Name-based UUID (RFC 9562 version 5, SHA-1), lower case. REQUIRES: `space` is a UUID in the form of isUuid().
std::string uuidV5(std::string_view space, std::string_view name);

}  // namespace lotsen::crypto
