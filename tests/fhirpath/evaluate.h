// Test support: evaluates expressions on a small Bundle and spells the result.
#pragma once

#include "gateway/fhir/forms.h"
#include "gateway/fhirpath/fhirpath.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

namespace lotsen::fhirpath {

inline constexpr std::string_view kBundle = R"({
  "resourceType": "Bundle", "type": "collection", "entry": [
    {"fullUrl": "urn:uuid:0b0d9c1e-6f0a-4b8e-9d5c-000000000001", "resource": {
      "resourceType": "Patient", "id": "p1", "active": true, "birthDate": "1980-02-29",
      "_birthDate": {"extension": [{"url": "http://example.org/time", "valueDateTime": "1980-02-29T10:00:00+01:00"}]},
      "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Hej</p></div>"},
      "name": [
        {"use": "official", "family": "Åström", "given": ["Eva", "Lo"]},
        {"use": "nickname", "given": ["Evis"]}],
      "contact": [{"name": {"family": "Berg"}, "gender": "female"}],
      "managingOrganization": {"reference": "#org"},
      "contained": [{"resourceType": "Organization", "id": "org", "name": "Kliniken"}]}},
    {"fullUrl": "https://example.org/Observation/o1", "resource": {
      "resourceType": "Observation", "id": "o1", "status": "final",
      "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
      "subject": {"reference": "urn:uuid:0b0d9c1e-6f0a-4b8e-9d5c-000000000001"},
      "effectiveDateTime": "2026-03-02T08:00:00+01:00",
      "valueQuantity": {"value": 72.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}}]})";

inline std::unique_ptr<fhir::Document> readDocument(std::string_view json, fhir::ReadOptions options = {}) {
  fhir::Issues issues;
  auto document = fhir::readJson(json, fhir::Schema::r4(), options, issues);
  if (!document) {
    ADD_FAILURE() << document.error().message << (issues.empty() ? "" : ": " + issues.list()[0].text);
    return nullptr;
  }
  return std::make_unique<fhir::Document>(std::move(*document));
}

inline constexpr std::int64_t kNow = 1'772'438'400'123;  // 2026-03-02T08:00:00.123Z

/// "System.String:abc"; several values with " | " between; "error: …" for an error, "" for the empty collection.
inline std::string evaluated(std::string_view text, const fhir::Document* document = nullptr,
                             const fhir::Element* focus = nullptr, CompileOptions options = {},
                             Environment environment = {}) {
  if (document != nullptr && focus == nullptr) focus = document->root();
  auto program = Program::compile(text, fhir::Schema::r4(), options);
  if (!program) return "error: " + program.error().message;
  environment.document = document;
  environment.now = fromMillis(kNow);
  environment.offsetMinutes = 60;
  Evaluator evaluator(std::move(environment));
  auto values = evaluator.evaluate(*program, focus);
  if (!values) return "error: " + values.error().message;
  std::string out;
  const fhir::Document none(fhir::Schema::r4());
  for (const Value& value : *values) {
    if (!out.empty()) out += " | ";
    const fhir::Document& owner = document != nullptr ? *document : none;
    out += typeName(owner, value) + ":";
    out += value.kind == Kind::Quantity || (value.kind == Kind::Node && toText(value).empty())
               ? toJson(owner, value)
               : std::string(toText(value));
  }
  return out;
}

}  // namespace lotsen::fhirpath
