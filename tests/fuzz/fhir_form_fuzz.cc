// libFuzzer: any bytes are read or refused with reasons; what was read is written and read again as the same, from JSON
// to JSON, through XML and back, and can be validated.
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"
#include "gateway/validation/validation.h"

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
  const lotsen::fhir::ReadOptions deep{
      .type = lotsen::fhir::kNone, .maxDepth = 256, .maxBytes = 1 << 24, .maxElements = 1 << 20};
  Issues none;
  const std::string json = writeJson(*read);
  const Document second = again(readJson(json, Schema::r4(), deep, none));
  must(writeJson(second) == json);
  must(canonicalDigest(second) == canonicalDigest(*read));
  if (const auto xml = writeXml(*read)) {
    // A JSON narrative may have comments and blanks around its <div>, which the first round takes away.
    const auto twice = writeXml(again(readXml(*xml, Schema::r4(), deep, none)));
    must(twice.ok());
    const auto thrice = writeXml(again(readXml(*twice, Schema::r4(), deep, none)));
    must(thrice.ok() && *thrice == *twice);
  }
  static const auto validator = lotsen::validation::Validator::create(lotsen::definitions::Definitions::r4());
  must(validator.ok());
  Issues found;
  (*validator)->validate(*read, found);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Issues json;
  through(readJson(bytes, Schema::r4(), {}, json), json);
  Issues xml;
  through(readXml(bytes, Schema::r4(), {}, xml), xml);
  return 0;
}
