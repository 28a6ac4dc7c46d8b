// libFuzzer: any text is a StructureMap resource (JSON or XML) that compiles and runs, or is refused with an issue that
// says where. What was read is written and read again, and then written the same.
#include "tests/fuzz/map_run.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lotsen;
  if (size > 16u << 10) return -1;
  const mapping::MapText map{"fuzz.json", std::string(reinterpret_cast<const char*>(data), size)};
  const std::size_t first = map.text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || (map.text[first] != '{' && map.text[first] != '<'))
    return -1;  // fml_fuzz has those
  compileAndRun(map);
  fhir::Issues issues;
  const auto written = mapping::toStructureMap(map, fhir::Schema::r4(), issues);
  if (!written.ok()) return 0;
  const std::string json = fhir::writeJson(*written);
  const auto again = mapping::toStructureMap({"fuzz.json", json}, fhir::Schema::r4(), issues);
  if (!again.ok() || fhir::writeJson(*again) != json) std::abort();
  return 0;
}
