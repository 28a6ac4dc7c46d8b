// Templates and print profiles from disk. Used by: app (serve, check, letter, bench), tests.
// Thread rule: any thread; what is loaded is immutable. Failure rule: a file that cannot be read is NotFound; faults
// inside a file go to `issues` with file and line, and the result is Invalid.
//
// A folder of templates: *.md are templates (but README.md), print/*.profile are print profiles.
#pragma once

#include "gateway/letter/render.h"

#include <memory>
#include <string>
#include <vector>

namespace lotsen::letter {

Result<Template> loadTemplate(const std::string& path, const std::shared_ptr<const fhir::Schema>& schema,
                              fhir::Issues& issues);
Result<PrintProfile> loadProfile(const std::string& path, fhir::Issues& issues);

/// Everything in a folder of templates. Loaded as a whole: one fault and there is no library.
struct Library {
  std::vector<Template> templates;
  std::vector<PrintProfile> profiles;  // `file` is the name without folder and ending, "c5-h2"

  /// nullptr if there is none.
  const Template* find(std::string_view id, std::string_view language) const;
  const PrintProfile* profile(std::string_view name) const;
};
Result<Library> loadLibrary(const std::string& folder, const std::shared_ptr<const fhir::Schema>& schema,
                            fhir::Issues& issues);

/// `lotsen letter TEMPLATE DATA --to FORMAT`: the profile is print/c5-h2.profile beside the template.
struct LetterFiles {
  std::string templatePath;
  std::string dataPath;  // JSON of the source Bundle
  std::vector<std::string> fontDirectories;
};
Result<Rendered> renderFiles(const LetterFiles& files, Format format, Instant now,
                             const std::shared_ptr<const fhir::Schema>& schema, fhir::Issues& issues);

}  // namespace lotsen::letter
