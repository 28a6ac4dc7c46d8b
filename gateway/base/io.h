// What a byte stream that never blocks answers. Used by crypto (TLS) and inbound (connections), so that a loop does not
// know which of them it drives. Thread rule: plain values. Failure rule: Io::Error, the stream is lost.
#pragma once

#include <cstddef>

namespace lotsen {

enum class Io {
  Done,       // `bytes` were moved, at least one; a handshake is over
  WantRead,   // nothing to do before the descriptor can be read
  WantWrite,  // … written
  End,        // the peer sends no more
  Error,
};

struct IoResult {
  Io io = Io::Error;
  std::size_t bytes = 0;
};

}  // namespace lotsen
