// libFuzzer: any bytes are read or refused with reasons; what was read is written and read again as the same, from JSON
// to JSON, through XML and back, and can be validated.
#include "gateway/validation/validation.h"
#include "tests/fuzz/forms.h"

#include <cstdint>

namespace {

using lotsen::Result;
using lotsen::fhir::Document;
using lotsen::fhir::Issues;
using lotsen::fhir::Schema;

void through(const Result<Document>& read, const Issues& issues) {
  if (!lotsen::fuzz::wasRead(read, issues)) return;
  lotsen::fuzz::rewrite(*read, Schema::r4(), lotsen::fuzz::deep(lotsen::fhir::kNone));
  static const auto validator = lotsen::validation::Validator::create(lotsen::definitions::Definitions::r4());
  lotsen::fuzz::must(validator.ok());
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
