// libFuzzer: any bytes as the XML or JSON of a logical model (the model of CDA of the tests) are read or refused with
// reasons; what was read is written in both forms and read again as the same.
#include "gateway/definitions/definitions.h"
#include "tests/fuzz/forms.h"

#include <cstdint>

namespace {

using lotsen::Result;
using lotsen::fhir::Document;
using lotsen::fhir::Issues;
using lotsen::fhir::Schema;

const std::shared_ptr<const Schema>& model() {
  static const auto kSchema = [] {
    Issues issues;
    const auto loaded = lotsen::definitions::load({"tests/definitions/data/cda"}, issues);
    lotsen::fuzz::must(loaded.ok());
    return (*loaded)->schema;
  }();
  return kSchema;
}

lotsen::fhir::TypeId root() {
  return model()->findType("ClinicalDocument");
}

void through(const Result<Document>& read, const Issues& issues) {
  if (!lotsen::fuzz::wasRead(read, issues)) return;
  if (read->root()->type != root()) return;  // a resource, or another type of the model
  lotsen::fuzz::rewrite(*read, model(), lotsen::fuzz::deep(root()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Issues json;
  through(readJson(bytes, model(), {.type = root()}, json), json);
  Issues xml;
  through(readXml(bytes, model(), {}, xml), xml);
  return 0;
}
