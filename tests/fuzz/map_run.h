// What the fuzzers of maps share: a small record for the type that a map takes, a run with small bounds, and what must
// hold whatever the map was. Used by: fml_fuzz, structure_map_fuzz.
#pragma once

#include "gateway/fhir/forms.h"
#include "gateway/mapping/mapping.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace lotsen {

constexpr std::string_view kRecords[] = {
    R"({"resourceType":"Patient","id":"p","active":true,"name":[{"family":"A","given":["b","c"]},{"text":"d"}],)"
    R"("gender":"male","birthDate":"1970-01-02","maritalStatus":{"coding":[{"system":"urn:s","code":"M"}]},)"
    R"("extension":[{"url":"urn:e","valueQuantity":{"value":1.50,"unit":"mg"}}]})",
    R"({"resourceType":"QuestionnaireResponse","status":"completed","item":[{"linkId":"1","answer":[)"
    R"({"valueString":"x"},{"valueCoding":{"system":"urn:s","code":"F"}}],"item":[{"linkId":"2"}]}]})",
    R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":)"
    R"({"resourceType":"Patient","id":"p"}},{"resource":{"resourceType":"Observation","valueInteger":1}}]})",
    R"({"id":"1","code":"M","text":"t","count":2,"tag":["a","b","c"],"name":[{"family":"A","given":["b"]}],)"
    R"("day":"2026-03-02","value":{"unit":"mg","value":1.5},"flag":true,"none":null})"};

/// The record of the library's source type; else an empty one of it, or one of unknown structure.
inline fhir::Document recordFor(const mapping::Library& library) {
  const auto& schema = library.schema();
  const fhir::TypeId type = library.sourceType();
  for (const std::string_view text : kRecords) {
    const std::string_view name = fhir::peekResourceType(text);
    if (type != fhir::kNone ? name.empty() || schema->findType(name) != type : !name.empty()) continue;
    fhir::Issues issues;
    auto read = fhir::readJson(text, schema, {}, issues);
    if (!read.ok()) std::abort();
    return std::move(read).value();
  }
  fhir::Document empty(schema);
  empty.createRoot(type);
  return empty;
}

/// Compiles and runs. A fault has an issue, a document that was made can be written, the same run makes the same.
inline void compileAndRun(const mapping::MapText& map) {
  fhir::Issues issues;
  const auto library = mapping::Library::compile({map}, fhir::Schema::r4(), issues);
  if (library.ok() == issues.hasErrors()) std::abort();
  for (const auto& issue : issues.list()) {
    if (issue.text.empty()) std::abort();
  }
  if (!library.ok()) return;
  if (library->hash().size() != 64) std::abort();
  const fhir::Document record = recordFor(*library);
  mapping::RunOptions options;
  options.maxSteps = 2'000;
  options.maxBytes = 1u << 20;
  fhir::Issues found;
  const auto made = mapping::transform(*library, record, options, found);
  if (made.ok() == found.hasErrors()) std::abort();
  if (!made.ok()) return;
  fhir::Issues again;
  const auto second = mapping::transform(*library, record, options, again);
  if (!second.ok() || fhir::writeJson(*made) != fhir::writeJson(*second)) std::abort();
}

}  // namespace lotsen
