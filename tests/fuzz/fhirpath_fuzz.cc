// libFuzzer: any text compiles or is refused, any program ends within its limits, and a result has a type and a JSON
// form.
#include "gateway/fhir/forms.h"
#include "gateway/fhirpath/fhirpath.h"

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace {

using lotsen::fhir::Document;
using lotsen::fhir::Schema;
namespace fhirpath = lotsen::fhirpath;

constexpr std::string_view kPatient = R"({"resourceType":"Patient","id":"p","active":true,"birthDate":"1980-02-29",
  "name":[{"use":"official","family":"Åström","given":["Eva","Lo"]},{"given":["Evis"]}],
  "telecom":[{"system":"phone","value":"+46 8 123","rank":1}],"multipleBirthInteger":2,
  "contained":[{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]},
    "valueQuantity":{"value":72.50,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}],
  "managingOrganization":{"reference":"#o"}})";

std::unique_ptr<Document> readPatient() {
  lotsen::fhir::Issues issues;
  auto document = lotsen::fhir::readJson(kPatient, Schema::r4(), {}, issues);
  if (!document) std::abort();
  return std::make_unique<Document>(std::move(*document));
}

void run(std::string_view text, bool strict) {
  static const auto document = readPatient();
  fhirpath::CompileOptions options;
  options.strict = strict;
  options.context = strict ? document->root()->type : lotsen::fhir::kNone;
  options.slots = {{"v", lotsen::fhir::kNone, lotsen::fhir::kNone, true}};
  auto program = fhirpath::Program::compile(text, Schema::r4(), options);
  if (!program) return;
  fhirpath::Value value;
  value.kind = fhirpath::Kind::String;
  value.text = "M";
  const std::span<const fhirpath::Value> slot(&value, 1);
  fhirpath::Environment environment;
  environment.document = document.get();
  environment.slots = {&slot, 1};
  environment.limits = {20'000, 1 << 20};
  fhirpath::Evaluator evaluator(std::move(environment));
  auto result = evaluator.evaluate(*program, document->root());
  if (!result) return;
  for (const fhirpath::Value& each : *result) {
    if (fhirpath::typeName(*document, each).empty() || fhirpath::toJson(*document, each).empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto length = fhirpath::expressionLength(text);
  if (length.ok() && *length > size) std::abort();
  run(text, false);
  run(text, true);
  return 0;
}
