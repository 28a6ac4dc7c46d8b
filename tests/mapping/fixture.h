// What the tests of the mapping engine share: a map as text, a record as JSON, the result as JSON.
#pragma once

#include "gateway/base/text.h"
#include "gateway/definitions/definitions.h"
#include "gateway/fhir/forms.h"
#include "gateway/mapping/loss.h"
#include "gateway/mapping/mapping.h"
#include "gtest/gtest.h"
#include "tests/support/files.h"
#include "tests/support/shared.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lotsen::mapping {

using SchemaPointer = std::shared_ptr<const fhir::Schema>;

using test::fileText;
using test::sharedFolder;

inline std::string allIssues(const fhir::Issues& issues) {
  std::string text;
  for (const auto& issue : issues.list()) {
    text += std::string(fhir::severityCode(issue.severity)) + ": " + issue.text + "\n";
  }
  return text;
}

inline SchemaPointer schemaWith(const std::vector<std::string>& paths) {
  fhir::Issues issues;
  auto loaded = definitions::load(paths, issues);
  EXPECT_TRUE(loaded.ok()) << allIssues(issues);
  return loaded ? (*loaded)->schema : fhir::Schema::r4();
}

struct Outcome {
  bool ok = false;
  std::string json;               // of the result
  std::string issues;             // all, one a line: "error: …"
  std::vector<std::string> loss;  // paths that no rule has read
};

/// Compiles and runs. `sourceJson` is read as the map's source type.
inline Outcome runMaps(const std::vector<MapText>& maps, const std::string& sourceJson,
                       const SchemaPointer& schema = fhir::Schema::r4(), RunOptions options = {}) {
  Outcome out;
  fhir::Issues issues;
  const auto library = Library::compile(maps, schema, issues);
  if (library) {
    fhir::ReadOptions read;
    read.type = library->sourceType();
    const auto source = fhir::readJson(sourceJson, schema, read, issues);
    if (source) {
      const auto result = transform(*library, *source, options, issues);
      out.ok = result.ok();
      if (result) out.json = fhir::writeJson(*result);
      for (const LossEntry& entry : unaccounted(*source)) out.loss.push_back(entry.path);
    }
  }
  out.issues = allIssues(issues);
  return out;
}

inline Outcome runMap(const std::string& map, const std::string& sourceJson,
                      const SchemaPointer& schema = fhir::Schema::r4()) {
  return runMaps({{"t.map", map}}, sourceJson, schema);
}

inline SchemaPointer visitSchema() {
  static const SchemaPointer schema = schemaWith({LOTSEN_SOURCE_DIR "/tests/mapping/data/visit.model.json"});
  return schema;
}

/// A map from the logical model tests/mapping/data/visit.model.json to `target`; rules begin on line 5.
inline std::string mapOf(const std::string& target, const std::string& rules, const std::string& more = "") {
  return "map \"http://example.org/m\" = \"m\"\n" + more +
         "uses \"http://example.org/StructureDefinition/Visit\" alias Visit as source\n"
         "uses \"http://hl7.org/fhir/StructureDefinition/" +
         target +
         "\" alias T as target\n"
         "group G(source src : Visit, target tgt : T) {\n" +
         rules + "\n}\n";
}

inline Outcome run(const std::string& target, const std::string& rules, const std::string& source,
                   const std::string& more = "") {
  return runMap(mapOf(target, rules, more), source, visitSchema());
}

/// The result without its resourceType; the issues if there is none.
inline std::string made(const std::string& target, const std::string& rules, const std::string& source,
                        const std::string& more = "") {
  const Outcome outcome = run(target, rules, source, more);
  if (!outcome.ok) return outcome.issues;
  const std::string head = "{\"resourceType\":\"" + target + "\"";
  EXPECT_TRUE(outcome.json.starts_with(head)) << outcome.json;
  std::string rest = outcome.json.substr(head.size());
  return rest == "}" ? "{}" : "{" + rest.substr(1);
}

/// True if it gives no document and an issue that says so.
inline bool fails(const std::string& target, const std::string& rules, const std::string& source,
                  const std::string& saying, const std::string& more = "") {
  const Outcome outcome = run(target, rules, source, more);
  EXPECT_FALSE(outcome.ok) << outcome.json;
  EXPECT_EQ(outcome.json, "");
  EXPECT_NE(outcome.issues.find(saying), std::string::npos) << outcome.issues;
  return !outcome.ok;
}

}  // namespace lotsen::mapping
