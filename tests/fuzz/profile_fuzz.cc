// Any resource against any profile: the profile is made ready and the resource walked beside it, by R4's rules too.
// Input: a StructureDefinition in JSON, a zero byte, a resource in JSON. Work is bounded as for partners, only lower.
#include "gateway/definitions/profile_loader.h"
#include "gateway/fhir/forms.h"
#include "gateway/validation/validation.h"

#include <cstdint>
#include <cstdlib>

using namespace lotsen;

namespace {

std::shared_ptr<const fhir::Document> read(std::string_view text) {
  fhir::Issues issues;
  auto document = fhir::readJson(text, fhir::Schema::r4(), {.maxBytes = 1u << 16}, issues);
  if (!document || document->root() == nullptr) return nullptr;
  return std::make_shared<const fhir::Document>(std::move(*document));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto zero = text.find('\0');
  if (zero == std::string_view::npos) return -1;
  const auto profile = read(text.substr(0, zero));
  const auto resource = read(text.substr(zero + 1));
  if (profile == nullptr || resource == nullptr) return -1;
  fhir::Issues issues;
  definitions::ProfileLoader loader(fhir::Schema::r4(), issues);
  loader.add("profile", profile);
  const auto known = std::make_shared<const definitions::Definitions>(
      definitions::Definitions{fhir::Schema::r4(), std::move(loader).finish(), {}, {}, {}});
  const auto validator = validation::Validator::create(known);
  if (!validator.ok()) std::abort();
  validation::Options options;
  options.mostSteps = 1'000'000;
  options.profiles.emplace_back(fhir::valueAt(*profile, profile->root(), "url"));
  fhir::Issues first;
  fhir::Issues second;
  (*validator)->validate(*resource, first, options);
  (*validator)->validate(*resource, second, options);
  if (first.list().size() != second.list().size()) std::abort();  // the same answer every time
  return 0;
}
