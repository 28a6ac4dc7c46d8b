#include "gateway/base/result.h"

#include <cstdio>

namespace lotsen {

std::string_view codeName(Code code) {
  switch (code) {
    case Code::Invalid: return "invalid";
    case Code::Unauthenticated: return "unauthenticated";
    case Code::Forbidden: return "forbidden";
    case Code::NotFound: return "not-found";
    case Code::Conflict: return "conflict";
    case Code::TooLarge: return "too-large";
    case Code::Busy: return "busy";
    case Code::Unavailable: return "unavailable";
    case Code::Timeout: return "timeout";
    case Code::Ambiguous: return "ambiguous";
    case Code::Corrupt: return "corrupt";
    case Code::Internal: return "internal";
  }
  return "internal";
}

void checkFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "lotsen: broken invariant '%s' at %s:%d; the process ends, nothing accepted is lost\n",
               condition, file, line);
  std::abort();
}

}  // namespace lotsen
