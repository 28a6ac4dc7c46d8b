// libFuzzer: any text compiles as a map and runs, or is refused with an issue that says where.
#include "tests/fuzz/map_run.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4u << 10) return -1;  // larger ones say nothing new and cost the fuzzer most of its time
  lotsen::compileAndRun({"fuzz.map", std::string(reinterpret_cast<const char*>(data), size)});
  return 0;
}
