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

/// Answers everything, so that what follows an answer is reached.
class Answering final : public fhirpath::Host {
 public:
  explicit Answering(const Document& document) : root_(document.root()) {}
  const lotsen::fhir::Element* resolve(std::string_view) override { return root_; }
  std::optional<bool> memberOf(std::string_view, std::string_view code, std::string_view) override {
    return code.size() % 2 == 0;
  }
  std::optional<bool> conformsTo(const lotsen::fhir::Element* element, std::string_view) override {
    return element == root_;
  }
  std::optional<bool> subsumes(std::string_view, std::string_view general, std::string_view special) override {
    return general.size() < special.size();
  }
  std::optional<bool> inSlice(const lotsen::fhir::Element* element, std::string_view, std::string_view) override {
    return element->hasValue();
  }

 private:
  const lotsen::fhir::Element* root_;
};

std::unique_ptr<Document> readPatient() {
  lotsen::fhir::Issues issues;
  auto document = lotsen::fhir::readJson(kPatient, Schema::r4(), {}, issues);
  if (!document) std::abort();
  return std::make_unique<Document>(std::move(*document));
}

void run(std::string_view text, bool strict) {
  static const auto document = readPatient();
  static Answering host(*document);
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
  environment.host = &host;
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
