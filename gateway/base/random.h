// The door to chance. Production hands out SystemRandom, tests SeededRandom; nobody else draws numbers.
// Thread rule: SystemRandom from any thread; SeededRandom belongs to one.
#pragma once

#include "gateway/base/clock.h"

#include <cstdint>
#include <random>
#include <string>

namespace lotsen {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  /// Uniform in [0, bound); 0 when bound is 0. Bias below 2^-32 for the bounds used here (delays, picks).
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
};

/// The kernel's generator: ids must not be guessable.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

/// Time-ordered UUID (RFC 9562 version 7), lower case: ids of rows and messages.
std::string uuidV7(Instant now, Random& random);

/// True for the 36 characters of a UUID, lower case.
bool isUuid(std::string_view text);

}  // namespace lotsen
