// libFuzzer: any text compiles as a map or is refused with an issue that says where. Maps are not run here: a map is
// the operator's own text, and how long it runs is its author's business.
#include "gateway/mapping/mapping.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lotsen;
  if (size > 16u << 10) return 0;
  fhir::Issues issues;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto library = mapping::Library::compile({{"fuzz.map", text}}, fhir::Schema::r4(), issues);
  if (library.ok() == issues.hasErrors()) std::abort();
  if (library.ok()) {
    if (library->hash().size() != 64) std::abort();
    return 0;
  }
  for (const auto& issue : issues.list()) {
    if (issue.text.empty()) std::abort();
  }
  return 0;
}
