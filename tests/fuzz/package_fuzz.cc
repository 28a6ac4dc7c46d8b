// Any bytes as a package (.tgz; zlib reads an archive that is not compressed as it is), and as a file of definitions:
// loading either fails with a reason or gives definitions that can be asked.
#include "gateway/definitions/definitions.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>

using namespace lotsen;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string folder = [] {
    std::string name = "/tmp/package-fuzz-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    return name;
  }();
  if (size == 0) return -1;
  // The first byte chooses the form.
  const std::string file = folder + (data[0] % 3 == 0 ? "/a.json" : data[0] % 3 == 1 ? "/a.xml" : "/a.tgz");
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data + 1), static_cast<std::streamsize>(size - 1));
  fhir::Issues issues;
  const auto loaded = definitions::load({file}, issues);
  if (loaded.ok() && (*loaded)->schema == nullptr) std::abort();
  if (!loaded.ok() && loaded.error().message.empty()) std::abort();
  unlink(file.c_str());
  return 0;
}
