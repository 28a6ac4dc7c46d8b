// Definitions of a test's own, and what a Validator that knows them says.
#pragma once

#include "gateway/definitions/definitions.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/outcome.h"
#include "gateway/validation/message_kinds.h"
#include "gateway/validation/validation.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <fstream>

namespace lotsen::validation {

inline constexpr std::string_view kUrl = "http://t.se/p";

/// A differential on a type of R4.
inline std::string profile(std::string_view url, std::string_view type, std::string_view elements,
                           std::string_view more = "") {
  const std::string text(type);
  return R"({"resourceType":"StructureDefinition","url":")" + std::string(url) +
         R"(","name":"P","status":"draft","abstract":false,"kind":")" +
         (text == "Extension" || text == "Address" ? "complex-type" : "resource") + R"(","type":")" + text +
         R"(","baseDefinition":"http://hl7.org/fhir/StructureDefinition/)" + text + R"(","derivation":"constraint",)" +
         std::string(more) + R"("differential":{"element":[)" + std::string(elements) + "]}}";
}

class Known {
 public:
  explicit Known(const std::vector<std::string>& definitions) {
    for (std::size_t i = 0; i < definitions.size(); ++i) {
      std::ofstream(folder_.file(std::to_string(i) + ".json")) << definitions[i];
    }
    fhir::Issues issues;
    const auto loaded = definitions::load({folder_.path()}, issues);
    EXPECT_TRUE(loaded.ok()) << fhir::operationOutcome(issues);
    if (!loaded.ok()) return;
    definitions_ = *loaded;
    const auto kinds = MessageKinds::load({folder_.path()}, definitions_->schema, issues);
    EXPECT_TRUE(kinds.ok());
    validator_ = *Validator::create(definitions_, *kinds);
  }

  /// "rule place" of every error, or of every issue down to `least`.
  std::string faults(std::string_view json, Options options = {}, fhir::Severity least = fhir::Severity::Error) const {
    fhir::Issues issues;
    const auto document = fhir::readJson(json, definitions_->schema, {}, issues);
    EXPECT_TRUE(document.ok()) << fhir::operationOutcome(issues);
    if (document.ok()) validator_->validate(*document, issues, options);
    std::string result;
    for (const fhir::Issue& issue : issues.list()) {
      if (issue.severity <= least) result += issue.rule + " " + issue.expression + "\n";
    }
    return result;
  }
  std::string byProfile(std::string_view json, fhir::Severity least = fhir::Severity::Error) const {
    Options options;
    options.profiles.emplace_back(kUrl);
    return faults(json, options, least);
  }

  /// What is told of the errors against kUrl, a line each, without the canonical of the profile at their ends.
  std::string sentences(std::string_view json) const {
    fhir::Issues issues;
    const auto document = fhir::readJson(json, definitions_->schema, {}, issues);
    EXPECT_TRUE(document.ok()) << fhir::operationOutcome(issues);
    Options options;
    options.profiles.emplace_back(kUrl);
    if (document.ok()) validator_->validate(*document, issues, options);
    std::string result;
    const std::string end = " (" + std::string(kUrl) + ")";
    for (const fhir::Issue& issue : issues.list()) {
      if (issue.severity > fhir::Severity::Error) continue;
      const bool ours = std::string_view(issue.text).ends_with(end);
      result += issue.text.substr(0, issue.text.size() - (ours ? end.size() : 0)) + "\n";
    }
    return result;
  }

 private:
  lotsen::test::TempDir folder_;
  std::shared_ptr<const definitions::Definitions> definitions_;
  std::shared_ptr<const Validator> validator_;
};

}  // namespace lotsen::validation
