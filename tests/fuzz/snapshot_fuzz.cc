// Any text as a StructureDefinition, and a second profile on it: its snapshot is made, written and made again, and both
// say the same. Input: JSON; two definitions apart by a zero byte are given together.
#include "gateway/definitions/profile_loader.h"
#include "gateway/definitions/snapshot_form.h"
#include "gateway/fhir/forms.h"

#include <cstdint>
#include <cstdlib>

using namespace lotsen;

namespace {

std::shared_ptr<const fhir::Document> read(std::string_view text) {
  fhir::Issues issues;
  const auto schema = fhir::Schema::r4();
  auto document = fhir::readJson(text, schema, {.maxBytes = 1u << 16}, issues);
  // As loading does: what is no StructureDefinition is none of ours, an object without a type least of all.
  if (!document || document->root()->type != schema->findType("StructureDefinition") ||
      fhir::valueAt(*document, document->root(), "url").empty())
    return nullptr;
  return std::make_shared<const fhir::Document>(std::move(*document));
}

/// Walks every link, as validation would.
void walk(const definitions::Profile& profile) {
  const auto rows = profile.rows();
  for (definitions::RowId at = 0; at < rows.size(); ++at) {
    const auto& row = rows[at];
    if (row.end <= at || row.end > rows.size()) std::abort();
    if (at > 0 && (row.parent >= at || rows[row.parent].end < row.end)) std::abort();
    if (row.unsliced != definitions::kNoRow && row.unsliced >= at) std::abort();
    std::size_t slices = 0;
    for (auto slice = row.firstSlice; slice != definitions::kNoRow; slice = rows[slice].nextSlice) {
      if (rows[slice].unsliced != at || ++slices > rows.size()) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto zero = text.find('\0');
  fhir::Issues issues;
  definitions::ProfileLoader loader(fhir::Schema::r4(), issues);
  const auto first = read(text.substr(0, zero));
  const auto second = zero == std::string_view::npos ? nullptr : read(text.substr(zero + 1));
  if (first == nullptr) return -1;
  loader.add("first", first);
  if (second != nullptr) loader.add("second", second);
  const auto profiles = std::move(loader).finish();
  for (const auto& document : {first, second}) {
    if (document == nullptr) continue;
    if (const auto* profile = profiles->find(fhir::valueAt(*document, document->root(), "url"))) walk(*profile);
    const definitions::Definitions known{fhir::Schema::r4(), profiles, {}};
    const auto written = definitions::withSnapshot(known, "file", *document, issues);
    if (written) static_cast<void>(fhir::writeJson(*written));
  }
  return 0;
}
