// libFuzzer: any bytes as the XML or JSON of a logical model (the model of CDA of the tests) are read or refused with
// reasons; what was read is written in both forms and read again as the same.
#include "gateway/definitions/definitions.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"

#include <cstdint>
#include <cstdlib>

namespace {

using lotsen::Result;
using lotsen::fhir::Document;
using lotsen::fhir::Issues;
using lotsen::fhir::Schema;

void must(bool condition) {
  if (!condition) std::abort();
}

const std::shared_ptr<const Schema>& model() {
  static const auto kSchema = [] {
    Issues issues;
    const auto loaded = lotsen::definitions::load({"tests/definitions/data/cda"}, issues);
    must(loaded.ok());
    return (*loaded)->schema;
  }();
  return kSchema;
}

lotsen::fhir::ReadOptions deep() {
  return {.type = model()->findType("ClinicalDocument"), .maxDepth = 256, .maxBytes = 1 << 24, .maxElements = 1 << 20};
}

Document again(Result<Document> document) {
  must(document.ok());
  return std::move(*document);
}

void through(const Result<Document>& read, const Issues& issues) {
  must(read.ok() == !issues.hasErrors());
  if (!read) {
    must(!lotsen::fhir::operationOutcome(issues).empty());
    return;
  }
  if (read->root()->type != deep().type) return;  // a resource, or another type of the model
  Issues none;
  const std::string json = writeJson(*read);
  must(writeJson(again(readJson(json, model(), deep(), none))) == json);
  if (const auto xml = writeXml(*read)) {
    // The first round puts elements in the order of the model and takes away blanks around text.
    const auto twice = writeXml(again(readXml(*xml, model(), deep(), none)));
    must(twice.ok());
    const auto thrice = writeXml(again(readXml(*twice, model(), deep(), none)));
    must(thrice.ok() && *thrice == *twice);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Issues json;
  through(readJson(bytes, model(), {.type = deep().type}, json), json);
  Issues xml;
  through(readXml(bytes, model(), {}, xml), xml);
  return 0;
}
